"""Large files: whether anything but hashing costs time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench import trees
from bench.measuring import DATA_FILES, Bench, Figure, Target, alternate, counting_prefix, has_strace, seconds_of_pipe
from bench.reconcile_from_nothing import SETTLED
from bench.service import Engine, described


def run(bench: Bench) -> Iterator[Figure]:
    """From nothing, with the files in the page cache for both."""
    files, size = bench.scale.pick(20, 8, 2), bench.scale.pick(200e6, 20e6, 8e6)
    root, state = bench.folder / "data", bench.folder / "state"
    trees.plant_large(root, files, size)
    os.sync()  # else both would be timed while the kernel writes 4 GB behind them
    time.sleep(SETTLED)
    _openssl(root)
    mine, theirs = alternate(bench.runs, lambda: _described(root, state, files), lambda: _openssl(root))
    times = Figure("", "s", mine, "", theirs, 0, "")
    share = times.yardstick_value / times.value
    gigabytes = files * size / 1e9
    yield Figure(
        title=f"{files} files of {size / 1e6:,.0f} MB, engine call",
        unit="GB/s",
        values=[gigabytes / s for s in mine],
        yardstick="find | xargs -P2 openssl dgst -sha256",
        yardstick_values=[gigabytes / s for s in theirs],
        ratio=share,
        ratio_words="its speed",
        targets=(Target.at_least(share, 0.9, "× its speed"),),
        fsyncs=_fsyncs(root, state, files),
    )


def _described(root: Path, state: Path, files: int, prefix: list[str] | None = None) -> float:
    trees.forget(root, state)
    with Engine(root, state, prefix or ()) as engine:
        return described(engine.reconcile(), files)


def _openssl(root: Path) -> float:
    return seconds_of_pipe(root, DATA_FILES, ["openssl", "dgst", "-sha256"], 1)


def _fsyncs(root: Path, state: Path, files: int) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    with counting_prefix() as (prefix, count):
        _described(root, state, files, prefix)
        counted = count()
    return f"{counted:,} fsyncs in a run of its own under strace -f -c, start of the process and database included"
