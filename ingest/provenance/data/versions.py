"""The versions of a data file: which bytes its ``.dvc`` file named at some time, where they are, having them back."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest.documents import readable
from ingest.errors import FairfolderError
from ingest.folders import explain
from ingest.provenance.data import pointers, program, whole
from ingest.provenance.data.cache import Cache, Look, checksums, copied
from ingest.provenance.data.folders import fingerprint
from ingest.provenance.data.pointers import DIRECTORY, SUFFIX
from ingest.provenance.data.project import DataError
from ingest.provenance.data.scratch import made
from ingest.rows import Stamp
from ingest.walk import open_folder

_TOP = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# FAT, exFAT and many network shares know no second name of a file.
_NO_LINK = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EINVAL)
GET_SECONDS = 3_600.0


class OccupiedError(FairfolderError):
    """Something stands where a version was to be restored; ``stamp`` is of what stands there."""

    def __init__(self, message: str, stamp: Stamp) -> None:
        super().__init__(message)
        self.stamp = stamp


@dataclass(frozen=True)
class DataVersion:
    """The bytes of a data file at one time; ``sha256`` is "" of a file tracked with its whole folder.

    ``cached``: the cache holds them. If not, only a remote can: :func:`fetch` asks it.
    """

    md5: str
    size: int
    sha256: str
    cached: bool


def version_beside(text: bytes, path: str, cache: Cache) -> DataVersion | None:
    """What a text of the ``.dvc`` file beside a data file, as history has it, says of the file; None if nothing."""
    pointer = pointers.read(text, path.rpartition("/")[2])
    if pointer is None:
        return None
    return DataVersion(pointer.md5, pointer.size, pointer.sha256, cache.size_of(pointer.md5) is not None)


def version_inside(text: bytes, dataset: str, path: str, cache: Cache) -> DataVersion | None:
    """The same of a file in a dataset that is tracked as a whole; None also while its listing is not in the cache."""
    pointer = pointers.read(text, dataset.rpartition("/")[2])
    if pointer is None:
        return None
    md5 = whole.entries(cache, pointer.md5).get(path.removeprefix(f"{dataset}/"))
    if md5 is None:
        return None
    size = cache.size_of(md5)
    return DataVersion(md5, size or 0, "", size is not None)


def pointer_paths(path: str, dataset: str) -> tuple[str, str]:
    """The ``.dvc`` files whose history speaks of a data file: the one beside it, the one beside its dataset."""
    return path + SUFFIX, dataset + SUFFIX


def sha256_of(cache: Cache, md5: str, look: Look) -> str:
    """The SHA-256 of an object in the cache, read for it; "" when it is not there or not whole."""
    try:
        fd = os.open(cache.path_of(md5), _FILE)
    except OSError:
        return ""
    try:
        found, sha256, _ = checksums(fd, look)
    finally:
        os.close(fd)
    return sha256 if found == md5 else ""


def restore(
    cache: Cache, md5: str, destination: Path, look: Look, *, sha256: str = "", over: Stamp | None = None
) -> None:
    """Write a version from the cache to a place, whole or not at all; a folder (a Zarr store) only where nothing is.

    Args:
        sha256: what the bytes must have as they are written, or what :func:`fingerprint` makes of a folder's; "" where
            none is known.
        over: the stamp of the file that a person agreed to replace. Its own bytes go into the cache before.

    Raises:
        OccupiedError: when something stands there, or something else than was agreed to.
        DataError: when the cache does not hold the version, or holds it damaged, or its bytes are not those of
            ``sha256``; nothing of it is left then.
        StoreError: when it cannot be written.
    """
    name = f".{destination.name[:100]}.{uuid.uuid4().hex[:12]}.tmp"
    try:
        folder = os.open(destination.parent, _TOP)
        try:
            if md5.endswith(DIRECTORY):
                _restore_folder(cache, md5, folder, name, destination, look, sha256)
            else:
                _refuse_other(md5, _copy(cache, md5, folder, name, look), sha256)
                _take_place(cache, folder, name, destination, look, over)
        finally:
            _clear(folder, name)
            os.close(folder)
    except OSError as error:
        raise explain(destination, error) from error


def fetch(root: Path, cache: Cache, path: str, version: DataVersion, revision: str, remote: str = "") -> None:
    """Have a version in the cache that only a remote holds: DVC gets it by the commit that named it.

    Args:
        revision: a commit whose ``.dvc`` file names the version.
        remote: the name of a configured remote; "" for the default one.

    Raises:
        DataError: when it is not to be had, in DVC's words.
        OSError: when it cannot be written to the cache.
    """
    if version.md5.endswith(DIRECTORY):
        raise DataError(f"{path} is a folder; have DVC fetch it: dvc get --rev {revision} {root} {path}")
    with tempfile.TemporaryDirectory(dir=made(root / ".dvc" / "tmp"), prefix="fairfolder-get-") as place:
        target = os.path.join(place, "version")
        # The remotes are those of today, not of that commit.
        asked = ["get", f"--rev={revision}", f"--out={target}", f"--config={root / '.dvc' / 'config'}"]
        asked += [f"--remote={remote}"] if remote else []
        answer = program.run(root, [*asked, "--", str(root), path], GET_SECONDS)
        if not answer.good or not os.path.isfile(target):
            raise DataError(f"{readable(path)} as of {revision} is not to be had from the remote: {answer.why}.")
        fd = os.open(target, _FILE)
        try:
            with cache.filling() as filling:
                taken = filling.take(fd, "", lambda size: None)
                if taken.md5 != version.md5:
                    raise DataError(f"What DVC gave for {readable(path)} has the MD5 {taken.md5}, not {version.md5}.")
                filling.keep(taken)
                filling.land()
        finally:
            os.close(fd)


def _restore_folder(cache: Cache, md5: str, folder: int, name: str, destination: Path, look: Look, sha256: str) -> None:
    _refuse_occupied(folder, destination, None)
    members = whole.entries(cache, md5)
    if not members:
        raise DataError(f"The DVC cache does not hold the listing {md5}; fetch it from a remote first.")
    os.mkdir(name, dir_fd=folder)
    sums: list[tuple[str, str]] = []
    for path, each in members.items():
        parts = path.split("/")
        if not path or any(part in ("", ".", "..") for part in parts):  # a listing may come from anywhere
            raise DataError(f"The listing {md5} names {readable(path)!r}, which is outside its folder; it is refused.")
        sums.append((path, _copy_below(cache, each, folder, [name, *parts], look)))
    _refuse_other(md5, fingerprint(sums), sha256)
    os.rename(name, destination.name, src_dir_fd=folder, dst_dir_fd=folder)


def _copy_below(cache: Cache, md5: str, folder: int, parts: list[str], look: Look) -> str:
    current = os.dup(folder)
    try:
        for part in parts[:-1]:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=current)
            following = open_folder(current, part)
            os.close(current)
            current = following
        return _copy(cache, md5, current, parts[-1], look)
    finally:
        os.close(current)


def _refuse_other(md5: str, found: str, wanted: str) -> None:
    """The history says which bytes a version had; no others are given out for them."""
    if wanted and found != wanted:
        raise DataError(
            f"What the DVC cache holds as {md5} has the SHA-256 {found}, not {wanted}; nothing was restored."
        )


def _copy(cache: Cache, md5: str, folder: int, name: str, look: Look) -> str:
    """A durable copy of an object under a name that nothing has yet; its SHA-256."""
    try:
        source = os.open(cache.path_of(md5), _FILE)
    except OSError as error:
        raise DataError(f"The DVC cache does not hold {md5}; fetch it from a remote first.") from error
    try:
        copy = os.open(name, _NEW, 0o666, dir_fd=folder)
        try:
            found, sha256 = copied(source, copy, look)
            os.fsync(copy)
        finally:
            os.close(copy)
    finally:
        os.close(source)
    if found != md5:
        raise DataError(f"The DVC cache holds {md5} damaged; nothing was restored. Remove {cache.path_of(md5)}.")
    return sha256


def _take_place(cache: Cache, folder: int, name: str, destination: Path, look: Look, over: Stamp | None) -> None:
    if over is None:
        try:
            os.link(name, destination.name, src_dir_fd=folder, dst_dir_fd=folder)
        except FileExistsError:
            _refuse_occupied(folder, destination, None)
            raise
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            _claim_place(folder, name, destination)
    else:
        _refuse_occupied(folder, destination, over)
        old = os.open(destination.name, _FILE, dir_fd=folder)
        try:
            with cache.filling() as filling:
                filling.keep(filling.take(old, "", look))
                filling.land()
        finally:
            os.close(old)
        _refuse_occupied(folder, destination, over)
        os.replace(name, destination.name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def _claim_place(folder: int, name: str, destination: Path) -> None:
    """Take a place by an empty file of ours, which only comes to be where nothing is; then the version replaces it."""
    try:
        claim = os.open(destination.name, _NEW, 0o666, dir_fd=folder)
    except FileExistsError:
        _refuse_occupied(folder, destination, None)
        raise
    os.close(claim)
    if os.stat(destination.name, dir_fd=folder, follow_symlinks=False).st_size:  # somebody found it and wrote into it
        _refuse_occupied(folder, destination, None)
    try:
        os.replace(name, destination.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        if not os.stat(destination.name, dir_fd=folder, follow_symlinks=False).st_size:
            os.unlink(destination.name, dir_fd=folder)
        raise


def _refuse_occupied(folder: int, destination: Path, agreed: Stamp | None) -> None:
    try:
        info = os.stat(destination.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    stamp = Stamp.of(info)
    if agreed == stamp and stat.S_ISREG(info.st_mode):
        return
    moment = datetime.fromtimestamp(info.st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    changed = "" if agreed is None else ", changed since it was looked at"
    raise OccupiedError(
        f"{destination} is there already (of {moment}, {info.st_size:,} bytes{changed}) and is left as it is; "
        "choose another place, or say that it may be replaced.",
        stamp,
    )


def _clear(folder: int, name: str) -> None:
    """What was not put in its place is removed; it has our own temporary name."""
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)
    with suppress(OSError):
        shutil.rmtree(name, dir_fd=folder)
