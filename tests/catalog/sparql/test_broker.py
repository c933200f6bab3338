"""The broker where its workers fail."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from catalog.graph import asking
from catalog.graph.broker import Broker
from catalog.graph.limits import Limits
from catalog.sparql import answering


@contextmanager
def serving(broker: Broker) -> Iterator[None]:
    thread = threading.Thread(target=broker.serve)
    thread.start()
    try:
        yield
    finally:
        broker.stop()
        thread.join(60)
    assert not thread.is_alive()


def test_where_no_worker_starts_everybody_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def broken(_: Broker) -> None:
        raise OSError("it ended at once")

    monkeypatch.setattr(Broker, "_start", broken)
    limits = Limits()
    settings.FAIRFOLDER_STATE_DIR = tmp_path
    assert answering.trouble() == "", "nobody serves here"
    tmp_path = answering.folder()
    tmp_path.mkdir()
    broker = Broker(tmp_path, limits)
    broker._pause = 0.01  # as after a first attempt
    with serving(broker):
        found = None
        while found is None or found.reason == asking.ABSENT:  # until its door is there
            with pytest.raises(asking.NoAnswerError) as raised:
                asking.ask(tmp_path, asking.Question("ASK {}"), limits)
            found = raised.value
        assert answering.trouble() == str(found)
    assert found.reason == asking.FAILED
    assert "do not start; the log of the service tells why" in str(found)
    assert found.retry_seconds > 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, asking.FAILED),
        (asking.OUT_OF_MEMORY, asking.MEMORY),
        (-signal.SIGABRT, asking.MEMORY),
        (-signal.SIGSEGV, asking.UNFIT),
    ],
)
def test_memory_is_blamed_where_it_was_the_cause(tmp_path: Path, code: int, reason: str) -> None:
    assert Broker(tmp_path, Limits())._ended(code)["reason"] == reason
