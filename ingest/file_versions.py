"""The versions of data files, kept as a cut is recorded, and compared with what is described in a whole pass.

Bytes first, then the ``.dvc`` files that name them, then the records: a crash in between leaves nothing that names what
is not there, and what it left undone is found by comparing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from ingest.documents import readable
from ingest.errors import FairfolderError
from ingest.events import Arrived, Described, FileEvent, Gone, Left, Moved
from ingest.provenance.actions import Action
from ingest.provenance.data.comparing import Behind
from ingest.provenance.data.ignoring import DVCIGNORE, GITIGNORE
from ingest.provenance.data.keeping import Kept, Tracked
from ingest.provenance.data.plans import Change
from ingest.provenance.data.pointers import SUFFIX
from ingest.provenance.data.settings import Mode
from ingest.provenance.data.tracking import Tracker, dataset_of
from ingest.provenance.recorder import Recorder
from ingest.reading import StoppedError
from ingest.rows import FileRow

_log = logging.getLogger("fairfolder.versions")

_AT_ONCE = 1_000  # files whose pointers are written while the history is held: a save of a form waits for that
_RECORDED_AT_ONCE = 2_000
_ALWAYS = (".dvc/config", ".dvc/.gitignore", DVCIGNORE)


@dataclass(frozen=True)
class Happened:
    """What a cut records of one dataset: its path, its events, and the rows of files that came from elsewhere."""

    dataset: str
    events: Sequence[FileEvent]
    moved_from: Sequence[FileRow] = ()


@dataclass
class _Plan:
    """What is to be kept, and what is gone or moved, by dataset; paths relative to the root."""

    files: list[Tracked] = field(default_factory=list)
    gone: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    moved: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def datasets(self) -> list[str]:
        """Each dataset something is done in."""
        return sorted({dataset_of(file.path) for file in self.files} | self.gone.keys() | self.moved.keys())


def keep(tracker: Tracker, cut: Iterable[Happened], places: Mapping[int, str]) -> tuple[Path, ...]:
    """Keep the versions of the files of a cut; the files of ours that belong to its commit, changed or not.

    Trouble holds up no description: the tracker tells it, and the next whole pass tries again.

    Args:
        places: the path of each dataset by its number in ``seen``.
    """
    plan = _Plan()
    for one in cut:
        if tracker.mode_of(one.dataset) is not Mode.OFF:
            _plan(plan, tracker, one, places)
    try:
        return _carry_out(tracker, plan)
    except StoppedError:
        return ()
    except FairfolderError as error:
        _log.warning("versions of files are not kept: %s", error)
        return ()


def follow(tracker: Tracker | None, moves: Sequence[tuple[str, str]]) -> tuple[Path, ...]:
    """Datasets that stand elsewhere now, or are gone ("" as the new path): what of ours is beside their folders too.

    The paths that belong to the commit; trouble holds up nothing, the next whole pass tries again.
    """
    try:
        return () if tracker is None else tuple(tracker.follow(moves))
    except FairfolderError as error:
        _log.warning("versions of folders that moved are not followed: %s", error)
        return ()


def _plan(plan: _Plan, tracker: Tracker, one: Happened, places: Mapping[int, str]) -> None:
    came_from = {row.identifier: f"{places[row.place]}/{row.path}" for row in one.moved_from if row.place in places}
    for event in one.events:
        match event:
            case Described(path, facts):
                plan.files.append(Tracked(f"{one.dataset}/{path}", facts.stamp, facts.sha256, facts.md5))
            case Moved(old, path) if old != path:
                plan.moved[one.dataset][f"{one.dataset}/{old}"] = f"{one.dataset}/{path}"
            case Arrived(path, stamp, entry):
                old = came_from.get(str(entry["file_identifier"]), "")
                if old and _beside(tracker, old) and _beside(tracker, one.dataset):
                    plan.moved[one.dataset][old] = f"{one.dataset}/{path}"
                else:
                    sha256 = str(entry["checksum"]["value"])
                    plan.files.append(Tracked(f"{one.dataset}/{path}", stamp, sha256))
            case Left(path) | Gone(path):
                plan.gone[one.dataset].add(f"{one.dataset}/{path}")
            case _:
                pass  # forgetting an entry, or giving it an identity of its own, leaves the file where it is


def _beside(tracker: Tracker, path: str) -> bool:
    return tracker.mode_of(path) in (Mode.FILE, Mode.RECORD)


def _carry_out(tracker: Tracker, plan: _Plan) -> tuple[Path, ...]:
    kept: dict[str, list[Kept]] = defaultdict(list)
    for one in tracker.keep(plan.files):
        kept[dataset_of(one.file.path)].append(one)
    changes = [Change(d, kept[d], plan.gone[d], plan.moved[d]) for d in plan.datasets()]
    written = tracker.write_named(changes)
    named = [path for change in changes for path in _pointers(tracker, change)]
    return tuple(tracker.root / path for path in dict.fromkeys([*written, *named]))


def _pointers(tracker: Tracker, change: Change) -> list[str]:
    """The paths a change may write: they belong to the commit even if an action before this one got no further."""
    always = [*_ALWAYS, f"{change.dataset}/{GITIGNORE}"]
    if not _beside(tracker, change.dataset):
        return [*always, change.dataset + SUFFIX]
    files = [one.file.path for one in change.kept if not one.reason]
    return always + [path + SUFFIX for path in (*files, *change.gone, *change.moved, *change.moved.values())]


# --- comparing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CaughtUp:
    """What became of a dataset: how many versions were kept, and the files of ours that stood as they should before."""

    kept: int
    standing: tuple[str, ...]


def catch_up(tracker: Tracker, recorder: Recorder | None, dataset: str, described: Sequence[Tracked]) -> CaughtUp:
    """Keep what is described in a dataset and not kept, as commits of its own.

    Raises:
        OSError: when the dataset's folder cannot be opened.
        FairfolderError: when versions cannot be kept now.
        StoppedError: when the tracker was stopped.
    """
    behind = tracker.compare(dataset, described)
    count = 0
    for missing, gone in _portions(behind, whole=not _beside(tracker, dataset)):
        kept = tracker.keep(missing)  # no lock is held meanwhile: it may take hours
        count += _write(tracker, recorder, Change(dataset, kept, gone))
    pointers = tuple(path + SUFFIX for path in behind.standing)
    return CaughtUp(count, (f"{dataset}/{GITIGNORE}", *pointers) if pointers else ())


def _portions(behind: Behind, *, whole: bool) -> Iterator[tuple[list[Tracked], list[str]]]:
    """So many at once that writing them holds nobody up; a dataset tracked as a whole has one pointer only."""
    missing, gone = behind.missing, behind.gone
    step = max(1, len(missing) + len(gone)) if whole else _AT_ONCE
    for start in range(0, max(len(missing), len(gone)), step):
        yield missing[start : start + step], gone[start : start + step]


def _write(tracker: Tracker, recorder: Recorder | None, change: Change) -> int:
    """The pointers of a change as one commit; how many versions it kept."""
    dataset, kept = change.dataset, change.kept
    count = sum(not one.reason for one in kept)
    action = _action(dataset, count, len(change.gone))
    paths = [tracker.root / path for path in _pointers(tracker, change)]
    if recorder is not None:
        recorder.begin([path for path in paths if path.suffix == SUFFIX], action)
    try:
        paths += tracker.write_all([change])
    finally:
        if recorder is not None:
            recorder.record(paths, action)
    return count


def let_go(tracker: Tracker, recorder: Recorder | None, projects: Iterable[str], present: Collection[str]) -> None:
    """Take away the pointers to datasets that are gone, and that no action took along.

    Args:
        present: the datasets that are known to be there, or are not given up yet.

    Raises:
        FairfolderError: when they cannot be taken away.
    """
    datasets = tracker.left_behind(projects, present)
    if not datasets:
        return
    gone = "1 dataset that is gone" if len(datasets) == 1 else f"{len(datasets):,} datasets that are gone"
    action = Action(by="system:versions", subject=f"Let go of the versions of {gone}")
    paths = [tracker.root / (dataset + SUFFIX) for dataset in datasets]
    if recorder is not None:
        recorder.begin(paths, action)
    try:
        tracker.follow([(dataset, "") for dataset in datasets])
    finally:
        if recorder is not None:
            recorder.record(paths, action)


def record_standing(tracker: Tracker, recorder: Recorder, caught_up: Mapping[str, CaughtUp]) -> None:
    """What stands beside the files of datasets as it should is in the history too, whatever that has lost.

    Many datasets at once, because asking what the history has costs the same for one file as for some thousands.
    """
    some: dict[str, tuple[str, ...]] = {}
    for dataset, one in caught_up.items():
        for start in range(0, len(one.standing), _RECORDED_AT_ONCE):
            part = one.standing[start : start + _RECORDED_AT_ONCE]
            if some and sum(map(len, some.values())) + len(part) > _RECORDED_AT_ONCE:
                _record_some(tracker, recorder, some)
                some = {}
            some[dataset] = part
    if some:
        _record_some(tracker, recorder, some)


def _record_some(tracker: Tracker, recorder: Recorder, some: Mapping[str, Sequence[str]]) -> None:
    if len(some) == 1:
        (dataset,) = some
        action = replace(_action(dataset, 0, 0), subject=f"Keep versions of files in {_name(dataset)}")
    else:
        action = Action(by="system:versions", subject="Keep versions of files that the history did not have")
    recorder.record([tracker.root / path for paths in some.values() for path in paths], action)


def _name(dataset: str) -> str:
    return readable(PurePath(dataset).name)


def _action(dataset: str, kept: int, gone: int) -> Action:
    return Action(
        by="system:versions",
        subject=_subject(kept, gone, _name(dataset)),
        project=dataset.partition("/")[0],
        dataset=dataset,
    )


def _subject(kept: int, gone: int, name: str) -> str:
    told = [f"keep {kept:,} version{'' if kept == 1 else 's'} of files"] if kept else []
    told += (
        [f"let go of {gone:,} file{'' if gone == 1 else 's'} that {'is' if gone == 1 else 'are'} gone"] if gone else []
    )
    words = " and ".join(told) or "look after versions of files"
    return f"{words[:1].upper()}{words[1:]} in {name}"
