"""Listing a dataset's tree without ever leaving it: descriptors instead of paths, links never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pathspec

from ingest.layout import IGNORE_FILE, never_data
from ingest.seen import Condition, Stamp

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_IGNORE_BYTES = 1 << 20


NO_STAMP = Stamp(0, 0, 0, 0, 0)
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


@contextmanager
def opened_below(top: int, parts: list[bytes]) -> Iterator[int]:
    """A descriptor of the folder ``parts`` below ``top``, each step without following links."""
    current = os.dup(top)
    try:
        for part in parts:
            following = open_folder(current, part)
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)


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
        spec = pathspec.GitIgnoreSpec.from_lines(text.splitlines())
        return Ignore((*self._rules, (prefix, spec)))

    def rule_for(self, path: str, *, is_dir: bool) -> str | None:
        """Where the rule stands that leaves ``path`` (from the root) out, or None; the deepest file decides."""
        for prefix, spec in reversed(self._rules):
            inner = path[len(prefix) + 1 :] if prefix else path
            verdict = spec.check_file(inner + "/" if is_dir else inner)
            if verdict.include is not None:
                return f"{prefix}/{IGNORE_FILE}".lstrip("/") if verdict.include else None
        return None


def _read_ignore(folder: int) -> str | None:
    try:
        fd = os.open(IGNORE_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None  # absent, a link or unreadable: then nothing is left out, which loses nothing
    with open(fd, "rb") as handle:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return handle.read(_MAX_IGNORE_BYTES).decode("utf-8", "surrogateescape")


def ignore_above(root: Path, dataset_path: str) -> Ignore:
    """The rules of the root's and the project's ignore files, which hold in every dataset below."""
    rules = Ignore()
    for prefix in ("", dataset_path.partition("/")[0]):
        try:
            folder = open_folder(None, os.fspath(root / prefix))
        except OSError:
            continue
        try:
            rules = rules.below(folder, prefix)
        finally:
            os.close(folder)
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
            if child is not None:
                levels.append(_enter(child, path + b"/", level.rules, dataset_path, listing))
    finally:
        for level in levels:
            os.close(level.folder)
    return listing


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
    deeper: list[bytes] = []
    is_reg = stat.S_ISREG
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == "." or never_data(name):
                    continue
                key = os.fsencode(name)
                info = _lstat(entry)
                if info is None:
                    continue
                directory = stat.S_ISDIR(info.st_mode)
                if rules:
                    rule = rules.rule_for(f"{dataset_path}/{os.fsdecode(prefix)}{name}", is_dir=directory)
                    if rule is not None:
                        listing.others[prefix + key] = (Condition.IGNORED, f"left out by {rule}", Stamp.of(info))
                        continue
                if is_reg(info.st_mode):
                    listing.meet(prefix + key, info)
                elif directory:
                    deeper.append(key)
                else:
                    listing.others[prefix + key] = (*_odd(info), Stamp.of(info))
    except OSError as error:
        listing.others[prefix.rstrip(b"/") or b"."] = (Condition.UNREADABLE, _why(error, "folder"), NO_STAMP)
        listing.unlisted.append(prefix.rstrip(b"/"))
    return sorted(deeper, reverse=True)


def _lstat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


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
