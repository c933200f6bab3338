"""The parent's side of the worker: an open file goes to a process that may crash, hang or eat memory, facts return.

At most two workers, started when first needed and kept. A request and its answer are JSON with a length in front; the
file travels as an open descriptor (SCM_RIGHTS), so a rename in between cannot change what is read. What comes back is
checked and bounded again: a worker that was taken over by a hostile file can lie, and nothing more.
"""

from __future__ import annotations

import atexit
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson

from ingest.formats.facts import Facts, clean
from ingest.formats.source import Source

TIME_LIMIT = 20.0
MAX_WORKERS = 2
_MAX_ANSWER = 8 << 20
_FILES_PER_WORKER = 2_000
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]

# What runs in the worker: the module whose ``extract(fd, size, facts)`` does the job.
JOBS = {
    "dicom": "ingest.formats.dicom",
    "hdf5": "ingest.formats.hdf5",
    "json": "ingest.formats.jsontext",
    "pdf": "ingest.formats.pdf",
    "sheet": "ingest.formats.sheet_rows",
    "thumbnail": "ingest.formats.thumbnail",
    "xlsx": "ingest.formats.xlsx",
    "zstd": "ingest.formats.zstandard",
}

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+\-]{0,100}")
_IRI = re.compile(r"https?://(?:www\.nationalarchives\.gov\.uk/PRONOM|edamontology\.org)/[A-Za-z0-9_/\-]{1,40}")


class WorkerError(Exception):
    """The worker died, hung or answered nonsense; the text says which, for the file's warnings."""


