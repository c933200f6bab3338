"""Rendered answers, kept in ``<STATE_DIR>/rendered/``: may be dropped at any time, and never hold too much.

The name of each is a digest of everything it was made from (the record's ETag, the format, the site, the program), so
that nothing has to be thrown away when something changes; the oldest go when there is no room.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

from django.conf import settings

from catalog.publishing.site import Site

log = logging.getLogger(__name__)

MOST_BYTES = 512 << 20
_CHECKED_EVERY = 32 << 20
_NEAR_BYTES, _NEAR_ONE = 32 << 20, 4 << 20  # in each process's memory: of all, and of one
_HEAD = 12  # bytes before what is kept: its length and CRC-32, for a machine that lost power
_PARTS = ("catalog", "contexts", "ingest", "schemas")  # an answer may be made with anything in them


def kept(etag: str, name: str, site: Site, make: Callable[[], bytes]) -> bytes:
    """The bytes of one record in one format, made only where they are not kept."""
    called = name_of(etag, name, site)
    found = _near.get(called)
    if found is None:
        path = _folder() / called
        found = _read(path)
        if found is None:
            found = make()
            _keep(path, found)
        _near.put(called, found)
    return found


def packed(etag: str, name: str, site: Site, make: Callable[[], bytes]) -> bytes:
    """The same bytes in gzip, a tenth of them, packed only where that is not kept."""
    return kept(etag, f"{name}-gzip", site, lambda: gzip.compress(kept(etag, name, site, make), 6, mtime=0))


def is_kept(etag: str, name: str, site: Site) -> bool:
    """Whether a record's bytes in one format are kept."""
    return size_kept(etag, name, site) is not None


def size_kept(etag: str, name: str, site: Site) -> int | None:
    """How many bytes one format of a record takes here; None where it is not kept."""
    try:
        return (_folder() / name_of(etag, name, site)).stat().st_size
    except OSError:
        return None


class _Near:
    """Those asked for last, in this process's own memory: what was checked when it was read is not read again."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.kept: OrderedDict[str, bytes] = OrderedDict()
        self.bytes = 0

    def get(self, called: str) -> bytes | None:
        with self.lock:
            found = self.kept.get(called)
            if found is not None:
                self.kept.move_to_end(called)
            return found

    def put(self, called: str, body: bytes) -> None:
        if len(body) > _NEAR_ONE:
            return
        with self.lock:
            self.bytes += len(body) - len(self.kept.pop(called, b""))
            self.kept[called] = body
            while self.bytes > _NEAR_BYTES:
                self.bytes -= len(self.kept.popitem(last=False)[1])


_near = _Near()


def forget() -> None:
    """Empties this process's own memory of answers; the folder stays."""
    global _near
    _near = _Near()


def _folder() -> Path:
    return Path(settings.FAIRFOLDER_STATE_DIR) / "rendered"


def name_of(etag: str, name: str, site: Site) -> str:
    """A digest of everything an answer is made from."""
    return hashlib.sha256(f"{etag}\0{name}\0{_around(site, settings.FAIRFOLDER_URL_PREFIX)}".encode()).hexdigest()


@lru_cache(maxsize=8)
def _around(site: Site, prefix: str) -> str:
    """A digest of what is the same for all records."""
    told = "\0".join((edition(), *astuple(site), prefix))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def edition() -> str:
    """What tells this program's answers from those of another version of it: a digest of all its sources."""
    base = Path(settings.BASE_DIR)
    digest = hashlib.sha256()
    for path in sorted(path for part in _PARTS for path in (base / part).rglob("*")):
        if path.suffix != ".pyc" and path.is_file():
            told = f"{path.relative_to(base)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0"
            digest.update(told.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    body = data[_HEAD:]
    return body if data[:_HEAD] == _head(body) else None


def _head(body: bytes) -> bytes:
    return len(body).to_bytes(8, "big") + zlib.crc32(body).to_bytes(4, "big")


def _keep(path: Path, body: bytes) -> None:
    """On a full disk the service goes on without."""
    draft = path.with_name(f".{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft.write_bytes(_head(body) + body)
        os.replace(draft, path)
    except OSError as error:
        log.warning("%s cannot be kept: %s", path, error.strerror)
        with suppress(OSError):
            draft.unlink()
        return
    _account.add(len(body))


class _Account:
    """What this process has kept since it looked last; each process looks after the whole folder."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.bytes = _CHECKED_EVERY  # so that it looks at its first

    def add(self, number: int) -> None:
        with self.lock:
            self.bytes += number
            due = self.bytes >= _CHECKED_EVERY
            if due:
                self.bytes = 0
        if due:
            make_room(MOST_BYTES)


_account = _Account()


def make_room(most: int) -> None:
    """Drops the oldest until no more than this many bytes are kept."""
    files = sorted(_files(), key=lambda each: each[0])
    total = sum(size for _, size, _ in files)
    for _, size, path in files:
        if total <= most:
            return
        with suppress(OSError):
            os.unlink(path)
            total -= size


def _files() -> Iterator[tuple[float, int, str]]:
    """Time, size and path of everything kept."""
    try:
        with os.scandir(_folder()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    info = entry.stat(follow_symlinks=False)
                    yield info.st_mtime, info.st_size, entry.path
    except FileNotFoundError:
        return
