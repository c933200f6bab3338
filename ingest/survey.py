"""The first half of a pass: which folders are projects and datasets, and what their triggers ask for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ingest import documents
from ingest.accepting import accept_edit, remember_documents
from ingest.documents import (
    ADMINISTRATIVE,
    PROJECT,
)
from ingest.file_versions import follow
from ingest.folders import identity_of
from ingest.layout import METADATA, never_data
from ingest.named_files import may_be_named
from ingest.places import Decision, FolderFound, Verdict, decide, list_datasets, list_folders, look
from ingest.purposes import of_folders
from ingest.records import Outcome, Record
from ingest.registering import registry_entry
from ingest.rows import Condition, PlaceRow, Stamp
from ingest.triggers import folder_record, missing_record
from ingest.walk import lstat_in
from ingest.workspace import Workspace

# One action holds a few descriptors per record; this many at a time stay far below any limit.
RECORDS_AT_ONCE = 100


@dataclass
class Survey:
    """What the survey found: datasets whose files can be scanned, places that are gone, and what was written."""

    datasets: list[PlaceRow] = field(default_factory=list)
    projects: list[PlaceRow] = field(default_factory=list)
    gone: list[Decision] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)  # path of a folder that cannot be worked on → why
    refused: dict[str, str] = field(default_factory=dict)  # path of a document with an edit that does not count → why
    project_at: dict[str, PlaceRow] = field(default_factory=dict)

    def add(self, place: PlaceRow) -> None:
        """A project or dataset that can be worked on."""
        if place.kind == "project":
            self.projects.append(place)
            self.project_at[place.path] = place
        else:
            self.datasets.append(place)


def survey(ws: Workspace, scope: Sequence[str] | None, on_recorded: Callable[[Sequence[Path]], None]) -> Survey:
    """Decide on every project and dataset folder in scope and carry the decisions out.

    Args:
        scope: ``project`` or ``project/dataset`` paths, None for the whole root.

    Raises:
        OSError: when the root cannot be listed.
        StoreError, BusyError: when the root's own metadata folder cannot be written.
    """
    if not ws.seen.get("registry_read"):
        _remember_registered(ws)
    found, looked_at = _look_around(ws, scope)
    known = ws.seen.places()
    registered = _registered(ws, found, {p.identifier for p in known})
    decisions = decide(found, known, registered, None if scope is None else looked_at)
    result = Survey()
    for kind in ("project", "dataset"):
        _carry_out([d for d in decisions if d.kind == kind], ws, result, on_recorded)
    _forget_troubles(ws)
    return result


def _remember_registered(ws: Workspace) -> None:
    """A new state folder knows nothing: the registry says which folders there were, so that a loss is noticed."""
    known = {p.identifier for p in ws.seen.places()}
    try:
        names = sorted(os.listdir(documents.registry_folder(ws.root)))
    except FileNotFoundError:
        names = []
    with ws.seen.transaction():
        for name in names:
            identifier = name.removesuffix(".json")
            entry = registry_entry(ws.root, identifier) if name.endswith(".json") and identifier not in known else {}
            kind, path = entry.get("kind"), entry.get("path")
            there = (entry.get("state"), entry.get("identifier")) == ("present", identifier)
            if there and kind in ("project", "dataset") and isinstance(path, str):
                path = documents.decode_path(path, entry.get("path_encoding"))
                ws.seen.put_place(str(kind), path, 0, 0, identifier)
        ws.seen.put("registry_read", True)


def _forget_troubles(ws: Workspace) -> None:
    """What was told of folders and documents that are not there any more."""
    for trouble in ws.seen.troubles():
        with suppress(OSError):  # it may still be there
            if lstat_in(ws.root, trouble.path) is None and not may_be_named(ws, trouble.path):
                ws.seen.clear_trouble(trouble.path)


def _look_around(ws: Workspace, scope: Sequence[str] | None) -> tuple[list[FolderFound], set[str]]:
    if scope is None:
        listed = list_folders(ws.root, ws.layout)
        # A project that cannot be listed hides its datasets: what was not listed is asked for by its name.
        places = ws.seen.places(include_gone=False)
        known = [(p.kind, p.path) for p in places if ws.layout.place(p.path, is_dir=True).kind == p.kind]
        wanted = list(dict.fromkeys([*listed, *known]))
    else:
        wanted = list(dict.fromkeys(pair for path in scope for pair in _named(ws, path)))
    found = {path: folder for kind, path in wanted if (folder := look(ws.root, kind, path, ws.seen)) is not None}
    looked_at = {path for _, path in wanted} | set(scope or ())
    if scope is not None:
        # An identity last seen elsewhere: is it still claimed there? Then one of the two is a copy.
        for folder in list(found.values()):
            place = ws.seen.place_of(folder.identifier) if folder.identifier else None
            if place is not None and place.path not in found:
                other = look(ws.root, place.kind, place.path, ws.seen)
                looked_at.add(place.path)
                if other is not None:
                    found[place.path] = other
    return list(found.values()), looked_at


def _named(ws: Workspace, path: str) -> list[tuple[str, str]]:
    """A project with all its datasets, or one dataset with its project."""
    project, _, dataset = path.partition("/")
    if not ws.layout.is_project_name(project):
        return []
    if not dataset:
        known = [("dataset", p.path) for p in ws.seen.places(include_gone=False) if p.path.startswith(f"{project}/")]
        return [("project", project), *list_datasets(ws.root, project, ws.layout), *known]
    return [("project", project), ("dataset", path)] if ws.layout.is_dataset_name(dataset) else []


def _registered(ws: Workspace, found: Iterable[FolderFound], known: set[str]) -> dict[str, str]:
    claims: dict[str, int] = {}
    for folder in found:
        claims[folder.identifier] = claims.get(folder.identifier, 0) + 1
    paths = {}
    for identifier, count in claims.items():
        if identifier and (identifier not in known or count > 1):
            entry = registry_entry(ws.root, identifier)
            if "path" in entry:
                paths[identifier] = documents.decode_path(entry["path"], entry.get("path_encoding"))
    return paths


# --- carrying out ---------------------------------------------------------------------------------------------


def _carry_out(
    decisions: Sequence[Decision], ws: Workspace, result: Survey, on_recorded: Callable[[Sequence[Path]], None]
) -> None:
    todo: list[tuple[Decision, Record]] = []
    for decision in (_registered_again(d, ws.root) for d in decisions):
        result.verdicts[decision.path] = decision.verdict
        if decision.verdict is Verdict.GONE:
            result.gone.append(decision)
            continue
        project = _project_of(decision, ws, result)
        reason = decision.reason if decision.verdict in (Verdict.ASK, Verdict.BROKEN) else ""
        if project is None:
            reason = result.waiting.get(decision.path.partition("/")[0], "its project folder cannot be worked on")
        if reason:
            _hold(decision, reason, ws, result)
            continue
        record = folder_record(ws.site, decision, project or "", _born(ws, decision))
        if record is not None:
            todo.append((decision, record))
        else:
            _same(decision, ws, result, on_recorded)
    for start in range(0, len(todo), RECORDS_AT_ONCE):
        _apply(todo[start : start + RECORDS_AT_ONCE], ws, result, on_recorded)


def _registered_again(decision: Decision, root: Path) -> Decision:
    """A folder that is as it was but has lost its registry entry gets it back."""
    entry = documents.registry_document(root, decision.identifier)
    if decision.verdict is Verdict.SAME and not os.path.lexists(entry):
        return replace(decision, verdict=Verdict.ADOPTED)
    return decision


def _born(ws: Workspace, decision: Decision) -> dict[str, Any]:
    """Who made a record and when, so that a document that was deleted and comes back from a backup is the same."""
    if decision.verdict is not Verdict.REMADE:
        return {}
    entry = registry_entry(ws.root, decision.identifier)
    return {k: entry[k] for k in ("created_by", "created_date") if k in entry}


def _project_of(decision: Decision, ws: Workspace, result: Survey) -> str | None:
    """The identifier of the project a dataset stands in; "" for a project itself, None when it has none yet."""
    if decision.kind == "project":
        return ""
    name = decision.path.partition("/")[0]
    if name in result.waiting:
        return None
    place = result.project_at.get(name) or ws.seen.place_at(name)
    return None if place is None or place.gone else place.identifier


def _hold(decision: Decision, reason: str, ws: Workspace, result: Survey) -> None:
    result.waiting[decision.path] = reason
    ws.seen.set_trouble(decision.path, Condition.FAILED, reason)


def _same(decision: Decision, ws: Workspace, result: Survey, on_recorded: Callable[[Sequence[Path]], None]) -> None:
    found, known = decision.found, decision.known
    if found is None or known is None:
        return
    if (found.dev, found.ino) != (known.dev, known.ino):
        known = ws.seen.put_place(known.kind, known.path, found.dev, found.ino, known.identifier)
    result.add(known)
    ws.seen.clear_trouble(decision.path)
    name = PROJECT if decision.kind == "project" else ADMINISTRATIVE
    reason = accept_edit(ws, known, name, on_recorded)
    if reason:
        result.refused[f"{known.path}/{METADATA}/{name}.json"] = reason


def _apply(
    todo: Sequence[tuple[Decision, Record]],
    ws: Workspace,
    result: Survey,
    on_recorded: Callable[[Sequence[Path]], None],
) -> None:
    by = "system:trigger-0" if todo[0][0].kind == "project" else "system:trigger-1"
    elsewhere = [(d, d.known.path) for d, _ in todo if d.known is not None and d.known.path != d.path]
    moved = [(old, d.path) for d, old in elsewhere if d.verdict is not Verdict.COPIED]
    copied = [(old, d.path) for d, old in elsewhere if d.verdict is Verdict.COPIED]
    purpose = replace(of_folders(moved, copied, len(todo)), beside=follow(ws.tracker, moved))
    outcomes = ws.store.apply([record for _, record in todo], by=by, purpose=purpose)
    with ws.seen.transaction():
        for (decision, _), outcome in zip(todo, outcomes, strict=True):
            _remember(decision, outcome, ws, result)
    written = [w.path for outcome in outcomes for w in outcome.written]
    # Where a folder was and where it is now: all that is below belongs to another path.
    folders = {ws.root / p for d, _ in todo if d.verdict is not Verdict.NEW for p in _paths(d)}
    if written or folders:
        on_recorded([*written, *sorted(folders)])


def _paths(decision: Decision) -> set[str]:
    return {decision.path, decision.known.path} if decision.known is not None else {decision.path}


def _remember(decision: Decision, outcome: Outcome, ws: Workspace, result: Survey) -> None:
    if outcome.error is not None:
        _hold(decision, str(outcome.error), ws, result)
        return
    found = decision.found
    if found is None:
        return
    if decision.verdict is Verdict.RETURNED:  # perhaps from a backup: it brings documents of its own
        ws.seen.drop_documents(decision.path)
    if decision.known is not None and decision.known.path != decision.path:
        ws.seen.drop_documents(decision.known.path)
        ws.seen.clear_trouble(decision.known.path)
    identifier = outcome.record.identifier
    place = ws.seen.put_place(decision.kind, decision.path, found.dev, found.ino, identifier)
    remember_documents(ws, outcome.written)
    result.add(place)
    ws.seen.clear_trouble(decision.path)


# --- what is gone, and what belongs nowhere -------------------------------------------------------------------


def missing_records(ws: Workspace, gone: Sequence[Decision]) -> list[tuple[Decision, Record]]:
    """The records that say a project or dataset folder is missing, with the reason where it can be seen."""
    renamed = _outside_scheme(ws, {(d.known.dev, d.known.ino) for d in gone if d.known is not None})
    records = []
    for decision in gone:
        if decision.known is None:
            continue
        now_called = renamed.get((decision.known.dev, decision.known.ino))
        reason = "the folder is not there any more"
        if now_called is not None:
            reason = (
                f"the folder is now called {documents.readable(now_called)!r}, outside the naming scheme "
                f"(project folders begin with {ws.layout.project_prefix!r})"
            )
        project = ws.seen.place_at(decision.path.partition("/")[0]) if decision.kind == "dataset" else None
        identifier = project.identifier if project is not None else ""
        record = missing_record(decision.kind, decision.identifier, decision.path, identifier, reason)
        records.append((decision, record))
    return records


def _outside_scheme(ws: Workspace, inodes: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    names: dict[tuple[int, int], str] = {}
    with os.scandir(ws.root) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not ws.layout.is_project_name(entry.name):
                folder = identity_of(entry.stat(follow_symlinks=False))
                if folder in inodes:
                    names[folder] = entry.name
    return names


def stray_files(ws: Workspace, project: PlaceRow) -> dict[bytes, Stamp]:
    """Files directly in a project folder: they belong to no dataset."""
    strays: dict[bytes, Stamp] = {}
    try:
        with os.scandir(ws.root / project.path) as entries:
            for entry in entries:
                if not never_data(entry.name) and entry.is_file(follow_symlinks=False):
                    strays[os.fsencode(entry.name)] = Stamp.of(entry.stat(follow_symlinks=False))
    except OSError as error:
        ws.seen.set_trouble(project.path, Condition.UNREADABLE, f"this folder cannot be read: {error.strerror}")
    return strays
