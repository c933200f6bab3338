"""CITATION.cff 1.2.0: https://citation-file-format.github.io/. YAML whose texts are double-quoted, each on its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.formats import citing
from catalog.formats.citing import Author, Citation
from catalog.formats.reading import Thing, without_empty
from catalog.publishing.site import Site

_QUOTED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]')


def render(value: Thing, site: Site) -> bytes:
    """The file."""
    return "".join(f"{line}\n" for line in _lines(_fields(citing.of(value, site)))).encode("utf-8", "replace")


def _fields(cited: Citation) -> dict[str, Any]:
    known = {"type": "doi", "value": cited.doi} if cited.doi else {"type": "url", "value": cited.address}
    return without_empty(
        {
            "cff-version": "1.2.0",
            "message": "Withdrawn; cite it only to say so."
            if cited.withdrawn
            else "If you use these data, please cite them.",
            "type": "dataset",
            "title": cited.title,
            "abstract": cited.abstract,
            "authors": [_author(each) for each in cited.authors],
            "keywords": list(cited.keywords),
            "version": cited.version,
            "doi": cited.doi,
            "identifiers": [known],
            "license": cited.license,
            "license-url": "" if cited.license else cited.license_iri,
            "url": cited.landing_page,
            "date-released": cited.date if len(cited.date) == len("2026-11-23") else "",
        }
    )


def _author(author: Author) -> dict[str, str]:
    names = {"family-names": author.family, "given-names": author.given} if author.family else {"name": author.literal}
    return without_empty({**names, "affiliation": author.affiliation if author.family else "", "orcid": author.orcid})


def _lines(fields: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for key, value in fields.items():
        if isinstance(value, list):
            yield f"{indent}{key}:"
            yield from _items(value, indent)
        else:
            yield f"{indent}{key}: {_quoted(value)}"


def _items(values: list[Any], indent: str) -> Iterator[str]:
    for each in values:
        if isinstance(each, Mapping):
            first, *rest = _lines(each, f"{indent}    ")
            yield f"{indent}  - {first.strip()}"
            yield from rest
        else:
            yield f"{indent}  - {_quoted(each)}"


def _quoted(text: str) -> str:
    return '"' + _QUOTED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[0]}" if match[0] in '"\\' else f"\\u{ord(match[0]):04x}"
