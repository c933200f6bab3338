"""A document's next text on its way to the disk: written beside it, made durable, then put in its place.

Only the store uses this; it holds the locks.
"""

from __future__ import annotations

import hashlib
import os
import stat
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import manifest
from ingest.errors import StoreError
from ingest.folders import new_file
from ingest.records import Value, system_part
from ingest.rows import Stamp

_FSYNC_THREADS = 6


@dataclass(frozen=True)
class NextText:
    """A document's next text, in pieces, before any of it is written.

    ``value`` holds its system fields; ``before`` is the stamp of the file that was read, and ``read`` the SHA-256 of
    its text, where there was one.
    """

    path: Path
    kind: str
    pieces: Iterable[manifest.Buffer]
    value: Value
    before: Stamp | None
    read: str = ""


@dataclass
class Prepared:
    """A temporary file with a document's next text, open; ``folder`` is the descriptor of the folder of both.

    ``before`` is the file that was read, to be replaced by this one; None: there was none.
    """

    path: Path
    kind: str
    folder: int
    temporary: str
    fd: int
    sha256: str
    system: Mapping[str, Any]
    before: Stamp | None
    read: str = ""  # SHA-256 of the text that was read, where there was one

    def is_as_read(self) -> bool:
        """Whether the file about to be replaced is still the one that was read (a person's editor takes no lock)."""
        try:
            info = os.stat(self.path.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return self.before is None
        return self.before == Stamp.of(info)

    def replace(self) -> Stamp:
        """Put it in the document's place.

        Raises:
            OSError: when that fails; it is still there and open.
        """
        os.replace(self.temporary, self.path.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        info = os.fstat(self.fd)
        os.close(self.fd)
        if not stat.S_ISREG(info.st_mode):  # pragma: no cover - new_file makes regular files only
            raise StoreError(self.path, f"{self.path} is not a regular file.")
        return Stamp.of(info)

    def discard(self) -> None:
        """It is not wanted any more."""
        os.close(self.fd)
        with suppress(OSError):
            os.unlink(self.temporary, dir_fd=self.folder)


def prepare(text: NextText, folder: int) -> Prepared:
    """The temporary file with the new text, not yet durable; ``folder`` is the descriptor of the document's folder.

    Raises:
        OSError: when it cannot be written; nothing of it is left then.
    """
    name = f".{text.path.name}.{uuid.uuid4().hex[:12]}.tmp"
    digest = hashlib.sha256()
    fd = new_file(folder, name)
    try:
        with open(fd, "wb", closefd=False) as handle:
            for piece in text.pieces:
                digest.update(piece)
                handle.write(piece)
    except OSError:
        os.close(fd)
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    system = system_part(text.kind, text.value)
    return Prepared(text.path, text.kind, folder, name, fd, digest.hexdigest(), system, text.before, text.read)


def all_durable(descriptors: Sequence[int]) -> dict[int, OSError]:
    """``fsync`` of every descriptor, several at once so that the journal takes them together; failures by fd."""
    if len(descriptors) < 3:
        failures = [(fd, _fsync(fd)) for fd in descriptors]
    else:
        with ThreadPoolExecutor(_FSYNC_THREADS) as pool:
            failures = list(zip(descriptors, pool.map(_fsync, descriptors), strict=True))
    return {fd: error for fd, error in failures if error is not None}


def _fsync(fd: int) -> OSError | None:
    try:
        os.fsync(fd)
    except OSError as error:
        return error
    return None