class _Worker:
    """One child process and our end of the socket that is its standard input."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed argument list, no shell
                [sys.executable, "-m", "ingest.formats.worker", str(TIME_LIMIT)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=_environment(),
                close_fds=True,
            )
        self._socket = ours
        self.files = 0

    def ask(self, module: str, fd: int, size: int, seconds: float | None = None) -> dict[str, Any]:
        """The worker's answer within so many seconds (else TIME_LIMIT). Raises WorkerError; then the worker is dead."""
        seconds = TIME_LIMIT if seconds is None else seconds
        self.files += 1
        request = orjson.dumps({"module": module, "size": size})
        deadline = time.monotonic() + seconds
        try:
            self._socket.settimeout(seconds)
            socket.send_fds(self._socket, [len(request).to_bytes(4, "big") + request], [fd])
            length = int.from_bytes(self._receive(8, deadline), "big")
            if length > _MAX_ANSWER:
                raise WorkerError("the reader's answer was larger than 8 MB")
            answer = orjson.loads(self._receive(length, deadline))
        except TimeoutError as error:
            self.stop()
            raise WorkerError(f"reading it took longer than {seconds:g} s and was stopped") from error
        except (OSError, EOFError) as error:
            raise WorkerError(f"the reader crashed ({self.stop()})") from error
        except (WorkerError, orjson.JSONDecodeError) as error:
            self.stop()
            raise WorkerError("the reader's answer was not readable") from error
        if not isinstance(answer, dict):
            self.stop()
            raise WorkerError("the reader's answer was not readable")
        return answer

    def _receive(self, length: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while length:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(min(length, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    @property
    def pid(self) -> int:
        """The process id of the child."""
        pid: int = self._process.pid
        return pid

    @property
    def alive(self) -> bool:
        """Whether the child still runs: something outside may have ended it while it was idle."""
        return self._process.poll() is None

    def stop(self) -> str:
        """Kill it by its process id and wait; the words for how it ended."""
        self._socket.close()
        try:
            code = self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code < 0:
            return signal.Signals(-code).name if -code in signal.Signals._value2member_map_ else f"signal {-code}"
        return f"exit code {code}"

    def abandon(self) -> None:
        """Close our copy of the socket without touching the process: it belongs to the process we were forked from."""
        self._socket.close()
        self._process.returncode = 0


class _Pool:
    """Idle workers, and a bound on how many there are."""

    def __init__(self) -> None:
        self.places = threading.BoundedSemaphore(MAX_WORKERS)
        self.lock = threading.Lock()
        self.idle: list[_Worker] = []

    def take(self) -> _Worker:
        with self.lock:
            while self.idle:
                worker = self.idle.pop()
                if worker.alive:
                    return worker
                worker.stop()
        return _Worker()

    def give_back(self, worker: _Worker) -> None:
        if worker.files >= _FILES_PER_WORKER:
            worker.stop()
            return
        with self.lock:
            self.idle.append(worker)


_pool = _Pool()


def _leave_to_parent() -> None:
    """After a fork: the workers stay the parent's, this process starts its own."""
    global _pool
    for worker in _pool.idle:
        worker.abandon()
    _pool = _Pool()


def shutdown() -> None:
    """Stop the idle workers; the next file that needs one starts another."""
    pool = _pool
    with pool.lock:
        workers, pool.idle = pool.idle, []
    for worker in workers:
        worker.stop()


os.register_at_fork(after_in_child=_leave_to_parent)
atexit.register(shutdown)


def describe(kind: str, source: Source, facts: Facts) -> None:
    """Let the worker describe ``source`` into ``facts``; whatever goes wrong becomes a warning."""
    answer = run(kind, source, facts)
    if answer:
        _merge(answer, facts)


def run(kind: str, source: Source, facts: Facts) -> dict[str, Any] | None:
    """The worker's raw answer, or None with a warning."""
    if source.fd is None or source.size is None:
        facts.warn("the content was not described: it is inside a compressed file")
        return None
    pool = _pool
    with pool.places:
        worker = pool.take()
        try:
            answer = worker.ask(JOBS[kind], source.fd, source.size)
        except WorkerError as error:
            facts.warn(f"extract failed: {error}")
            return None
        if answer.get("ending"):
            worker.stop()
        else:
            pool.give_back(worker)
    for warning in _rows(answer, "warnings", str):
        facts.warn(warning)
    return answer


def ask(kind: str, fd: int, size: int, seconds: float) -> dict[str, Any]:
    """The worker's answer for a page that waits: no longer than so many seconds, for a free worker included.

    Raises:
        WorkerError: when it died, hung or answered nonsense, or all workers are busy.
    """
    pool, begun = _pool, time.monotonic()
    if not pool.places.acquire(timeout=seconds):
        raise WorkerError("too many files are being read at once; try again in a moment")
    try:
        worker = pool.take()
        answer = worker.ask(JOBS[kind], fd, size, max(0.5, seconds - (time.monotonic() - begun)))
        if answer.get("ending"):
            worker.stop()
        else:
            pool.give_back(worker)
    finally:
        pool.places.release()
    return answer


def _environment() -> dict[str, str]:
    """Nothing of ours but what Python and the readers need: no secret can be read from inside."""
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    inherited_search = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    search = [str(_PACKAGE_ROOT), *map(os.path.abspath, inherited_search)]
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(search),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "HDF5_USE_FILE_LOCKING": "FALSE",
    }


def _rows(answer: dict[str, Any], key: str, kind: type) -> list[Any]:
    rows = answer.get(key)
    return [row for row in rows if isinstance(row, kind)] if isinstance(rows, list) else []


def _merge(answer: dict[str, Any], facts: Facts) -> None:
    """Take over what the worker found, each value through the same cleaning as our own."""
    for key in ("format_name", "version"):
        if isinstance(answer.get(key), str):
            setattr(facts, key, clean(answer[key], 100))
    for key, pattern in (("media_type", _MEDIA_TYPE), ("iri", _IRI), ("edam_iri", _IRI)):
        if isinstance(answer.get(key), str) and pattern.fullmatch(answer[key]):
            setattr(facts, key, answer[key])
    for key in ("records", "bit_depth", "channels"):
        if type(answer.get(key)) is int and 0 <= answer[key] < 2**63:
            setattr(facts, key, answer[key])
    for row in _rows(answer, "dimensions", dict):
        if isinstance(row.get("axis"), str) and type(row.get("size")) is int:
            facts.dimension(row["axis"], row["size"], _unit(row))
    for row in _rows(answer, "variables", dict):
        if isinstance(row.get("name"), str) and isinstance(row.get("data_type"), str):
            facts.variable(row["name"], row["data_type"], _unit(row))
    for row in _rows(answer, "instrument_rows", dict):
        strings = isinstance(row.get("name"), str) and isinstance(row.get("source"), str)
        if strings and isinstance(row.get("value"), str | int | float):
            facts.instrument(row["name"], row["value"], row["source"], _unit(row))


def _unit(row: dict[str, Any]) -> str | None:
    unit = row.get("unit")
    return unit if isinstance(unit, str) else None
