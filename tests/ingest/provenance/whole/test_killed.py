"""FA-28: `kill -9` at random points of write → commit → track: nothing lost, half committed or committed twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from ingest.provenance.data.settings import Mode
from ingest.provenance.settings import GitSettings
from tests.faults.history_oracle import dvc_disagrees
from tests.faults.oracle import everything, violations
from tests.faults.processes import broken_documents, run_reconcile
from tests.ingest.provenance.historic import Historic
from tests.ingest.provenance.whole.chain import command, saved, started

pytestmark = pytest.mark.timeout(3600)
D = "p_Barley/leaves"
SURE = f"{D}/.metadata/dataset_administrative.json"
SAVES = 3


class Campaign:
    """One root that is worked on, and killed, again and again."""

    def __init__(self, historic: Historic, rng: random.Random) -> None:
        self.historic, self.rng = historic, rng
        self.accepted: set[int] = set()
        self.next = 0
        self.names = [f"{d}/{inner}f{n}.txt" for d in (D, "p_Barley/roots") for inner in ("", "sub/") for n in range(4)]
        for name in self.names:
            historic.put(name, f"{name}\n")
        assert run_reconcile(historic).returncode == 0
        self.work(0)
        process = started(historic, command(historic, D, self.numbers()))
        begun = time.monotonic()
        self._hear(process)
        assert process.returncode == 0
        self.seconds = time.monotonic() - begun

    def numbers(self) -> range:
        self.next += SAVES
        return range(self.next - SAVES, self.next)

    def work(self, number: int) -> None:
        """What researchers did meanwhile: files come, change, move and go."""
        historic, rng = self.historic, self.rng
        for _ in range(rng.randrange(1, 5)):
            historic.put(
                f"p_{rng.choice(['Barley', 'Rye'])}/d{rng.randrange(3)}/n{number}-{rng.randrange(99)}", "new\n"
            )
        historic.put(rng.choice(self.names), f"changed {number}\n")
        here = [p for p in sorted(historic.root.glob("p_*/d*/n*")) if p.suffix != ".dvc"]
        if here and rng.random() < 0.6:
            old = rng.choice(here)
            old.rename(old.with_name(f"{old.name}-moved{number}"))
        elif here and rng.random() < 0.5:
            rng.choice(here).unlink()

    def killed(self) -> float:
        """The chain begun, and killed at a random moment: alone, or with the commands it runs."""
        process = started(self.historic, command(self.historic, D, self.numbers()))
        moment = self.rng.uniform(0, self.seconds)
        time.sleep(moment)
        if self.rng.random() < 0.5:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        self._hear(process)
        return moment

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        out, _ = process.communicate(timeout=120)
        self.accepted |= {int(line) for line in out.split(b"\n") if line.isdigit()}

    def assert_whole(self, when: object) -> None:
        """After a restart and one pass."""
        historic = self.historic
        assert broken_documents(historic.root) == [], when
        data = everything(historic.root)
        run = run_reconcile(historic)
        assert run.returncode == 0, (when, run.stdout + run.stderr)
        if list((historic.root / ".git").rglob("*.lock")):  # of a git that was killed; it may be anybody's while young
            time.sleep(GitSettings().stale_seconds)
            assert run_reconcile(historic).returncode == 0, when
        assert violations(historic.root, historic.state) == [], when
        assert everything(historic.root) == data, when
        assert historic.problems() == {}, when
        found = saved(historic, SURE)
        assert self.accepted <= found.keys(), (when, self.accepted - found.keys())
        assert found == {number: f"user{number}" for number in found}, when
        whose = set(historic.git("log", "--format=%ae").split())
        assert "filesystem@fairfolder.invalid" not in whose, (when, "a write of ours was taken for somebody else's")


@pytest.mark.parametrize("mode", [Mode.FILE, Mode.FOLDER])
def test_killed_at_random_points_of_the_chain(
    historic: Historic, mode: Mode, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    historic.mode = mode
    campaign = Campaign(historic, rng)
    campaign.assert_whole("undisturbed")
    for number in range(1, 1 + count(3, 100)):
        campaign.work(number)
        moments = [campaign.killed() for _ in range(rng.choice([1, 1, 2]))]
        campaign.assert_whole((number, moments))
        if number % 10 == 0:
            assert dvc_disagrees(historic.root) == "", (number, moments)
    assert dvc_disagrees(historic.root) == ""
    commits = len(historic.commits())
    historic.reconcile()
    assert len(historic.commits()) == commits
