"""Nothing changed: how fast a whole tree is compared with what was last seen."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench import trees
from bench.measuring import Bench, BenchError, Figure, Target, alternate, counting_prefix, has_strace, seconds
from bench.reconcile_from_nothing import SETTLED
from bench.service import Engine, command, described


def run(bench: Bench) -> Iterator[Figure]:
    """A large tree and that of `reconcile_from_nothing`."""
    datasets = bench.scale.pick(100, 10, 2)
    for each in (bench.scale.pick(1_000, 1_000, 20), bench.scale.pick(100, 100, 10)):
        files = datasets * each
        root, state = bench.folder / f"data{each}", bench.folder / f"state{each}"
        trees.plant(root, datasets, each)
        time.sleep(SETTLED)
        with Engine(root, state) as engine:
            described(engine.reconcile(), files)
            engine.reconcile()
            mine, theirs = alternate(bench.runs, lambda e=engine, n=files: _again(e, n), lambda r=root: _find(r))
        what = f"{files:,} files in {datasets} datasets, nothing changed"
        yield _figure(f"{what}, engine call", files, mine, theirs, targeted=True, fsyncs=_fsyncs(root, state))
        mine, theirs = alternate(
            bench.runs, lambda r=root, s=state: seconds(lambda: command(r, s, "reconcile")), lambda r=root: _find(r)
        )
        yield _figure(f"{what}, whole process", files, mine, theirs, targeted=False, fsyncs="")


def _again(engine: Engine, files: int) -> float:
    answer = engine.reconcile()
    if answer["unchanged"] != files or answer["described"]:
        raise BenchError(f"{files} files were to be unchanged, but: {answer}")
    return float(answer["seconds"])


def _find(root: Path) -> float:
    printed = ["find", str(root), "-printf", "%i %s %T@ %C@ %p\\n"]
    return seconds(lambda: subprocess.run(printed, stdout=subprocess.DEVNULL, check=True))


def _fsyncs(root: Path, state: Path) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    with counting_prefix() as (prefix, count):
        command(root, state, "reconcile", prefix=prefix)
        return f"{count():,} fsyncs of the whole process under strace -f -c"


def _figure(title: str, files: int, mine: list[float], theirs: list[float], *, targeted: bool, fsyncs: str) -> Figure:
    times = Figure("", "s", mine, "", theirs, 0, "")
    speed = files / times.value
    return Figure(
        title=title,
        unit="files/s",
        values=[files / s for s in mine],
        yardstick="find -printf with a stat of each",
        yardstick_values=[files / s for s in theirs],
        ratio=times.value / times.yardstick_value,
        ratio_words="its time",
        targets=(Target.at_least(speed, 100_000, "files/s"),) if targeted else (),
        fsyncs=fsyncs,
    )
