"""Event → what to create or change. Pure: every function returns the records for :meth:`ingest.store.Store.apply`.

Only where a manifest entry cannot tell whether its file is as it was completed, what tells it is asked
(:mod:`ingest.finalised`).

Trigger 0: a project folder. Trigger 1: a dataset folder. Trigger 2: files. Those a person sets off stand elsewhere:
starting a run (3) in :mod:`ingest.runs`, completing it (4 and 5) in :mod:`ingest.complete`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingest import blanks, documents, finding, manifest, publication
from ingest.documents import ADMINISTRATIVE, EXPERIMENT, PROJECT, STRUCTURAL, encode_path
from ingest.events import Arrived, Described, FileEvent, Forgotten, Gone, Left, Moved, Renewed
from ingest.finalised import FinalisedBytes
from ingest.lasting import Renewal, noticed
from ingest.places import Decision, Verdict
from ingest.records import Change, EntriesChange, Record
from ingest.rows import PlaceRow, Stamp
from ingest.settings import EngineSettings

Value = dict[str, Any]
_NOT_YET: Mapping[str, Any] = {}

# What one reading tells of a file: replaced as a whole when the file is read again.
_READ_KEYS = frozenset(
    [
        "extension",
        "size_bytes",
        "permissions",
        "modified_utc",
        "metadata_changed_utc",
        "created_utc",
        "checksum",
        "mime_type",
        "compression",
        "encoding",
        "format",
        "dimensions",
        "number_of_records",
        "bit_depth",
        "channels",
        "duration_seconds",
        "variables",
        "instrument_metadata",
        "extraction",
    ]
)
# What an entry never takes over from the one before it as it stands.
_SET_ANEW = _READ_KEYS | {
    "path", "path_encoding", "file_identifier", "@id", "@type", "file_name", "missing_since", "state",
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """What the triggers need to know of where they are."""

    root: Path
    settings: EngineSettings


# --- trigger 0 and 1: folders -------------------------------------------------------------------------------


def _present(identifier_path: Mapping[str, Any]) -> Value:
    return {k: v for k, v in identifier_path.items() if k not in ("missing_since", "state_reason")} | {
        "state": "present"
    }


def project_record(
    site: Site, path: str, identifier: str, *, derived_from: str = "", born: Mapping[str, Any] = _NOT_YET
) -> Record:
    """Trigger 0: the project's document where it is missing, and its registry entry as present at ``path``.

    Args:
        derived_from: the identifier of the project this folder is a copy of.
        born: ``created_by`` and ``created_date`` of a document that is made anew.
    """
    document = documents.project_document(site.root, path)

    def describe(old: Value | None) -> Value:
        if old is None:
            return {**blanks.project_template(identifier, site.settings.metadata_language), **born}
        if derived_from:
            return _copied(old, "project_identifier", identifier, derived_from)
        return old

    registry = _registry(derived_from, {})
    return Record("project", identifier, path, (Change(document, PROJECT, describe),), registry, touch=True)


def dataset_record(
    site: Site,
    path: str,
    identifier: str,
    project_identifier: str,
    *,
    derived_from: str = "",
    born: Mapping[str, Any] = _NOT_YET,
) -> Record:
    """Trigger 1: the dataset's two documents where they are missing, linked to the project they stand in now."""
    language, publisher = site.settings.metadata_language, site.settings.publisher
    own = {"@id": f"urn:uuid:{identifier}", "dataset_identifier": identifier}
    link = {**own, "associated_project_identifier": project_identifier}

    def administrative(old: Value | None) -> Value:
        if old is None:
            return {**blanks.administrative_template(identifier, project_identifier, language, publisher), **born}
        return {**_copied(old, "dataset_identifier", identifier, derived_from), **link}

    def structural(old: Value | None) -> Value:
        if old is None:
            return {**blanks.structural_template(identifier, project_identifier, language), **born}
        value = _copied_manifest(old, identifier) if derived_from else old
        return {**value, **link}

    changes: list[Change | EntriesChange] = [
        Change(documents.dataset_document(site.root, path, STRUCTURAL), STRUCTURAL, structural),
        *(_copied_runs(site, path, identifier) if derived_from else ()),
        # Last: a folder is who this document says, so a copy stays a copy until all of it has its new identity.
        Change(documents.dataset_document(site.root, path, ADMINISTRATIVE), ADMINISTRATIVE, administrative),
    ]
    registry = _registry(derived_from, {"project_identifier": project_identifier})
    return Record("dataset", identifier, path, tuple(changes), registry, touch=True)


def _registry(derived_from: str, more: Mapping[str, Any]) -> Callable[[Value], Value]:
    origin = {"derived_from": f"urn:uuid:{derived_from}"} if derived_from else {}
    return lambda entry: {**_present(entry), **more, **origin}


