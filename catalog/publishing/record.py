"""The published document: what of a dataset anybody may read, as one JSON value. Pure.

Made from the registry entry, which says what was published, the complete metadata files it names, and the live
administrative record, which may be stricter by now. Every public way out is made from this value and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson

from catalog.publishing import iris, whitelist
from catalog.publishing.access import CONFIDENTIAL, EMBARGOED, Access, embargo_end, is_stricter, strictest
from catalog.publishing.whitelist import public_part
from ingest import manifest
from ingest.publication import CITED, PUBLISHED, UNPUBLISHED, WITHDRAWN, pinned, state_of, version_iri, versions

FILES_IN_RECORD = 1_000
_CONFIDENTIAL = "Its record has been made confidential."
_NO_REASON = "No reason is recorded."
_GONE = "Its data are no longer kept here."
_UNREADABLE = "Its complete metadata is not there at present."
_NOT_SAID = "Its record cannot be read at present."
_CITED_KEYS = ("dataset_title", "creators", "publisher", "resource_type_general", "metadata_language")
_WITHHELD = "A dataset that is no longer public"

Value = Mapping[str, Any]


@dataclass(frozen=True)
class Former:
    """What the public saw before: ``modified`` never goes back behind it."""

    modified: datetime
    etag: str


@dataclass(frozen=True)
class Published:
    """What the public sees of a dataset; ``files`` are its public file entries, also when there are too many for it.

    ``gone`` are kind and identifier of what was public before it was withdrawn, and whose names lead to the tombstone.
    """

    identifier: str
    state: str
    access_level: str
    embargo_end: date | None
    title: str
    modified: datetime
    version: str
    previous_version: str
    doi: str
    sequence: int
    value: dict[str, Any]
    etag: str
    files: tuple[dict[str, Any], ...] = ()
    gone: tuple[tuple[str, str], ...] = ()


def compose(
    entry: Value,
    live: Value,
    complete: Sequence[Value],
    now: datetime,
    *,
    last_level: str = "",
    former: Former | None = None,
    files_in_record: int = FILES_IN_RECORD,
) -> Published | None:
    """What is public of a dataset at one moment; None when nothing is.

    Args:
        entry: its registry entry.
        live: its administrative record as it stands, {} where there is none to read: then nothing of it is public.
        complete: the complete metadata files that the newest published version names; others count for nothing.
        last_level: the level that the live record said when it was read last; counts only where the folder is gone.
        former: what was composed of it before, if anything was.
        files_in_record: how many files the value itself lists; of more it names the data objects only.
    """
    if entry.get("kind") != "dataset" or state_of(entry) == UNPUBLISHED:
        return None
    wanted = {(each["data_object_identifier"], each["revision"]) for each in pinned(entry)}
    objects = [each for each in complete if (each.get("data_object_identifier"), each.get("revision")) in wanted]
    objects.sort(key=lambda each: (str(each.get("generated_date")), str(each.get("@id"))), reverse=True)
    # A live record that is not there or cannot be read may have closed the dataset: not said is confidential.
    said = live if live or entry.get("state") == "present" else {"access_level": last_level}
    access = strictest([*(each["dataset"] for each in objects[:1]), said], now)
    reason = _why_not(entry, live, objects, access)
    if reason is not None:
        made = _tombstone(entry, objects, live, reason, access)
    else:
        made = _record(entry, live, objects, access, files_in_record)
    return _after(former, made, now) if former is not None else _first(entry, made)


def _why_not(entry: Value, live: Value, objects: Sequence[Value], access: Access) -> str | None:
    """Why no more than a tombstone is public; None where all of it is."""
    publication = entry["publication"]
    if publication["state"] == WITHDRAWN:
        return str(publication.get("withdrawal_reason") or _NO_REASON)
    if entry.get("state") != "present":
        return _GONE
    if not objects:
        return _UNREADABLE
    if not live:
        return _NOT_SAID
    return None if access.gives_metadata else _CONFIDENTIAL


def cited(dataset: Value) -> dict[str, Any]:
    """What of an administrative record a tombstone still says."""
    part = public_part(dataset, whitelist.DATASET)
    return {key: part[key] for key in _CITED_KEYS if key in part}


# --- the whole record ---------------------------------------------------------------------------------------------


def _record(entry: Value, live: Value, objects: Sequence[Value], access: Access, files_in_record: int) -> Published:
    newest = objects[0]
    files = _files(objects)
    listed = len(files) <= files_in_record
    value = _dataset(newest["dataset"], access)
    value |= _of_registry(entry, value) | {"publication_state": PUBLISHED}
    value["last_modified_date"] = _stamp(_modified(entry, live, objects, access))
    value["project"] = public_part(newest["project"], whitelist.PROJECT)
    if "funding" not in value and "funding" in value["project"]:
        value["funding"] = value["project"]["funding"]
    value["structure"] = _structure(newest["structure"], files)
    value["data_objects"] = [_data_object(each, files, listed=listed) for each in objects]
    if listed:
        value["file_descriptions"] = files
    value["instruments"] = _instruments(objects)
    return _published(entry, value, access, files)


def _dataset(dataset: Value, access: Access) -> dict[str, Any]:
    value = public_part(dataset, whitelist.DATASET) | {"access_level": access.level}
    value.pop("embargo_end_date", None)
    if access.level == EMBARGOED and access.embargo_end is not None:
        value["embargo_end_date"] = access.embargo_end.isoformat()
    return value


def _of_registry(entry: Value, dataset: Value) -> dict[str, Any]:
    """What the registry says: identifier, dates and versions; ``dataset`` may have a name for its version."""
    publication = entry["publication"]
    history = versions(entry)
    told = {key: publication[key] for key in ("doi", "date_published", "previous_version") if publication.get(key)}
    number = len(history)
    told["dataset_version"] = str(dataset.get("dataset_version") or number or 1)
    if number:
        told["version_published"] = history[-1]["date_published"]
    if number > 1:
        told.setdefault("previous_version", version_iri(entry["identifier"], number - 1))
    return told


def _files(objects: Sequence[Value]) -> list[dict[str, Any]]:
    """The files of all data objects, each once, by path."""
    found: dict[str, dict[str, Any]] = {}
    for each in objects:
        for entry in each["structure"].get("file_descriptions", ()):
            identifier = str(entry["file_identifier"])
            if identifier not in found:
                part = public_part(entry, whitelist.FILE)
                found[identifier] = part | {"@id": f"urn:uuid:{identifier}", "@type": "File"}
    return sorted(found.values(), key=manifest.entry_order)


def _structure(structure: Value, files: Sequence[Value]) -> dict[str, Any]:
    """What is said of the files together; numbers are of those published, of whichever run."""
    own = public_part(structure, whitelist.STRUCTURE)
    return manifest.NOTHING.changed((), files).into(own)


def _data_object(complete: Value, files: Sequence[Value], *, listed: bool) -> dict[str, Any]:
    run_id = complete["experiment"]["run_id"]
    own = [each for each in files if each.get("run_id") == run_id]
    value = public_part(complete, whitelist.DATA_OBJECT)
    value["@id"] = f"urn:uuid:{complete['data_object_identifier']}"
    value["experiment"] = _run(complete["experiment"], files)
    value |= {"file_count": len(own), "total_size_bytes": sum(each["size_bytes"] for each in own)}
    if listed:
        value["file_identifiers"] = [each["file_identifier"] for each in own]
    else:
        value["experiment"].pop("outputs", None)
    return value


def _run(experiment: Value, files: Sequence[Value]) -> dict[str, Any]:
    value = public_part(experiment, whitelist.RUN)
    # A file of another dataset is named by that one's own record, if it has a public one.
    known = {each["file_identifier"] for each in files}
    if "outputs" in value:
        value["outputs"] = [each for each in value["outputs"] if each in known]
    kept = [each for each in value.pop("inputs", ()) if each.get("file_identifier", None) in {None, *known}]
    return value | ({"inputs": kept} if kept else {})


def _instruments(objects: Sequence[Value]) -> list[dict[str, Any]]:
    """Each instrument once, as the newest of the data objects describes it."""
    found: dict[str, dict[str, Any]] = {}
    for each in objects:
        for instrument in each.get("instruments", ()):
            found.setdefault(str(instrument["instrument_identifier"]), public_part(instrument, whitelist.INSTRUMENT))
    return [found[identifier] for identifier in sorted(found)]


# --- the tombstone ------------------------------------------------------------------------------------------------


def _tombstone(entry: Value, objects: Sequence[Value], live: Value, reason: str, access: Access) -> Published:
    """What stays when a dataset is public no more: who made it and when it went; no file, nothing of its content."""
    publication = entry["publication"]
    value: dict[str, Any] = {
        "@id": f"urn:uuid:{entry['identifier']}",
        "@type": "Dataset",
        "dataset_identifier": entry["identifier"],
    }
    if access.level == CONFIDENTIAL:
        value["dataset_title"] = _WITHHELD
    else:
        value |= public_part(publication.get(CITED, {}), whitelist.DATASET)
        value.setdefault("dataset_title", _WITHHELD)
    value |= _of_registry(entry, publication.get(CITED, {})) | {"publication_state": WITHDRAWN}
    value["withdrawal_reason"] = reason
    moved = _modified(entry, live, objects, access)
    value["withdrawn_date"] = str(publication.get("withdrawn_date") or entry.get("missing_since") or _stamp(moved))
    value["last_modified_date"] = _stamp(moved)
    return replace(_published(entry, value, Access(access.level), ()), gone=tuple(_gone(entry, objects)))


def _gone(entry: Value, objects: Sequence[Value]) -> Iterator[tuple[str, str]]:
    """What the newest version named, and no more than that: nothing else was ever public."""
    for each in pinned(entry):
        yield iris.DATA_OBJECT, str(each["data_object_identifier"])
        yield iris.RUN, str(each["run_id"])
    files = _files(objects)
    for file in files:
        yield iris.FILE, str(file["file_identifier"])
    for each in objects:
        yield iris.PROJECT, str(each["project"]["project_identifier"])
        for instrument in each.get("instruments", ()):
            yield iris.INSTRUMENT, str(instrument["instrument_identifier"])
    for holder in (*(each["structure"] for each in objects[:1]), *files):
        for variable in holder.get("variables", ()):
            if own := iris.uuid_of(str(variable.get("@id"))):
                yield iris.VARIABLE, own


# --- around both ----------------------------------------------------------------------------------------------------


def _published(entry: Value, value: dict[str, Any], access: Access, files: Sequence[dict[str, Any]]) -> Published:
    return Published(
        identifier=str(entry["identifier"]),
        state=value["publication_state"],
        access_level=access.level,
        embargo_end=access.embargo_end,
        title=str(value.get("dataset_title", "")),
        modified=datetime.fromisoformat(value["last_modified_date"]),
        version=value["dataset_version"],
        previous_version=str(value.get("previous_version", "")),
        doi=str(value.get("doi", "")),
        sequence=_whole(entry.get("sequence")),
        value=value,
        etag=_etag(value, files),
        files=tuple(files),
    )


def _etag(value: Value, files: Sequence[Value]) -> str:
    return hashlib.sha256(orjson.dumps([value, list(files)], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _first(entry: Value, made: Published) -> Published:
    """Without a former one, an act of which no moment is kept is no later than the registry's last change."""
    changed = _moment(entry.get("datestamp"))
    return made if changed is None or changed <= made.modified else _at(made, changed)


