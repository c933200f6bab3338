"""Whether a dataset is public, as its registry entry says: the acts of a curator, and what they leave behind. Pure.

A version names the revisions of the complete metadata files it consists of, each with its checksum: what is finalised
later is public when somebody publishes again, and what an editor does to such a file is not public at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.errors import DocumentError

UNPUBLISHED, PUBLISHED, WITHDRAWN = "unpublished", "published", "withdrawn"
STATES = (UNPUBLISHED, PUBLISHED, WITHDRAWN)
CITED = "cited"
"""What of the newest version a tombstone still says."""

Entry = Mapping[str, Any]
Publication = dict[str, Any]
Act = Callable[[Entry, str], Publication]
"""From a registry entry and the moment of the action to the publication it has from then on."""


def state_of(entry: Entry) -> str:
    """Whether it is public: one of :data:`STATES`."""
    publication = entry.get("publication")
    state = publication.get("state") if isinstance(publication, Mapping) else None
    return state if state in STATES else UNPUBLISHED


def versions(entry: Entry) -> list[Mapping[str, Any]]:
    """The versions published so far, the first one first."""
    publication = entry.get("publication")
    listed = publication.get("versions") if isinstance(publication, Mapping) else None
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


def pinned(entry: Entry) -> list[Mapping[str, Any]]:
    """The data objects of the newest version, each with its revision and the checksum of its file."""
    history = versions(entry)
    listed = history[-1].get("data_objects") if history else None
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


def version_iri(identifier: str, number: int) -> str:
    """The IRI of one version of a dataset: a fragment of the dataset's own, so that it always leads somewhere."""
    return f"urn:uuid:{identifier}#version-{number}"


def publish(objects: Sequence[Mapping[str, Any]], cited: Mapping[str, Any], *, label: str = "") -> Act:
    """The act of publishing; with the data objects of the newest version it opens the record again, without a new one.

    Args:
        objects: ``run_id``, ``data_object_identifier``, ``revision`` and ``sha256`` of each complete metadata file.
        cited: what a tombstone will say: title, creators, publisher.
        label: what the people who made it call this version.
    """

    def act(entry: Entry, moment: str) -> Publication:
        before, history = dict(entry.get("publication", {})), versions(entry)
        if not objects:
            raise _refused(entry, "No run of it is complete; complete one first.")
        wanted = sorted((dict(each) for each in objects), key=lambda each: str(each["run_id"]))
        same = bool(history) and _files(history[-1]["data_objects"]) == _files(wanted)
        if same and state_of(entry) == PUBLISHED:
            return before
        for key in ("withdrawn_date", "withdrawal_reason"):
            before.pop(key, None)
        if not same:
            named = {"label": label} if label else {}
            history.append({"number": len(history) + 1, "date_published": moment, **named, "data_objects": wanted})
            if len(history) > 1:
                before["previous_version"] = version_iri(str(entry["identifier"]), len(history) - 1)
        first = before.get("date_published", moment)
        return before | {"state": PUBLISHED, "date_published": first, CITED: dict(cited), "versions": history}

    return act


def withdraw(reason: str) -> Act:
    """The act of taking a published dataset back: a tombstone with the reason stays."""

    def act(entry: Entry, moment: str) -> Publication:
        if not reason.strip():
            raise _refused(entry, "Say why: the reason stays where the dataset was.")
        if state_of(entry) != PUBLISHED:
            raise _refused(entry, f"It is {state_of(entry)}; only what is published can be withdrawn.")
        told = {"state": WITHDRAWN, "withdrawn_date": moment, "withdrawal_reason": reason.strip()}
        return dict(entry["publication"]) | told

    return act


def gone(entry: Entry) -> str:
    """The state of an entry whose folder is gone: whose identifier was public once is remembered for good."""
    return "missing" if state_of(entry) == UNPUBLISHED else "tombstone"


def _files(objects: Sequence[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    return {(each["data_object_identifier"], each["revision"], each["sha256"]) for each in objects}


def _refused(entry: Entry, sentence: str) -> DocumentError:
    name = str(entry.get("path", entry.get("identifier", "")))
    return DocumentError(Path(name), f"{name}: {sentence}", (sentence,), ("/publication",))
