"""The words that a public record is found by, in one form for every language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_KEYS = ("dataset_title", "dataset_abstract", "keywords")
_MOST = 1 << 16  # characters: a list looks through those of every record


def words_of(value: Mapping[str, Any]) -> str:
    """Title, abstract and keywords of a public document, as :func:`folded`."""
    return folded("\n".join(text for key in _KEYS for text in _texts(value.get(key))))[:_MOST]


def folded(text: str) -> str:
    """A text without what people do not tell apart: large letters and small ones, ways to write an accent."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
