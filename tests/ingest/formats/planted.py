"""Readers that fail on purpose: registered by the tests of the sandbox, run in its worker."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from ingest.formats.facts import Facts


def extract(fd: int, size: int, facts: Facts) -> dict[str, Any] | None:
    """Does what the file says."""
    order = os.pread(fd, 100, 0).decode()
    found: dict[str, Any] | None = _ORDERS[order.split()[0]](facts)
    return found


def _hang(facts: Facts) -> None:
    while True:
        time.sleep(1)


def _spin(facts: Facts) -> None:
    while True:
        pass


def _crash(facts: Facts) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _exit(facts: Facts) -> None:
    os._exit(3)


def _eat(facts: Facts) -> None:
    held = []
    while True:
        held.append(bytes(64 << 20))


def _write(facts: Facts) -> None:
    Path("/tmp/fairfolder-planted").write_text("was here")


def _connect(facts: Facts) -> None:
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=2)
    except ConnectionRefusedError:
        facts.warn("the network is there")
    except OSError as error:
        facts.warn(f"no network: {type(error).__name__}")


def _lie(facts: Facts) -> dict[str, Any]:
    return {
        "media_type": "no media type",
        "iri": "javascript:alert(1)",
        "records": -1,
        "bit_depth": "deep",
        "dimensions": [{"axis": "a", "size": 2**63}, {"axis": 1}, "x", {"axis": "ok", "size": 1}],
        "variables": [{"name": "a\x00b" * 100, "data_type": "x"}] * 5_000,
        "instrument_rows": [
            {"name": "@id", "value": [1], "source": "x"},
            {"name": "@type", "value": "a", "source": "b"},
        ],
        "warnings": ["w" * 10_000, 3],
    }


def _babble(facts: Facts) -> dict[str, Any]:
    return {"warnings": ["x" * 20_000_000]}


def _environment(facts: Facts) -> None:
    facts.warn(" ".join(sorted(os.environ)))


_ORDERS: dict[str, Any] = {
    "hang": _hang,
    "spin": _spin,
    "crash": _crash,
    "exit": _exit,
    "eat": _eat,
    "write": _write,
    "connect": _connect,
    "lie": _lie,
    "babble": _babble,
    "environment": _environment,
}
