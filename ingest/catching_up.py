"""At the end of a pass: what no action brought into the history, and versions of files that are still to be kept."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from ingest import file_versions
from ingest.documents import readable
from ingest.errors import FairfolderError
from ingest.layout import METADATA
from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.settings import Mode
from ingest.reading import StoppedError
from ingest.report import Finding, Report
from ingest.store import TEMPORARY
from ingest.workspace import Workspace

_log = logging.getLogger("fairfolder.store")

VERSIONS = "versions"  # what was last told of them, among what was seen


def record_the_rest(ws: Workspace, wanted: Sequence[str] | None, report: Report, stop: threading.Event) -> None:
    """Record edits on disk and whatever a crash left undone; in a pass over everything look after all versions too.

    The first such pass of a workspace also looks for what a crash left half written, where nobody writes since.

    Args:
        wanted: the places the pass was about; None: everything.
    """
    if report.alarms:
        return
    recorder = ws.store.recorder
    if wanted is None and not stop.is_set():
        _sweep(ws)
    if ws.tracker is not None:
        if wanted is None and not report.unfinished and not stop.is_set():
            _keep_the_rest(ws, report, stop)
        ws.tracker.written.clear()  # what this pass wrote: the next one looks at all of it
        _tell(ws, wanted, report)
    if recorder is not None:
        recorder.catch_up(None if wanted is None else [ws.root / path / METADATA for path in wanted])


def _sweep(ws: Workspace) -> None:
    """Take away temporaries of actions that a crash ended, also where nothing was to be written since."""
    if ws.looked_for_temporaries:
        return
    ws.looked_for_temporaries = True
    for owner in ("", *(place.path for place in ws.seen.places(include_gone=False))):
        for folder, _, names in os.walk(ws.root / owner / METADATA):
            if any(TEMPORARY.fullmatch(name) for name in names):
                try:
                    ws.store.sweep(Path(folder))
                except FairfolderError as error:
                    _log.warning("temporaries of a crash stay for now: %s", error)


def _tell(ws: Workspace, wanted: Sequence[str] | None, report: Report) -> None:
    """Leave for the status page how the versions stand; a pass over a part leaves what was told of the others."""
    tracker = ws.tracker
    assert tracker is not None
    before = ws.seen.get(VERSIONS)
    if before is None and not any(place.kind == "dataset" for place in ws.seen.places(include_gone=False)):
        return  # there is nothing to keep versions of yet
    state = tracker.state().as_json()
    if before is None and state["words"]:
        report.notices.append(str(state["words"]))  # what it costs in room is said before anybody wonders
    if wanted is not None and isinstance(before, dict):
        mine = tuple(f"{readable(path)}/" for path in wanted)
        others = {path: why for path, why in before.get("untracked", {}).items() if not path.startswith(mine)}
        state["untracked"] = others | state["untracked"]
        state["untracked_count"] = len(state["untracked"])
    if state != before:
        ws.seen.put(VERSIONS, state)


def _keep_the_rest(ws: Workspace, report: Report, stop: threading.Event) -> None:
    tracker = ws.tracker
    assert tracker is not None
    tracker.stop = stop
    caught_up: dict[str, file_versions.CaughtUp] = {}
    try:
        for place in ws.seen.places(include_gone=False):
            if place.kind != "dataset" or tracker.mode_of(place.path) is Mode.OFF:
                continue
            described = [
                Tracked(f"{place.path}/{row.path}", row.stamp, row.sha256) for row in ws.seen.described(place.id)
            ]
            try:
                one = file_versions.catch_up(tracker, ws.store.recorder, place.path, described)
                caught_up[place.path] = one
                report.versions_kept += one.kept
            except (FairfolderError, OSError) as error:
                words = f"the versions of its files are not kept: {error}"
                report.findings.append(Finding(readable(place.path), "versions", words))
        present = ws.seen.places(include_gone=False)
        projects = [p.path for p in present if p.kind == "project"]
        file_versions.let_go(tracker, ws.store.recorder, projects, {p.path for p in present if p.kind == "dataset"})
        if ws.store.recorder is not None:
            file_versions.record_standing(tracker, ws.store.recorder, caught_up)
    except StoppedError:
        return
    except FairfolderError as error:
        report.findings.append(Finding("", "versions", str(error)))
    finally:
        tracker.stop = None
