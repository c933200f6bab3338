"""BibTeX: one ``@misc`` entry, which every style of BibTeX and biblatex knows."""

from __future__ import annotations

import re

from catalog.formats import citing
from catalog.formats.citing import Author
from catalog.formats.reading import Thing
from catalog.publishing.site import Site

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_ANY = re.compile("[" + re.escape("".join(_SPECIAL)) + "]")
_BRACES = re.compile(r"[\\{}]")


def render(value: Thing, site: Site) -> bytes:
    """The entry, in UTF-8."""
    cited = citing.of(value, site)
    fields = {
        "author": " and ".join(_author(each) for each in cited.authors),
        "title": "{" + _escaped(cited.title) + "}",
        "year": cited.year,
        "publisher": _escaped(cited.publisher),
        "version": _escaped(cited.version),
        "doi": _address(cited.doi),
        "url": _address(cited.address),
        "keywords": _escaped(", ".join(cited.keywords)),
        "abstract": _escaped(cited.abstract),
        "copyright": _escaped(cited.license or cited.license_iri),
        "note": "Withdrawn" if cited.withdrawn else "",
    }
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items() if text not in ("", "{}")]
    return "\n".join([f"@misc{{{cited.key},", *lines, "}", ""]).encode("utf-8", "replace")


def _author(author: Author) -> str:
    """Braces keep BibTeX from taking a name apart that is not known to have parts."""
    if author.family:
        return ", ".join(_escaped(part) for part in (author.family, author.given) if part)
    return "{" + _escaped(author.literal) + "}"


def _escaped(text: str) -> str:
    return _ANY.sub(lambda match: _SPECIAL[match[0]], text)


def _address(text: str) -> str:
    """Addresses are read verbatim; what could end the field is percent-encoded."""
    return _BRACES.sub(lambda match: f"%{ord(match[0]):02X}", text)
