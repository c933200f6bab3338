"""The versions of data files, kept as a cut is recorded, and compared with what is described in a whole pass.

Bytes first, then the ``.dvc`` files that name them, then the records: a crash in between leaves nothing that names what
is not there, and what it left undone is found by comparing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ingest.errors import FairfolderError
from ingest.events import Arrived, Described, FileEvent, Gone, Left, Moved
from ingest.provenance.actions import Action
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
    written = tracker.write_all(changes)
    named = [path for change in changes for path in _pointers(tracker, change)]
    return tuple(dict.fromkeys([*written, *(tracker.root / path for path in named)]))


def _pointers(tracker: Tracker, change: Change) -> list[str]:
    """The paths a change may write: they belong to the commit even if an action before this one got no further."""
    always = [*_ALWAYS, f"{change.dataset}/{GITIGNORE}"]
    if not _beside(tracker, change.dataset):
        return [*always, change.dataset + SUFFIX]
    files = [one.file.path for one in change.kept if not one.reason]
    return always + [path + SUFFIX for path in (*files, *change.gone, *change.moved, *change.moved.values())]


# --- comparing --------------------------------------------------------------------------------------------------------


def catch_up(tracker: Tracker, recorder: Recorder | None, dataset: str, described: Sequence[Tracked]) -> int:
    """Keep what is described in a dataset and not kept; how many versions that were, as a commit of its own.

    Raises:
        OSError: when the dataset's folder cannot be opened.
        FairfolderError: when versions cannot be kept now.
        StoppedError: when the tracker was stopped.
    """
    behind = tracker.compare(dataset, described)
    if not behind.missing and not behind.gone:
        return 0
    kept = tracker.keep(behind.missing)  # no lock is held meanwhile: it may take hours
    change = Change(dataset, kept, behind.gone)
    count = sum(not one.reason for one in kept)
    action = _action(dataset, count, len(behind.gone))
    paths = [tracker.root / path for path in _pointers(tracker, change)]
    if recorder is not None:
        recorder.begin([path for path in paths if path.suffix == SUFFIX], action)
    try:
        paths += tracker.write_all([change])
    finally:
        if recorder is not None:
            recorder.record(paths, action)
    return count


def _action(dataset: str, kept: int, gone: int) -> Action:
    return Action(
        by="system:versions",
        subject=_subject(kept, gone, PurePath(dataset).name),
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
