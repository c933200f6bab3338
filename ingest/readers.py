"""Reading many files at once: small ones in batches by other processes, large ones in threads.

Hashing frees the interpreter's lock, so large files run two by two in threads. Opening and parsing small ones does
not: when there are many, processes take them in batches, and this process reads along whenever they are busy.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ingest.processes import ReadingProcesses
from ingest.reading import Facts, NotRead, StoppedError, Throttle, read_file
from ingest.rows import Condition, PlaceRow, Stamp
from ingest.scan import by_folder
from ingest.walk import opened_below, opened_place

_log = logging.getLogger("fairfolder.readers")

_LARGE = 4 << 20
_SLOW = 256 << 20
_IN_FLIGHT = 32
_BATCH = 200
_WORTH_A_PROCESS = 1_500
_PAUSE_LOOK_SECONDS = 0.5

Result = Facts | NotRead
Wanted = Sequence[tuple[bytes, Stamp]]


class Read(NamedTuple):
    """One file's outcome."""

    place: PlaceRow
    path: bytes
    stamp: Stamp
    result: Result


@dataclass(frozen=True)
class _Flight:
    """Files being read elsewhere, in the order of the results to come."""

    place: PlaceRow
    wanted: Wanted
    future: Future[list[Result]]


def read_batch(
    root: Path,
    place: PlaceRow,
    wanted: Wanted,
    throttle: Throttle,
    look: Callable[[], None],
    stop: threading.Event | None,
    md5: bool = False,
) -> list[Result]:
    """Read files of one dataset, each opened step by step without following links.

    Args:
        look: called before each file; raises StoppedError to end the batch.
        md5: whether DVC's checksum of the same bytes is wanted too.
    """
    stamps = dict(wanted)
    results: dict[bytes, Result] = {}
    try:
        with opened_place(root, place) as top:
            for parts, names in by_folder(stamps):
                prefix = b"/".join(parts) + b"/" if parts else b""
                try:
                    with opened_below(top, parts) as inner:
                        for name in names:
                            look()
                            path = prefix + name
                            results[path] = _read_one(inner, name, stamps[path], throttle, stop, md5)
                except OSError as error:
                    gone = NotRead(Condition.PENDING, f"its folder changed meanwhile: {error.strerror}")
                    results.update({prefix + name: gone for name in names if prefix + name not in results})
    except OSError as error:
        return [NotRead(Condition.PENDING, f"its dataset folder changed meanwhile: {error.strerror}")] * len(wanted)
    return [results[path] for path, _ in wanted]


