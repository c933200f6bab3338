"""Where a registry entry and the store's own memory of a dataset's publication disagree: what counts. Pure.

An editor wrote into the entry, or an older state folder or an older entry was put back; which of them cannot be told.
So the stricter of the two is public, no withdrawal is written over, and no version that may be the store's is lost.

An entry that says ``unpublished``, or nothing that can be read, of what the store remembers as published does not
close it: no act leads back there, so only an editor can have written it, and what an editor does does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.publication import CITED, PUBLISHED, UNPUBLISHED, WITHDRAWN, pinned, state_of, versions

Publication = Mapping[str, Any]

_STRICTEST_FIRST = (UNPUBLISHED, WITHDRAWN, PUBLISHED)
_OF_WITHDRAWAL = ("withdrawn_date", "withdrawal_reason")


def strictest(known: Sequence[Publication]) -> Publication:
    """Of those that may stand after a crash, the one that shows the least."""
    return min(known, key=lambda each: _STRICTEST_FIRST.index(_state(each)))


def shown(own: Publication, known: Sequence[Publication]) -> Publication:
    """What of the two is public.

    Args:
        own: what the entry says; known: what the store remembers, which is not that.
    """
    memory, own = strictest(known), _as_told(own)
    match _state(memory), _state(own):
        case ("published", "withdrawn"):
            return {**_settled(own, memory), CITED: memory.get(CITED, {})}
        case ("published", "published") if _continues(own, memory):
            return _common(own, memory)
        case _:
            return memory


def kept(own: Publication, known: Sequence[Publication]) -> Publication:
    """What the entry keeps; a state that an editor alone can have written is put back to the one known."""
    memory, own = strictest(known), _as_told(own)
    match _state(memory), _state(own):
        case ("published", "published") | ("unpublished" | "withdrawn", "withdrawn") if _continues(own, memory):
            return own
        case ("published", "withdrawn"):
            return _settled(own, memory)
        case ("withdrawn", "published") if _continues(own, memory) and len(_versions(own)) > len(_versions(memory)):
            previous = {key: own[key] for key in ("previous_version",) if key in own}
            return {**memory, **previous, "versions": own["versions"]}
        case _:
            return memory


def _settled(own: Publication, memory: Publication) -> Publication:
    """The withdrawal that the entry tells of; of one that only an editor can have written, no more than that."""
    if _continues(own, memory):
        return own
    told = {key: own[key] for key in _OF_WITHDRAWAL if isinstance(own.get(key), str)}
    return {**memory, **told, "state": WITHDRAWN}


def _common(own: Publication, memory: Publication) -> Publication:
    """Published by both: only what both publish, for between the two it may have been withdrawn."""
    also = pinned({"publication": own})
    objects = [each for each in pinned({"publication": memory}) if each in also]
    *before, newest = _versions(memory) or [{}]
    return {**memory, "versions": [*before, {**newest, "data_objects": objects}]}


def _continues(own: Publication, memory: Publication) -> bool:
    """Whether the store can have written it after what is remembered: no act takes a version away."""
    history, before = _versions(own), _versions(memory)
    return (
        bool(history)
        and history == own.get("versions")
        and history[: len(before)] == before
        and [each.get("number") for each in history] == list(range(1, len(history) + 1))
        and all(isinstance(each.get("date_published"), str) and _is_pinned(each) for each in history)
        and isinstance(own.get("date_published"), str)
        and isinstance(own.get(CITED), Mapping)
        and (_state(own) != WITHDRAWN or all(isinstance(own.get(key), str) for key in _OF_WITHDRAWAL))
    )


def _is_pinned(version: Publication) -> bool:
    objects = version.get("data_objects")
    return isinstance(objects, list) and all(isinstance(each, Mapping) for each in objects)


def _versions(publication: Publication) -> list[Mapping[str, Any]]:
    return versions({"publication": publication})


def _as_told(own: Publication) -> Publication:
    """What an entry tells: while it says when or why it was withdrawn, it was, whatever became of the word itself."""
    spoilt = _state(own) == UNPUBLISHED and any(key in own for key in _OF_WITHDRAWAL)
    return {**own, "state": WITHDRAWN} if spoilt else own


def _state(publication: Publication) -> str:
    return state_of({"publication": publication})
