"""What a crash left half done, and what people do to runs with an editor: looked at in each pass.

A complete metadata file that no manifest names is named; a run whose document became complete gets its file; an edit
of a run or an instrument counts for people's fields, as in every other document.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest import documents, finding, manifest
from ingest.accepting import accept_edit, remember_documents
from ingest.complete import finalise
from ingest.documents import COMPLETE, EXPERIMENT, INSTRUMENT, STRUCTURAL
from ingest.errors import DocumentError, FairfolderError, NotAtRestError
from ingest.hand_edits import OF_AN_INSTRUMENT, refused_edit
from ingest.layout import METADATA
from ingest.marking import marked, named, naming
from ingest.named_files import may_stand_elsewhere, relative_name, stands_elsewhere, told_lost
from ingest.records import EntriesChange, Following, Record, system_part
from ingest.registering import registry_entry
from ingest.report import Finding
from ingest.revisions import Revision, numbers, own_revisions, read_revision
from ingest.rows import TROUBLES, Condition, PlaceRow, Stamp
from ingest.waiting import is_put_off, put_off, rests_on
from ingest.workspace import Workspace

OnRecorded = Callable[[Sequence[Path]], None]
Entries = Mapping[str, Mapping[str, Any]]  # by the identifier of the file


def settle_runs(ws: Workspace, places: Iterable[PlaceRow], on_recorded: OnRecorded) -> list[Finding]:
    """The runs of some datasets: every edit and every unfinished action; what a person has to mend."""
    return [finding for place in places for finding in _runs(ws, place, on_recorded)]


def settle_changed(ws: Workspace, changed: Iterable[Path], on_recorded: OnRecorded) -> None:
    """The same for those some documents belong to, and the instruments if one is among them; takes the scan lock."""
    relative = [_relative(ws, path) for path in changed if path.is_relative_to(ws.root)]
    owners = {path.partition(f"/{METADATA}/")[0] for path in relative}
    places = [place for owner in sorted(owners) if (place := ws.seen.place_at(owner)) is not None and not place.gone]
    with ws.scan_lock():
        settle_runs(ws, [place for place in places if place.kind == "dataset"], on_recorded)
        if any(path.startswith(f"{METADATA}/") for path in relative):
            settle_instruments(ws, on_recorded)


# --- runs -----------------------------------------------------------------------------------------------------


def _runs(ws: Workspace, place: PlaceRow, on_recorded: OnRecorded) -> list[Finding]:
    findings = []
    refused: set[Path] = set()
    found = list(finding.run_documents(ws.root / place.path))
    for each in found:
        if each.kind == COMPLETE:
            reason = _look_at_file(ws, place, each.path, on_recorded)
        else:
            reason = _look_at_run(ws, place, each.path, on_recorded)
        if reason:
            refused.add(each.path)
            findings.append(Finding(_shown(ws, each.path), "document", reason))
    runs = [each.path for each in found if each.kind == EXPERIMENT and each.path not in refused]
    for path, reason in _copies(ws, runs).items():
        runs.remove(path)
        findings.append(Finding(_shown(ws, path), "run", reason))
    header = _header(ws, place)
    if header is None:
        return findings
    for path in runs:
        reason = "" if _is_done(ws, place, path, header) else _finish(ws, place, path, header, on_recorded)
        if reason:
            findings.append(Finding(_shown(ws, path), "run", reason))
    return findings + told_lost(ws, place, _header(ws, place) or {}, on_recorded)


def _copies(ws: Workspace, paths: Iterable[Path]) -> dict[Path, str]:
    """The documents of one run in several folders, each with what to do; nothing tells which is the original."""
    folders: dict[str, list[Path]] = {}
    for path in paths:
        known = ws.seen.document(_relative(ws, path))
        if known is not None:
            folders.setdefault(str(known[2].get("run_id")), []).append(path)
    found = {}
    for run_id, same in folders.items():
        for path in same if len(same) > 1 else ():
            others = ", ".join(str(other.parent) for other in same if other != path)
            words = f"is in {others} too; remove the folder that is the copy. It is not completed until then."
            found[path] = f"The run {run_id} in {path.parent} {words}"
    return found


def _look_at_run(ws: Workspace, place: PlaceRow, path: Path, on_recorded: OnRecorded) -> str:
    relative, name = _relative(ws, path), _inner(ws, place, path)
    try:
        known = ws.seen.document(relative)
        if known is not None and known[0] == Stamp.of(os.lstat(path)):
            return ""
        edited = documents.read_document(path, EXPERIMENT).sha256 != _registered(ws, place, path)
    except (FileNotFoundError, DocumentError):
        edited = False
    reason = accept_edit(ws, place, EXPERIMENT, on_recorded, name=name)
    if edited and not reason:
        ws.seen.put(f"edited: {documents.readable(relative)}", True)
    return reason


def _inner(ws: Workspace, place: PlaceRow, path: Path) -> str:
    """A document's path below its dataset's metadata folder."""
    return path.relative_to(ws.root / place.path / METADATA).as_posix()


def _registered(ws: Workspace, place: PlaceRow, path: Path) -> str:
    """The SHA-256 of a document as we wrote or accepted it; "" when we did neither."""
    own = registry_entry(ws.root, place.identifier).get("documents", {})
    return str(own.get(documents.readable(_inner(ws, place, path)), ""))


def _shown(ws: Workspace, path: Path) -> str:
    return documents.readable(_relative(ws, path))


def _relative(ws: Workspace, path: Path) -> str:
    return path.relative_to(ws.root).as_posix()


def _look_at_file(ws: Workspace, place: PlaceRow, path: Path, on_recorded: OnRecorded) -> str:
    """A complete metadata file that is not as last seen: new, or somebody changed what is never changed."""
    relative = _relative(ws, path)
    try:
        stamp = Stamp.of(os.lstat(path))
        known = ws.seen.document(relative)
        if known is not None and known[0] == stamp:
            return ""
        found = read_revision(path)
    except FileNotFoundError:
        return ""
    except DocumentError as error:
        return _trouble(ws, path, str(error), on_recorded)
    first = known[1] if known is not None else _registered(ws, place, path) or found.sha256
    if found.sha256 != first:
        words = f"{path} was changed after it was written; put the former version back, or complete the run again."
        return _trouble(ws, path, words, on_recorded)
    wrong = ws.schemas.problems(COMPLETE, found.value, limit=1)
    if wrong:
        return _trouble(ws, path, f"{path} is not valid: {wrong[0].pointer}: {wrong[0].message}", on_recorded)
    ws.seen.put_document(relative, stamp, found.sha256, system_part(COMPLETE, found.value))
    ws.seen.clear_trouble(relative)
    on_recorded([path])
    return ""


def _trouble(ws: Workspace, path: Path, reason: str, on_recorded: OnRecorded) -> str:
    ws.seen.set_trouble(_relative(ws, path), Condition.FAILED, reason)
    on_recorded([path])
    return reason


def _finish(ws: Workspace, place: PlaceRow, path: Path, header: Mapping[str, Any], on_recorded: OnRecorded) -> str:
    """A complete run without its file gets it; a file that no manifest names is named."""
    try:
        run = documents.read_document(path, EXPERIMENT).value
    except (FileNotFoundError, DocumentError):
        return ""  # told already
    if run.get("status") != "complete" or ws.schemas.problems(EXPERIMENT, run, limit=1):
        return ""
    standing = rests_on(ws, place)
    told = is_put_off(ws, path, standing)
    if told is not None:
        return told
    try:
        _adopt(ws, place, path.parent, str(run["run_id"]), header)
        by = _author(ws, path, run)
        done = finalise(ws.store, ws.root, place.path, path.parent.name, by, ws.seen, once=True)
    except FairfolderError as error:
        condition = Condition.PENDING if isinstance(error, NotAtRestError) else Condition.FAILED
        ws.seen.set_trouble(_relative(ws, path), condition, f"it is complete, and cannot be finished: {error}")
        reason = "" if condition is Condition.PENDING else str(error)
        if isinstance(error, DocumentError | NotAtRestError):
            put_off(ws, path, standing, reason)
        return reason
    ws.seen.clear_trouble(_relative(ws, path))
    ws.seen.put(f"edited: {documents.readable(_relative(ws, path))}", False)
    on_recorded([path, done.path, documents.dataset_document(ws.root, place.path, STRUCTURAL)])
    return ""


def _header(ws: Workspace, place: PlaceRow) -> Mapping[str, Any] | None:
    """A manifest's header; None when it cannot be read, or is an edit that does not count: that is told elsewhere."""
    path = documents.dataset_document(ws.root, place.path, STRUCTURAL)
    try:
        known = ws.seen.document(_relative(ws, path))
        if known is not None and known[0] == Stamp.of(os.lstat(path)):
            return known[2]
        found = documents.read_document(path, STRUCTURAL)
        return found.value if found.sha256 == _registered(ws, place, path) else None
    except (OSError, DocumentError):
        return None