def _after(former: Former, made: Published, now: datetime) -> Published:
    """The same with the moment at which it changed: the former one if it did not, else now and later than that.

    What was public before may have said a later moment than its sources say now, and who asks for what changed since
    then must be told of this one.
    """
    same = _at(made, former.modified)
    if same.etag == former.etag:
        return same
    return _at(made, max(now.replace(microsecond=0), former.modified + timedelta(seconds=1)))


def _at(made: Published, moment: datetime) -> Published:
    value = made.value | {"last_modified_date": _stamp(moment.astimezone(UTC))}
    return replace(made, modified=moment, value=value, etag=_etag(value, made.files))


def _modified(entry: Value, live: Value, objects: Sequence[Value], access: Access) -> datetime:
    """When the public record last changed: an act, a stricter live record, a folder gone, or an embargo's end."""
    publication = entry["publication"]
    moments = [each["date_published"] for each in versions(entry)]
    moments += [publication.get("date_published"), publication.get("withdrawn_date")]
    if entry.get("state") != "present":
        moments.append(entry.get("missing_since"))
    records = [*(each["dataset"] for each in objects[:1]), *([live] if live else ())]
    if live and is_stricter(live, records[0]):
        moments.append(live.get("last_modified_date"))
    found = [moment for each in moments if (moment := _moment(each)) is not None]
    if access.gives_data:
        ends = [embargo_end(each) for each in records if each.get("access_level") == EMBARGOED]
        found += [datetime.combine(end, time.min, UTC) for end in ends if end is not None]
    return max(found, default=datetime.fromtimestamp(0, UTC))


def _moment(value: object) -> datetime | None:
    """A time as a record has it, None of what is none: a live record may be as an editor left it."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _whole(value: object) -> int:
    return value if type(value) is int and 0 <= value < 2**53 else 0


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
