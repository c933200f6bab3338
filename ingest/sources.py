"""Where hints come from: the kernel through watchdog, or, where there are none, a scan on a timer.

Measured: watchdog with all its events drowns in its own start-up walk; with ``created, closed, moved, deleted`` only it
stands, but a full kernel queue still loses events, and its threads can die unnoticed. So the filter is always set, its
overflow message asks for a scan of everything, and a canary proves that events still arrive.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ingest.folders import identity_of, touched_ns
from ingest.layout import METADATA

_EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
]
_CANARY = ".canary"
_NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "gpfs",
    "beegfs",
    "fuse",
)
_MOUNTS = Path("/proc/self/mountinfo")


def file_system_of(path: Path) -> str:
    """The type of the file system a path lies on, as the kernel names it; "" where that cannot be asked."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    target = os.fsencode(os.path.realpath(path))
    for line in lines:
        fields, _, rest = line.partition(b" - ")
        # Blanks and the like in a mount point are written as three octal digits.
        point = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), fields.split()[4])
        inside = target == point or target.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= best:
            best, kind = len(point), os.fsdecode(rest.split()[0])
    return kind


def without_events(kind: str) -> bool:
    """Whether a file system gives no, or not everybody's, change events."""
    return kind.startswith(_NETWORK)


def watch_limit() -> int | None:
    """How many folders the kernel lets this user watch, None where there is no such limit."""
    limits = []
    for name in ("/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"):
        try:
            limits.append(int(Path(name).read_text()))
        except (OSError, ValueError):
            continue
    return min(limits, default=None)


def watches_held() -> int | None:
    """How many folders this process watches, as the kernel says; None where it cannot be asked."""
    held, asked = 0, False
    try:
        for fd in os.listdir("/proc/self/fd"):
            if os.path.islink(f"/proc/self/fd/{fd}") and os.readlink(f"/proc/self/fd/{fd}") == "anon_inode:inotify":
                asked = True
                held += Path(f"/proc/self/fdinfo/{fd}").read_text().count("inotify wd:")
    except OSError:
        return None
    return held if asked else None


def standing(root: Path) -> tuple[int, int] | None:
    """Which folder stands at a root's path (device and inode); None while there is none, or none that may be read."""
    try:
        info = os.stat(root)
    except OSError:
        return None
    return identity_of(info) if stat.S_ISDIR(info.st_mode) and os.access(root, os.R_OK | os.X_OK) else None


def folders_in(root: Path) -> int:
    """How many folders there are, the root included: each needs a watch."""
    return sum(1 for _ in os.walk(root))


Hint = Callable[[str, bool], None]


class _Overflow(logging.Handler):
    """Hears watchdog say that the kernel dropped events, or that it could not set a watch."""

    def __init__(self, lost: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._lost = lost

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._lost()


class _Handler(FileSystemEventHandler):
    def __init__(self, root: Path, hint: Hint, canary: Callable[[], None], gone: Callable[[], None]) -> None:
        self._prefix = os.path.join(os.fspath(root), "")
        self._hint = hint
        self._canary = canary
        self._gone = gone
        self._canary_path = os.path.join(self._prefix, METADATA, _CANARY)

    def dispatch(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if not path:
                continue
            text = os.fsdecode(path)
            if text == self._canary_path:
                self._canary()
            elif text.startswith(self._prefix):
                self._hint(text[len(self._prefix) :], event.is_directory)
            elif text == self._prefix[:-1]:
                if isinstance(event, DirDeletedEvent):
                    self._gone()
                self._hint("", True)


@dataclass
class Events:
    """watchdog on one root: hints by callback, and a canary for its liveness.

    ``lost`` is set when hints were dropped, ``gone`` when the folder was deleted: another may get its number.
    """

    root: Path
    hint: Hint
    lost: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    _observer: BaseObserver | None = None
    _sung: float = 0.0
    _heard: float = 0.0
    _overflow: _Overflow | None = None

    def start(self) -> None:
        """Watch from here on.

        Raises:
            OSError: ENOSPC when the kernel's limit of watches is too small, EMFILE when that of instances is.
        """
        # Its text dumps the whole table of watches; the scan makes good whatever it speaks of.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\..*")
        self._overflow = _Overflow(self.lost.set)
        logger = logging.getLogger("watchdog")
        logger.addHandler(self._overflow)
        logger.propagate = False
        folders = folders_in(self.root)
        observer = Observer()
        try:
            handler = _Handler(self.root, self.hint, self._canary_heard, self.gone.set)
            observer.schedule(handler, os.fspath(self.root), recursive=True, event_filter=_EVENTS)
            observer.start()
        except OSError:
            self._stop(observer)
            raise
        self._observer = observer
        held = watches_held()
        # Counted again: a folder that was deleted meanwhile needs no watch.
        if held is not None and held < folders and held < folders_in(self.root):
            # watchdog says nothing when a folder further down cannot be watched.
            self.stop()
            raise OSError(errno.ENOSPC, "inotify watch limit reached")

    def crowded(self) -> bool:
        """Whether the kernel's limit of watches is (almost) reached, so that new folders may not be watched."""
        held, limit = watches_held(), watch_limit()
        return held is not None and limit is not None and held >= 0.98 * limit

    def stop(self) -> None:
        """End its threads."""
        if self._observer is not None:
            self._stop(self._observer)
            self._observer = None
        if self._overflow is not None:
            logging.getLogger("watchdog").removeHandler(self._overflow)

    def _stop(self, observer: BaseObserver) -> None:
        observer.unschedule_all()
        if observer.is_alive():
            observer.stop()
            observer.join(10)

    def sing(self) -> None:
        """Touch the canary file; its event should be heard soon. Where it cannot be touched, nothing can be said."""
        self._sung = time.monotonic()  # before: the event can be here before the call is back
        if touched_ns(self.root, _CANARY) is None:
            self._sung = 0.0

    def _canary_heard(self) -> None:
        self._heard = time.monotonic()

    def deaf(self, patience: float) -> bool:
        """Whether the last song was not heard within ``patience`` seconds."""
        return self._sung > 0 and self._heard < self._sung and time.monotonic() - self._sung > patience


def why_no_events(error: OSError, root: Path) -> str:
    """Why polling takes over, with the mend."""
    limit = watch_limit()
    if error.errno == errno.ENOSPC:
        return (
            f"the kernel's limit fs.inotify.max_user_watches ({limit}) is too small for the folders in {root}; "
            "raise it with: sysctl fs.inotify.max_user_watches=1048576"
        )
    if error.errno == errno.EMFILE:
        return (
            "the kernel's limit fs.inotify.max_user_instances is used up; raise it with sysctl, or stop other watchers"
        )
    return f"events cannot be had for {root}: {error.strerror or error}"
