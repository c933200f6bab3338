"""Reading many files: small ones here and now, large ones in threads while the small ones go on."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ingest.reading import Facts, NotRead, StoppedError, Throttle, read_file
from ingest.scan import by_folder
from ingest.seen import Condition, PlaceRow, Stamp
from ingest.walk import open_folder, opened_below

_LARGE = 4 << 20
_IN_FLIGHT = 32
_PAUSE_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Read:
    """One file's outcome."""

    place: PlaceRow
    path: bytes
    stamp: Stamp
    result: Facts | NotRead


class Readers:
    """Hashing frees the interpreter's lock, so large files run two by two; opening and parsing small ones does not."""

    def __init__(self, root: Path, throttle: Throttle, stop: threading.Event, paused: Callable[[], bool]) -> None:
        self._root = root
        self._throttle = throttle
        self._stop = stop
        self._paused = paused
        self._looked = 0.0
        self._pool = ThreadPoolExecutor(max(2, min(4, os.cpu_count() or 2)), thread_name_prefix="read")
        self._flying: deque[tuple[PlaceRow, bytes, Stamp, Future[Facts | NotRead]]] = deque()

    def close(self) -> None:
        """Wait for what is being read and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def read(self, place: PlaceRow, files: dict[bytes, Stamp]) -> Iterator[Read]:
        """The small files of one dataset, and whatever large ones (of any dataset) are finished meanwhile.

        Raises:
            StoppedError: when the pass was asked to stop.
        """
        large = [p for p, s in files.items() if s.size > _LARGE]
        for path in large:
            self._flying.append((place, path, files[path], self._pool.submit(self._one, place, path, files[path])))
            yield from self._landed(_IN_FLIGHT)
        yield from self._small(place, files, (p for p, s in files.items() if s.size <= _LARGE))

    def rest(self) -> Iterator[Read]:
        """Every large file that is still being read."""
        yield from self._landed(0)

    def _landed(self, allowed: int) -> Iterator[Read]:
        while self._flying and (len(self._flying) > allowed or self._flying[0][3].done()):
            place, path, stamp, future = self._flying.popleft()
            yield Read(place, path, stamp, future.result())

    def _small(self, place: PlaceRow, files: dict[bytes, Stamp], paths: Iterable[bytes]) -> Iterator[Read]:
        groups = list(by_folder(paths))
        if not groups:
            return
        top = open_folder(None, os.fspath(self._root / place.path))
        try:
            for parts, names in groups:
                yield from self._folder(place, top, parts, names, files)
        finally:
            os.close(top)

    def _folder(
        self, place: PlaceRow, top: int, parts: list[bytes], names: list[bytes], files: dict[bytes, Stamp]
    ) -> Iterator[Read]:
        prefix = b"/".join(parts) + b"/" if parts else b""
        try:
            with opened_below(top, parts) as folder:
                for name in names:
                    self._hold()
                    path = prefix + name
                    stamp = files[path]
                    yield Read(place, path, stamp, read_file(folder, name, stamp, self._throttle, self._stop))
        except OSError as error:
            gone = NotRead(Condition.PENDING, f"its folder changed meanwhile: {error.strerror}")
            for name in names:
                yield Read(place, prefix + name, files[prefix + name], gone)

    def _one(self, place: PlaceRow, path: bytes, stamp: Stamp) -> Facts | NotRead:
        self._hold()
        *parts, name = path.split(b"/")
        try:
            top = open_folder(None, os.fspath(self._root / place.path))
        except OSError as error:
            return NotRead(Condition.PENDING, f"its dataset folder changed meanwhile: {error.strerror}")
        try:
            with opened_below(top, parts) as folder:
                return read_file(folder, name, stamp, self._throttle, self._stop)
        except OSError as error:
            return NotRead(Condition.PENDING, f"its folder changed meanwhile: {error.strerror}")
        finally:
            os.close(top)

    def _hold(self) -> None:
        """Stop when asked to; wait while an administrator holds the reading."""
        if self._stop.is_set():
            raise StoppedError
        moment = time.monotonic()
        if moment - self._looked < _PAUSE_LOOK_SECONDS:
            return
        self._looked = moment
        while self._paused():
            if self._stop.wait(_PAUSE_LOOK_SECONDS):
                raise StoppedError
