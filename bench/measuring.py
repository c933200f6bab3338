"""Measuring: clocks, medians, what the machine does besides, the file system, and fsyncs counted by strace."""

from __future__ import annotations

import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FSYNCS = "fsync,fdatasync,syncfs,sync"
_CALLS = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s.*?\b(fsync|fdatasync|syncfs|sync)$", re.MULTILINE)
_BUSY_SAMPLE_SECONDS = 1.0
_IN_MEMORY = ("tmpfs", "ramfs")


class BenchError(Exception):
    """A benchmark could not be run, or what it measured did not do its work; the text says which."""


@dataclass(frozen=True)
class Scale:
    """How large a run is: ``full`` gives the figures that count, ``small`` a quick look, ``toy`` a test."""

    name: str

    def pick(self, full: float, small: float, toy: float) -> int:
        """The size for this scale, whole."""
        return int({"full": full, "small": small, "toy": toy}[self.name])


@dataclass(frozen=True)
class Bench:
    """What a benchmark is given: an empty folder of its own, the scale, and how often to repeat."""

    folder: Path
    scale: Scale
    runs: int


@dataclass(frozen=True)
class Target:
    """What was promised, in words, and whether it was met."""

    words: str
    met: bool

    @classmethod
    def at_least(cls, value: float, limit: float, unit: str) -> Target:
        return cls(f"≥ {limit:,g} {unit}".rstrip(), value >= limit)

    @classmethod
    def at_most(cls, value: float, limit: float, unit: str) -> Target:
        return cls(f"≤ {limit:,g} {unit}".rstrip(), value <= limit)


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its yardstick, both in `unit`; `ratio` says in which sense."""

    title: str
    unit: str
    values: Sequence[float]
    yardstick: str
    yardstick_values: Sequence[float]
    ratio: float
    ratio_words: str
    targets: Sequence[Target] = ()
    fsyncs: str = ""
    notes: Sequence[str] = field(default=())

    @property
    def value(self) -> float:
        return statistics.median(self.values)

    @property
    def yardstick_value(self) -> float:
        return statistics.median(self.yardstick_values)


# --- time -------------------------------------------------------------------------------------------------------


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alternate(runs: int, ours: Callable[[], float], yardstick: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Both measured in turns, A B A B, so that whatever else the machine does falls on both."""
    mine, theirs = [], []
    for _ in range(runs):
        mine.append(ours())
        theirs.append(yardstick())
    return mine, theirs


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so great a share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 1).__trunc__() - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the least-squares line through the points; 0 for fewer than two."""
    return statistics.linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else 0.0


# --- shell yardsticks -------------------------------------------------------------------------------------------


def seconds_of_pipe(root: Path, filters: Sequence[str], command: Sequence[str], at_once: int) -> float:
    """``find root <filters> -print0 | xargs -0 -P2 -n <at_once> command`` from start to end, its output thrown away."""
    for program in ("find", "xargs", command[0]):
        if shutil.which(program) is None:
            raise BenchError(f"The yardstick needs the program {program}, which is not installed here; install it.")
    started = time.perf_counter()
    with subprocess.Popen(["find", str(root), *filters, "-print0"], stdout=subprocess.PIPE) as found:
        xargs = ["xargs", "-0", "-P2", "-n", str(at_once), *command]
        subprocess.run(xargs, stdin=found.stdout, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


DATA_FILES = ("-name", ".metadata", "-prune", "-o", "-type", "f")
"""The filters of ``find`` for the research files of a tree."""


# --- fsync ------------------------------------------------------------------------------------------------------


def has_strace() -> bool:
    return shutil.which("strace") is not None


@contextmanager
def counting_prefix() -> Iterator[tuple[list[str], Callable[[], int]]]:
    """The beginning of a command that counts its fsyncs, children included, and the count once it has ended."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "calls"
        yield ["strace", "-f", "-c", "-e", f"trace={FSYNCS}", "-o", str(table)], lambda: _counted(table)


def fsyncs_while(pid: int, work: Callable[[], object]) -> int:
    """The fsyncs of a running process while `work` runs, counted by attaching strace to it."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "calls"
        command = ["strace", "-f", "-c", "-e", f"trace={FSYNCS}", "-o", str(table), "-p", str(pid)]
        tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(1.0)
        if tracer.poll() is not None:
            said = tracer.stderr.read().decode(errors="replace").strip() if tracer.stderr else ""
            raise BenchError(f"strace cannot attach to process {pid}: {said}")
        work()
        tracer.send_signal(2)
        tracer.communicate(timeout=60)
        return _counted(table)


def _counted(table: Path) -> int:
    return sum(int(match[1]) for match in _CALLS.finditer(table.read_text())) if table.exists() else 0


# --- the machine ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Surroundings:
    """The machine, and what it did before a benchmark began: load averages, and the share of all cores in use."""

    machine: str
    file_system: str
    load: str
    busy: float

    @property
    def words(self) -> str:
        return f"{self.machine}; {self.file_system}; load before {self.load}, cores {self.busy:.0%} busy"


def surroundings(folder: Path) -> Surroundings:
    """As they are now; takes a second."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"
    before = _ticks()
    time.sleep(_BUSY_SAMPLE_SECONDS)
    after = _ticks()
    total, idle = after[0] - before[0], after[1] - before[1]
    load = " ".join(Path("/proc/loadavg").read_text().split()[:3])
    words = f"{machine}, Python {platform.python_version()}"
    return Surroundings(words, file_system(folder), load, 1 - idle / total if total else 0.0)


def _ticks() -> tuple[int, int]:
    """Ticks of all cores so far: in all, and idle or waiting for a disk."""
    values = [int(v) for v in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(values), values[3] + values[4]


def file_system(folder: Path) -> str:
    """The type of the file system a folder is on; one in memory is named as such, because there fsync is free."""
    best, kind = "", "unknown"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        point = fields.split()[4].encode().decode("unicode_escape")
        inside = point == "/" or str(folder) == point or str(folder).startswith(point + "/")
        if inside and len(point) >= len(best):
            best, kind = point, rest.split()[0]
    return f"{kind} (in memory: fsync costs nothing)" if kind in _IN_MEMORY else kind


def memory(pid: int | str = "self") -> Mapping[str, int]:
    """Bytes of a process by the name the kernel gives them: VmRSS, VmHWM (its peak), RssAnon …"""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def children_of(pid: int) -> list[int]:
    """Processes started by a process, and by those."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children_of(int(child))]
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
