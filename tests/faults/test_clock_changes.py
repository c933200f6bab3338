"""FA-20: clocks that are wrong, jump and run away, and files from any time; order never comes from a clock."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from tests.conftest import holds
from tests.faults.oracle import violations
from tests.faults.processes import run_reconcile
from tests.ingest.watched import Watched

pytestmark = pytest.mark.skipif(holds("no-faketime"), reason="faketime is not installed")

D = "p_Barley/leaves"
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# In an order that goes back and forth; the hour of summer time that comes twice, and a clock running a thousand times.
CLOCKS = {
    "a day behind": ("-1d",),
    "ten years ahead": ("+10y",),
    "back to now": ("+0",),
    "before the end of summer time": ("@2026-10-25 02:59:58", "TZ=Europe/Berlin"),
    "running away": ("+0 x1000",),
    "the epoch": ("@1970-01-01 00:00:05",),
}


def _faked(watched: Watched, clock: str, *variables: str) -> None:
    """A pass of a process whose clock is wrong; what the file system says of times stays as it is."""
    faketime = shutil.which("faketime") or "faketime"
    run = run_reconcile(watched, "env", "NO_FAKE_STAT=1", "DONT_FAKE_MONOTONIC=1", *variables, faketime, "-f", clock)
    assert run.returncode == 0, run.stdout + run.stderr


def test_clocks_that_jump_lose_nothing_and_never_turn_the_order_back(watched: Watched) -> None:
    for number, seconds in enumerate([0.0, -1e9, 4_102_444_800.0]):  # 1970, 1938, 2100
        os.utime(watched.put(f"{D}/dated {number}.txt", f"{number}\n"), (seconds, seconds))
    assert run_reconcile(watched).returncode == 0
    before = watched.registry()
    for number, (name, (clock, *variables)) in enumerate(CLOCKS.items()):
        watched.put(f"{D}/{name}.txt", f"{number}\n")
        watched.put(f"p_Barley/clock {number}/x.txt", f"{number}\n")
        watched.put(f"{D}/dated 0.txt", f"changed {'x' * number}\n")
        _faked(watched, clock, *variables)
        after = watched.registry()
        assert watched.states(D)[f"{name}.txt"] == "present"
        highest = max(entry["sequence"] for entry in before.values())
        for identifier, entry in after.items():
            old = before.get(identifier, {"sequence": highest, "datestamp": ""})
            if entry != old:
                assert entry["sequence"] > highest
                assert entry["datestamp"] >= old["datestamp"]
            assert UTC.fullmatch(entry["datestamp"])
            assert UTC.fullmatch(entry["last_modified_date"])
        before = after
    made = [watched.administrative(f"p_Barley/clock {n}")["created_date"] for n in range(len(CLOCKS))]
    assert made[1] > made[2] > made[3] > made[5] == made[5].replace(made[5][:4], "1970")  # the clocks were wrong
    assert made[3].startswith("2026-10-25T")
    assert set(watched.states(D).values()) == {"present"}
    years = {n: e["modified_utc"][:4] for n, e in watched.entries(D).items() if n.startswith("dated")}
    assert {years["dated 1.txt"], years["dated 2.txt"]} == {"1938", "2100"}
    assert violations(watched.root, watched.state) == []
    assert watched.check() == []


def test_a_file_is_described_once_it_rests_whatever_the_clock_says(watched: Watched) -> None:
    """With a settle time: the pass waits for rest by the file system's clock, which nobody has faked."""
    watched.settle_seconds = 0.3
    for number, (clock, *variables) in enumerate(CLOCKS.values()):
        watched.put(f"{D}/{number}.txt", f"{number}\n")
        _faked(watched, clock, *variables)
        assert len(watched.entries(D)) == number + 1
