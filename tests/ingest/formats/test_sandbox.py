"""The worker may crash, hang, eat memory and lie: the parent answers in bounded time and the next file is described."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from ingest import formats
from ingest.formats import sandbox
from ingest.formats.facts import Facts
from ingest.formats.source import Source
from tests.catalog.service import eventually, is_running
from tests.ingest.formats.engine import CHUNK, assert_valid, axes, describe, warnings

assert CHUNK


@pytest.fixture(autouse=True)
def _planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sandbox.JOBS, "planted", "tests.ingest.formats.planted")
    monkeypatch.setattr(sandbox, "TIME_LIMIT", 300.0)  # for what ends by itself, on any machine
    formats.shutdown()
    yield
    formats.shutdown()


def _order(tmp_path: Path, order: str) -> Facts:
    path = tmp_path / "order"
    path.write_text(order)
    facts = Facts()
    with path.open("rb") as file:
        sandbox.describe("planted", Source("order", len(order), b"", file.fileno()), facts)
    assert_valid(facts.as_dict("1"))
    return facts


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("hang", "reading it took longer than 1 s and was stopped"),
        ("spin", "reading it took longer than 1 s and was stopped"),
        ("crash", "the reader crashed (SIGSEGV)"),
        ("exit", "the reader crashed (exit code 3)"),
        ("eat", "reading it takes more than 1 GB of memory"),
        ("write", "the reader could not read it (OSError)"),
        ("babble", "the reader's answer was not readable"),
    ],
)
def test_a_failing_reader_costs_a_warning(
    tmp_path: Path, order: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if order in ("hang", "spin"):
            patch.setattr(sandbox, "TIME_LIMIT", 1.0)
        facts = _order(tmp_path, order)
    assert facts.warnings == [f"extract failed: {reason}"]
    _assert_next_is_described(tmp_path)


def _assert_next_is_described(tmp_path: Path) -> None:
    path = tmp_path / "next.h5"
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2, 3]
    facts = describe(path)
    assert (axes(facts), warnings(facts)) == ({"/data[0]": 3}, [])


def test_nothing_is_written(tmp_path: Path) -> None:
    Path("/tmp/fairfolder-planted").unlink(missing_ok=True)
    _order(tmp_path, "write")
    planted = Path("/tmp/fairfolder-planted")
    assert not planted.exists() or planted.stat().st_size == 0


def test_there_is_no_network(tmp_path: Path) -> None:
    if os.geteuid() != 0 and subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        pytest.skip("this system lets nobody make a network namespace")
    assert _order(tmp_path, "connect").warnings == ["no network: OSError"]


def test_secrets_of_the_environment_stay_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRFOLDER_SECRET_KEY", "canary")
    formats.shutdown()
    assert "FAIRFOLDER" not in _order(tmp_path, "environment").warnings[0]


def test_a_lying_worker_gets_only_valid_values_through(tmp_path: Path) -> None:
    facts = _order(tmp_path, "lie")
    assert facts.media_type == "application/octet-stream"
    assert (facts.iri, facts.records, facts.bit_depth) == (None, None, None)
    assert facts.dimensions == [{"axis": "ok", "size": 1}]
    assert len(facts.variables) == 200
    assert facts.instrument_rows == [{"name": "type", "value": "a", "source": "b"}]


def test_a_worker_killed_from_outside_is_replaced(tmp_path: Path) -> None:
    _assert_next_is_described(tmp_path)
    [worker] = sandbox._pool.idle
    os.kill(worker.pid, signal.SIGKILL)
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    path = tmp_path / "next.h5"
    assert warnings(describe(path)) == []
    [replacement] = sandbox._pool.idle
    assert replacement.pid != worker.pid


def test_a_worker_killed_while_it_reads_costs_a_warning(tmp_path: Path) -> None:
    _assert_next_is_described(tmp_path)
    [worker] = sandbox._pool.idle

    def kill_once_it_reads() -> None:
        while not any(path.is_symlink() and os.readlink(path) == order for path in fds.glob("*")):
            time.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)

    fds, order = Path(f"/proc/{worker.pid}/fd"), str(tmp_path / "order")
    killer = threading.Thread(target=kill_once_it_reads)
    killer.start()
    assert _order(tmp_path, "hang").warnings == ["extract failed: the reader crashed (SIGKILL)"]
    killer.join()


def test_ctrl_c_is_for_the_parent(tmp_path: Path) -> None:
    _assert_next_is_described(tmp_path)
    [worker] = sandbox._pool.idle
    os.kill(worker.pid, signal.SIGINT)
    _assert_next_is_described(tmp_path)
    assert [again.pid for again in sandbox._pool.idle] == [worker.pid]


def test_threads_share_two_workers(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2, 3]
    failed: list[object] = []

    def work() -> None:
        for _ in range(10):
            facts = describe(path)
            if axes(facts) != {"/data[0]": 3}:
                failed.append(facts)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert 1 <= len(sandbox._pool.idle) <= 2


def test_a_file_renamed_meanwhile_is_read_as_it_was_opened(tmp_path: Path) -> None:
    first, second = tmp_path / "a.h5", tmp_path / "b.h5"
    for path, size in ((first, 3), (second, 8)):
        with h5py.File(path, "w") as file:
            file["data"] = list(range(size))
    fd = os.open(first, os.O_RDONLY)
    extraction = formats.begin("a.h5", first.stat().st_size, first.read_bytes())
    second.rename(first)
    facts = extraction.finish(fd)
    os.close(fd)
    assert axes(facts) == {"/data[0]": 3}


def test_the_position_of_the_engine_s_file_is_left_alone(tmp_path: Path) -> None:
    _assert_next_is_described(tmp_path)
    path = tmp_path / "next.h5"
    fd = os.open(path, os.O_RDONLY)
    os.read(fd, 17)
    formats.begin("next.h5", path.stat().st_size, path.read_bytes()).finish(fd)
    assert os.lseek(fd, 0, os.SEEK_CUR) == 17
    os.close(fd)


PARENT = """
import sys, os, threading, time
from ingest.formats import sandbox
from ingest.formats.facts import Facts
from ingest.formats.source import Source
sandbox.JOBS["planted"] = "tests.ingest.formats.planted"
sandbox.TIME_LIMIT = 1.0
worker = sandbox._Worker()  # what ends it is its own limit: the parent would wait for long
sandbox.TIME_LIMIT = 300.0
sandbox._pool.idle.append(worker)
fd = os.open(sys.argv[1], os.O_RDONLY)
thread = threading.Thread(target=sandbox.describe, args=("planted", Source("a", 4, b"", fd), Facts()), daemon=True)
thread.start()
from pathlib import Path
fds = Path(f"/proc/{worker.pid}/fd")
while worker.alive and not any(path.is_symlink() and os.readlink(path) == sys.argv[1] for path in fds.glob("*")):
    time.sleep(0.05)
print(worker.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("order", ["hang", "spin"])
def test_no_worker_outlives_its_parent(tmp_path: Path, order: str) -> None:
    path = tmp_path / "order"
    path.write_text(order)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PARENT,
            str(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not is_running(worker))


def test_a_fork_starts_its_own_worker(tmp_path: Path) -> None:
    _assert_next_is_described(tmp_path)
    path = tmp_path / "next.h5"
    child = os.fork()
    if child == 0:
        os._exit(0 if axes(describe(path)) == {"/data[0]": 3} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert axes(describe(path)) == {"/data[0]": 3}
