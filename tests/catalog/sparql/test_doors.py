"""The sockets between web processes, broker and workers: many of them, and a system that gives no more."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from catalog.graph import asking, broker, frames
from catalog.graph.limits import Limits
from tests.catalog.service import eventually

LIMITS = Limits(seconds=5)


@pytest.fixture
def crowded() -> Iterator[None]:
    """A process whose next descriptors are beyond those that select.select takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 1_400:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1_400, hard) if hard >= 0 else 1_400, hard))
    with ExitStack() as stack:
        for _ in range(1_100):
            stack.callback(os.close, os.open("/dev/null", os.O_RDONLY))
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_query_is_asked_from_a_process_with_many_connections(crowded: None, tmp_path: Path) -> None:
    def serve(door: socket.socket) -> None:
        client, _ = door.accept()
        with client:
            frames.receive(client)
            frames.send(client, {"reason": "busy", "sentence": "later"})

    with socket.socket(socket.AF_UNIX) as door, asking.reachable(tmp_path) as path:
        door.bind(path)
        door.listen(1)
        assert door.fileno() >= 1_024
        threading.Thread(target=serve, args=(door,), daemon=True).start()
        with pytest.raises(asking.NoAnswerError, match="later"):
            asking.ask(tmp_path, asking.Question("ASK {}"), LIMITS)


def test_a_broker_with_many_connections_hears_workers_and_clients(crowded: None, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    client, asker = socket.socketpair()
    with ours, theirs, client, asker:
        assert ours.fileno() >= 1_024
        worker = broker._Worker(cast(Any, None), ours)
        frames.send(theirs, {"kind": "ask", "resident": 0})
        assert broker.Broker(tmp_path, LIMITS)._run(worker, client) == ({"kind": "ask"}, -1, True)
        assert not broker._has_gone(client)
        asker.close()
        assert broker._has_gone(client)
        with pytest.raises(ConnectionResetError):
            broker.Broker(tmp_path, LIMITS)._run(worker, client)


def test_the_door_stays_open_when_the_system_refuses_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No descriptors left, a client that went at once, no thread left: each ends one query, and none after it."""

    class Door:
        def __init__(self) -> None:
            self.left: list[OSError | None] = [OSError(errno.EMFILE, "Too many open files"), None, None]
            self.left.append(ConnectionAbortedError(errno.ECONNABORTED, "aborted"))

        def fileno(self) -> int:
            return 3

        def accept(self) -> tuple[socket.socket, str]:
            if not self.left:
                found._stop = True
                raise OSError(errno.EBADF, "closed")
            error = self.left.pop()
            if error is not None:
                raise error
            return socket.socket(), ""

    served: list[socket.socket] = []

    def serve_one(client: socket.socket) -> None:
        client.close()
        served.append(client)

    monkeypatch.setattr(broker, "_PAUSE", 0.0)
    found = broker.Broker(tmp_path, LIMITS)
    monkeypatch.setattr(found, "_serve_one", serve_one)
    start = threading.Thread.start
    tries = iter((RuntimeError("can't start new thread"), None))

    def scarce(thread: threading.Thread) -> None:
        if error := next(tries):
            raise error
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    found._accept(cast(socket.socket, Door()))
    eventually(lambda: len(served) == 1)
    assert [each for each in ("Too many open files", "aborted", "new thread") if each not in caplog.text] == []
