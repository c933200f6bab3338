"""Versions of data files: tracked in bulk, against the program ``dvc`` naming the same files in one call."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.measuring import Bench, BenchError, Figure, Target, alternate, counting_prefix, has_strace, seconds
from ingest.provenance.data import program
from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.data.tracking import Tracker
from ingest.reading import Facts, Throttle, read_file
from ingest.rows import Stamp

DATASET = "p_Bench/set"
BYTES = 1_000
_ACCEPTED = 20


def run(bench: Bench) -> Iterator[Figure]:
    """File by file beside many tracked ones, then a whole folder; what was tracked is shown to the real program."""
    if program.find() is None:
        raise BenchError(f"This benchmark needs DVC. {program.absent()}.")
    yield _file_by_file(bench)
    yield _whole_folder(bench)


def _file_by_file(bench: Bench) -> Figure:
    before, new = bench.scale.pick(10_000, 1_000, 20), bench.scale.pick(1_000, 100, 5)
    ours, theirs = (Site(bench.folder / name, Mode.FILE) for name in ("ours", "theirs"))
    for site in (ours, theirs):
        site.track(site.fill("before", before))
    reading: list[float] = []
    numbers = iter(range(10**6))

    def mine() -> float:
        paths = ours.fill(f"new{next(numbers)}", new)
        reading.append(seconds(lambda: ours.described(paths)))
        files = ours.described(paths)
        taken = seconds(lambda: ours.keep(files))
        ours.accepted([f"{path}.dvc" for path in paths[:_ACCEPTED]])
        return taken

    def yardstick() -> float:
        paths = theirs.fill(f"new{next(numbers)}", new)
        return seconds(lambda: theirs.dvc("add", "--quiet", *paths))

    mine_values, their_values = alternate(bench.runs, mine, yardstick)
    figure = Figure("", "s", mine_values, "", their_values, 0, "")
    ratio = figure.yardstick_value / figure.value
    return Figure(
        title=f"{new:,} new files of {BYTES:,} bytes tracked file by file, {before:,} tracked before",
        unit="s",
        values=mine_values,
        yardstick="one `dvc add` that names them all",
        yardstick_values=their_values,
        ratio=ratio,
        ratio_words="as fast",
        targets=(Target.at_least(ratio, 10, "times as fast"),),
        fsyncs=_fsyncs(ours, next(numbers), new),
        notes=(
            f"reading them for SHA-256, MD5 and their facts, which describing needs anyhow: {min(reading):.2f} s more",
            f"`dvc status` accepts them (asked of {min(new, _ACCEPTED)} of each run)",
        ),
    )


def _whole_folder(bench: Bench) -> Figure:
    count = bench.scale.pick(10_000, 1_000, 20)
    numbers, reading = iter(range(10**6)), []

    def mine() -> float:
        site = Site(bench.folder / f"folder{next(numbers)}", Mode.FOLDER)
        paths = site.fill("whole", count)
        reading.append(seconds(lambda: site.described(paths)))
        files = site.described(paths)
        taken = seconds(lambda: site.keep(files))
        site.accepted([f"{DATASET}.dvc"])
        return taken

    def yardstick() -> float:
        site = Site(bench.folder / f"folder{next(numbers)}", Mode.FOLDER)
        site.fill("whole", count)
        return seconds(lambda: site.dvc("add", "--quiet", DATASET))

    mine_values, their_values = alternate(bench.runs, mine, yardstick)
    figure = Figure("", "s", mine_values, "", their_values, 0, "")
    ratio = figure.value / figure.yardstick_value
    return Figure(
        title=f"a folder of {count:,} files of {BYTES:,} bytes tracked as a whole",
        unit="s",
        values=mine_values,
        yardstick="`dvc add FOLDER`",
        yardstick_values=their_values,
        ratio=ratio,
        ratio_words="of its time",
        targets=(Target.at_most(ratio, 0.5, "of its time"),),
        notes=(
            f"reading them for SHA-256, MD5 and their facts, which describing needs anyhow: {min(reading):.2f} s more",
            "`dvc status` accepts it",
        ),
    )


@dataclass
class Site:
    """A watched root under Git and DVC; its tracker is open, as the watcher's is."""

    root: Path
    mode: Mode
    tracker: Tracker = field(init=False)

    def __post_init__(self) -> None:
        (self.root / DATASET).mkdir(parents=True)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.dvc("init", "--quiet")
        self.tracker = Tracker(self.root, DataSettings(self.mode))
        self.tracker.state()

    def fill(self, folder: str, count: int) -> list[str]:
        """New files, each with its own bytes; their paths relative to the root."""
        (self.root / DATASET / folder).mkdir()
        paths = [f"{DATASET}/{folder}/{number:06}.dat" for number in range(count)]
        for path in paths:
            (self.root / path).write_bytes(os.urandom(BYTES))
        return paths

    def described(self, paths: Sequence[str]) -> list[Tracked]:
        """What describing hands on: read once, as the scan reads."""
        files, throttle = [], Throttle(None)
        folder = os.open((self.root / paths[0]).parent, os.O_RDONLY)
        try:
            for path in paths:
                name = os.fsencode(path.rpartition("/")[2])
                facts = read_file(folder, name, Stamp.of(os.stat(name, dir_fd=folder)), throttle, md5=True)
                if not isinstance(facts, Facts):
                    raise BenchError(f"{path} was not read: {facts.reason}.")
                files.append(Tracked(path, facts.stamp, facts.sha256, facts.md5))
        finally:
            os.close(folder)
        return files

    def keep(self, files: Sequence[Tracked]) -> None:
        """The bytes in the cache and the pointers in place, both durable."""
        kept = self.tracker.keep(files)
        refused = [one.reason for one in kept if one.reason]
        if refused:
            raise BenchError(f"Not every file was kept: {refused[0]}.")
        self.tracker.write(DATASET, kept)

    def track(self, paths: Sequence[str]) -> None:
        """Described and kept."""
        self.keep(self.described(paths))

    def dvc(self, *arguments: str) -> str:
        """The real program."""
        answer = program.run(self.root, arguments, 3_600)
        if not answer.good:
            raise BenchError(f"dvc {arguments[0]} failed: {answer.why}.")
        return answer.said

    def accepted(self, pointers: Sequence[str]) -> None:
        """The real program finds nothing changed in these."""
        said = self.dvc("status", *pointers).strip()
        if said != "Data and pipelines are up to date.":
            raise BenchError(f"dvc status does not accept what was tracked: {said}")


def _fsyncs(site: Site, number: int, count: int) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    site.fill(f"new{number}", count)
    script = (
        "import sys; from pathlib import Path; from bench.dvc import *; site = Site.__new__(Site);"
        "site.root = Path(sys.argv[1]); site.tracker = Tracker(site.root, DataSettings(Mode.FILE));"
        "site.track([f'{DATASET}/{sys.argv[2]}/{n:06}.dat' for n in range(int(sys.argv[3]))])"
    )
    with counting_prefix() as (prefix, counted):
        command = [*prefix, sys.executable, "-c", script, str(site.root), f"new{number}", str(count)]
        subprocess.run(command, check=True)
        return f"{counted():,} (syncfs) in a run of its own under strace -f -c, which asks `dvc cache dir` as well"
