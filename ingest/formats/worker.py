"""The worker: reads one file at a time with readers that may fail in any way, inside limits it sets on itself.

Started by :mod:`ingest.formats.sandbox` as ``python -m ingest.formats.worker SECONDS``; its standard input is a UNIX
socket. It ends when that socket closes. Should its parent be gone while a reader hangs, its own alarm ends it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import socket
import sys
import warnings
from typing import Any

import orjson

from ingest.formats.facts import Facts, MalformedError

_MEMORY = 1 << 30
_OPEN_FILES = 64
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
_INSTALL = ".venv/bin/pip install '.[formats]'"


def main(seconds: float) -> None:
    """Answer requests until the socket closes."""
    _limit()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, whose end closes the socket
    with socket.socket(fileno=os.dup(0)) as door:
        while request := _receive(door):
            _allow(seconds)
            answer = _answer(*request)
            signal.setitimer(signal.ITIMER_REAL, 0)
            door.sendall(len(answer).to_bytes(8, "big") + answer)


def _limit() -> None:
    """No more memory than 1 GB, no file written, no core, no network where the system lets us leave it."""
    for kind, value in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS knows RLIMIT_AS by name only
            resource.setrlimit(kind, (value, value))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NETWORK):
            libc.unshare(_NEW_NETWORK | _NEW_USER)


def _allow(seconds: float) -> None:
    """The time one file may take: by the clock a little more than the parent waits, by the processor the same."""
    signal.setitimer(signal.ITIMER_REAL, seconds + 5)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime + seconds + 2)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def _receive(door: socket.socket) -> tuple[dict[str, Any], int] | None:
    """One request and the open file that came with it; None when the parent has gone."""
    data, fds, _, _ = socket.recv_fds(door, 4096, 1)
    if not data or not fds:
        return None
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        more = door.recv(4096)
        if not more:
            return None
        data += more
    request = orjson.loads(data[4:])
    return request, fds[0]


def _reopened(fd: int) -> int:
    """The same file with a position of its own, so that the engine's is left alone; ``fd`` itself where that fails."""
    try:
        own = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    except OSError:
        os.lseek(fd, 0, os.SEEK_SET)
        return fd
    os.close(fd)
    return own


def _answer(request: dict[str, Any], fd: int) -> bytes:
    facts = Facts()
    facts.media_type = ""
    extra: dict[str, Any] = {}
    fd = _reopened(fd)
    try:
        extra = importlib.import_module(request["module"]).extract(fd, request["size"], facts) or {}
    except ModuleNotFoundError as error:
        facts.warn(f"not described: {error.name} is not installed; {_INSTALL} mends it")
    except MalformedError as error:
        facts.warn(str(error))
    except MemoryError:
        facts.warn("extract failed: reading it takes more than 1 GB of memory")
        extra = {"ending": True}
    except Exception as error:  # noqa: BLE001 - the worker's outermost guard; the message may quote the content
        facts.warn(f"extract failed: the reader could not read it ({type(error).__name__})")
    finally:
        os.close(fd)
    return orjson.dumps({name: getattr(facts, name) for name in Facts.__slots__ if getattr(facts, name)} | extra)


if __name__ == "__main__":
    main(float(sys.argv[1]))
