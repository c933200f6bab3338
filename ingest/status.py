"""What a person asks: is it running, what waits, what failed and why, and why is this path not described?"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
import pathspec

from ingest import documents, fixity, manifest
from ingest.catching_up import VERSIONS
from ingest.documents import STRUCTURAL, encode_path, readable
from ingest.errors import DocumentError, LayoutError, printable
from ingest.layout import IGNORE_FILE, PlaceKind, never_data, relative_to_root
from ingest.rows import TROUBLES, Condition
from ingest.run_templates import Refused, RunTemplate, look
from ingest.seen import state_folder
from ingest.upkeep import told
from ingest.walk import Ignore, lstat_in, open_folder
from ingest.workspace import Workspace

_LIMIT = 200
_ADDRESS = re.compile(r"(?s)([A-Za-z][A-Za-z0-9+.-]*):(?://([^/]*))?(/.*)")
_NOT_NOW = " It is not there now."


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
    run_templates: list[dict[str, Any]] = field(default_factory=list)
    history: dict[str, Any] = field(default_factory=dict)  # as RecorderState
    versions: dict[str, Any] = field(default_factory=dict)  # as DataState; {} while no pass has told of them
    reading: dict[str, Any] = field(default_factory=dict)  # as upkeep's Reading

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        return asdict(self)

    @property
    def healthy(self) -> bool:
        """Nothing failed, no alarm, no refused schema or run template; waiting is no fault."""
        waiting = Condition.PENDING.word
        refused = any(not o["in_force"] for o in (*self.overrides, *self.run_templates))
        return not self.alarms and not refused and all(p.condition == waiting for p in self.problems)


def status(ws: Workspace) -> Status:
    """The state of a root, read without disturbing whoever works on it."""
    beside = told(ws.state)
    running, said = _watcher(ws.state)
    alarms = [str(a) for a in (ws.seen.get("frozen"), ws.seen.get("mass_loss")) if a]
    alarms += fixity.alarms(ws)
    history = _history(ws)
    if history.get("trouble"):
        alarms.append(f"The history is behind: {history['trouble']}")
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
        run_templates=[_template(each) for each in look(ws.root, ws.schemas)],
        history=history,
        versions=_versions(ws, beside),
        reading=beside.get("reading", {}),
    )


def _history(ws: Workspace) -> dict[str, Any]:
    recorder = ws.store.recorder
    return asdict(recorder.state()) if recorder is not None and ws.root.is_dir() else {"enabled": False}


def _versions(ws: Workspace, beside: Mapping[str, Any]) -> dict[str, Any]:
    """How the versions of data files stood when a pass last looked; how their pushing stands now."""
    if ws.tracker is None:
        return {"enabled": False}
    last = ws.seen.get(VERSIONS)
    return {**last, "push": beside.get("push", last.get("push"))} if isinstance(last, dict) else {}


def _template(found: RunTemplate | Refused) -> dict[str, Any]:
    """A site's own run template, as the status tells of local schemas."""
    path, reason = (found.path, found.reason) if isinstance(found, Refused) else (found.origin, "")
    name = readable(path.name.removesuffix(".json")) if path is not None else ""
    return {"name": name, "path": readable(str(path)), "in_force": reason == "", "reason": reason}