def _read_one(
    folder: int, name: bytes, expected: Stamp, throttle: Throttle, stop: threading.Event | None, md5: bool
) -> Result:
    """One file's trouble, whatever it is, is its own: it must not cost the others of its batch theirs."""
    try:
        return read_file(folder, name, expected, throttle, stop, md5=md5)
    except (StoppedError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - told, logged and set aside
        _log.exception("cannot read %s", os.fsdecode(name))
        reason = f"it cannot be read ({type(error).__name__}: {error}); it is tried again"
        return NotRead(Condition.FAILED, reason)


def _nothing() -> None:
    """Nothing to look for: a batch is short."""


def _in_helper(root: Path, place: PlaceRow, wanted: Wanted, md5: bool) -> list[Result]:
    return read_batch(root, place, wanted, Throttle(None), _nothing, None, md5)


@dataclass
class _Reading:
    """A file being read beside the passes, and its dataset as it was met last: it may be renamed meanwhile."""

    place: PlaceRow
    future: Future[list[Result]] = field(default_factory=Future)


class SlowReads:
    """Large files read beside the passes of a watcher, so that a terabyte does not keep a byte waiting.

    A pass that meets such a file finds it not read yet and goes on; ``ready`` is told its dataset's path when it is,
    and the next pass takes the result, as long as the file is still the one that was read.

    Args:
        larger_than: files of more bytes than this are read so.
    """

    def __init__(self, stop: threading.Event, ready: Callable[[str], None], *, larger_than: int = _SLOW) -> None:
        self.larger_than = larger_than
        self._stop = stop
        self._ready = ready
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="slow")
        self._readings: dict[tuple[int, bytes, Stamp], _Reading] = {}

    def close(self) -> None:
        """End the reading; ``stop`` must be set."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(self, place: PlaceRow, path: bytes, stamp: Stamp, read: Callable[[PlaceRow], list[Result]]) -> Result:
        """The result if it is there, else a file that is being read from now on."""
        key = (place.id, path, stamp)
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = _Reading(place)
            reading.future = self._pool.submit(lambda: read(reading.place))
            reading.future.add_done_callback(partial(self._tell, reading))
        reading.place = place
        if not reading.future.done():
            return NotRead(Condition.PENDING, f"its {stamp.size:,} bytes are being read", again=False)
        del self._readings[key]
        return reading.future.result()[0]

    def _tell(self, reading: _Reading, future: Future[list[Result]]) -> None:
        if not future.cancelled():
            self._ready(reading.place.path)

    def keep(self, place: int, *files: Mapping[bytes, Stamp]) -> None:
        """Nobody will ask again for any other file of a dataset: it changed, or is gone."""
        for key in [key for key in self._readings if key[0] == place]:
            if all(some.get(key[1]) != key[2] for some in files):
                self._readings.pop(key).future.cancel()


class Readers:
    """The readers of one pass; results come in no particular order, each with its place.

    Args:
        md5: whether DVC's checksum is made of the same bytes too; it costs a third more where hashing is the bound.
    """

    def __init__(
        self,
        root: Path,
        throttle: Throttle,
        stop: threading.Event,
        paused: Callable[[], bool],
        *,
        processes: ReadingProcesses | None = None,
        slow: SlowReads | None = None,
        md5: bool = False,
    ) -> None:
        self._slow = slow
        self._md5 = md5
        self._root = root
        self._throttle = throttle
        self._stop = stop
        self._paused = paused
        self._looked = 0.0
        self._threads: ThreadPoolExecutor | None = None
        self._processes = processes if throttle.rate is None else None
        self._small_seen = 0
        self._small: deque[_Flight] = deque()
        self._large: deque[_Flight] = deque()

    def close(self) -> None:
        """Wait for what is being read."""
        for flight in (*self._small, *self._large):
            flight.future.cancel()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def in_flight(self) -> set[int]:
        """The ids of the datasets with files that are still being read."""
        return {flight.place.id for flight in (*self._small, *self._large)}

    def read(self, place: PlaceRow, files: dict[bytes, Stamp]) -> Iterator[Read]:
        """Start with the files of one dataset; gives whatever of any dataset is finished meanwhile.

        Raises:
            StoppedError: when the pass was asked to stop.
        """
        slow, small = self._slow, []
        for path, stamp in files.items():
            if slow is not None and stamp.size > slow.larger_than:
                read = partial(self._beside, [(path, stamp)])
                yield Read(place, path, stamp, slow.take(place, path, stamp, read))
            elif stamp.size > _LARGE:
                one = [(path, stamp)]
                self._large.append(_Flight(place, one, self._thread_pool().submit(self._here, place, one)))
                yield from self._landed(self._large, _IN_FLIGHT)
            else:
                small.append((path, stamp))
        for start in range(0, len(small), _BATCH):
            yield from self._small_batch(place, small[start : start + _BATCH])

    def keep(self, place: int, *files: Mapping[bytes, Stamp]) -> None:
        """No other files of a dataset are to be read any more than these."""
        if self._slow is not None:
            self._slow.keep(place, *files)

    def _small_batch(self, place: PlaceRow, batch: Wanted) -> Iterator[Read]:
        self._look()
        yield from self._landed(self._small, _IN_FLIGHT)
        yield from self._landed(self._large, _IN_FLIGHT)
        helping = self._helping(len(batch))
        if helping is not None and len(self._small) < _IN_FLIGHT:
            try:
                self._small.append(
                    _Flight(place, batch, helping.submit(_in_helper, self._root, place, batch, self._md5))
                )
                return
            except BrokenProcessPool:
                self._without_help()
        results = self._here(place, batch)
        for (path, stamp), result in zip(batch, results, strict=True):
            yield Read(place, path, stamp, result)

    def rest(self) -> Iterator[Read]:
        """Everything that is still being read."""
        yield from self._landed(self._small, 0)
        yield from self._landed(self._large, 0)

    def _beside(self, wanted: Wanted, place: PlaceRow) -> list[Result]:
        """As here, in a thread that outlives the pass; when asked to stop, the file just is not read yet."""
        try:
            return self._here(place, wanted)
        except StoppedError:
            return [NotRead(Condition.PENDING, "the reading was stopped")]

    def _here(self, place: PlaceRow, wanted: Wanted) -> list[Result]:
        return read_batch(self._root, place, wanted, self._throttle, self._look, self._stop, self._md5)

    def _landed(self, flying: deque[_Flight], allowed: int) -> Iterator[Read]:
        while flying and (len(flying) > allowed or flying[0].future.done()):
            flight = flying.popleft()
            try:
                results = flight.future.result()
            except BrokenProcessPool:
                self._without_help()
                results = self._here(flight.place, flight.wanted)
            for (path, stamp), result in zip(flight.wanted, results, strict=True):
                yield Read(flight.place, path, stamp, result)

    def _thread_pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(max(2, min(4, os.cpu_count() or 2)), thread_name_prefix="read")
        return self._threads

    def _helping(self, more: int) -> ProcessPoolExecutor | None:
        """The processes that help, once there is enough to read for them to be worth their start."""
        self._small_seen += more
        if self._processes is None:
            return None
        if self._small_seen >= _WORTH_A_PROCESS:
            self._processes.start()  # meanwhile this process reads
        return self._processes.pool

    def _without_help(self) -> None:
        """A helping process was killed (out of memory, say): this one goes on alone."""
        if self._processes is not None:
            self._processes.broken = True

    def _look(self) -> None:
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
