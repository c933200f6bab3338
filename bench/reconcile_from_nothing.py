"""Files nobody has seen, described, validated, written and indexed: no state, no ``.metadata``, no database."""

from __future__ import annotations

import math
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import trees
from bench.measuring import (
    DATA_FILES,
    Bench,
    BenchError,
    Figure,
    Target,
    alternate,
    counting_prefix,
    has_strace,
    seconds,
    seconds_of_pipe,
)
from bench.peers.literal import LiteralBuild, entry
from bench.service import Engine, command, described

SETTLED = 2.5
"""Seconds after which files rest under the default settle time."""
_LITERAL_EACH = 5


def run(bench: Bench) -> Iterator[Figure]:
    """The whole process, the engine call inside a process that is ready, and the literal build."""
    datasets, each = bench.scale.pick(100, 10, 2), bench.scale.pick(100, 100, 10)
    files = datasets * each
    tree = Tree(bench.folder / "data", bench.folder / "state", files)
    trees.plant(tree.root, datasets, each)
    time.sleep(SETTLED)
    what = f"{files:,} files of 4 KiB in {datasets} datasets"
    for title, ours, counted in (
        (f"{what}, engine call", tree.call, tree.fsyncs_of_call),
        (f"{what}, whole process", tree.process, tree.fsyncs_of_process),
    ):
        tree.details.clear()
        mine, theirs = alternate(bench.runs, ours, tree.sha256sum)
        notes = tree.notes()
        yield _figure(title, files, mine, theirs, counted(), notes)
    trees.forget(tree.root, tree.state)
    yield _beside_literal(bench, tree, what)


def _figure(title: str, files: int, mine: list[float], theirs: list[float], fsyncs: str, notes: list[str]) -> Figure:
    speeds = [files / s for s in mine]
    times = Figure("", "s", mine, "", theirs, 0, "")
    ratio = times.value / times.yardstick_value
    return Figure(
        title=title,
        unit="files/s",
        values=speeds,
        yardstick="find | xargs -P2 sha256sum",
        yardstick_values=[files / s for s in theirs],
        ratio=ratio,
        ratio_words="its time",
        targets=(Target.at_least(files / times.value, 5_000, "files/s"), Target.at_most(ratio, 15, "× its time")),
        fsyncs=fsyncs,
        notes=notes,
    )


class Tree:
    """A planted tree that is described from nothing again and again."""

    def __init__(self, root: Path, state: Path, files: int) -> None:
        self.root, self.state, self.files = root, state, files
        self.details: list[dict[str, Any]] = []

    def call(self, prefix: Sequence[str] = ()) -> float:
        """Seconds of the engine call; setting up Django and the tables of the database comes before."""
        trees.forget(self.root, self.state)
        with Engine(self.root, self.state, prefix) as engine:
            answer = engine.reconcile()
            spent = described(answer, self.files)
            self.details.append(answer)
            self._check(engine.indexed())
        return spent

    def process(self, prefix: Sequence[str] = ()) -> float:
        """Seconds of ``manage.py reconcile`` from its start to its end."""
        trees.forget(self.root, self.state)
        started = time.perf_counter()
        answer = command(self.root, self.state, "reconcile", prefix=prefix)
        spent = time.perf_counter() - started
        if answer["roots"][0]["described"] != self.files or answer["not_indexed"]:
            raise BenchError(f"{self.files} files were to be described, but: {answer}")
        with Engine(self.root, self.state) as engine:
            self._check(engine.indexed())
        return spent

    def notes(self) -> list[str]:
        """Where the time of the calls since the last clearing went."""
        if not self.details:
            return []
        cpu, indexing, whole = (
            statistics.median(each[name] for each in self.details) for name in ("cpu_seconds", "indexing", "seconds")
        )
        return [
            f"{whole:.2f} s of clock, {cpu:.2f} s of processor in the calling process; index {indexing:.2f} s of it"
        ]

    def _check(self, indexed: int) -> None:
        if indexed != self.files:
            raise BenchError(f"{self.files} files were to be in the index, there are {indexed}")

    def sha256sum(self) -> float:
        """Seconds of the yardstick; each of its processes gets an eighth of the files at a time."""
        return seconds_of_pipe(self.root, DATA_FILES, ["sha256sum"], math.ceil(self.files / 8))

    def fsyncs_of_call(self) -> str:
        return self._fsyncs(self.call)

    def fsyncs_of_process(self) -> str:
        return self._fsyncs(self.process)

    def _fsyncs(self, work: Callable[[Sequence[str]], float]) -> str:
        if not has_strace():
            return "fsyncs not counted: there is no strace"
        with counting_prefix() as (prefix, count):
            work(prefix)
            counted = count()
        return f"{counted:,} fsyncs in a run of its own under strace -f -c, start of the process and database included"


# --- the literal build ------------------------------------------------------------------------------------------


def _beside_literal(bench: Bench, tree: Tree, what: str) -> Figure:
    datasets, each = bench.scale.pick(3, 1, 1), bench.scale.pick(100, 20, 3)
    mine, theirs = [], []
    for number in range(bench.runs):
        root = bench.folder / f"literal{number}"
        trees.plant(root, datasets, each)
        mine.append(tree.files / tree.call())
        theirs.append(datasets * each / _literal(root, datasets))
    speed, literal = sorted(mine)[len(mine) // 2], sorted(theirs)[len(theirs) // 2]
    return Figure(
        title=f"{what}, engine call beside the literal build",
        unit="files/s",
        values=mine,
        yardstick=f"requirements.md built literally, {datasets * each} files in {datasets} datasets",
        yardstick_values=theirs,
        ratio=speed / literal,
        ratio_words="its speed",
        targets=(Target.at_least(speed / literal, 100, "× its speed"),),
        notes=(_falling(bench),),
    )


def _literal(root: Path, datasets: int) -> float:
    """Seconds the literal build takes for every file of a tree."""
    if shutil.which("git") is None:
        raise BenchError("The literal build needs the program git, which is not installed here; install it.")
    build = LiteralBuild(root)
    folders = [trees.dataset_path(root, number) for number in range(datasets)]
    for folder in folders:
        build.new_manifest(folder)
    paths = [(folder, path) for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    return seconds(lambda: [build.add(folder, path) for folder, path in paths])


def _falling(bench: Bench) -> str:
    """The literal build's speed in one dataset that has so many files already."""
    root = bench.folder / "falling"
    said = []
    for number, there in enumerate((0, 1_000, 10_000) if bench.scale.name == "full" else (0, 100)):
        folder = trees.dataset_path(root, number)
        folder.mkdir(parents=True)
        build = LiteralBuild(root)
        paths = trees.fill(folder, 0, _LITERAL_EACH)
        sample = entry(folder, paths[0])
        build.new_manifest(folder, [sample | {"path": f"there/{i}", "file_name": str(i)} for i in range(there)])
        spent = seconds(lambda build=build, folder=folder, paths=paths: [build.add(folder, path) for path in paths])
        said.append(f"{len(paths) / spent:.2g} files/s with {there:,} files there")
    return "the literal build in one dataset: " + ", ".join(said)
