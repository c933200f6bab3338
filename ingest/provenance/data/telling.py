"""What is told of the versions of data files: whether they are kept, what that costs, and what is left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ingest.documents import readable
from ingest.errors import printable
from ingest.provenance.data import program
from ingest.provenance.data.cache import Cache
from ingest.provenance.data.remotes import PushState
from ingest.provenance.data.settings import DataSettings, Mode

_SHOWN = 200

CHOICES = (
    "To have no second copy: keep the watched folder and the cache on one file system with reflinks (XFS, Btrfs, ZFS "
    "with block cloning), record the versions without keeping bytes (mode record), or leave datasets out (mode off)."
)


@dataclass(frozen=True)
class DataState:
    """For the status page of one root. ``untracked`` holds the first paths with their reasons, of ``untracked_count``.

    ``clones``: whether versions take no room until a file changes; None where that was not found out.
    """

    enabled: bool
    mode: str
    installed: bool
    words: str
    cache: str = ""
    clones: bool | None = None
    free_bytes: int | None = None
    untracked: Mapping[str, str] = field(default_factory=dict)
    untracked_count: int = 0
    foreign: list[str] = field(default_factory=list)
    push: PushState = field(default_factory=lambda: PushState("off"))

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        return asdict(self)


def room(cache: Cache, clones: bool | None) -> str:
    """What keeping versions costs in room, said plainly, with the choices."""
    where = readable(str(cache.folder))
    if clones:
        return f"Versions are reflinks in {where}: they take no room of their own until a file changes."
    free = cache.free_bytes()
    left = "" if free is None else f" {free / 1e9:,.0f} GB are free there."
    return (
        f"Every version of every file is copied to the DVC cache {where}: data takes its size twice there and then, "
        f"and once more for each change.{left} {CHOICES}"
    )


def at_set_up(settings: DataSettings, all_clone: bool) -> str:
    """What is said of room where somebody sets the service up or starts it; "" where no bytes are kept twice.

    Args:
        all_clone: whether versions were found to be reflinks in every root.
    """
    modes = {settings.mode, *(mode for _, mode in settings.choices)}
    if all_clone or not modes & {Mode.FILE, Mode.FOLDER}:
        return ""
    return (
        "DVC keeps every version of every data file: data takes its size twice, and once more for each change, unless "
        "the watched folder and the cache are on one file system that shares blocks (XFS with reflinks, Btrfs). "
        "FAIRFOLDER_DVC has the other choices; see docs/history.md."
    )


def told(
    settings: DataSettings,
    cache: Cache | None,
    clones: bool | None,
    untracked: Mapping[str, str],
    foreign: list[str],
    push: PushState,
    trouble: str = "",
) -> DataState:
    """Everything that is known, in one value; ``trouble`` is why the cache is not to be had."""
    installed = program.find() is not None
    if not settings.wanted:
        words = "No versions of data files are kept, as it is set."
    elif not installed:
        words = f"No versions of data files are kept: {program.absent()}."
    elif cache is None:
        words = trouble
    elif settings.mode is Mode.RECORD and not settings.choices:
        words = "Versions of data files are recorded without their bytes: a change is seen, and cannot be undone."
    else:
        words = room(cache, clones)
    return DataState(
        settings.wanted,
        settings.mode.value,
        installed,
        words,
        "" if cache is None else readable(str(cache.folder)),
        clones,
        None if cache is None else cache.free_bytes(),
        {printable(path): why for path, why in sorted(untracked.items())[:_SHOWN]},
        len(untracked),
        foreign,
        push,
    )


def where_files_are(root: Path, cache: Cache) -> bool | None:
    """Whether versions are reflinks; None where that cannot be found out now."""
    try:
        return cache.can_clone(root)
    except OSError:
        return None
