"""What many small commits leave behind, packed now and then: git's own clearing up is switched off in our commands."""

from __future__ import annotations

import logging
import os

from ingest.provenance.repository import Repository

_log = logging.getLogger("fairfolder.provenance")

_LOOSE = 27  # objects in one of 256 folders: as many as make git itself clear up (gc.auto=6700)
_PACKS = 20


def tidy(repository: Repository) -> bool:
    """Pack single objects together and small packs into larger ones, when there are many. Nothing is thrown away.

    Not ``git gc``: it runs a program the repository may name (``gc.recentObjectsHook``), and forgets what nobody uses.
    """
    objects = repository.common_dir / "objects"
    if _count(objects / "17") < _LOOSE and _count(objects / "pack", ".pack") < _PACKS:
        return False
    repository.run(
        "repack",
        "-d",
        "-l",
        "-q",
        "--geometric=2",
        "--no-write-bitmap-index",
        writing=True,
        before=("-c", "pack.compression=6"),
    )
    # Which paths each commit changed, so that the story of one document among many is found quickly.
    repository.run("commit-graph", "write", "--reachable", "--changed-paths", "--no-progress", writing=True)
    _log.info("the history of %s was packed", repository.root)
    return True


def _count(folder: str | os.PathLike[str], end: str = "") -> int:
    try:
        return sum(name.endswith(end) for name in os.listdir(folder))
    except OSError:
        return 0
