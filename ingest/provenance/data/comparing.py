"""What ``.dvc`` files a dataset has, compared with what is described: so a crash, or a person, is caught up with."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import printable
from ingest.layout import METADATA
from ingest.provenance.data import pointers
from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.placing import texts
from ingest.provenance.data.pointers import SUFFIX, Pointer
from ingest.walk import opened_below, opened_in

_PIPELINE = ("dvc.yaml", "dvc.lock")
_PASSED_BY = (METADATA, ".git", ".dvc")


@dataclass
class Found:
    """What stands in a dataset: our pointers by the data file they are for, and DVC's files that are not ours.

    All paths are relative to the root; ``foreign`` holds what is said of each.
    """

    ours: dict[str, Pointer] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Behind:
    """What is still to be done in a dataset: files whose version is not kept yet, pointers that point to nothing.

    ``standing`` are the files, or the dataset, that a pointer of ours stands beside.
    """

    missing: list[Tracked]
    gone: list[str]
    standing: tuple[str, ...] = ()


def look(root: Path, dataset: str, written: Container[str] = ()) -> Found:
    """Everything of DVC's in a dataset; nothing that cannot be listed counts as gone.

    Args:
        written: files whose pointers are known to be right; those are not read.

    Raises:
        OSError: when the dataset's folder cannot be opened.
    """
    found, candidates = Found(), []
    for path in _dvc_names(root, dataset):
        name = path.rpartition("/")[2]
        if name in _PIPELINE:
            found.foreign[path] = "a DVC pipeline; nothing in it is run or read"
        elif name == ".dvc":
            found.foreign[path] = (
                "a DVC project of its own; its settings are not read, and no versions are kept of what is beside it"
            )
        elif path.removesuffix(SUFFIX) not in written:
            candidates.append(path)
    for path, text in texts(root, candidates):
        data = path.removesuffix(SUFFIX)
        pointer = pointers.read(text, data.rpartition("/")[2])
        if pointer is None:
            found.foreign[path] = "not written by Fairfolder, or changed by hand; what it names is not followed"
        else:
            found.ours[data] = pointer
    return found


def _dvc_names(root: Path, dataset: str) -> Iterator[str]:
    """The paths of whatever DVC would look at in a dataset, no link followed."""
    with opened_in(root, dataset) as top:
        waiting: list[list[bytes]] = [[]]
        while waiting:
            parts = waiting.pop()
            prefix = f"{dataset}/" + "".join(f"{os.fsdecode(part)}/" for part in parts)
            try:
                with opened_below(top, parts) as folder, os.scandir(folder) as entries:
                    for entry in entries:
                        name = entry.name
                        if name in _PIPELINE or name.endswith(SUFFIX):
                            yield prefix + name
                        if name not in _PASSED_BY and entry.is_dir(follow_symlinks=False):
                            waiting.append([*parts, os.fsencode(name)])
            except OSError:
                if not parts:
                    raise


def behind(
    found: Found, described: Iterable[Tracked], unlisted: Iterable[str] = (), *, holds: Callable[[Pointer], bool] | None
) -> Behind:
    """What is to be done in a dataset tracked file by file.

    Args:
        holds: whether the bytes a pointer names are kept; None where they are not to be kept, only recorded.
        unlisted: folders, relative to the root, of which nothing is known now: nothing in them is gone.
    """
    files = {file.path: file for file in described}
    missing = [file for path, file in files.items() if _is_behind(found.ours.get(path), file, holds)]
    inside = tuple(f"{folder}/" for folder in unlisted)
    gone = [path for path in found.ours if path not in files and not (inside and path.startswith(inside))]
    return Behind(missing, sorted(gone), tuple(found.ours))


def _is_behind(pointer: Pointer | None, file: Tracked, holds: Callable[[Pointer], bool] | None) -> bool:
    if pointer is None or pointer.sha256 != file.sha256 or pointer.cached != (holds is not None):
        return True
    return holds is not None and not holds(pointer)  # a cache that was lost: what still has its bytes is kept again


def shown(foreign: Mapping[str, str]) -> list[str]:
    """One sentence for each of DVC's files that is not ours."""
    return [f"{printable(path)}: {words}." for path, words in sorted(foreign.items())]
