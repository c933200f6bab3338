"""Whether the contexts that a document on disk names are known here, in words; for `check`. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from catalog.graph.compiling import ContextError
from catalog.graph.contexts import scope_of
from ingest.documents import REGISTRY
from ingest.layout import TEMPLATE_SCHEMAS
from ingest.schema import Problem

_KEY = "@context"
_MOST = 20
_WRITTEN_OUT = (
    "A context is named here by its address and not written out. Put it into "
    f"{TEMPLATE_SCHEMAS}/contexts/ as a file and name that file."
)
_INSIDE = "Only a record as a whole has a context, and contexts are never fetched; take this one out."

Judge = Callable[[str, Mapping[str, Any]], list[Problem]]


def judge(root: Path) -> Judge:
    """What is wrong with the contexts of a document of a kind below a root; each distinct one is read once."""

    @cache
    def sentence(named: str | tuple[str, ...]) -> str:
        try:
            scope_of(named if isinstance(named, str) else list(named), root / TEMPLATE_SCHEMAS)
        except ContextError as error:
            return str(error)
        return ""

    def problems(kind: str, document: Mapping[str, Any]) -> list[Problem]:
        named = document.get(_KEY)
        listed = named if isinstance(named, list) else [named]
        if kind == REGISTRY or named is None:
            wrong = ""
        elif listed and all(isinstance(each, str) for each in listed):
            wrong = sentence(named if isinstance(named, str) else tuple(listed))
        else:
            wrong = _WRITTEN_OUT
        own = [Problem(f"/{_KEY}", "context", wrong)] if wrong else []
        return own + [Problem(pointer, "context", _INSIDE) for pointer in islice(_further(document), _MOST)]

    return problems


def _further(document: Mapping[str, Any]) -> Iterator[str]:
    """Where below the document's own there are further contexts: other programs would fetch them."""
    try:  # as orjson writes it a key has one form, however it was escaped
        if orjson.dumps(document).count(b'"@context":') <= (_KEY in document):
            return  # as nearly always; a manifest of 100,000 files is not walked for nothing
    except TypeError:
        pass  # nested more deeply than it writes
    todo: list[tuple[str, Any]] = [("", document)]
    while todo:
        pointer, value = todo.pop()
        if isinstance(value, Mapping):
            if pointer and _KEY in value:
                yield f"{pointer}/{_KEY}"
            # What stands in a context is part of it.
            inner = ((key, each) for key, each in value.items() if key != _KEY)
            todo += [(f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", each) for key, each in inner]
        elif isinstance(value, list):
            todo += [(f"{pointer}/{number}", each) for number, each in enumerate(value)]