def _is_done(ws: Workspace, place: PlaceRow, path: Path, header: Mapping[str, Any]) -> bool:
    """Whether the manifest names the newest file a run has; the run's document is not read for that."""
    known = ws.seen.document(_relative(ws, path))
    run_id = str(known[2].get("run_id")) if known is not None else ""
    current = named(header, run_id)
    if not current or ws.seen.get(_unmarked(ws, path.parent)):
        return False
    if may_stand_elsewhere(ws, place, path.parent, current):
        latest = next(own_revisions(path.parent, run_id), None)
        return latest is None or not stands_elsewhere(ws, place, current, latest)
    if all(number <= current["revision"] for number in numbers(path.parent)):
        return True
    latest = next(own_revisions(path.parent, run_id), None)
    return latest is None or latest.number <= current["revision"]


def _author(ws: Workspace, path: Path, run: Mapping[str, Any]) -> str:
    """Who made a run complete: as its audit stamp says, unless somebody did it with an editor."""
    edited = ws.seen.get(f"edited: {documents.readable(_relative(ws, path))}")
    return "filesystem" if edited else str(run["last_modified_by"])


def _unmarked(ws: Workspace, folder: Path) -> str:
    """Under which key is noted that files of a run's newest revision had no entry when it was named."""
    return f"unmarked: {documents.readable(_relative(ws, folder))}"


