"""When a dataset was published and withdrawn, by whom, and what that was in words.

These acts change the dataset's registry entry, not its record: they are versions of the entry, and told beside those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from catalog.history.whereabouts import repository, tips
from ingest import documents
from ingest.errors import DocumentError
from ingest.provenance import blobs, trails
from ingest.provenance.repository import Repository
from ingest.provenance.trails import Version
from ingest.publication import PUBLISHED, UNPUBLISHED, WITHDRAWN, state_of, versions

MOST = 50
_TRIGGERS = ("publish", "recovery")  # what a crash kept from the history is recorded under the second
_ENTRY = 1024**2  # bytes of a registry entry
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Act:
    """``version`` is that of the registry entry; ``words`` such as ``Published, version 2``."""

    version: Version
    words: str


def acts(root: Path, identifier: str, limit: int = MOST) -> list[Act]:
    """The newest acts of publication of a dataset, the newest first.

    Raises:
        GitError: when the repository cannot be read.
    """
    opened, registered = repository(root), documents.registry_document(root, identifier)
    if opened is None or _was_never_public(registered):
        return []
    path = registered.relative_to(root).as_posix()
    for tip in tips(opened):
        if found := trails.versions(opened, path, limit=limit + 1, upto=tip, triggers=_TRIGGERS):
            return list(_told(opened, found, limit))
    return []


def _was_never_public(registered: Path) -> bool:
    """Whether the entry says so; else a history of many years is searched for nothing."""
    try:
        return state_of(documents.read_document(registered, documents.REGISTRY).value) == UNPUBLISHED
    except (FileNotFoundError, DocumentError):
        return False


def _told(opened: Repository, found: Sequence[Version], limit: int) -> Iterator[Act]:
    texts = blobs.texts(opened, [each.blob or opened.nothing for each in found], most_bytes=_ENTRY)
    entries = [*map(_entry, texts), *([] if len(found) > limit else [_NOTHING])]
    for version, (after, before) in zip(found, pairwise(entries), strict=False):
        if words := _words(before, after):
            yield Act(version, words)


def _entry(text: bytes | None) -> Mapping[str, Any]:
    try:
        value = orjson.loads(text or b"null")
    except orjson.JSONDecodeError:
        return _NOTHING
    return value if isinstance(value, Mapping) else _NOTHING


def _words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What became of it; "" where nothing did."""
    if after.get("publication") == before.get("publication") or state_of(after) == UNPUBLISHED:
        return ""
    if state_of(after) == WITHDRAWN:
        reason = _reason(after)
        return "" if state_of(before) == WITHDRAWN and _reason(before) == reason else f"Withdrawn: {reason}"
    history = versions(after)
    if state_of(before) == PUBLISHED and len(versions(before)) == len(history):
        return ""
    again = " again" if len(versions(before)) == len(history) else ""
    label = history[-1].get("label") if history else ""
    return f"Published{again}, version {len(history)}{f' ({label})' if label else ''}"


def _reason(entry: Mapping[str, Any]) -> str:
    return str(entry["publication"].get("withdrawal_reason", "no reason is recorded"))
