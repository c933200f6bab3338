"""Contexts by name or address: the packaged ones, and local ones beside ``.template_schemas``. None is ever fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import contexts
from catalog.graph.compiling import ContextError, Scope, compiled
from ingest.layout import TEMPLATE_SCHEMAS

_LOCAL = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,99})(?:/[0-9][0-9A-Za-z.]*)?\.jsonld")
_MOST_BYTES = 512 * 1024


class UnknownContextError(ContextError):
    """A record names a context that is neither packaged nor local."""

    def __init__(self, address: object) -> None:
        shown = str(address)
        shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
        super().__init__(
            f"The context {shown!r} is not known here, and contexts are never fetched. Use one of ours, or put it "
            f"into {TEMPLATE_SCHEMAS}/contexts/ as a file and name that file."
        )


def context(name: str) -> dict[str, Any]:
    """What a packaged context says, the caller's to change.

    Raises:
        UnknownContextError: for a name that is not packaged.
    """
    try:
        said: dict[str, Any] = contexts.read(name)["@context"]
    except KeyError:
        raise UnknownContextError(name) from None
    return said


@cache
def scope(name: str) -> Scope:
    """A packaged context, ready for reading."""
    return compiled([context(name)])


def inlined(named: Any, folder: Path | None = None) -> list[dict[str, Any]]:
    """What the ``@context`` of a record says, each address in it replaced by the text it stands for.

    Args:
        named: the value of ``@context``: an address or a list of them.
        folder: ``.template_schemas`` of the root the record lies in, where local contexts are.

    Raises:
        UnknownContextError: for an address that is neither packaged nor local, and for anything that is no address.
        ContextError: for a local file that is no context.
    """
    listed: Sequence[Any] = named if isinstance(named, list) else [named]
    return [_one(each, folder) for each in listed]


def scope_of(named: Any, folder: Path | None = None) -> Scope:
    """The same, ready for reading.

    Raises:
        ContextError: as :func:`inlined`, and where a local context gives one of our terms another meaning.
    """
    if isinstance(named, str) and (name := contexts.name_of(named)):
        return scope(name)
    texts = tuple(json.dumps(each, sort_keys=False) for each in inlined(named, folder))
    return _scope_of_texts(texts)


@lru_cache(maxsize=64)
def _scope_of_texts(texts: tuple[str, ...]) -> Scope:
    return compiled([json.loads(each) for each in texts])


def _one(address: Any, folder: Path | None) -> dict[str, Any]:
    if not isinstance(address, str):
        raise UnknownContextError(json.dumps(address, default=str))
    if name := contexts.name_of(address):
        return context(name)
    path = _local_file(address, folder)
    if path is None:
        raise UnknownContextError(address)
    return _read(path)


def _local_file(address: str, folder: Path | None) -> Path | None:
    """The file of a local context: the last part of its address, or the part before a version."""
    if folder is None or address.startswith(contexts.BASE):
        return None
    found = re.search(rf"(?:^|/){_LOCAL.pattern}$", address)
    if found is None:
        return None
    path = folder / "contexts" / f"{found['name']}.jsonld"
    return path if path.is_file() and not path.is_symlink() else None


def _read(path: Path) -> dict[str, Any]:
    shown = f"{TEMPLATE_SCHEMAS}/contexts/{path.name}"
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise ContextError(f"The context {shown} has more than {_MOST_BYTES // 1024} KiB; make it smaller.")
        document = json.loads(raw)
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ContextError):
            raise
        raise ContextError(f"The context {shown} cannot be read: {error}") from error
    said = document.get("@context") if isinstance(document, Mapping) else None
    if not isinstance(said, dict):
        raise ContextError(f'The context {shown} has no "@context" with an object in it.')
    return said
