"""The broker: takes queries from all web processes, and runs each in a worker process that it can kill.

One for the whole service, so that its limits are those of the machine and not of each web process; and light, because
it needs neither Django nor the RDF engine. Started as ``python -m catalog.graph.broker FOLDER LIMITS``; it listens on a
UNIX socket in that folder. A thread waits for each query; only the main thread starts workers, because the kernel ends
them with the thread that started them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from catalog.graph import asking, frames
from catalog.graph.limits import Limits
from ingest.locking import lock_file

log = logging.getLogger(__name__)

_CHECKOUT = Path(__file__).resolve().parents[2]
_START_SECONDS, _TURN, _PAUSE, _LONGEST_PAUSE = 20.0, 1.0, 1.0, 60.0
_SHARE_KEPT = 4  # a worker that keeps more than this part of what a query may take is replaced
_LONG_KNOWN = 10_000  # queries that ran for long, remembered
_SLOW_SECONDS = 5.0  # for a question to arrive, and for an answer's first message to leave


_OTHERS = "It is a long query, and others of the kind are running"
_NOBODY = "Queries are not answered, because the processes for them do not start; the log of the service tells why."


@dataclass
class _Worker:
    """A worker process, the socket to it, and what memory it had when it was new."""

    process: subprocess.Popen[bytes]
    door: socket.socket
    resident: int = 0

    def kill(self) -> int:
        """Ends it; answers how it ended."""
        self.process.kill()
        self.door.close()
        return self.process.wait()


class _IdleEndError(Exception):
    """A worker ended while it had nothing to do."""


def _hand_over(worker: _Worker, question: dict[str, Any]) -> None:
    try:
        frames.send(worker.door, question)
    except OSError as error:
        raise _IdleEndError from error


class Broker:
    """The workers and those who wait for one."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._changed = threading.Condition()
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self._line: list[object] = []
        self._long_ones = threading.Semaphore(limits.long_ones)
        self._known_long: OrderedDict[bytes, None] = OrderedDict()
        self._stop = False
        self._pause = 0.0  # before a worker is tried again, since none started

    # --- the main thread ---

    def serve(self) -> None:
        """Answers until :meth:`stop` is called."""
        with self._listening() as door, self._cleaned_up():
            threading.Thread(target=self._accept, args=(door,), name="door", daemon=True).start()
            while not self._stop:
                self._fill()
                self._refresh()
                with self._changed:
                    if len(self._all) >= self._limits.workers and not self._stop:
                        self._changed.wait(_TURN)

    def stop(self, *_: int | FrameType | None) -> None:
        """Has :meth:`serve` return; may be called from a signal handler."""
        self._stop = True

    @contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX) as door, asking.reachable(self._folder) as path:
            (self._folder / asking.DOOR).unlink(missing_ok=True)
            door.bind(path)
            os.chmod(self._folder / asking.DOOR, 0o600)
            door.listen(128)
            yield door
            (self._folder / asking.DOOR).unlink(missing_ok=True)

    @contextmanager
    def _cleaned_up(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                workers, self._all = self._all, []
            for worker in workers:
                worker.kill()

    def _fill(self) -> None:
        """Starts a worker for each that is missing."""
        while not self._stop and len(self._all) < self._limits.workers:
            try:
                worker = self._start()
            except OSError as error:
                self._pause = min(max(_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
                log.error("a worker for queries does not start (%s); it is tried again in %.0f s", error, self._pause)
                self._rest()
                return
            self._pause = 0.0
            with self._changed:
                self._all.append(worker)
                self._idle.append(worker)
                self._changed.notify_all()

    def _rest(self) -> None:
        """Until a worker is tried again; whoever waits for one is told now that there is none."""
        until = time.monotonic() + self._pause
        with self._changed:
            self._changed.notify_all()
        while not self._stop and time.monotonic() < until:
            time.sleep(min(_TURN, self._pause))

    def _start(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "catalog.graph.worker", str(self._folder), self._limits.as_text()],
                stdin=theirs.fileno(),
                stdout=sys.stderr.fileno(),
                cwd=_CHECKOUT,
            )
        ours.settimeout(_START_SECONDS)
        worker = _Worker(process, ours)
        try:
            said = frames.receive(ours)
            if said is None:
                raise OSError("it ended at once")
            worker.resident = said[0]["resident"]
        except OSError:
            worker.kill()
            raise
        return worker

    def _refresh(self) -> None:
        """Has an idle worker let go of snapshots that are no longer the newest."""
        with self._changed:
            worker = self._idle.pop(0) if self._idle else None
        if worker is None:
            return
        try:
            frames.send(worker.door, {})
            is_well = frames.receive(worker.door) is not None
        except OSError:
            is_well = False
        self._give_back(worker, is_well=is_well)

    # --- a thread for each query ---

    def _accept(self, door: socket.socket) -> None:
        while not self._stop:
            try:
                client, _ = door.accept()
            except OSError as error:
                if self._stop or door.fileno() < 0:
                    return
                log.error("a query cannot be let in (%s); the next one is tried in %.0f s", error, _PAUSE)
                time.sleep(_PAUSE)
                continue
            try:
                threading.Thread(target=self._serve_one, args=(client,), daemon=True).start()
            except RuntimeError as error:  # the system gives no more threads
                client.close()
                log.error("a query cannot be served (%s); the next one is tried in %.0f s", error, _PAUSE)
                time.sleep(_PAUSE)

    def _serve_one(self, client: socket.socket) -> None:
        with client:
            try:
                self._serve(client)
            except (ConnectionError, TimeoutError):
                return  # whoever has gone needs no answer
            except OSError as error:
                log.warning("a query got no answer: %s", error)

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_SLOW_SECONDS)
        said = frames.receive(client)
        if said is None:
            return
        told, fd = self._answered(said[0], client)
        try:
            frames.send(client, told, fd=fd)
        finally:
            if fd >= 0:
                os.close(fd)

    def _answered(self, question: dict[str, Any], client: socket.socket) -> tuple[dict[str, Any], int]:
        """What to say, and the open file of an answer.

        A query that ran for long before is let in as one of the long: asked again and again it would have the worker
        that is left to the quick ones, each time until it turns out to be long.
        """
        text = _digest(question)
        if text not in self._known_long:
            return self._asked(question, client, text)
        if not self._long_ones.acquire(blocking=False):
            return self._busy(_OTHERS), -1
        try:
            return self._asked(question, client, text, is_long=True)
        finally:
            self._long_ones.release()

    def _asked(
        self, question: dict[str, Any], client: socket.socket, text: bytes, *, is_long: bool = False
    ) -> tuple[dict[str, Any], int]:
        while (worker := self._take(client)) is not None:
            is_well = False
            try:
                _hand_over(worker, question)
                told, fd, is_well = self._run(worker, client, text, is_long=is_long)
            except _IdleEndError:
                log.warning("a worker ended while it was idle (%s); another answers", worker.process.wait())
                continue
            finally:
                self._give_back(worker, is_well=is_well)
            return told, fd
        if self._has_nobody():
            return _no(asking.FAILED, _NOBODY, retry=30), -1
        return self._busy("Too many queries wait already"), -1

    def _note(self, text: bytes, *, is_long: bool) -> None:
        with self._changed:
            self._known_long.pop(text, None)
            if is_long:
                self._known_long[text] = None
                while len(self._known_long) > _LONG_KNOWN:
                    self._known_long.popitem(last=False)

    def _has_nobody(self) -> bool:
        return bool(self._pause) and not self._all

    def _take(self, client: socket.socket) -> _Worker | None:
        """An idle worker, in the order of asking; None when too many wait, or none can be started.

        Raises:
            OSError: when the client has gone.
        """
        me = object()
        with self._changed:
            if len(self._line) >= self._limits.waiting:
                return None
            self._line.append(me)
            try:
                while not (self._idle and self._line[0] is me):
                    if self._has_nobody():
                        return None
                    self._changed.wait(0.5)
                    if self._stop or _has_gone(client):
                        raise ConnectionResetError
                return self._idle.pop()
            finally:
                self._line.remove(me)
                self._changed.notify_all()

    def _give_back(self, worker: _Worker, *, is_well: bool) -> None:
        """To whoever waits; one that is not well any more is ended, and the main thread starts another."""
        if not is_well:
            worker.kill()
        with self._changed:
            if is_well and not self._stop:
                self._idle.append(worker)
            elif worker in self._all:
                self._all.remove(worker)
            self._changed.notify_all()

    def _run(
        self, worker: _Worker, client: socket.socket, text: bytes = b"", *, is_long: bool = False
    ) -> tuple[dict[str, Any], int, bool]:
        """The worker's answer, or what to say where there is none; and whether the worker can go on.

        Args:
            is_long: whether whoever calls has a place for it among the long ones already.
        """
        started, has_place, quick = time.monotonic(), False, min(self._limits.quick_seconds, self._limits.seconds)
        try:
            while True:
                limit = self._limits.seconds if is_long or has_place else quick
                ready = frames.ready([worker.door, client], max(0.0, started + limit - time.monotonic()))
                if worker.door in ready:
                    if is_long and time.monotonic() < started + quick:
                        self._note(text, is_long=False)  # what it asks is no longer so much
                    return self._said(worker)
                if client in ready:
                    raise ConnectionResetError  # it says nothing more: it has gone, and the worker is ended
                self._note(text, is_long=True)
                if limit == self._limits.seconds:
                    return self._too_slow(), -1, False
                has_place = self._long_ones.acquire(blocking=False)
                if not has_place:
                    return self._busy(_OTHERS), -1, False
        finally:
            if has_place:
                self._long_ones.release()

    def _said(self, worker: _Worker) -> tuple[dict[str, Any], int, bool]:
        try:
            said = frames.receive(worker.door)
        except OSError:
            said = None
        if said is None:
            return self._ended(worker.process.wait()), -1, False
        told, fd = said
        grown = told.pop("resident", 0) - worker.resident
        return told, fd, grown <= self._limits.memory // _SHARE_KEPT

    def _ended(self, code: int) -> dict[str, Any]:
        log.warning("a query ended its worker (%s); another is started", code)
        if code == 1:
            return _no(asking.FAILED, "The query met an error of the service, which its log tells; ask otherwise.")
        if code in (-signal.SIGABRT, -signal.SIGKILL, 101, asking.OUT_OF_MEMORY):
            return _no(
                asking.MEMORY,
                f"The query needs more memory than the {self._limits.memory_megabytes} MB one may have, and was "
                "stopped; let it hold less at a time (no cross products, ORDER BY or GROUP BY over fewer rows).",
            )
        return _no(asking.UNFIT, "The query is nested too deeply or otherwise cannot be run; write it more simply.")

    def _too_slow(self) -> dict[str, Any]:
        return _no(
            asking.TIME,
            f"The query ran for {self._limits.seconds} s, the longest one may, and was stopped; "
            "ask for less at once: a narrower pattern, fewer paths of any length, a smaller LIMIT.",
        )

    def _busy(self, why: str) -> dict[str, Any]:
        return _no(asking.BUSY, f"{why}; ask again in a few seconds.", retry=5)


def _digest(question: dict[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).digest()


def _no(reason: str, sentence: str, retry: int = 0) -> dict[str, Any]:
    return {"reason": reason, "sentence": sentence, "retry_seconds": retry}


def _has_gone(client: socket.socket) -> bool:
    return bool(frames.ready([client], 0))


def main(folder: Path, limits: Limits) -> None:
    """Serves until told to stop.

    Raises:
        BusyError: when another process answers the queries of this folder.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    (folder / "answers").mkdir(parents=True, exist_ok=True, mode=0o700)
    broker = Broker(folder, limits)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, broker.stop)
    with lock_file(folder / "asking.lock", _START_SECONDS):
        broker.serve()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Limits.from_text(sys.argv[2]))
