"""Data read again and held against what the records say of it; what differs is an alarm, never a silent update.

What was found is kept in the state folder, so that the status tells it until a later look finds it well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson

from ingest import documents, lasting, manifest
from ingest.documents import STRUCTURAL, decode_path
from ingest.errors import DocumentError, printable
from ingest.lasting import Renewal
from ingest.provenance.data import fixity
from ingest.provenance.data.cache import Cache
from ingest.provenance.data.fixity import FixityReport, Mismatch, Trouble
from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.tracking import dataset_of
from ingest.reading import Throttle
from ingest.rows import Condition, PlaceRow
from ingest.workspace import Workspace

_KEY = "fixity"
_MOST = 200  # alarms that are kept of one dataset, or of the cache; of the others their number is
_CACHE = ""  # what the objects of the cache are of
LOST = "lost"  # the slice of the cache that is not there
SLICES = (*(f"{number:x}" for number in range(16)), LOST)  # by which the cache is read again: how its objects begin


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

    def covers(self, alarm: Mapping[str, Any]) -> bool:
        """Whether a look at this says of an alarm that is kept whether it still stands."""
        return self.holds(_path(alarm))

    def covers_all_of(self, dataset: str) -> bool:
        """Whether it says so of all alarms of a dataset, or of the cache."""
        return self.holds(dataset) if dataset else not self.path


@dataclass(frozen=True)
class CacheSlice(Scope):
    """A part of the cache: the objects that begin so, or those that are lost."""

    slice: str = LOST

    def covers(self, alarm: Mapping[str, Any]) -> bool:
        """Whether an alarm is of such an object."""
        path = _path(alarm)
        if not os.path.isabs(path):
            return False
        lost = alarm.get("trouble") == Trouble.CACHE_MISSING
        return lost if self.slice == LOST else not lost and path.rsplit("/", 2)[-2].startswith(self.slice)

    def covers_all_of(self, dataset: str) -> bool:
        """One slice tells nothing of how many there were in the others."""
        return False


@dataclass(frozen=True)
class Marks:
    """Alarms of files by their paths (``os`` paths relative to the root); ``more`` of the same dataset have no name."""

    named: Mapping[str, str] = field(default_factory=dict)
    more: int = 0

    @property
    def words(self) -> list[str]:
        """The sentences, in the order of the paths."""
        return [self.named[path] for path in sorted(self.named)]


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

    cache = _cache(ws) if not path else None
    objects = () if cache is None else chain(fixity.all_objects(cache), _lost(ws, cache))
    report = fixity.verify(ws.root, tracked(ws, scope), look, cache=cache, objects=objects)
    # What was described anew while it was read was compared with what it is no longer to be.
    now = _Present(ws)
    report.mismatches = [each for each in report.mismatches if now.has(each.path, each.recorded)]
    _keep(ws, scope, report.mismatches)
    return report


def verify_objects(ws: Workspace, part: str, *, rate: int | None, on_bytes: Callable[[int], None]) -> FixityReport:
    """Read a part of the objects of the DVC cache again; for what reads everything by and by.

    Args:
        part: one of :data:`SLICES`.

    Raises:
        OSError, FairfolderError, and what ``on_bytes`` raises: as :func:`verify`.
    """
    throttle = Throttle(rate)

    def look(size: int) -> None:
        throttle.spend(size)
        on_bytes(size)

    cache = _cache(ws)
    if cache is None:
        return FixityReport()
    objects = _lost(ws, cache) if part == LOST else fixity.all_objects(cache, part)
    report = fixity.verify(ws.root, (), look, cache=cache, objects=objects)
    _keep(ws, CacheSlice(slice=part), report.mismatches)
    return report


def _cache(ws: Workspace) -> Cache | None:
    """The DVC cache, where versions are kept."""
    return None if ws.tracker is None else ws.tracker.project.cache()


def _lost(ws: Workspace, cache: Cache) -> Iterator[str]:
    places = ws.seen.places(include_gone=False)
    return fixity.lost_objects(ws.root, cache, [place.path for place in places if place.kind == "dataset"])


def described_anew(ws: Workspace, dataset: str, renewals: Sequence[Renewal]) -> None:
    """Files of a dataset have other bytes, and their entries say so now: that ends no alarm of damage."""
    if renewals:
        damaged = {_path(each): str(each["words"]) for each in _kept(ws) if each.get("trouble") == Trouble.DAMAGED}
        lasting.tell(ws.seen, dataset, renewals, damaged)


def accept(ws: Workspace, path: str = "") -> int:
    """Someone has seen what changed unnoticed at and below a path, and takes it as it is; how many alarms that ends."""
    scope = Scope(path)
    return lasting.accept(ws.seen, scope.holds, scope.covers_all_of)


def alarms(ws: Workspace) -> list[str]:
    """What the last looks found, and neither a later one found well nor a pass has described anew since.

    What describing anew would hide stands until someone accepts it.
    """
    told = [str(each["words"]) for each in _standing(ws, Scope())]
    told += lasting.told(ws.seen)
    return told + [_and_more(dataset, count) for dataset, count in sorted(_more(ws).items())]


def marks(ws: Workspace, path: str) -> Marks:
    """The same alarms, of the files of one dataset or of one file: what stands on their own pages."""
    scope = Scope(path)
    named: dict[str, str] = {}
    for each in (*_standing(ws, scope), *lasting.alarms_kept(ws.seen)):
        if scope.holds(_path(each)):  # of both kinds, the later sentence holds the one before
            named[_path(each)] = str(each["words"])
    return Marks(named, _more(ws).get(path, 0) + lasting.unnamed(ws.seen, path))


def _standing(ws: Workspace, scope: Scope) -> list[dict[str, Any]]:
    """The alarms that are kept and that neither a later look nor describing anew has ended."""
    now = _Present(ws)
    asked = (each for each in _kept(ws) if scope.covers(each))
    return [each for each in asked if not _is_back(each) and now.has(_path(each), str(each["recorded"]))]


def _is_back(alarm: Mapping[str, Any]) -> bool:
    """An object that was lost and has been kept again since."""
    return alarm.get("trouble") == Trouble.CACHE_MISSING and os.path.exists(_path(alarm))


def _and_more(dataset: str, count: int) -> str:
    where = printable(dataset) if dataset else "the DVC cache"
    return f"{count:,} more in {where} {'is' if count == 1 else 'are'} not as recorded; `verify` names them all."


def _more(ws: Workspace) -> dict[str, int]:
    """How many alarms there were of a dataset ("": of the cache) beyond those that are kept."""
    kept = ws.seen.get(_KEY)
    more = kept.get("more", []) if isinstance(kept, dict) else []
    return {_path(each): int(each["count"]) for each in more}


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
    groups: dict[str, list[dict[str, Any]]] = {}
    new = [
        {
            **documents.encode_path(each.path),
            "words": each.words,
            "recorded": each.recorded,
            "trouble": each.trouble.value,
        }
        for each in found
    ]
    for each in (*new, *(each for each in _kept(ws) if not scope.covers(each))):
        groups.setdefault(_dataset(_path(each)), []).append(each)
    more = {dataset: count for dataset, count in _more(ws).items() if not scope.covers_all_of(dataset)}
    for dataset, group in groups.items():
        if len(group) > _MOST:
            more[dataset] = more.get(dataset, 0) + len(group) - _MOST
    kept = [each for group in groups.values() for each in group[:_MOST]]
    told = [{**documents.encode_path(dataset), "count": count} for dataset, count in more.items()]
    ws.seen.put(_KEY, {"at": time.time(), "found": kept, "more": told})


def _dataset(path: str) -> str:
    return _CACHE if os.path.isabs(path) else dataset_of(path)
