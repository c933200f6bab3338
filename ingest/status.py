"""What a person asks: is it running, what waits, what failed and why, and why is this path not described?"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ingest import documents, manifest
from ingest.documents import STRUCTURAL, encode_path, readable
from ingest.errors import DocumentError
from ingest.layout import PlaceKind, never_data, relative_to_root
from ingest.seen import TROUBLES, Condition
from ingest.walk import Ignore, lstat_in, open_folder
from ingest.workspace import Workspace

_LIMIT = 200


@dataclass(frozen=True)
class PathTrouble:
    """A path (relative to the root, readable) with its condition, reason and since when (seconds of wall time)."""

    path: str
    condition: str
    reason: str
    since: float


@dataclass(frozen=True)
class Status:
    """Everything the status page shows of one root."""

    root: str
    mode: str
    mode_reason: str
    running: bool
    paused: bool
    backlog: int
    counts: dict[str, int]
    last_reconcile: dict[str, Any] | None
    progress: dict[str, Any] | None
    alarms: list[str]
    problems: list[PathTrouble]
    overrides: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        return asdict(self)

    @property
    def healthy(self) -> bool:
        """Nothing failed, no alarm, no refused schema; waiting is no fault."""
        waiting = Condition.PENDING.word
        refused = any(not o["in_force"] for o in self.overrides)
        return not self.alarms and not refused and all(p.condition == waiting for p in self.problems)


def status(ws: Workspace) -> Status:
    """The state of a root, read without disturbing whoever works on it."""
    running, said = _watcher(ws)
    alarms = [str(a) for a in (ws.seen.get("frozen"), ws.seen.get("mass_loss")) if a]
    if ws.store.lock_notice:
        alarms.append(ws.store.lock_notice)
    if said.get("error") and running:
        alarms.append(str(said["error"]))
    if not ws.root.is_dir() and not alarms:
        alarms.append(f"The watched folder {ws.name} does not exist; make it, or set MONITOR_PATH to another.")
    overrides = [
        {"name": o.name, "path": readable(str(o.path)), "in_force": o.in_force, "reason": o.reason}
        for o in ws.schemas.overrides()
    ]
    return Status(
        root=ws.name,
        mode=str(said.get("mode", "stopped")) if running else "stopped",
        mode_reason=str(said.get("mode_reason", "")) if running else "no watcher is running",
        running=running,
        paused=ws.paused,
        backlog=int(said.get("backlog", 0)) if running else 0,
        counts=ws.seen.counts(),
        last_reconcile=ws.seen.get("last_reconcile"),
        progress=ws.seen.get("progress"),
        alarms=alarms,
        problems=_problems(ws),
        overrides=overrides,
    )


def _watcher(ws: Workspace) -> tuple[bool, dict[str, Any]]:
    """Whether a watcher holds its lock (a dead one cannot), and what it last said."""
    try:
        fd = os.open(ws.state / "watch.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False, {}
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False, {}
    except OSError:
        pass
    finally:
        os.close(fd)
    try:
        value = orjson.loads((ws.state / "watch.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return True, {}
    return True, value if isinstance(value, dict) else {}


def _problems(ws: Workspace) -> list[PathTrouble]:
    rows = [PathTrouble(readable(t.path), t.condition.word, t.reason, t.since) for t in ws.seen.troubles()]
    for place, row in ws.seen.in_condition(TROUBLES, _LIMIT):
        where = readable(f"{place}/{row.path}")
        rows.append(PathTrouble(where, row.condition.word, row.reason or "still changing", row.since))
    return rows[: 2 * _LIMIT]


# --- why is this path not described? --------------------------------------------------------------------------


@dataclass(frozen=True)
class Explanation:
    """The answer for one path: its condition, a sentence, and since when where that is known."""

    path: str
    condition: str
    sentence: str
    since: float | None = None

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        return asdict(self)


def explain(ws: Workspace, path: str) -> Explanation:
    """Why a path (absolute, or relative to the root) is or is not described.

    Raises:
        LayoutError: when it lies outside the root, or is no path at all.
    """
    if not path.strip() or "\0" in path:
        return Explanation(path.replace("\0", "\\0"), "unknown", "Name a path inside the watched folder.")
    relative = relative_to_root(ws.root, Path(path))
    shown = readable(relative)
    try:
        info = os.lstat(ws.root / relative)
    except (FileNotFoundError, NotADirectoryError):
        info = None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            return Explanation(shown, "unreadable", f"It cannot be looked at: {error.strerror}.")
        info = lstat_in(ws.root, relative)
    place = ws.layout.place(relative, is_dir=None if info is None else stat.S_ISDIR(info.st_mode))
    words = _by_place(ws, place.kind, relative)
    if info is not None and stat.S_ISLNK(info.st_mode) and place.kind in (PlaceKind.PROJECT, PlaceKind.STRAY):
        words = "link", "It is a symbolic link: links are never followed, so no project or dataset is seen behind it."
    if words is not None:
        return Explanation(shown, *words)
    return _in_dataset(ws, shown, place.dataset_path, place.inner, info)


def _by_place(ws: Workspace, kind: PlaceKind, relative: str) -> tuple[str, str] | None:
    prefix = ws.layout.project_prefix
    if kind is PlaceKind.NEVER:
        name = next((p for p in relative.split("/") if never_data(p)), relative)
        why = "hidden" if name.startswith(".") else "a temporary name of an editor or transfer tool"
        return "ignored", f"{readable(name)!r} is {why}: such names are never research data."
    if kind is PlaceKind.OUTSIDE:
        return "outside", (
            f"It is in no dataset: data files live in {prefix}<Project>/<dataset>/…, and project folders begin with "
            f"{prefix!r}."
        )
    names = {
        PlaceKind.ROOT: ("folder", "This is the watched folder itself."),
        PlaceKind.METADATA: ("metadata", "This is metadata; metadata is not described again."),
        PlaceKind.STRAY: ("stray", "It lies directly in a project folder and belongs to no dataset; move it into one."),
    }
    if kind is PlaceKind.PROJECT:
        return _folder_words(ws, relative, "project")
    if kind is PlaceKind.DATASET:
        return _folder_words(ws, relative, "dataset")
    return names.get(kind)


def _folder_words(ws: Workspace, relative: str, word: str) -> tuple[str, str]:
    trouble = next((t for t in ws.seen.troubles() if t.path == relative), None)
    if trouble is not None:
        return trouble.condition.word, trouble.reason
    place = ws.seen.place_at(relative)
    if place is None:
        return "unknown", f"This {word} folder has not been seen yet; it is looked at within seconds of its making."
    if place.gone:
        return "missing", f"This {word} folder was there and is missing now."
    return "described", f"This is a {word} folder; its identifier is {place.identifier}."


def _in_dataset(ws: Workspace, shown: str, dataset: str, inner: str, info: os.stat_result | None) -> Explanation:
    place = ws.seen.place_at(dataset)
    if place is None or place.gone:
        condition, sentence = _folder_words(ws, dataset, "dataset")
        return Explanation(shown, condition, sentence)
    for trouble in ws.seen.troubles():
        if trouble.path in (dataset, f"{dataset}/.metadata/{STRUCTURAL}.json"):
            return Explanation(shown, trouble.condition.word, trouble.reason, trouble.since)
    row = ws.seen.files(place.id, [os.fsencode(inner)]).get(os.fsencode(inner))
    if row is None:
        return _unseen(ws, shown, dataset, inner, info)
    sentence = {
        Condition.DESCRIBED: "It is described in its dataset's manifest.",
        Condition.PENDING: f"It waits: {row.reason}. It is described once it has not changed for "
        f"{ws.settings.settle_seconds:g} s.",
        Condition.MISSING: "It was described and is missing now; its entry is kept.",
    }.get(row.condition, f"It is not described: {row.reason}.")
    return Explanation(shown, row.condition.word, sentence, row.since)


def _unseen(ws: Workspace, shown: str, dataset: str, inner: str, info: os.stat_result | None) -> Explanation:
    rule = _ignored_by(ws, dataset, inner, info)
    if rule:
        return Explanation(shown, "ignored", f"It is left out by a rule in {readable(rule)}.")
    if info is not None and stat.S_ISDIR(info.st_mode):
        return Explanation(shown, "folder", "This is a folder inside a dataset; the files in it are described.")
    if _has_entry(ws, dataset, inner):
        return Explanation(shown, "described", "It is described in its dataset's manifest.")
    if info is None:
        return Explanation(shown, "unknown", "There is no such file, and there was none when it was last looked at.")
    return Explanation(shown, "unknown", "It has not been seen yet; new files are looked at within seconds.")


def _ignored_by(ws: Workspace, dataset: str, inner: str, info: os.stat_result | None) -> str:
    """The ignore file whose rule leaves the path, or a folder above it, out; "" when none does."""
    rules, path = Ignore(), ""
    parts = f"{dataset}/{inner}".split("/")
    for depth in range(len(parts)):
        try:
            folder = open_folder(None, os.fspath(ws.root / path))
        except OSError:
            return ""
        try:
            rules = rules.below(folder, path)
        finally:
            os.close(folder)
        path = "/".join(parts[: depth + 1])
        last = depth == len(parts) - 1
        is_dir = not last or (info is not None and stat.S_ISDIR(info.st_mode))
        rule = rules.rule_for(path, is_dir=is_dir) if depth >= 2 else None
        if rule is not None:
            return rule
    return ""


def _has_entry(ws: Workspace, dataset: str, inner: str) -> bool:
    try:
        parts = manifest.split(documents.read_bytes(documents.dataset_document(ws.root, dataset, STRUCTURAL)))
        if parts is None:
            return False
        slot = manifest.find(parts, manifest.key_for(encode_path(inner)))
    except (FileNotFoundError, DocumentError, ValueError):
        return False
    return slot.end > slot.start
