"""CSL-JSON, what citation processors take: https://docs.citationstyles.org/."""

from __future__ import annotations

from typing import Any

import orjson

from catalog.formats import citing
from catalog.formats.citing import Author
from catalog.formats.reading import Thing, without_empty
from catalog.publishing.site import Site


def render(value: Thing, site: Site) -> bytes:
    """One item."""
    cited = citing.of(value, site)
    item = {
        "id": cited.key,
        "type": "dataset",
        "title": cited.title,
        "author": [_author(each) for each in cited.authors],
        "issued": _date(cited.date),
        "publisher": cited.publisher,
        "version": cited.version,
        "DOI": cited.doi,
        "URL": cited.address,
        "abstract": cited.abstract,
        "keyword": ", ".join(cited.keywords),
        "language": cited.language,
        "license": cited.license_iri,
        "status": "withdrawn" if cited.withdrawn else "",
    }
    return orjson.dumps(without_empty(item), option=orjson.OPT_INDENT_2) + b"\n"


def _author(author: Author) -> dict[str, str]:
    if not author.family:
        return {"literal": author.literal}
    return {key: each for key, each in (("family", author.family), ("given", author.given)) if each}


def _date(date: str) -> dict[str, Any]:
    parts = [int(each) for each in date.split("-") if each.isdigit()]
    return {"date-parts": [parts]} if parts else {}
