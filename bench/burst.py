"""A burst of files into one dataset: whether the cost of each stays the same however many they are."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

from bench import trees
from bench.measuring import (
    DATA_FILES,
    Bench,
    Figure,
    Target,
    alternate,
    counting_prefix,
    has_strace,
    seconds_of_pipe,
    slope,
)
from bench.reconcile_from_nothing import SETTLED
from bench.service import Engine, described


def run(bench: Bench) -> Iterator[Figure]:
    """Bursts of several sizes into a dataset that is known and empty; the process runs on, as the watcher's does."""
    largest = bench.scale.pick(100_000, 10_000, 300)
    sizes = [n for n in (100, 1_000, 10_000, 100_000) if n <= largest] if largest >= 1_000 else [30, 300]
    bursts = [Burst(bench.folder, size) for size in sizes]
    mine, theirs = [], []
    for burst in bursts:
        took, hashed = alternate(bench.runs, burst.describe, burst.sha256sum)
        mine.append(took)
        theirs.append(hashed)
    each = [1e6 * sorted(t)[len(t) // 2] / n for t, n in zip(mine, sizes, strict=True)]
    flatness = max(each) / min(each)
    exponent = _exponent(sizes, mine)
    last = bursts[-1]
    yield Figure(
        title=f"bursts of {sizes[0]:,} to {sizes[-1]:,} files into one dataset, engine call, a file of the largest",
        unit="µs per file",
        values=[1e6 * s / last.files for s in mine[-1]],
        yardstick="find | xargs -P2 sha256sum of the same files",
        yardstick_values=[1e6 * s / last.files for s in theirs[-1]],
        ratio=each[-1] / (1e6 * sorted(theirs[-1])[len(theirs[-1]) // 2] / last.files),
        ratio_words="its time",
        targets=(
            Target.at_most(
                round(flatness, 2), 2, f"× between the dearest and the cheapest size (it is {flatness:.2f} ×)"
            ),
        ),
        fsyncs=last.fsyncs(),
        notes=(
            "cost per file: " + ", ".join(f"{e:.0f} µs at {n:,}" for e, n in zip(each, sizes, strict=True)),
            f"total time grows as the number of files to the power of {exponent:.2f} (least squares of logarithms), "
            f"that of sha256sum to the power of {_exponent(sizes, theirs):.2f}",
        ),
    )


def _exponent(sizes: list[int], times: list[list[float]]) -> float:
    return slope([(math.log(n), math.log(sorted(t)[len(t) // 2])) for n, t in zip(sizes, times, strict=True)])


class Burst:
    """A tree whose one dataset gets so many files at once."""

    def __init__(self, folder: Path, files: int) -> None:
        self.files = files
        self.root, self.state = folder / f"data{files}", folder / f"state{files}"
        self._aside = folder / f"aside{files}"
        self._dataset = trees.dataset_path(self.root, 0)

    def describe(self, prefix: list[str] | None = None) -> float:
        """Seconds of the engine call after the burst has come to rest."""
        trees.forget(self.root, self.state)
        self._dataset.mkdir(parents=True, exist_ok=True)
        if any(self._dataset.iterdir()):
            self._dataset.rename(self._aside)
            self._dataset.mkdir()
        with Engine(self.root, self.state, prefix or ()) as engine:
            engine.reconcile()
            self._arrive()
            time.sleep(SETTLED)
            return described(engine.reconcile(self._dataset), self.files)

    def _arrive(self) -> None:
        """The files, written the first time and moved in from elsewhere after that."""
        if not self._aside.exists():
            trees.fill(self._dataset, 0, self.files)
            return
        for path in self._aside.iterdir():
            path.rename(self._dataset / path.name)
        self._aside.rmdir()

    def sha256sum(self) -> float:
        return seconds_of_pipe(self.root, DATA_FILES, ["sha256sum"], math.ceil(self.files / 8))

    def fsyncs(self) -> str:
        if not has_strace():
            return "fsyncs not counted: there is no strace"
        with counting_prefix() as (prefix, count):
            self.describe(prefix)
            counted = count()
        return f"{counted:,} fsyncs in a run of its own under strace -f -c, start of the process and database included"
