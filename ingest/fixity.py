"""Data read again and held against what the records say of it; what differs is an alarm, never a silent update.

What was found is kept in the state folder, so that the status tells it until a later look finds it well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ingest import documents, manifest
from ingest.documents import STRUCTURAL, decode_path
from ingest.errors import DocumentError
from ingest.provenance.data import fixity
from ingest.provenance.data.fixity import FixityReport, Mismatch
from ingest.provenance.data.keeping import Tracked
from ingest.reading import Throttle
from ingest.rows import Condition, PlaceRow
from ingest.workspace import Workspace

_KEY = "fixity"
_MOST = 200  # alarms that are kept


@dataclass(frozen=True)
class Scope:
    """What to look at: everything, or the paths at and below one (``os`` path relative to the root)."""

    path: str = ""

    def holds(self, path: str) -> bool:
        """Whether a path is to be looked at."""
        return not self.path or path == self.path or path.startswith(f"{self.path}/")

    def meets(self, folder: str) -> bool:
        """Whether anything in a folder may be."""
        return self.holds(folder) or self.path.startswith(f"{folder}/")


def verify(
    ws: Workspace, path: str = "", *, rate: int | None = None, on_bytes: Callable[[int], None] | None = None
) -> FixityReport:
    """Read the described files at and below a path again and compare them with the checksums in their manifests.

    With everything, the objects of the DVC cache too, where versions are kept. Nothing but the state folder is written.

    Args:
        ws: a workspace that is not read-only.
        rate: bytes per second, None for as fast as they come.
        on_bytes: told how many bytes were read since it was told last.

    Raises:
        OSError: when the root cannot be opened.
        FairfolderError: when the DVC cache is not to be had.
    """
    throttle, scope = Throttle(rate), Scope(path)

    def look(size: int) -> None:
        throttle.spend(size)
        if on_bytes is not None:
            on_bytes(size)

    cache = ws.tracker.project.cache() if ws.tracker is not None and not path else None
    objects = fixity.all_objects(cache) if cache is not None else ()
    report = fixity.verify(ws.root, tracked(ws, scope), look, cache=cache, objects=objects)
    # What was described anew while it was read was compared with what it is no longer to be.
    now = _Present(ws)
    report.mismatches = [each for each in report.mismatches if now.has(each.path, each.recorded)]
    _keep(ws, scope, report.mismatches)
    return report


def alarms(ws: Workspace) -> list[str]:
    """What the last looks found, and neither a later one found well nor a pass has described anew since."""
    now = _Present(ws)
    return [str(each["words"]) for each in _kept(ws) if now.has(_path(each), str(each["recorded"]))]


def _kept(ws: Workspace) -> list[dict[str, Any]]:
    kept = ws.seen.get(_KEY)
    return list(kept["found"]) if isinstance(kept, dict) else []


def _path(kept: Mapping[str, Any]) -> str:
    return decode_path(kept["path"], kept.get("path_encoding"))


@dataclass
class _Present:
    """What is recorded now, each manifest read at most once."""

    ws: Workspace
    sums: dict[int, dict[str, str]] = field(default_factory=dict)

    def has(self, path: str, recorded: str) -> bool:
        """Whether a file is still recorded as what it was compared with; of the cache everything stands."""
        if os.path.isabs(path):
            return True
        project, dataset, inner = path.split("/", 2)
        place = self.ws.seen.place_at(f"{project}/{dataset}")
        key = os.fsencode(inner)
        row = self.ws.seen.files(place.id, [key]).get(key) if place is not None and not place.gone else None
        if place is None or row is None or row.condition is Condition.MISSING:
            return False
        if row.sha256 == recorded:
            return True
        if place.id not in self.sums:
            self.sums[place.id] = _recorded(self.ws, place)
        return self.sums[place.id].get(inner) == recorded


def tracked(ws: Workspace, scope: Scope) -> Iterator[Tracked]:
    """The described files in a scope, with the checksums of their manifests and the stamps they were read under."""
    for place in ws.seen.places(include_gone=False):
        if place.kind == "dataset" and scope.meets(place.path):
            sums = _recorded(ws, place)
            for row in ws.seen.described(place.id):
                path = f"{place.path}/{row.path}"
                if scope.holds(path) and (sha256 := sums.get(row.path, row.sha256)):
                    yield Tracked(path, row.stamp, sha256)


def _recorded(ws: Workspace, place: PlaceRow) -> dict[str, str]:
    """Path → checksum as the manifest has it; none where it cannot be read: what was last seen counts then."""
    try:
        raw = documents.read_bytes(documents.dataset_document(ws.root, place.path, STRUCTURAL))
    except (FileNotFoundError, DocumentError):
        return {}
    parts = manifest.split(raw)
    found = {}
    for line in parts.iter_lines() if parts is not None else ():
        try:
            entry: Any = orjson.loads(line)
            found[decode_path(entry["path"], entry.get("path_encoding"))] = str(entry["checksum"]["value"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue  # `check` tells what is wrong with it
    return found


def _keep(ws: Workspace, scope: Scope, found: list[Mismatch]) -> None:
    """What was found takes the place of what was found before in the same scope."""
    others = [each for each in _kept(ws) if not scope.holds(_path(each))]
    new = [{**documents.encode_path(each.path), "words": each.words, "recorded": each.recorded} for each in found]
    ws.seen.put(_KEY, {"at": time.time(), "found": [*new, *others][:_MOST]})
