"""Which paths are ours to record, and what of them stands on disk. Nothing else ever enters a commit of ours."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ingest.documents import folders_in, read_bytes
from ingest.errors import DocumentError, LayoutError
from ingest.layout import METADATA, RUN_TEMPLATES, TEMPLATE_SCHEMAS, Layout, never_data, relative_to_root
from ingest.provenance.data import ignoring, pointers

_log = logging.getLogger("fairfolder.provenance")

FOLDERS = (METADATA, TEMPLATE_SCHEMAS, RUN_TEMPLATES)
_DVC = frozenset({".dvc/config", ".dvc/.gitignore", ".dvcignore"})
_DEEPEST = 2  # project/dataset/.metadata
_NO_NAMES = frozenset({"", ".", "..", ".git"})


class _Folder(NamedTuple):
    """What its path says of a folder: where in it stands a folder of ours, and whether data files may be in it.

    ``sound`` is false where no path may lead through it.
    """

    sound: bool
    depth: int
    at: int | None = None
    hidden: bool = False  # below that folder of ours, what nobody records
    dataset: bool = False


def is_ours(path: str, layout: Layout) -> bool:
    """Whether a path relative to the root (``os`` string) is metadata, a local schema or template, or DVC's.

    Of what :func:`is_by_text`, only the place is: whether it is ours, its text says.
    """
    if path in _DVC:
        return True
    above, slash, name = path.rpartition("/")
    if name in _NO_NAMES or (slash and not above):
        return False
    folder = _folder(above, layout)
    if not folder.sound:
        return False
    if folder.at is not None:
        return folder.at <= _DEEPEST and not folder.hidden and not (name.startswith(".") or name.endswith(".tmp"))
    return _is_named_by_text(name) and _is_beside_data(folder, name, layout)


def is_folder_of_ours(path: str, layout: Layout) -> bool:
    """Whether a folder can be named for everything of ours in it: ``…/.metadata``, or a folder in one."""
    return is_ours(f"{path}/x.json", layout)


def names_of_ours(root: Path, paths: Iterable[Path], layout: Layout) -> list[str]:
    """Paths relative to the root, each once; what is not ours is logged and left out."""
    names: dict[str, None] = {}
    for path in paths:
        try:
            name = relative_to_root(root, path)
        except LayoutError as error:
            _log.error("not recorded: %s", error)
            continue
        if name in names or is_ours(name, layout) or is_folder_of_ours(name, layout):
            names[name] = None
        else:
            _log.error("%s is not metadata and is not recorded", os.path.join(root, name))
    return list(names)


@lru_cache(maxsize=4096)  # thousands of files are asked for at once, of a few folders
def _folder(path: str, layout: Layout) -> _Folder:
    parts = path.split("/") if path else []
    if not _NO_NAMES.isdisjoint(parts):
        return _Folder(False, len(parts))
    at = next((i for i, part in enumerate(parts) if part in FOLDERS), None)
    hidden = at is not None and any(p.startswith(".") or p.endswith(".tmp") for p in parts[at + 1 :])
    project = bool(parts) and layout.is_project_name(parts[0])
    dataset = project and (len(parts) == 1 or layout.is_dataset_name(parts[1]))
    return _Folder(True, len(parts), at, hidden, dataset)


def _is_beside_data(folder: _Folder, name: str, layout: Layout) -> bool:
    """Whether this is where we put the files that say which data there is: in a dataset, or beside its folder."""
    if folder.depth == 1:
        beside = name.endswith(pointers.SUFFIX) and layout.is_dataset_name(name.removesuffix(pointers.SUFFIX))
        return folder.dataset and beside
    return folder.dataset and (name != ignoring.GITIGNORE or folder.depth == 2)


def is_by_text(path: str) -> bool:
    """Whether people have files of this name too, so that only its text tells whether it is ours."""
    parts = path.split("/")
    if path in _DVC or not set(FOLDERS).isdisjoint(parts[:-1]):
        return False
    return _is_named_by_text(parts[-1])


def _is_named_by_text(name: str) -> bool:
    return name == ignoring.GITIGNORE or (name.endswith(pointers.SUFFIX) and not name.startswith("."))


def says_it_is_ours(path: str, text: bytes | None) -> bool:
    """Whether the text of a path that :func:`is_by_text` is one we wrote."""
    name = path.rpartition("/")[2]
    if text is None:
        return False
    if name == ignoring.GITIGNORE:
        return ignoring.is_ours(text)
    return pointers.read(text, name.removesuffix(pointers.SUFFIX)) is not None


# What other systems take for ".git": git refuses it on the way out, hosts refuse a history that holds it.
_LIKE_GIT = re.compile(r"(?i)git~1[ .]*(?::.*)?", re.DOTALL)


def is_refused_by_git(path: str) -> bool:
    """Whether git will not have a path although it is a good one here (``core.protectNTFS``)."""
    return any(_LIKE_GIT.fullmatch(part) for part in re.split(r"[/\\]", path))


def on_disk(root: Path, layout: Layout) -> Iterator[str]:
    """Every path of ours that stands below a root, but for DVC's, in a stable order; links are not followed."""
    yield from (p for p in sorted(_DVC) if os.path.lexists(root / p))
    yield from _within(root, "", layout)
    for project in _folders_in(root):
        if layout.is_project_name(project):
            yield from _within(root, f"{project}/", layout)
            for dataset in _folders_in(root / project):
                if layout.is_dataset_name(dataset):
                    yield from _within(root, f"{project}/{dataset}/", layout)