def _copied(old: Value, key: str, identifier: str, derived_from: str) -> Value:
    if not derived_from:
        return old
    kept = {k: v for k, v in old.items() if k not in documents.AUDIT[:2]}
    return {**kept, "@id": f"urn:uuid:{identifier}", key: identifier, "derived_from": f"urn:uuid:{derived_from}"}


def _copied_manifest(old: Value, identifier: str) -> Value:
    """The manifest of a copy: its files are other files, and no V2 record counts for them."""
    entries = [_copied_entry(e, str(uuid4())) for e in old.get("file_descriptions", ()) if e.get("state") != "missing"]
    kept = {k: v for k, v in old.items() if k not in ("runs", *documents.AUDIT[:2])}
    value = {**kept, "@id": f"urn:uuid:{identifier}", "dataset_identifier": identifier, "file_descriptions": entries}
    return manifest.NOTHING.changed((), entries).into(value)


def _copied_entry(entry: Mapping[str, Any], new: str) -> Value:
    dropped = ("run_id", "complete_metadata", "previous_checksums", "missing_since")
    kept = {k: v for k, v in entry.items() if k not in dropped}
    return {**kept, "file_identifier": new, "@id": f"urn:uuid:{new}", "data_object_version": "V1", "state": "present",
            "first_seen": documents.now()}  # fmt: skip


def _copied_runs(site: Site, path: str, identifier: str) -> list[Change | EntriesChange]:
    def renewed(old: Value | None) -> Value | None:
        if old is None:
            return None
        run = str(uuid4())
        kept = {k: v for k, v in old.items() if k not in ("outputs", *documents.AUDIT[:2])}
        return {**kept, "@id": f"urn:uuid:{run}", "run_id": run, "dataset_identifier": identifier, "status": "draft"}

    return [
        Change(found.path, EXPERIMENT, renewed)
        for found in finding.dataset_documents(site.root / path)
        if found.kind == EXPERIMENT
    ]


def folder_record(
    site: Site, decision: Decision, project_identifier: str, born: Mapping[str, Any] = _NOT_YET
) -> Record | None:
    """The record a decision on a folder asks for; None when there is nothing to write.

    Args:
        born: who made the record and when, for a document that was deleted and is made anew.
    """
    make = _FOLDER_TRIGGERS.get(decision.verdict)
    if make is None:
        return None
    found, record = decision.found, make(site, decision, project_identifier, born)
    return record if found is None else replace(record, folder=(found.dev, found.ino))


def _made(site: Site, decision: Decision, project_identifier: str, born: Mapping[str, Any]) -> Record:
    identifier = decision.identifier or str(uuid4())
    origin = decision.reason if decision.verdict is Verdict.COPIED else ""
    if decision.kind == "project":
        return project_record(site, decision.path, identifier, derived_from=origin, born=born)
    return dataset_record(site, decision.path, identifier, project_identifier, derived_from=origin, born=born)


def missing_record(kind: str, identifier: str, path: str, project_identifier: str, reason: str) -> Record:
    """A project or dataset folder is not there: only its registry entry can say so."""
    link = {"project_identifier": project_identifier} if project_identifier else {}

    def missing(entry: Value) -> Value:
        if entry.get("state") == "tombstone":
            return entry
        state = publication.gone(entry)
        return {**link, **entry, "state": state, "state_reason": reason, "missing_since": documents.now()}

    return Record(kind, identifier, path, (), missing, touch=True)


_FOLDER_TRIGGERS: Mapping[Verdict, Callable[[Site, Decision, str, Mapping[str, Any]], Record]] = {
    Verdict.NEW: _made,
    Verdict.ADOPTED: _made,
    Verdict.MOVED: _made,
    Verdict.RETURNED: _made,
    Verdict.REMADE: _made,
    Verdict.COPIED: _made,
}


# --- trigger 2: files ---------------------------------------------------------------------------------------


def files_record(
    root: Path,
    place: PlaceRow,
    events: Iterable[FileEvent],
    trusted: Stamp | None,
    renewed: dict[str, Renewal] | None = None,
) -> Record:
    """Trigger 2: the manifest entries of what happened to a dataset's files, in one change.

    Args:
        renewed: told, by their paths, which files have other bytes than their entries say.
    """
    happened = tuple(events)
    keys = frozenset(_key(p) for event in happened for p in _paths(event))
    moment = documents.now()

    def change(old: Mapping[bytes, Value]) -> Mapping[bytes, Value | None]:
        entries: dict[bytes, Value | None] = dict(old)
        now = _Now(moment, FinalisedBytes(root, place.path))
        new: dict[bytes, Value | None] = {}
        for event in happened:
            if renewed is not None and isinstance(event, Described):
                renewal = noticed(entries.get(_key(event.path)) or {}, event)
                renewed.update({event.path: renewal} if renewal is not None else {})
            changed = _FILE_TRIGGERS[type(event)](event, entries, now)
            entries.update(changed)
            new.update(changed)
        return new

    document = documents.dataset_document(root, place.path, STRUCTURAL)
    entries = EntriesChange(document, keys, change, trusted)
    return Record("dataset", place.identifier, place.path, (entries,), folder=place.folder)


