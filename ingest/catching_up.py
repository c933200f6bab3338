"""At the end of a pass: what no action brought into the history, and versions of files that are still to be kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ingest import file_versions
from ingest.documents import readable
from ingest.errors import FairfolderError
from ingest.layout import METADATA
from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.settings import Mode
from ingest.reading import StoppedError
from ingest.report import Finding, Report
from ingest.workspace import Workspace

VERSIONS = "versions"  # what was last told of them, among what was seen


def record_the_rest(ws: Workspace, wanted: Sequence[str] | None, report: Report, stop: threading.Event) -> None:
    """Record edits on disk and whatever a crash left undone; in a pass over everything look after all versions too.

    Args:
        wanted: the places the pass was about; None: everything.
    """
    if report.alarms:
        return
    recorder = ws.store.recorder
    if ws.tracker is not None:
        if wanted is None and not report.unfinished and not stop.is_set():
            _keep_the_rest(ws, report, stop)
        _tell(ws, wanted)
    if recorder is not None:
        recorder.catch_up(None if wanted is None else [ws.root / path / METADATA for path in wanted])


def _tell(ws: Workspace, wanted: Sequence[str] | None) -> None:
    """Leave for the status page how the versions stand; a pass over a part leaves what was told of the others."""
    tracker = ws.tracker
    assert tracker is not None
    state = tracker.state().as_json()
    before = ws.seen.get(VERSIONS)
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
    try:
        for place in ws.seen.places(include_gone=False):
            if place.kind != "dataset" or tracker.mode_of(place.path) is Mode.OFF:
                continue
            described = [
                Tracked(f"{place.path}/{row.path}", row.stamp, row.sha256) for row in ws.seen.described(place.id)
            ]
            try:
                report.versions_kept += file_versions.catch_up(tracker, ws.store.recorder, place.path, described)
            except (FairfolderError, OSError) as error:
                words = f"the versions of its files are not kept: {error}"
                report.findings.append(Finding(readable(place.path), "versions", words))
    except StoppedError:
        return
    finally:
        tracker.stop = None
