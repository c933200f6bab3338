"""Memory of the watcher's process with many files watched, and whether it stays the same under load."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import trees
from bench.measuring import (
    Bench,
    BenchError,
    Figure,
    Target,
    children_of,
    fsyncs_while,
    has_strace,
    memory,
    slope,
)
from bench.service import CHECKOUT, command, environment, running, wait_until_idle

MIB = 2**20
_PER_SECOND = 20
_TRACED_SECONDS = 10
_FLAT = 0.10


def run(bench: Bench) -> Iterator[Figure]:
    """A watcher that describes the whole tree itself and then follows a load; and one over a single large dataset."""
    datasets, each = bench.scale.pick(100, 10, 2), bench.scale.pick(1_000, 1_000, 20)
    load = bench.scale.pick(600, 20, 3)
    yield _watched(bench, datasets, each, load, "many")
    yield _watched(bench, 1, datasets * each, 0, "one")


def _watched(bench: Bench, datasets: int, each: int, load: int, name: str) -> Figure:
    root, state = bench.folder / f"data-{name}", bench.folder / f"state-{name}"
    files = datasets * each
    trees.plant(root, datasets, each)
    with running(root, state, "watch") as watcher:
        pid = watcher.pid
        _until_described(pid, root, state, files)
        adopted = memory(pid)
        changing = Load(root, datasets)
        samples = _under_load(pid, changing, load) if load else [(0.0, adopted["VmRSS"])]
        end = memory(pid)
        helpers = sum(memory(child)["VmRSS"] for child in children_of(pid))
        fsyncs = _fsyncs(pid, changing, min(load, _TRACED_SECONDS)) if load else ""
        _until_described(pid, root, state, changing.files)
    with running(root, state, "watch") as again:
        wait_until_idle(again.pid)
        restarted = memory(again.pid)["VmRSS"]
    bare = [_bare(root, state) for _ in range(bench.runs)]
    largest = max(rss for _, rss in samples)
    notes = [
        f"after describing all by itself {_mib(adopted['VmRSS'])}, at the end {_mib(end['VmRSS'])}, "
        f"peak while describing {_mib(adopted['VmHWM'])}, peak of all {_mib(end['VmHWM'])}; "
        f"a watcher started over what is described: {_mib(restarted)}; its child processes at the end: {_mib(helpers)}"
    ]
    words = "dataset" if datasets == 1 else "datasets"
    targets = [Target.at_most(round(largest / MIB, 1), 150, "MiB")] if load else []
    if load:
        growth, hourly = _growth(samples)
        notes.append(
            f"over {load} s of {_PER_SECOND} files/s created, changed and deleted: {growth:+.1%} from the first tenth "
            f"to the last, slope of the second half {hourly / MIB:+.1f} MiB an hour"
        )
        targets.append(Target.at_most(round(growth, 3), _FLAT, "growth under load"))
    return Figure(
        title=f"{files:,} files in {datasets} {words} watched"
        + (f", largest of {load} s under load" if load else ", at rest"),
        unit="MiB",
        values=[largest / MIB],
        yardstick="a process that has set up Django and does nothing",
        yardstick_values=[each / MIB for each in bare],
        ratio=largest / statistics.median(bare),
        ratio_words="its memory",
        targets=targets,
        fsyncs=fsyncs,
        notes=notes,
    )


def _until_described(pid: int, root: Path, state: Path, files: int) -> None:
    """Waits until the watcher has nothing to do; checks that it described so many files."""
    wait_until_idle(pid, quiet=4.0)
    counts = command(root, state, "status", codes=(0, 1))["roots"][0]["counts"]
    if counts["described"] != files:
        raise BenchError(f"{files} files were to be described, but: {counts}")


def _bare(root: Path, state: Path) -> int:
    source = "import django; django.setup(); print(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')))"
    words = [sys.executable, "-c", source]
    done = subprocess.run(words, env=environment(root, state), cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[1]) * 1024


def _mib(size: int) -> str:
    return f"{size / MIB:.0f} MiB"


# --- load -------------------------------------------------------------------------------------------------------


class Load:
    """Files created, changed and deleted in turns, taken at random from the whole tree; their number stays the same."""

    def __init__(self, root: Path, datasets: int) -> None:
        self._folders = [trees.dataset_path(root, number) for number in range(datasets)]
        self._files = [path for folder in self._folders for path in folder.iterdir() if path.is_file()]
        self._random = random.Random(1)
        self._next = 10_000_000 + len(self._files)
        self._turn = 0

    @property
    def files(self) -> int:
        return len(self._files)

    def step(self) -> None:
        """One file."""
        self._turn += 1
        if self._turn % 3 == 1:
            self._files += trees.fill(self._random.choice(self._folders), self._next, 1)
            self._next += 1
            return
        position = self._random.randrange(len(self._files))
        if self._turn % 3 == 2:
            self._files[position].write_bytes(self._files[position].read_bytes()[::-1])
        else:
            self._files.pop(position).unlink()

    def go_on(self, duration: float, each_second: Callable[[float], None]) -> None:
        """So many seconds at a steady rate."""
        started = time.monotonic()
        for number in range(int(duration * _PER_SECOND)):
            time.sleep(max(0.0, started + number / _PER_SECOND - time.monotonic()))
            self.step()
            if number % _PER_SECOND == 0:
                each_second(time.monotonic() - started)


def _under_load(pid: int, load: Load, duration: int) -> list[tuple[float, int]]:
    """Seconds since the start and memory, every second."""
    samples: list[tuple[float, int]] = []
    load.go_on(duration, lambda at: samples.append((at, memory(pid)["VmRSS"])))
    return samples


def _growth(samples: list[tuple[float, int]]) -> tuple[float, float]:
    """Share by which the last tenth is above the first, and bytes an hour over the second half."""
    tenth = max(1, len(samples) // 10)
    first, last = (statistics.median(rss for _, rss in part) for part in (samples[:tenth], samples[-tenth:]))
    return last / first - 1, 3600 * slope(samples[len(samples) // 2 :])


def _fsyncs(pid: int, load: Load, duration: int) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    counted = fsyncs_while(pid, lambda: load.go_on(duration, lambda at: None))
    return f"{counted:,} fsyncs in {duration} s of the same load, by strace -f -c -p attached after it"