def _paths(event: FileEvent) -> tuple[str, ...]:
    return (event.old, event.path) if isinstance(event, Moved) else (event.path,)


def _key(path: str) -> bytes:
    return manifest.key_for(encode_path(path))


def _entry(path: str, identifier: str, technical: Mapping[str, Any], old: Mapping[str, Any], state: str) -> Value:
    """An entry in its order of keys: names, identity, what was read, and everything else that stood there."""
    name = documents.readable(path.rpartition("/")[2])
    read = dict(technical)
    if "extension" in read:
        read["extension"] = documents.readable(read["extension"])
    head = {**encode_path(path), "file_identifier": identifier, "@id": f"urn:uuid:{identifier}", "@type": "File"}
    kept = {k: v for k, v in old.items() if k not in _SET_ANEW}
    return {**head, "file_name": name, **read, **kept, "state": state}


Entries = Mapping[bytes, Value | None]


@dataclass(frozen=True)
class _Now:
    """The moment of a change, and what tells whether a file of a complete run is as it was completed."""

    moment: str
    finalised: FinalisedBytes

    def state(self, old: Mapping[str, Any], checksum: Mapping[str, Any] | None) -> str:
        """Of a file that is there, with these bytes: ``changed`` where its run was completed with others."""
        if old.get("data_object_version") != "V2":
            return "present"
        before = old.get("checksum")
        as_completed = before is None or before == checksum
        if old.get("state") != "present":
            named = self.finalised.sha256(old)
            was_only_away = old.get("state") == "missing" and not old.get("previous_checksums")
            as_completed = named == (checksum or {}).get("value") if named else as_completed and was_only_away
        return "present" if as_completed else "changed"


def _described(event: Described, entries: Entries, now: _Now) -> Entries:
    key = _key(event.path)
    old = entries.get(key)
    technical = event.facts.technical
    if old is None:
        first = {"data_object_version": "V1", "first_seen": now.moment}
        return {key: _entry(event.path, event.identifier, technical, first, "present")}
    more, before = dict(old), old.get("checksum")
    differs = before is not None and before != technical["checksum"]
    if before is not None and differs:
        more["previous_checksums"] = [*old.get("previous_checksums", ()), {**before, "replaced_date": now.moment}]
    state = now.state(old, technical["checksum"])
    return {key: _entry(event.path, old["file_identifier"], technical, more, state)}


def _moved(event: Moved, entries: Entries, now: _Now) -> Entries:
    old = entries.get(_key(event.old))
    if old is None:
        return {}
    read = {k: old[k] for k in _READ_KEYS if k in old and k != "extension"} | dict(event.technical)
    state = now.state(old, read.get("checksum"))
    entry = _entry(event.path, old["file_identifier"], _in_order(old, read), old, state)
    gone: Entries = {_key(event.old): None} if event.old != event.path else {}
    return {**gone, _key(event.path): entry}


def _in_order(old: Mapping[str, Any], technical: Mapping[str, Any]) -> Value:
    order = list({**old, **technical})
    return {k: technical[k] for k in sorted(technical, key=order.index)}


def _arrived(event: Arrived, entries: Entries, now: _Now) -> Entries:
    read = {k: event.entry[k] for k in event.entry if k in _READ_KEYS and k != "extension"} | dict(event.technical)
    identifier = event.entry["file_identifier"]
    return {_key(event.path): _entry(event.path, identifier, _in_order(event.entry, read), event.entry, "present")}


def _left(event: Left, entries: Entries, now: _Now) -> Entries:
    old = entries.get(_key(event.path))
    return {_key(event.path): None} if old is not None and old["file_identifier"] == event.identifier else {}


def _renewed(event: Renewed, entries: Entries, now: _Now) -> Entries:
    key = _key(event.path)
    old = entries.get(key)
    return {} if old is None else {key: _copied_entry(old, event.identifier)}


def _gone(event: Gone, entries: Entries, now: _Now) -> Entries:
    old = entries.get(_key(event.path))
    if old is None or old.get("state") == "missing":
        return {}
    return {_key(event.path): {**old, "state": "missing", "missing_since": now.moment}}


def _forgotten(event: Forgotten, entries: Entries, now: _Now) -> Entries:
    old = entries.get(_key(event.path))
    if old is None or old.get("state") != "missing" or old.get("data_object_version") == "V2":
        return {}
    return {_key(event.path): None}


_FILE_TRIGGERS: Mapping[type, Callable[[Any, Entries, _Now], Entries]] = {
    Described: _described,
    Moved: _moved,
    Arrived: _arrived,
    Left: _left,
    Renewed: _renewed,
    Gone: _gone,
    Forgotten: _forgotten,
}
