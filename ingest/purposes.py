"""What an action is for, in the words its commit carries. Pure.

Whoever asks the store for an action may say its purpose; what is left out is told from the documents it writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from ingest.documents import ADMINISTRATIVE, COMPLETE, EXPERIMENT, INSTRUMENT, PROJECT, STRUCTURAL, readable
from ingest.events import Arrived, Described, FileEvent, Forgotten, Gone, Left, Moved, Renewed
from ingest.provenance.actions import FILESYSTEM, Action
from ingest.records import Record

_SYSTEM_TRIGGER = "system:trigger-"
_NAMED = 3
_CALLED = {PROJECT: "project", ADMINISTRATIVE: "dataset", STRUCTURAL: "the files of", INSTRUMENT: "instrument"}


@dataclass(frozen=True)
class Purpose:
    """Why an action is carried out; everything may be left out.

    ``trigger`` is one of ``0`` … ``5``, ``form``, ``bulk``, ``restore``, ``publish``; ``run`` a run's label. ``moved``
    are folders of records relative to the root, old and new ("": it is gone): all metadata in them belongs to the
    action, written or not. ``beside`` are other files of ours that were written with it.
    """

    subject: str = ""
    trigger: str = ""
    run: str = ""
    reason: str = ""
    moved: tuple[tuple[str, str], ...] = ()
    beside: tuple[Path, ...] = ()


NO_PURPOSE = Purpose()


@dataclass(frozen=True)
class Touched:
    """A document an action writes: its path relative to the root, its kind, and whether there was none before."""

    path: str
    kind: str
    new: bool


def action(purpose: Purpose, by: str, moment: str, records: Sequence[Record], touched: Sequence[Touched]) -> Action:
    """What the commit of an action on ``records`` says that writes the documents ``touched``."""
    datasets = [r.relative for r in records if r.kind == "dataset" and r.relative]
    projects = [r.relative.partition("/")[0] for r in records if r.relative]
    purpose = replace(
        purpose,
        trigger=purpose.trigger or _trigger(by),
        run=purpose.run or _listed(_runs(touched)),
        subject=purpose.subject or _followed(purpose) or _subject(by, touched) or _of_records(by, records),
    )
    return Action(
        by=by,
        subject=purpose.subject,
        trigger=purpose.trigger,
        project=_listed(projects),
        dataset=_listed(datasets),
        run=purpose.run,
        reason=purpose.reason,
        moment=moment,
    )


def of_files(events: Mapping[str, Sequence[FileEvent]]) -> Purpose:
    """What becomes of the files of some datasets, by the path of each."""
    counts: dict[str, int] = {}
    for event in (each for one in events.values() for each in one):
        done = _done(event)
        counts[done] = counts.get(done, 0) + 1
    told = [_FILES[done].format(f"{counts[done]:,}{_plural(done, counts[done])}") for done in _FILES if done in counts]
    if not told:
        return NO_PURPOSE
    return Purpose(f"{_capital(', '.join(told))} in {_several('', list(events), 'dataset')}", trigger="2")


def of_folders(moved: Sequence[tuple[str, str]], copied: Sequence[tuple[str, str]], count: int) -> Purpose:
    """Folders of records that stand elsewhere now, and copies of folders that stay (old and new path), of ``count``."""
    if not copied or len(copied) < count:
        return Purpose(moved=tuple(moved))
    if count > 1:
        return Purpose(f"Describe {_several('', [new for _, new in copied], 'copied folder')}")
    ((old, new),) = copied
    whose = readable(old) if _project(old) == _project(new) else "a folder of another project"
    return Purpose(f"Describe the copy {readable(new)} of {whose}")


def of_missing(folders: Sequence[str]) -> Purpose:
    """Projects or datasets whose folders are gone: what they said goes with them, and stays in the history."""
    return Purpose(
        f"Mark {_several('', folders, 'folder')} as missing", moved=tuple((folder, "") for folder in folders)
    )


_FILES = {
    "new": "describe {}",
    "changed": "describe {} again",
    "moved": "follow {} to another place",
    "gone": "mark {} as missing",
    "forgotten": "forget {}",
}


def _done(event: FileEvent) -> str:
    match event:
        case Described(new=True):
            return "new"
        case Described():
            return "changed"
        case Moved() | Arrived() | Left() | Renewed():
            return "moved"
        case Gone():
            return "gone"
        case Forgotten():
            return "forgotten"


def _plural(done: str, count: int) -> str:
    kind = {"new": "new ", "changed": "changed ", "forgotten": "long missing "}.get(done, "")
    return f" {kind}file{'' if count == 1 else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _followed(purpose: Purpose) -> str:
    """Folders that stand elsewhere now."""
    moves = [(old, new) for old, new in purpose.moved if new]
    if len(moves) == 1:
        if "/" in moves[0][1] and _project(moves[0][0]) != _project(moves[0][1]):
            return "Follow 1 dataset to another project"
        return f"Follow {readable(moves[0][0])} to {readable(moves[0][1])}"
    return f"Follow {len(moves)} folders to where they are now" if moves else ""


def _trigger(by: str) -> str:
    if by.startswith(_SYSTEM_TRIGGER):
        return by.removeprefix(_SYSTEM_TRIGGER)
    return FILESYSTEM if by == FILESYSTEM else by.removeprefix("system:") if by.startswith("system:") else "form"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(readable(name) for name in dict.fromkeys(names) if name)


def _runs(touched: Sequence[Touched]) -> list[str]:
    return [PurePath(path).name for path in _run_folders(touched)]


def _run_folders(touched: Sequence[Touched]) -> list[str]:
    return [str(PurePath(t.path).parent) for t in touched if t.kind in (EXPERIMENT, COMPLETE)]


def _subject(by: str, touched: Sequence[Touched]) -> str:
    """Of what is described anew, else of what is changed; the complete record of a run before all others."""
    complete = [t for t in touched if t.kind == COMPLETE]
    if complete:
        return f"Complete {_several('run', _run_folders(complete))}"
    for kind in (PROJECT, ADMINISTRATIVE, EXPERIMENT, INSTRUMENT, STRUCTURAL):
        here = [t for t in touched if t.kind == kind]
        if here:
            new = [t for t in here if t.new]
            return _told(by, kind, new or here, new=bool(new))
    return ""


def _told(by: str, kind: str, here: Sequence[Touched], *, new: bool) -> str:
    if kind == EXPERIMENT:
        return f"{'Begin' if new else 'Describe'} {_several('run', _run_folders(here))}"
    folders = [_owner(t) for t in here]
    if new:
        return f"{'Enter' if kind == INSTRUMENT else 'Describe'} {_several(_CALLED[kind], folders)}"
    verb = "Take over what was changed on disk in" if by == FILESYSTEM else "Change the description of"
    return f"{verb} {_several(_CALLED[kind], folders)}"


def _owner(touched: Touched) -> str:
    """The folder a document describes."""
    folder = PurePath(touched.path).parent
    return str(folder if touched.kind == INSTRUMENT else folder.parent)


def _of_records(by: str, records: Sequence[Record]) -> str:
    folders = [r.relative for r in records if r.relative]
    if not folders:
        return "Change metadata"
    verb = "Take over what was changed on disk in" if by == FILESYSTEM else "Bring up to date"
    return f"{verb} {_several('', folders)}"


def _several(word: str, folders: Sequence[str], noun: str = "record") -> str:
    """``dataset a`` · ``datasets a and b`` · ``17 datasets`` · ``3 datasets of 2 projects``.

    Of several projects none is named, and nothing in them: whoever may see one of them reads what the commit says.

    Args:
        word: what the folders are, said before their names; "" where that needs no saying.
        noun: what many of them are called where there is no word.
    """
    folders, projects = list(dict.fromkeys(folders)), {_project(folder) for folder in folders}
    names = [readable(name) for name in dict.fromkeys(PurePath(folder).name for folder in folders)]
    prefix = f"{word} " if word else ""
    if len(projects) == 1 and len(names) == 1:
        return f"{prefix}{names[0]}"
    if len(projects) == 1 and len(names) <= _NAMED:
        plural = f"{word}s " if word and not word.endswith("of") else prefix
        return f"{plural}{', '.join(names[:-1])} and {names[-1]}"
    many = f"{word} {len(folders)} datasets" if word.endswith("of") else f"{len(folders)} {word or noun}s"
    return many if len(projects) == 1 or word == "project" else f"{many} of {len(projects)} projects"


def _project(folder: str) -> str:
    return folder.partition("/")[0]
