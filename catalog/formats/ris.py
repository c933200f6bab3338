"""RIS, as reference managers import it: one tag a line, no line of a person's text able to begin another."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.formats import citing
from catalog.formats.citing import Author, Citation
from catalog.formats.reading import Thing
from catalog.publishing.site import Site


def render(value: Thing, site: Site) -> bytes:
    """The reference, in UTF-8 with the line ends that the format asks for."""
    return "".join(f"{tag}  - {text}\r\n" for tag, text in _tags(citing.of(value, site))).encode("utf-8", "replace")


def _tags(cited: Citation) -> Iterator[tuple[str, str]]:
    yield "TY", "DATA"
    for author in cited.authors:
        yield "AU", _author(author)
    told = (
        ("TI", cited.title),
        ("PY", cited.year),
        ("DA", cited.date.replace("-", "/")),
        ("PB", cited.publisher),
        ("ET", cited.version),
        ("DO", cited.doi),
        ("UR", cited.address),
        ("LA", cited.language),
        ("AB", cited.abstract),
        *(("KW", each) for each in cited.keywords),
        ("N1", "Withdrawn" if cited.withdrawn else ""),
    )
    yield from ((tag, text) for tag, text in told if text)
    yield "ER", ""


def _author(author: Author) -> str:
    return ", ".join(filter(None, (author.family, author.given))) or author.literal
