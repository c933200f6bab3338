"""Tracking: from described files to their versions in DVC, many at once, in the mode chosen for their dataset.

The order is: bytes durable in the cache (:meth:`Tracker.keep`, no lock held), then the ``.dvc`` files that name them
(:meth:`Tracker.write`, under the locks of whoever writes the records), then their commit. A crash in between leaves an
object nobody names, or a ``.dvc`` file not yet committed; comparing finds both.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import FairfolderError
from ingest.folders import explain
from ingest.provenance.data import comparing, ignoring, keeping, pointers, program, whole
from ingest.provenance.data.cache import Cache
from ingest.provenance.data.comparing import Behind, Found
from ingest.provenance.data.keeping import Kept, Tracked
from ingest.provenance.data.placing import left_alone, names_in, place
from ingest.provenance.data.plans import Change, Plan, as_a_whole, by_file, read_all
from ingest.provenance.data.pointers import SUFFIX
from ingest.provenance.data.project import Project
from ingest.provenance.data.remotes import PushState
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.data.telling import DataState, told, where_files_are
from ingest.reading import Throttle


@dataclass
class Tracker:
    """The versions of one root's data files.

    Args:
        throttle: the rate at which files may be read; without it they are read as fast as they come.
        stop: set to end a long copy; :class:`ingest.reading.StoppedError` is raised then.
        project_prefix: how project folders begin, as the layout has it.
    """

    root: Path
    settings: DataSettings
    throttle: Throttle = field(default_factory=lambda: Throttle(None))
    stop: threading.Event | None = None
    project_prefix: str = "p_"
    untracked: dict[str, str] = field(default_factory=dict)  # path → why its version is not kept
    foreign: dict[str, dict[str, str]] = field(default_factory=dict)  # dataset → path of DVC's, not ours → what it is
    written: dict[str, dict[str, str]] = field(default_factory=dict)  # dataset → its files of this pass → SHA-256
    _fresh: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.project = Project(self.root)

    @property
    def wants_md5(self) -> bool:
        """Whether the read that describes a file is to make the MD5 too."""
        return self.settings.wanted

    def mode_of(self, path: str) -> Mode:
        """What is kept of the files of a dataset, by its path relative to the root or that of any file in it."""
        return self.settings.mode_of(dataset_of(path))

    # --- bytes ------------------------------------------------------------------------------------------------------

    def keep(self, files: Iterable[Tracked]) -> list[Kept]:
        """The versions of files are safe when this is back, or each says why not. No lock is needed.

        Raises:
            StoppedError: when ``stop`` was set; nothing half-written is left.
        """
        groups: dict[str, list[Tracked]] = {"bytes": [], "sums": []}
        done: list[Kept] = []
        for file in files:
            mode = self.mode_of(file.path)
            if mode is Mode.OFF:
                done.append(Kept(file, reason="as it is set, no versions of this dataset's files are kept"))
            elif why := _refusal(file.path, mode):
                done.append(Kept(file, reason=why))
            else:
                groups["sums" if mode is Mode.RECORD else "bytes"].append(file)
        try:
            if groups["bytes"] or groups["sums"]:
                cache = self._cache()
                done += keeping.keep(self.root, cache, groups["bytes"], self._look)
                done += keeping.fill_in(self.root, cache, groups["sums"], self._look)
        except FairfolderError as error:
            done += [Kept(file, reason=str(error)) for file in (*groups["bytes"], *groups["sums"])]
        self._tell(done)
        return done

    def _cache(self) -> Cache:
        """The cache of the root's project, which is made when there is none.

        Raises:
            DataError, StoreError: when that cannot be.
        """
        self._fresh += self.project.made()
        return self.project.cache()

    def _look(self, size: int) -> None:
        self.throttle.spend(size, self.stop)

    def _tell(self, kept: Iterable[Kept]) -> None:
        for one in kept:
            if one.reason and self.mode_of(one.file.path) is not Mode.OFF:
                self.untracked[one.file.path] = one.reason
            else:
                self.untracked.pop(one.file.path, None)

    # --- pointers ---------------------------------------------------------------------------------------------------

    def write(
        self,
        dataset: str,
        kept: Sequence[Kept] = (),
        gone: Collection[str] = (),
        moved: Mapping[str, str] | None = None,
    ) -> list[Path]:
        """As :meth:`write_all`, for one dataset."""
        return self.write_all([Change(dataset, kept, gone, moved or {})])

    def write_all(self, changes: Iterable[Change]) -> list[Path]:
        """As :meth:`write_named`, with the paths where they are."""
        return [self.root / path for path in self.write_named(changes)]

    def write_named(self, changes: Iterable[Change]) -> list[str]:
        """The ``.dvc`` files of datasets as they are to be, durably; what was written or removed, for the commit.

        Paths are relative to the root. A ``.dvc`` file that is not ours is left as it is, and :attr:`untracked` says
        so.

        Raises:
            DataError: when DVC is not there, or does not say where its cache is.
            StoreError: when the storage does not take them.
        """
        changes = [change for change in changes if self.mode_of(change.dataset) is not Mode.OFF]
        if not changes:
            return []
        cache = self._cache()
        wanted: dict[str, bytes] = {}
        unwanted: set[str] = set()
        try:
            for change in changes:
                plan = self._plan(cache, change)
                wanted |= plan.wanted
                unwanted |= plan.unwanted
            self._fresh += self._hidden([change.dataset for change in changes])
            placed = place(self.root, wanted, unwanted - wanted.keys(), _is_ours)
        except OSError as error:
            raise explain(self.project.folder, error) from error
        for path in (path for change in changes for path in change.gone):
            self.untracked.pop(path, None)
        for path, why in placed.refused.items():
            if path.endswith(SUFFIX):
                self.untracked[path.removesuffix(SUFFIX)] = why
        self._note_written(changes, placed.refused)
        fresh, self._fresh = self._fresh, []
        return [*dict.fromkeys(fresh), *placed.changed]

    def _note_written(self, changes: Iterable[Change], refused: Collection[str]) -> None:
        for change in changes:
            mine = self.written.setdefault(change.dataset, {})
            for path in (*change.gone, *change.moved):
                mine.pop(path, None)
            for one in change.kept if self.mode_of(change.dataset) is not Mode.FOLDER else ():
                if not one.reason and one.file.path + SUFFIX not in refused:
                    mine[one.file.path] = one.file.sha256

    def follow(self, moves: Sequence[tuple[str, str]]) -> list[Path]:
        """The pointers to datasets tracked as a whole stand where the folders are now; the paths to be recorded.

        No data is read: what the folders hold is the same.

        Args:
            moves: datasets, old and new path; "" for one that is gone.

        Raises:
            StoreError: when the storage does not take them.
        """
        standing = read_all(self.root, [old for old, _ in moves]) if moves else {}
        wanted = {
            new + SUFFIX: pointers.text(standing[old]._replace(name=new.rpartition("/")[2]))
            for old, new in moves
            if new and old in standing and self.mode_of(new) is Mode.FOLDER
        }
        unwanted = {old + SUFFIX for old in standing} - wanted.keys()
        if wanted or unwanted:
            try:
                place(self.root, wanted, unwanted, _is_ours)
            except OSError as error:
                raise explain(self.project.folder, error) from error
        return [self.root / path for path in sorted(wanted.keys() | unwanted)]

    def left_behind(self, projects: Iterable[str], present: Collection[str]) -> list[str]:
        """Datasets that are gone, and whose pointers still stand in their projects.

        Args:
            present: the datasets that are known to be there, or are not given up yet.
        """
        found: list[str] = []
        for project in projects:
            names = [name.removesuffix(SUFFIX) for name in names_in(self.root / project) if name.endswith(SUFFIX)]
            datasets = [path for name in names if (path := f"{project}/{name}") not in present]
            found += [path for path in read_all(self.root, datasets) if not os.path.lexists(self.root / path)]
        return found

    def _plan(self, cache: Cache, change: Change) -> Plan:
        mode = self.mode_of(change.dataset)
        if mode is Mode.FOLDER:
            return as_a_whole(self.root, cache, change, self._look)
        return by_file(self.root, change, cached=mode is Mode.FILE)

    # --- comparing --------------------------------------------------------------------------------------------------

    def compare(self, dataset: str, described: Sequence[Tracked], unlisted: Iterable[str] = ()) -> Behind:
        """What is still to be kept and written in a dataset, found by looking at it; DVC's files of others are told.

        What was written in this very pass (:attr:`written`) is not looked at again.

        Args:
            described: every described file of the dataset.
            unlisted: folders, relative to the root, of which nothing is known now.

        Raises:
            OSError: when the dataset's folder cannot be opened.
            DataError, StoreError: when the cache is not to be had.
        """
        written, mode = self.written.pop(dataset, {}), self.mode_of(dataset)
        right = {file.path for file in described if written.get(file.path) == file.sha256}
        found = comparing.look(self.root, dataset, right)
        self.foreign[dataset] = found.foreign
        self._forget(dataset, {file.path for file in described})
        if mode is Mode.OFF:
            return Behind([], [])
        refused = {f.path: why for f in described if (why := _refusal(f.path, mode))}
        self.untracked |= refused
        trackable = [f for f in described if f.path not in refused]
        if mode is Mode.FOLDER:
            return self._behind_as_a_whole(dataset, found, trackable, unlisted)
        # Where somebody else's file stands in the pointer's place, reading the bytes again each time would be in vain.
        occupied = {f.path: left_alone(f.path + SUFFIX) for f in trackable if f.path + SUFFIX in found.foreign}
        self.untracked |= occupied
        free = [f for f in trackable if f.path not in occupied and f.path not in right]
        holds = self._cache().keeps if mode is Mode.FILE else None
        return comparing.behind(found, free, unlisted, holds=holds)

    def _behind_as_a_whole(
        self, dataset: str, found: Found, described: Sequence[Tracked], unlisted: Iterable[str]
    ) -> Behind:
        pointer = read_all(self.root, [dataset]).get(dataset)
        if pointer is None:
            return Behind(list(described), sorted(found.ours))
        cache = self._cache()
        members = whole.members_of(cache, pointer, self._look)
        # Without its listing nothing of a folder is kept: its files are kept again, and the listing made anew.
        there = whole.held(cache, members) if cache.keeps(pointer) else {}
        behind = whole.behind(there, dataset, described, unlisted)
        return Behind(behind.missing, sorted({*behind.gone, *found.ours}), (dataset,))

    def _forget(self, dataset: str, described: set[str]) -> None:
        """What was said of files that are no longer described."""
        inside = f"{dataset}/"
        for path in [p for p in self.untracked if p.startswith(inside) and p not in described]:
            del self.untracked[path]

    def _hidden(self, datasets: Iterable[str]) -> list[str]:
        """Have DVC pass by what is never described, where it looks at whole folders; and what others planted.

        A DVC project that somebody else made is theirs, with all the files of DVC's in it: there nothing is hidden.
        """
        lines = self.project.ignored()
        if any(self.mode_of(dataset) is Mode.FOLDER for dataset in datasets):
            lines |= dict.fromkeys(ignoring.never_data(self.project_prefix))
        for dataset in datasets if self.project.is_ours() else ():
            inside = ignoring.anchored(dataset) + "/"
            foreign = self.foreign.get(dataset)
            if foreign is not None:
                lines = {line: None for line in lines if not line.startswith(inside)}
                lines |= dict.fromkeys(ignoring.anchored(path) for path in sorted(foreign))
        return self.project.ignore(lines)

    # --- telling ----------------------------------------------------------------------------------------------------

    def state(self, push: PushState | None = None) -> DataState:
        """For the status page; the first call finds out whether the file system makes reflinks."""
        cache, trouble = None, ""
        if self.settings.wanted and program.find() is not None:
            try:
                cache = self._cache()
            except FairfolderError as error:
                trouble = str(error)
        clones = None if cache is None else where_files_are(self.root, cache)
        foreign = [words for some in self.foreign.values() for words in comparing.shown(some)]
        return told(self.settings, cache, clones, self.untracked, sorted(foreign), push or PushState("off"), trouble)


def dataset_of(path: str) -> str:
    """``project/dataset`` of a path relative to the root."""
    return "/".join(path.split("/", 2)[:2])


def _refusal(path: str, mode: Mode) -> str:
    """Why DVC cannot take a file in a mode; "" when it can."""
    if mode is Mode.FOLDER:
        return pointers.refusal(path, beside=False) or pointers.refusal(dataset_of(path))
    return pointers.refusal(path)


def _is_ours(path: str, text: bytes) -> bool:
    if path.endswith(SUFFIX):
        return pointers.read(text, path.removesuffix(SUFFIX).rpartition("/")[2]) is not None
    return ignoring.is_ours(text)
