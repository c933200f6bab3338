"""Our own lock on a repository, git's lock on the index held by us, and locks of git that a crash left behind."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import BusyError
from ingest.locking import LockUnsupportedError, held
from ingest.provenance.repository import Repository

_log = logging.getLogger("fairfolder.provenance")

_MARK = b"fairfolder"
_PROC = Path("/proc")


class LiveLockError(BusyError):
    """Another git is at work: one of its locks did not go away while we waited; ``path`` is the lock."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(f"{path} has been held by another git command for more than {seconds:.0f} s.")
        self.path = path


@contextmanager
def our_lock(folder: Path, fallback: Path, wait_seconds: float) -> Iterator[int]:
    """The one lock of all our work in a repository; its descriptor is for the commands to inherit.

    Args:
        folder: where it stands; ``fallback`` where it does when that file system has no locks.

    Raises:
        BusyError: when another process held it all the time.
        OSError: when it cannot be made; ``folder`` is in a folder that stands already.
    """
    for place in (folder, fallback):
        # Never the folders above it: a .git that was just moved away would stand there again, with no more in it.
        place.mkdir(parents=place == fallback, exist_ok=True)
        fd = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            with held(fd, place / "lock", wait_seconds):
                yield fd
                return
        except LockUnsupportedError:
            if place == fallback:
                raise
        finally:
            os.close(fd)


# --- the user's index ---------------------------------------------------------------------------------------


@contextmanager
def index_lock(repository: Repository, foreign: ForeignLocks) -> Iterator[None]:
    """Git's own lock on the user's index, taken as git takes it; a crash leaves it with our mark in it.

    Raises:
        LiveLockError: when another git holds it for longer than we wait.
        OSError: when it cannot be made.
    """
    lock = repository.git_dir / "index.lock"
    foreign.wait_for(lambda: _take(repository, lock), (lock,), repository)
    try:
        yield
    finally:
        lock.unlink()


def _take(repository: Repository, lock: Path) -> bool:
    """The lock appears with our mark in it, or not at all."""
    own = repository.own / "index.mark"
    own.unlink(missing_ok=True)
    own.write_bytes(_MARK + b" %d\n" % os.getpid())
    try:
        os.link(own, lock)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        return _take_plainly(lock)
    finally:
        own.unlink(missing_ok=True)
    return True


def _take_plainly(lock: Path) -> bool:
    try:
        fd = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(fd, _MARK + b" %d\n" % os.getpid())
    finally:
        os.close(fd)
    return True


def release_our_own(repository: Repository) -> bool:
    """Take away an index lock of ours that a crash left; only under our lock. True when there was one."""
    _release_references(repository)
    lock = repository.git_dir / "index.lock"
    try:
        with lock.open("rb") as handle:
            ours = handle.read(len(_MARK)) == _MARK
    except OSError:
        ours = False
    if ours:
        lock.unlink(missing_ok=True)
        _log.warning("%s was left by a crash of ours and is taken away", lock)
    for leftover in ("index.new", "index.new.lock", "index.mark"):
        (repository.own / leftover).unlink(missing_ok=True)
    return ours


def _release_references(repository: Repository) -> None:
    """Locks of references that nobody moves but us, under our lock: a git of a crash left them, however young."""
    folder = repository.git_dir if repository.refs.startswith("refs/worktree/") else repository.common_dir
    for lock in (folder / repository.refs).glob("*.lock"):
        if not in_use(lock, repository):  # that git may live on for a moment
            lock.unlink(missing_ok=True)
            _log.warning("%s was left by a crash of ours and is taken away", lock)


# --- locks of other gits ------------------------------------------------------------------------------------


@dataclass
class ForeignLocks:
    """How locks of other gits are met: waited for with a bound, taken away when a crash left them, always told.

    ``notice`` is the last thing that happened, for the status page.
    """

    wait_seconds: float
    stale_seconds: float
    notice: str = ""
    _seen: dict[Path, tuple[int, int, float]] = field(default_factory=dict)

    def wait_for(self, attempt: Callable[[], bool], locks: Iterable[Path], repository: Repository) -> None:
        """Try until it works; take stale locks away in between; give up when a live one stays.

        Args:
            attempt: a function that says whether it worked.

        Raises:
            LiveLockError: naming the lock that is in the way.
        """
        locks = tuple(locks)
        deadline = time.monotonic() + self.wait_seconds
        told = False
        while not attempt():
            lock = next((p for p in locks if p.exists()), None)
            if lock is not None and self._is_stale(lock, repository):
                self._remove(lock)
                continue
            if lock is not None and not told:
                told = True
                self._tell(f"{lock} is held by another git command; waiting for it.")
            if time.monotonic() >= deadline:
                raise LiveLockError(lock or locks[0], self.wait_seconds)
            time.sleep(0.02)

    def is_free(self, lock: Path, repository: Repository) -> bool:
        """Whether a lock is not there; one that a crash left is taken away."""
        if lock.exists() and self._is_stale(lock, repository):
            self._remove(lock)
        return not lock.exists()

    def _tell(self, words: str) -> None:
        self.notice = words
        _log.warning("%s", words)

    def _remove(self, lock: Path) -> None:
        lock.unlink(missing_ok=True)
        self._seen.pop(lock, None)
        self._tell(f"{lock} was left by a git command that ended long ago; it was taken away.")

    def _is_stale(self, lock: Path, repository: Repository) -> bool:
        """Whether nobody can be holding it: unchanged for long, open nowhere, and no git at work here."""
        try:
            info = lock.stat()
        except OSError:
            return False
        now = time.monotonic()
        known = self._seen.get(lock)
        if known is None or known[:2] != (info.st_ino, info.st_mtime_ns):
            known = self._seen[lock] = (info.st_ino, info.st_mtime_ns, now)
        old = max(now - known[2], time.time() - info.st_mtime)
        return old >= self.stale_seconds and not in_use(lock, repository)


def in_use(lock: Path, repository: Repository) -> bool:
    """Whether a process has the lock open, or is a git at work in this repository; what cannot be seen counts as one.

    Without ``/proc`` nothing can be seen.
    """
    if not (_PROC / "self" / "fd").is_dir():
        return True
    places = tuple(os.path.realpath(p) for p in (repository.root, repository.git_dir, repository.common_dir))
    return any(
        _works_here(process, os.path.realpath(lock), places)
        for process in _PROC.iterdir()
        if process.name.isdigit() and int(process.name) != os.getpid()
    )


def _works_here(process: Path, lock: str, places: tuple[str, ...]) -> bool:
    try:
        is_git = (process / "comm").read_bytes().startswith(b"git")
    except OSError:
        return False  # it has ended
    try:
        links = [link for fd in (process / "fd").iterdir() if (link := _read_link(fd))]
        links.append(os.readlink(process / "cwd"))
    except FileNotFoundError:
        return False
    except OSError:  # another account's: unseen
        return is_git
    if lock in links:
        return True
    return is_git and any(_is_within(link, place) for link in links for place in places)


def _read_link(descriptor: Path) -> str:
    """Where a descriptor leads; "" for one that was closed meanwhile: its process may well work on."""
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return ""


def _is_within(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place.rstrip('/')}/")