def _adopt(ws: Workspace, place: PlaceRow, folder: Path, run_id: str, header: Mapping[str, Any]) -> None:
    """Name a run's newest file in the manifest, when it is newer than the one ``header`` names, or stands elsewhere.

    Of a manifest made anew, the entries of files that are not at rest come later; they are marked when they do.
    """
    path = documents.dataset_document(ws.root, place.path, STRUCTURAL)
    late = bool(ws.seen.get(_unmarked(ws, folder)))
    lacking = False

    def change(_: object) -> EntriesChange | None:
        nonlocal lacking
        latest = next(own_revisions(folder, run_id), None)
        before = named(header, run_id)
        if latest is None or not (late or _is_news(ws, place, before, latest)):
            return None
        found = documents.read_document(path, STRUCTURAL)
        present = named(found.value, run_id)
        newest = latest.number > present.get("revision", 0)
        elsewhere = stands_elsewhere(ws, place, present, latest)
        if not (newest or elsewhere or (late and latest.number == present.get("revision"))):
            return None
        if found.sha256 != _registered(ws, place, path):
            return None
        known = ws.seen.document(_relative(ws, latest.path))
        if known is None or known[1] != latest.sha256:  # not looked at yet, or changed: told elsewhere
            return None
        entries = {entry["file_identifier"]: entry for entry in found.value["file_descriptions"]}
        fixed = {entry["file_identifier"]: entry for entry in latest.value["structure"]["file_descriptions"]}
        lacking = not fixed.keys() <= entries.keys()
        free = {None, run_id} if elsewhere else {None}
        own = [entries[each] for each in fixed if each in entries and (newest or entries[each].get("run_id") in free)]
        return _naming_change(path, own, fixed, latest, relative_name(ws, place, latest.path))

    record = Record("dataset", place.identifier, place.path, (Following(path, change),), folder=place.folder)
    outcome = ws.store.apply([record], by="system:trigger-5")[0]
    if outcome.error is not None:
        raise outcome.error
    remember_documents(ws, outcome.written)
    if lacking or late:
        waiting = any(row[5] in TROUBLES for row in ws.seen.stamps(place.id).values())
        ws.seen.put(_unmarked(ws, folder), lacking and waiting)


def _is_news(ws: Workspace, place: PlaceRow, named_: Mapping[str, Any], latest: Revision) -> bool:
    return latest.number > named_.get("revision", 0) or stands_elsewhere(ws, place, named_, latest)


def _naming_change(
    path: Path, own: Iterable[Mapping[str, Any]], before: Entries, latest: Revision, name: str
) -> EntriesChange:
    run_id = latest.value["experiment"]["run_id"]

    def change(old: Mapping[bytes, dict[str, Any]]) -> Mapping[bytes, dict[str, Any] | None]:
        return {key: _as_adopted(entry, before, run_id, name) for key, entry in old.items()}

    keys = frozenset(manifest.key_of_entry(entry) for entry in own)
    return EntriesChange(path, keys, change, header=naming(latest.value, latest.sha256, name), ours=True)


def _as_adopted(entry: Mapping[str, Any], before: Entries, run_id: str, name: str) -> dict[str, Any]:
    """The entry of a file that a complete metadata file speaks of, which may have changed since."""
    same = before[entry["file_identifier"]]["checksum"] == entry["checksum"]
    state = entry["state"] if entry["state"] == "missing" or same else "changed"
    return {**marked(entry, run_id, name), "state": state}


# --- instruments ------------------------------------------------------------------------------------------------


def settle_instruments(ws: Workspace, on_recorded: OnRecorded) -> list[Finding]:
    """Edits of instruments: they have no registry entry, so what was last seen is all they are compared with."""
    findings = []
    for slug in documents.folders_in(ws.root / METADATA / documents.INSTRUMENTS):
        path = documents.instrument_document(ws.root, slug)
        relative = _relative(ws, path)
        try:
            stamp = Stamp.of(os.lstat(path))
            known = ws.seen.document(relative)
            if known is not None and known[0] == stamp:
                continue
            found = documents.read_document(path, INSTRUMENT)
        except FileNotFoundError:
            continue
        except DocumentError as error:
            findings.append(Finding(_shown(ws, path), "document", _trouble(ws, path, str(error), on_recorded)))
            continue
        before = known[2] if known is not None else {}
        only = OF_AN_INSTRUMENT if before else ()
        reason = refused_edit(ws.schemas, path, INSTRUMENT, found.value, before, only)
        if reason:
            findings.append(Finding(_shown(ws, path), "document", _trouble(ws, path, reason, on_recorded)))
            continue
        ws.seen.put_document(relative, stamp, found.sha256, system_part(INSTRUMENT, found.value))
        ws.seen.clear_trouble(relative)
        on_recorded([path])
    return findings
