"""FA-39: many processes and threads, one history: every change exactly once, by whoever made it, nothing dangling."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ingest.provenance.kept import Kept, stamped

pytestmark = pytest.mark.timeout(900)

CHECKOUT = Path(__file__).resolve().parents[3]
_WRITER = """
import sys
from pathlib import Path
from ingest.locking import lock_file
from tests.ingest.provenance.kept import Kept
kept, name, count = Kept(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for number in range(count):
    with lock_file(kept.root / ".metadata" / ".lock", 300):  # as the store holds the root's
        assert kept.save(f"{name} {number}", by=name, subject=f"{name} {number}", dataset=f"p_x/d{number % 3}")
"""


def test_every_change_of_many_processes_stands_in_the_history_once(
    kept: Kept, count: Callable[[int, int], int]
) -> None:
    processes, each = count(6, 8), count(6, 200)
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, kept.folder, f"user{n}", str(each)], cwd=CHECKOUT)
        for n in range(processes)
    ]
    assert [w.wait() for w in writers] == [0] * processes
    found = [line.split("|") for line in kept.log("%an|%s|%H")]
    assert Counter(subject for _, subject, _ in found) == Counter(
        f"user{n} {i}" for n in range(processes) for i in range(each)
    )
    for name, subject, commit in found:
        assert subject.startswith(f"{name} ")
        dataset = f"p_x/d{int(subject.split()[1]) % 3}"
        assert kept.blob(kept.document(dataset), commit) == stamped(subject, name).encode()
    assert kept.status() == []
    assert kept.git("fsck", "--unreachable", "--no-reflogs", "--connectivity-only") == ""
    kept.assert_sound()


def test_threads_of_one_process_take_turns(kept: Kept, count: Callable[[int, int], int]) -> None:
    each = count(4, 50)

    def work(name: str) -> None:
        for number in range(each):
            kept.save(number, by=name, subject=f"{name} {number}", dataset=f"p_x/{name}")

    threads = [threading.Thread(target=work, args=(f"user{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept.subjects()) == sorted(f"user{n} {i}" for n in range(4) for i in range(each))
    assert kept.status() == []


def test_catching_up_beside_an_action_waits_for_it(kept: Kept) -> None:
    kept.save(0)
    before = threading.Event()
    made: list[int] = []

    def passing() -> None:
        before.wait()
        made.append(kept.another().catch_up())

    thread = threading.Thread(target=passing)
    thread.start()
    from ingest.provenance.actions import Action

    action = Action("alice", "Slowly")
    kept.recorder.begin([kept.path(kept.document())], action)
    kept.put(kept.document(), stamped(1))
    before.set()
    thread.join(timeout=0.5)
    assert thread.is_alive()
    assert kept.recorder.record([kept.path(kept.document())], action)
    thread.join()
    assert made == [0]
    assert kept.subjects() == ["Change the title", "Slowly"]
