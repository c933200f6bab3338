"""The DVC project at the root: made where there is none, taken as it is where there is one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import FairfolderError, StoreError
from ingest.folders import explain
from ingest.provenance.data import ignoring, program
from ingest.provenance.data.cache import Cache
from ingest.provenance.data.placing import place, texts

_CONFIG = """[core]
    analytics = false
    check_update = false
"""
_MARK = "# This DVC project was made by Fairfolder."
_HIDDEN = f"{_MARK}\n/config.local\n/tmp\n/cache\n"
_ASK_SECONDS = 60.0
_BY_DEFAULT = ".dvc/cache"
_SOURCES = (".dvc/config", ".dvc/config.local")


class DataError(FairfolderError):
    """Versions of data files cannot be kept; the text says why."""


@dataclass
class Project:
    """The DVC project of one root."""

    root: Path
    _asked: tuple[object, ...] = ()
    _cache: Cache | None = field(default=None)

    @property
    def folder(self) -> Path:
        """DVC's own folder."""
        return self.root / ".dvc"

    def made(self) -> list[str]:
        """Make the project if there is none; the paths of what was written, relative to the root.

        Raises:
            DataError: when DVC is not installed.
            StoreError: when it cannot be made.
        """
        if program.find() is None:
            raise DataError(program.absent())
        if os.path.lexists(self.folder):
            if self.folder.is_symlink() or not self.folder.is_dir():
                raise StoreError(self.folder, f"{self.folder} is not a folder; move it away for a DVC project.")
            if os.path.lexists(self.folder / "config"):
                return []
        wanted = {
            ".dvc/config": _CONFIG.encode(),
            ".dvc/.gitignore": _HIDDEN.encode(),
        }
        try:
            os.makedirs(self.folder / "tmp", exist_ok=True)
            return place(self.root, wanted, (), lambda path, text: False).changed
        except OSError as error:
            raise explain(self.folder, error) from error

    def cache(self) -> Cache:
        """The cache DVC itself would use: it is asked where that is, again when its settings changed.

        Raises:
            DataError: when it does not say.
        """
        asked = tuple(_stamp(self.root / source) for source in _SOURCES)
        if self._cache is None or self._asked != asked:
            where = _BY_DEFAULT if self._says_nothing() else self._said()
            self._cache, self._asked = Cache(self.root / where), asked
        return self._cache

    def _said(self) -> str:
        try:
            answer = program.run(self.root, ["cache", "dir"], _ASK_SECONDS)
        except OSError as error:
            raise DataError(f"DVC cannot be run: {error.strerror or error}.") from error
        where = answer.said.strip()
        if not answer.good or not where:
            raise DataError(f"DVC does not say where its cache is: {answer.why}.")
        return where

    def _says_nothing(self) -> bool:
        """Whether nobody has told DVC anything but what we wrote: then its cache is where it is by default.

        Asking DVC costs up to a second, in every process. Where its settings may stand: DVC's documentation of
        ``dvc config``.
        """
        if sys.platform != "linux" or any(name.startswith(("DVC_", "XDG_CONFIG_")) for name in os.environ):
            return False
        elsewhere = (self.root / ".dvc/config.local", Path.home() / ".config/dvc/config", Path("/etc/xdg/dvc/config"))
        if any(map(os.path.lexists, elsewhere)):
            return False
        return dict(texts(self.root, [".dvc/config"])).get(".dvc/config") == _CONFIG.encode()

    def is_ours(self) -> bool:
        """Whether the project was made by us, and not found."""
        # Not in its settings: DVC drops comments when it writes them.
        return _MARK.encode() in dict(texts(self.root, [".dvc/.gitignore"])).get(".dvc/.gitignore", b"")

    def ignored(self) -> dict[str, None]:
        """The lines of our block of the ``.dvcignore``, in order."""
        return dict.fromkeys(ignoring.lines_of(self._ignoring()))

    def _ignoring(self) -> bytes:
        return dict(texts(self.root, [ignoring.DVCIGNORE])).get(ignoring.DVCIGNORE, b"")

    def ignore(self, lines: Iterable[str]) -> list[str]:
        """Have our block of the ``.dvcignore`` hold these lines; its path if that changed anything."""
        before = self._ignoring()
        after = ignoring.dvcignore(before, lines)
        wanted: Mapping[str, bytes] = {} if after == before else {ignoring.DVCIGNORE: after}
        return place(self.root, wanted, (), lambda path, text: text == before).changed if wanted else []


def _stamp(path: Path) -> object:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns
