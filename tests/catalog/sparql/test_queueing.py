"""Who waits for a worker, in which order, and who is sent away: with workers that answer when the test says so."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client

from catalog.graph import asking, frames
from catalog.graph.broker import Broker, _Worker
from catalog.graph.limits import Limits
from catalog.places import Places
from catalog.sparql import answering, views
from tests.catalog.service import eventually


@dataclass
class Stage:
    """A broker without its loop, the workers' ends of their sockets, and those who ask."""

    broker: Broker
    stack: ExitStack
    ends: list[socket.socket] = field(default_factory=list)

    def worker(self) -> _Worker:
        """A worker that answers what is written into the last of ``ends``."""
        ours, theirs = socket.socketpair()
        self.ends.append(self.stack.enter_context(theirs))
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return _Worker(process, self.stack.enter_context(ours))

    def client(self) -> tuple[socket.socket, socket.socket]:
        """The broker's end of a connection, and that of whoever asks."""
        ours, theirs = socket.socketpair()
        return self.stack.enter_context(ours), self.stack.enter_context(theirs)

    def waiting(self) -> int:
        return len(self.broker._line)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    limits = Limits(seconds=600, quick_seconds=0.0, workers=3, waiting=2)
    with ExitStack() as stack:
        yield Stage(Broker(tmp_path, limits), stack)


def test_whoever_came_first_is_first_and_more_than_may_wait_are_sent_away(stage: Stage) -> None:
    taken: list[str] = []

    def take(name: str) -> None:
        assert stage.broker._take(stage.client()[0]) is not None
        taken.append(name)

    threads = []
    for number, name in enumerate(("first", "second"), 1):
        threads.append(threading.Thread(target=take, args=(name,)))
        threads[-1].start()
        eventually(lambda number=number: stage.waiting() == number)  # type: ignore[misc]
    assert stage.broker._take(stage.client()[0]) is None
    told, _ = stage.broker._answered({}, stage.client()[0])
    assert (told["reason"], told["retry_seconds"]) == (asking.BUSY, 5)
    assert "Too many queries wait already" in told["sentence"]
    for names in (["first"], ["first", "second"]):
        stage.broker._give_back(stage.worker(), is_well=True)
        eventually(lambda names=names: taken == names)  # type: ignore[misc]
    for thread in threads:
        thread.join(60)
    assert stage.waiting() == 0


def test_whoever_has_gone_waits_no_more(stage: Stage) -> None:
    ours, theirs = stage.client()
    ended: list[type[BaseException]] = []

    def take() -> None:
        try:
            stage.broker._take(ours)
        except OSError as error:
            ended.append(type(error))

    thread = threading.Thread(target=take)
    thread.start()
    eventually(lambda: stage.waiting() == 1)
    theirs.close()
    thread.join(60)
    assert ended == [ConnectionResetError]
    assert stage.waiting() == 0


def test_long_queries_leave_a_worker_to_the_quick_ones(stage: Stage) -> None:
    """Two of three workers may run for long; a third long query gives its worker back, and a quick one gets it."""
    long_ones = [(stage.worker(), *stage.client()) for _ in range(2)]
    ended: list[int] = []

    def run(worker: _Worker, client: socket.socket) -> None:
        with pytest.raises(ConnectionResetError):
            stage.broker._run(worker, client)
        ended.append(1)

    threads = [threading.Thread(target=run, args=(worker, ours)) for worker, ours, _ in long_ones]
    for thread in threads:
        thread.start()
    eventually(lambda: stage.broker._long_ones._value == 0)
    told, _, is_well = stage.broker._run(stage.worker(), stage.client()[0])
    assert (told["reason"], told["retry_seconds"], is_well) == (asking.BUSY, 5, False)
    assert "It is a long query" in told["sentence"]
    quick = stage.worker()
    frames.send(stage.ends[-1], {"kind": "rows", "resident": 1})
    told, _, is_well = stage.broker._run(quick, stage.client()[0])
    assert (told, is_well) == ({"kind": "rows"}, True)
    for _, _, theirs in long_ones:  # nobody waits for them any more
        theirs.close()
    for thread in threads:
        thread.join(60)
    assert ended == [1, 1]
    assert stage.broker._long_ones._value == 2


def test_a_query_that_ran_for_long_has_no_worker_of_the_quick_ones_again(stage: Stage) -> None:
    """It is let in where a long one may run, and forgotten when it answers soon."""
    broker, question = stage.broker, {"query": "SELECT ?long {}"}
    for _ in range(2):
        assert broker._long_ones.acquire(blocking=False)
    broker._give_back(stage.worker(), is_well=True)
    told, _ = broker._answered(question, stage.client()[0])
    assert (told["reason"], broker._idle) == (asking.BUSY, [])  # it had a worker, which is ended
    broker._give_back(stage.worker(), is_well=True)
    told, _ = broker._answered(question, stage.client()[0])
    assert (told["reason"], told["retry_seconds"], len(broker._idle)) == (asking.BUSY, 5, 1)
    assert "It is a long query" in told["sentence"]
    broker._long_ones.release()
    frames.send(stage.ends[-1], {"kind": "rows", "resident": 1})  # its answer is there at once
    broker._limits = Limits(seconds=600, quick_seconds=600.0)
    assert broker._answered(question, stage.client()[0])[0] == {"kind": "rows"}
    assert broker._long_ones._value == 1
    assert not broker._known_long


@pytest.mark.django_db
def test_a_process_has_few_places_for_queries_and_an_address_fewer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def answered(*_: object) -> asking.Answer:
        asked.append(1)
        busy = client.get("/sparql", {"query": "ASK {}"})  # while this one has its place
        assert (busy.status_code, busy["Retry-After"]) == (503, "5")
        assert "Too many queries are asked at once" in busy.content.decode()
        raise asking.NoAnswerError(asking.TIME, "It ran too long.")

    monkeypatch.setattr(answering, "answer", answered)
    for places in (Places(1, 9), Places(9, 1)):
        monkeypatch.setattr(views, "PLACES_HERE", places)
        for _ in range(2):  # the place is given back
            asked.clear()
            assert client.get("/sparql", {"query": "ASK {}"}).status_code == 503
            assert asked == [1]
