"""Listing a dataset's tree without ever leaving it: descriptors instead of paths, links never followed."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pathspec

from ingest import zarr
from ingest.folders import identity_of, moved_away
from ingest.layout import IGNORE_FILE, never_data
from ingest.rows import NO_STAMP, Condition, PlaceRow, Stamp

_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_DIRECTORY = _ROOT | os.O_NOFOLLOW
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_MAX_IGNORE_BYTES = 1 << 20
_LARGEST = 2**63 - 1


Row = tuple[int, int, int, int, int, int]


@dataclass
class Listing:
    """A walk compared with what was known. Keys are paths relative to the dataset, as bytes.

    ``unchanged`` counts files whose stamp is the known one; ``files`` holds the stamps of all others; ``others``
    everything that is not described with its condition, reason and stamp; ``unlisted`` the folders that could not be
    listed, below which nothing can be said to be gone; ``known`` ends up as what was not found.
    """

    known: dict[bytes, Row] = field(default_factory=dict)
    unchanged: int = 0
    files: dict[bytes, Stamp] = field(default_factory=dict)
    others: dict[bytes, tuple[Condition, str, Stamp]] = field(default_factory=dict)
    unlisted: list[bytes] = field(default_factory=list)
    before: dict[bytes, Row] = field(default_factory=dict)

    def meet(self, path: bytes, info: os.stat_result) -> None:
        """A regular file: unchanged when its stamp is known and it was described under it."""
        stamp = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        self.meet_stamp(path, Stamp.of(info) if max(stamp) > _LARGEST or min(stamp) < -_LARGEST else stamp)

    def meet_stamp(self, path: bytes, stamp: tuple[int, int, int, int, int]) -> None:
        """The same, for a stamp already taken."""
        row = self.known.pop(path, None)
        if row is not None:
            if row == (*stamp, 0):
                self.unchanged += 1
                return
            self.before[path] = row
        self.files[path] = Stamp(*stamp)


def open_folder(parent: int | None, name: str | bytes) -> int:
    """A descriptor of a folder that is no link.

    Raises:
        OSError: as ``open(2)`` with ``O_DIRECTORY | O_NOFOLLOW``.
    """
    return os.open(name, _DIRECTORY, dir_fd=parent)


def _pass_folder(parent: int | None, name: str | bytes) -> int:
    """The same only to go on from there, for which a folder that may not be listed is as good."""
    return os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


@contextmanager
def opened_in(root: Path, path: str) -> Iterator[int]:
    """A descriptor of a folder below a watched folder, each step without following links (the root may be one).

    Raises:
        OSError: when it cannot be opened.
    """
    top = os.open(root, _ROOT)
    try:
        with opened_below(top, [os.fsencode(part) for part in path.split("/") if part]) as folder:
            yield folder
    finally:
        os.close(top)


@contextmanager
def opened_place(root: Path, place: PlaceRow) -> Iterator[int]:
    """A descriptor of a dataset's folder: what is done through it is done there, wherever the folder moves.

    Raises:
        OSError: when it cannot be opened, or another folder stands there by now.
    """
    with opened_in(root, place.path) as top:
        if identity_of(os.fstat(top)) != place.folder:
            raise moved_away()
        yield top


@contextmanager
def opened_below(
    top: int, parts: list[bytes], step: Callable[[int | None, str | bytes], int] = open_folder
) -> Iterator[int]:
    """A descriptor of the folder ``parts`` below ``top``, each ``step`` without following links."""
    current = os.dup(top)
    try:
        for part in parts:
            following = step(current, part)
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)


class Below:
    """What stands below an open folder, no link followed on the way; the folder looked into last stays open."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._open: tuple[bytes, int] | None = None

    def lstat(self, path: bytes) -> os.stat_result | None:
        """``lstat`` of a path, however long it is; None when there is nothing.

        Raises:
            OSError: when that cannot be said.
        """
        folder, _, name = path.rpartition(b"/")
        try:
            return os.stat(name, dir_fd=self._folder(folder) if folder else self._top, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise

    def sees(self, path: bytes) -> os.stat_result | None:
        """The same; None also when it cannot be said."""
        with suppress(OSError):
            return self.lstat(path)
        return None

    def _folder(self, path: bytes) -> int:
        if self._open is None or self._open[0] != path:
            self.close()
            with opened_below(self._top, path.split(b"/"), _pass_folder) as folder:
                self._open = path, os.dup(folder)
        return self._open[1]

    def close(self) -> None:
        """Done looking."""
        if self._open is not None:
            os.close(self._open[1])
            self._open = None


def lstat_below(top: int, path: bytes) -> os.stat_result | None:
    """``lstat`` of a path below an open folder, no link followed on the way; None when nothing is seen there."""
    with closing(Below(top)) as below:
        return below.sees(path)


def lstat_in(root: Path, path: str) -> os.stat_result | None:
    """``lstat`` of a path in a watched folder, no link followed on the way; None when there is nothing.

    Raises:
        OSError: when that cannot be said.
    """
    with opened_in(root, "") as top, closing(Below(top)) as below:
        return below.lstat(os.fsencode(path))


def is_there(root: Path, path: str) -> bool:
    """Whether anything is seen at a path in a watched folder, no link followed on the way."""
    try:
        return lstat_in(root, path) is not None
    except OSError:
        return False


class Ignore:
    """The ``.fairfolderignore`` files on the way from the root to a folder (gitignore syntax, deeper ones later)."""

    def __init__(self, rules: tuple[tuple[str, pathspec.GitIgnoreSpec], ...] = ()) -> None:
        self._rules = rules

    def __bool__(self) -> bool:
        return bool(self._rules)

    def below(self, folder: int, prefix: str) -> Ignore:
        """These rules plus those of the ignore file in ``folder``, whose path from the root is ``prefix``."""
        text = _read_ignore(folder)
        if text is None:
            return self
        return Ignore((*self._rules, (prefix, _rules_of(text))))

    def rule_for(self, path: str, *, is_dir: bool) -> str | None:
        """Where the rule stands that leaves ``path`` (from the root) out, or None; the deepest file decides."""
        for prefix, spec in reversed(self._rules):
            inner = path[len(prefix) + 1 :] if prefix else path
            verdict = spec.check_file(inner + "/" if is_dir else inner)
            if verdict.include is not None:
                return f"{prefix}/{IGNORE_FILE}".lstrip("/") if verdict.include else None
        return None


def _rules_of(text: str) -> pathspec.GitIgnoreSpec:
    """The rules of an ignore file; a line that is no rule (``!`` alone) leaves nothing out, as with git."""
    rules: list[str] = []
    for line in text.splitlines():
        with suppress(ValueError):
            pathspec.GitIgnoreSpec.from_lines([line])
            rules.append(line)
    return pathspec.GitIgnoreSpec.from_lines(rules)


def _read_ignore(folder: int) -> str | None:
    try:
        fd = os.open(IGNORE_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None  # absent, a link or unreadable: then nothing is left out, which loses nothing
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with open(fd, "rb", closefd=False) as handle:
            return handle.read(_MAX_IGNORE_BYTES).decode("utf-8", "surrogateescape")
    finally:
        os.close(fd)


def ignore_above(root: Path, dataset_path: str) -> Ignore:
    """The rules of the root's and the project's ignore files, which hold in every dataset below."""
    rules = Ignore()
    for prefix in ("", dataset_path.partition("/")[0]):
        with suppress(OSError), opened_in(root, prefix) as folder:
            rules = rules.below(folder, prefix)
    return rules


@dataclass
class _Level:
    """A folder being walked: only the way down to it holds descriptors, so a thousand siblings cost none."""

    folder: int
    prefix: bytes
    rules: Ignore
    deeper: list[bytes]


def list_dataset(top: int, dataset_path: str, ignore: Ignore, known: dict[bytes, Row] | None = None) -> Listing:
    """Everything below an open dataset folder (``top`` is left open), links not followed.

    Args:
        known: rows of :meth:`ingest.seen.Seen.stamps`; consumed, so that 100,000 known files are in memory once.
        dataset_path: the folder's path from the root, for the ignore rules.
        ignore: the rules that hold above the dataset.
    """
    listing = Listing(known if known is not None else {})
    levels = [_enter(os.dup(top), b"", ignore, dataset_path, listing)]
    try:
        while levels:
            level = levels[-1]
            if not level.deeper:
                os.close(levels.pop().folder)
                continue
            name = level.deeper.pop()
            path = level.prefix + name
            child = _open_child(level.folder, name, path, listing)
            if child is None or _one_object(child, name, path, listing):
                continue
            levels.append(_enter(child, path + b"/", level.rules, dataset_path, listing))
    finally:
        for level in levels:
            os.close(level.folder)
    return listing


def _one_object(folder: int, name: bytes, path: bytes, listing: Listing) -> bool:
    """A folder that is one object (a Zarr store) is met like a file; its descriptor is closed then."""
    if not zarr.is_store(name, folder):
        return False
    try:
        listing.meet_stamp(path, zarr.stamp_of(folder))
    except FileNotFoundError:
        # Its chunks come and go just now: it is there, and looked at again.
        listing.others[path] = (Condition.PENDING, "still changing", NO_STAMP)
        listing.known.pop(path, None)
    except OSError as error:
        listing.others[path] = (Condition.UNREADABLE, _why(error, "Zarr store"), NO_STAMP)
        listing.known.pop(path, None)
    finally:
        os.close(folder)
    return True


def _enter(folder: int, prefix: bytes, rules: Ignore, dataset_path: str, listing: Listing) -> _Level:
    below = rules.below(folder, f"{dataset_path}/{os.fsdecode(prefix)}".rstrip("/"))
    return _Level(folder, prefix, below, _list_one(folder, prefix, below, dataset_path, listing))


def _open_child(folder: int, name: bytes, path: bytes, listing: Listing) -> int | None:
    try:
        return open_folder(folder, name)
    except FileNotFoundError:
        return None
    except OSError as error:
        listing.others[path] = (Condition.UNREADABLE, _why(error, "folder"), NO_STAMP)
        listing.unlisted.append(path)
        return None


def _list_one(folder: int, prefix: bytes, rules: Ignore, dataset_path: str, listing: Listing) -> list[bytes]:
    """One folder's entries into the listing; its subfolders' names, last first. The hot loop of every scan."""
    deeper: list[bytes] = []
    encoding, errors = sys.getfilesystemencoding(), "surrogateescape"
    filtered, known, unchanged = bool(rules), listing.known, 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    continue
                try:
                    info = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                key = name.encode(encoding, errors)
                # Most files of most scans are as they were: told here, without a call or a look at the name.
                stamp = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, 0)
                if not filtered and known.get(prefix + key) == stamp:
                    del known[prefix + key]
                    unchanged += 1
                    continue
                if never_data(name) or (filtered and _ignored(prefix + key, info, rules, dataset_path, listing)):
                    continue
                if stat.S_ISREG(info.st_mode):
                    listing.meet(prefix + key, info)
                elif stat.S_ISDIR(info.st_mode):
                    deeper.append(key)
                else:
                    listing.others[prefix + key] = (*_odd(info), Stamp.of(info))
    except OSError as error:
        listing.others[prefix.rstrip(b"/") or b"."] = (Condition.UNREADABLE, _why(error, "folder"), NO_STAMP)
        listing.unlisted.append(prefix.rstrip(b"/"))
    listing.unchanged += unchanged
    return sorted(deeper, reverse=True)


def _ignored(path: bytes, info: os.stat_result, rules: Ignore, dataset_path: str, listing: Listing) -> bool:
    rule = rules.rule_for(f"{dataset_path}/{os.fsdecode(path)}", is_dir=stat.S_ISDIR(info.st_mode))
    if rule is not None:
        listing.others[path] = (Condition.IGNORED, f"left out by {rule}", Stamp.of(info))
    return rule is not None


def _odd(info: os.stat_result) -> tuple[Condition, str]:
    mode = info.st_mode
    if stat.S_ISLNK(mode):
        return Condition.LINK, "a symbolic link: links are recorded, never followed"
    names = ((stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISBLK, "a block device"))
    word = next((word for test, word in names if test(mode)), "a character device")
    return Condition.SPECIAL, f"{word}, which has no content to describe"


def _why(error: OSError, what: str) -> str:
    if isinstance(error, PermissionError):
        return f"this {what} cannot be read: permission denied"
    return f"this {what} cannot be read: {error.strerror}"