def _watcher(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Whether a watcher holds its lock in a root's state folder (a dead one cannot), and what it last said."""
    try:
        fd = os.open(folder / "watch.lock", os.O_RDONLY | os.O_CLOEXEC)
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
        value = orjson.loads((folder / "watch.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return True, {}
    return True, value if isinstance(value, dict) else {}


def is_watched(root: Path, state_dir: Path) -> bool:
    """Whether a process watches a root and has said how."""
    running, said = _watcher(state_folder(state_dir, root))
    return running and said.get("mode") not in (None, "starting", "stopped")


def watched_already(root: Path, state_dir: Path) -> str:
    """What to tell whoever wants to watch a root that a process watches; empty when none does."""
    running, said = _watcher(state_folder(state_dir, root))
    if not running:
        return ""
    name, pid = printable(str(root)), said.get("supervisor") or said.get("pid")
    if not isinstance(pid, int) or said.get("mode") == "stopped":
        return f"{name} is being watched already; let that watcher go on, or stop it first."
    return f"{name} is being watched already, by process {pid}; let it go on, or stop it first (kill {pid})."


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


def path_in(root: Path, text: str) -> str:
    """The path that a person means, relative to the root: as it is, quoted, a file:// address, or with the root's name.

    Raises:
        LayoutError: when it lies outside the root, or is the address of something else.
    """
    if os.path.lexists(root / text):
        return relative_to_root(root, Path(text))
    plain = text.strip()
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"":
        plain = plain[1:-1].replace("'\\''", "'")
    path = Path(plain if os.path.lexists(root / plain) else _without_scheme(plain))
    if not path.is_absolute() and path.parts and not os.path.lexists(root / path.parts[0]):
        named = [n for n in range(1, len(path.parts) + 1) if root.parts[-n:] == path.parts[:n]]
        path = Path(*path.parts[max(named, default=0) :])
    return relative_to_root(root, path)


def _without_scheme(text: str) -> str:
    address = _ADDRESS.match(text)
    if address is None:
        return text
    scheme, host, path = address.groups()
    if scheme.lower() != "file":
        raise LayoutError(f"{text!r} is an address and no path; name a path inside the watched folder.")
    if host not in (None, "", "localhost", os.uname().nodename):
        raise LayoutError(f"{text!r} names a file of the machine {host!r}; name its path on this one.")
    return os.fsdecode(unquote_to_bytes(os.fsencode(path)))


def explain(ws: Workspace, path: str) -> Explanation:
    """Why a path (see :func:`path_in`) is or is not described.

    Raises:
        LayoutError: when it lies outside the root, or is no path at all.
    """
    relative = path_in(ws.root, path) if path.strip("'\" \t\r\n") else "\0"
    if "\0" in relative:
        return Explanation(path.replace("\0", "\\0"), "unknown", "Name a path inside the watched folder.")
    shown = readable(relative)
    try:
        info = lstat_in(ws.root, relative)
    except FileNotFoundError:  # the watched folder itself
        info = None
    except OSError as error:
        return Explanation(shown, "unreadable", f"It cannot be looked at: {error.strerror}.")
    place = ws.layout.place(relative, is_dir=None if info is None else stat.S_ISDIR(info.st_mode))
    words = _by_place(ws, place.kind, relative, there=info is not None)
    if info is not None and stat.S_ISLNK(info.st_mode) and place.kind in (PlaceKind.PROJECT, PlaceKind.STRAY):
        words = "link", "It is a symbolic link: links are never followed, so no project or dataset is seen behind it."
    if words is not None:
        return Explanation(shown, *words)
    return _in_dataset(ws, relative, place.dataset_path, place.inner, info)


def _is_folder(root: Path, path: str) -> bool:
    try:
        info = lstat_in(root, path)
    except OSError:
        return False
    return info is not None and stat.S_ISDIR(info.st_mode)


def _nothing_there(ws: Workspace, relative: str) -> tuple[str, str]:
    if not ws.root.is_dir():
        return "unknown", f"The watched folder {ws.name} itself is not there now; its disk may be unmounted."
    folder = relative.rpartition("/")[0]
    while folder and not _is_folder(ws.root, folder):
        folder = folder.rpartition("/")[0]
    nearest = readable(f"{ws.root}/{folder}".rstrip("/"))
    return "unknown", f"There is no such file or folder; the nearest folder that exists is {nearest!r}."


def _by_place(ws: Workspace, kind: PlaceKind, relative: str, *, there: bool) -> tuple[str, str] | None:
    prefix = ws.layout.project_prefix
    if kind is PlaceKind.PROJECT:
        return _folder_words(ws, relative, "project", relative, there=there)
    if kind is PlaceKind.DATASET:
        return _folder_words(ws, relative, "dataset", relative, there=there)
    if kind is not PlaceKind.DATA and not there:
        return _nothing_there(ws, relative)
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
    return names.get(kind)


def _folder_words(ws: Workspace, folder: str, word: str, asked: str, *, there: bool) -> tuple[str, str]:
    """What is to say of a project or dataset folder, whoever ``asked`` for it or for something in it."""
    trouble = next((t for t in ws.seen.troubles() if t.path == folder), None)
    if trouble is not None:
        return trouble.condition.word, trouble.reason
    place = ws.seen.place_at(folder)
    if place is None and not there:
        return _nothing_there(ws, asked)
    if place is None:
        return "unknown", f"This {word} folder has not been seen yet; it is looked at within seconds of its making."
    if place.gone:
        return "missing", f"This {word} folder was there and is missing now."
    return "described", f"This is a {word} folder; its identifier is {place.identifier}.{'' if there else _NOT_NOW}"


def _in_dataset(ws: Workspace, path: str, dataset: str, inner: str, info: os.stat_result | None) -> Explanation:
    place, shown, there = ws.seen.place_at(dataset), readable(path), info is not None
    if place is None or place.gone:
        return Explanation(shown, *_folder_words(ws, dataset, "dataset", path, there=there))
    for trouble in ws.seen.troubles():
        if trouble.path in (dataset, f"{dataset}/.metadata/{STRUCTURAL}.json"):
            return Explanation(shown, trouble.condition.word, trouble.reason, trouble.since)
    row = ws.seen.files(place.id, [os.fsencode(inner)]).get(os.fsencode(inner))
    if row is None:
        return Explanation(shown, *_unseen(ws, path, dataset, inner, info))
    rule = _rule_for(ws, path, info) if row.condition is Condition.IGNORED else ""
    sentence = {
        Condition.DESCRIBED: f"It is described in its dataset's manifest.{'' if there else _NOT_NOW}",
        Condition.PENDING: f"It waits: {row.reason}. It is described once it has not changed for "
        f"{ws.settings.settle_seconds:g} s.",
        Condition.MISSING: "It was described and is missing now; its entry is kept.",
    }.get(row.condition, rule or f"It is not described: {row.reason}.")
    return Explanation(shown, row.condition.word, sentence, row.since)


def _unseen(ws: Workspace, path: str, dataset: str, inner: str, info: os.stat_result | None) -> tuple[str, str]:
    rule = _rule_for(ws, path, info) if info is not None else ""
    if rule:
        return "ignored", rule
    if info is not None and stat.S_ISDIR(info.st_mode):
        return "folder", "This is a folder inside a dataset; the files in it are described."
    if _has_entry(ws, dataset, inner):
        return "described", f"It is described in its dataset's manifest.{'' if info is not None else _NOT_NOW}"
    if info is None:
        return _nothing_there(ws, path)
    return "unknown", "It has not been seen yet; new files are looked at within seconds."


def _rule_for(ws: Workspace, path: str, info: os.stat_result | None) -> str:
    """Which rule of which ignore file leaves the path, or a folder above it, out, in a sentence; "" when none does."""
    rules, parts = Ignore(), path.split("/")
    for depth in range(len(parts)):
        above = "/".join(parts[:depth])
        try:
            folder = open_folder(None, os.fspath(ws.root / above))
        except OSError:
            return ""
        try:
            rules = rules.below(folder, above)
        finally:
            os.close(folder)
        is_dir = depth < len(parts) - 1 or (info is not None and stat.S_ISDIR(info.st_mode))
        here = "/".join(parts[: depth + 1])
        file = rules.rule_for(here, is_dir=is_dir) if depth >= 2 else None
        if file is not None:
            return f"It is left out by {_deciding_line(ws, file, f'{here}/' if is_dir else here)} {readable(file)}."
    return ""


def _deciding_line(ws: Workspace, file: str, path: str) -> str:
    """The rule of an ignore file that decides on a path, as it is written there."""
    try:
        text = documents.read_bytes(ws.root / file).decode("utf-8", "surrogateescape")
    except (FileNotFoundError, DocumentError):
        return "a rule in"
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and _is_rule(line)]
    spec = pathspec.GitIgnoreSpec.from_lines([line for _, line in lines])
    index = spec.check_file(path[len(file) - len(IGNORE_FILE) :]).index
    if index is None:
        return "a rule in"
    number, line = lines[index]
    return f"the rule {readable(line)!r} in line {number} of"


def _is_rule(line: str) -> bool:
    try:
        pathspec.GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _has_entry(ws: Workspace, dataset: str, inner: str) -> bool:
    try:
        parts = manifest.split(documents.read_bytes(documents.dataset_document(ws.root, dataset, STRUCTURAL)))
        if parts is None:
            return False
        slot = manifest.find(parts, manifest.key_for(encode_path(inner)))
    except (FileNotFoundError, DocumentError, ValueError):
        return False
    return slot.end > slot.start
