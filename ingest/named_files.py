"""The complete metadata files a manifest names: whether each stands where it is said to, elsewhere, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest import documents
from ingest.documents import COMPLETE, STRUCTURAL
from ingest.report import Finding
from ingest.revisions import Revision
from ingest.rows import Condition, PlaceRow
from ingest.workspace import Workspace

Named = Mapping[str, Any]  # what a manifest says of a run's complete metadata file


def relative_name(ws: Workspace, place: PlaceRow, path: Path) -> str:
    """A file's ``os`` path below its dataset."""
    return path.relative_to(ws.root / place.path).as_posix()


def stands_elsewhere(ws: Workspace, place: PlaceRow, named: Named, latest: Revision) -> bool:
    """Whether it is the very revision the manifest names, under another name: somebody renamed the run's folder."""
    name = relative_name(ws, place, latest.path)
    same = (latest.number, latest.sha256) == (named.get("revision"), named.get("sha256"))
    return same and named.get("complete_metadata") != name == documents.readable(name)


def may_stand_elsewhere(ws: Workspace, place: PlaceRow, folder: Path, named: Named) -> bool:
    """Whether a run's folder is not the one the manifest speaks of; no file is read for that."""
    return str(named.get("complete_metadata")).rpartition("/")[0] != relative_name(ws, place, folder)


def told_lost(
    ws: Workspace, place: PlaceRow, header: Mapping[str, Any], on_recorded: Callable[[Sequence[Path]], None]
) -> list[Finding]:
    """Files that the manifest names and that are not there: told in every pass until they are back or named no more."""
    lost = dict(_lost(ws, place, header))
    known = [t.path for t in ws.seen.troubles() if _is_of(ws, place, t.path)] if header.get("runs") else []
    for path in known:
        if path not in lost and not os.path.lexists(ws.root / path):
            ws.seen.clear_trouble(path)
    for path, words in lost.items():
        if path not in known:
            on_recorded([ws.root / path])
        ws.seen.set_trouble(path, Condition.FAILED, words)
    return [Finding(documents.readable(path), "document", words) for path, words in lost.items()]


def _lost(ws: Workspace, place: PlaceRow, header: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    runs = header.get("runs")
    for run in runs if isinstance(runs, list) else ():
        name = run.get("complete_metadata") if isinstance(run, dict) else None
        if isinstance(name, str) and not os.path.lexists(ws.root / place.path / name):
            words = f"is not there any more; put it back, or complete the run {run.get('run_label')!r} again."
            found.append((f"{place.path}/{name}", f"{ws.root / place.path / name} {words}"))
    return found


def _is_of(ws: Workspace, place: PlaceRow, path: str) -> bool:
    return path.startswith(f"{place.path}/") and documents.kind_of(ws.root / path) == COMPLETE


def may_be_named(ws: Workspace, path: str) -> bool:
    """Whether a manifest may still name a complete metadata file that is not there."""
    full = ws.root / path
    if documents.kind_of(full) != COMPLETE:
        return False
    return os.path.lexists(full.parents[2] / f"{STRUCTURAL}.json")