def _folders_in(folder: Path) -> list[str]:
    try:
        return folders_in(folder)
    except OSError as error:
        _log.warning("not recorded: %s cannot be read: %s", folder, error.strerror)
        return []


def _within(root: Path, prefix: str, layout: Layout) -> Iterator[str]:
    for name in FOLDERS:
        yield from files_below(root, f"{prefix}{name}", layout)


def files_below(root: Path, folder: str, layout: Layout) -> Iterator[str]:
    """The paths of ours at and below a folder; a link is none and leads nowhere."""
    try:
        with os.scandir(root / folder) as entries:
            found = sorted(entries, key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        _log.warning("not recorded: %s cannot be read: %s", root / folder, error.strerror)
        return
    if os.path.islink(root / folder):
        return
    for entry in found:
        path = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False) and not never_data(entry.name):
            yield from files_below(root, path, layout)
        elif entry.is_file(follow_symlinks=False) and is_ours(path, layout):
            yield path


class Disk:
    """What stands at paths of ours now; each folder on the way is looked at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[str, bool] = {"": True}

    def text(self, path: str) -> bytes | None:
        """The bytes of a file, None when it is gone (or only to be reached through a link, which leads elsewhere).

        Raises:
            DocumentError: when something stands there that cannot be read.
        """
        if not self._is_folder(path.rpartition("/")[0]):
            return None
        try:
            return read_bytes(self.root / path)
        except FileNotFoundError:
            return None

    def _is_folder(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            known = self._is_folder(folder.rpartition("/")[0])
            if known:
                info = standing(self.root / folder)
                known = info is not None and stat.S_ISDIR(info.st_mode)
            self._folders[folder] = known
        return known


def standing(path: Path | str) -> os.stat_result | None:
    """What stands at a path, a link as itself; None when it is gone, and for no other reason.

    Raises:
        DocumentError: when it cannot be told: no right to look, an error of the disk.
    """
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DocumentError(Path(path), f"{path} cannot be looked at: {error.strerror}.") from error


def blob_id(algorithm: str, text: bytes) -> str:
    """The id git gives to these bytes (``gitrevisions``: SHA over ``blob <size>\\0<bytes>``)."""
    digest = hashlib.new(algorithm, b"blob %d\0" % len(text), usedforsecurity=False)
    digest.update(text)
    return digest.hexdigest()


def texts(root: Path, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Each path with its bytes on disk, None for one that is gone; one that cannot be read is logged and left out."""
    disk = Disk(root)
    for path in paths:
        try:
            yield path, disk.text(path)
        except DocumentError as error:
            _log.warning("not recorded: %s", error)
