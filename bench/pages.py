"""Pages about a large dataset, without the network: what the server spends on them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.dataset import EMPTY, one_dataset
from bench.measuring import Bench, Figure, Target, counting_prefix, has_strace, percentile
from bench.service import Engine

_WARM = 3


def run(bench: Bench) -> Iterator[Figure]:
    """The dataset's page has the target; its table of files in other orders is told besides."""
    files = bench.scale.pick(100_000, 2_000, 50)
    times = max(bench.runs, bench.scale.pick(30, 20, 3))
    with one_dataset(bench, files) as (engine, _, identifier):
        address = f"/datasets/{identifier}/"
        engine.page(address, _WARM)
        for title, page, targeted in (
            ("its page", address, True),
            ("table of files by name", f"{address}files/", True),
            ("table of files, largest first", f"{address}files/?sort=size&order=down", False),
            ("table of files by time", f"{address}files/?sort=modified", False),
            ("table of files by type", f"{address}files/?sort=type", False),
            ("files whose name has 99", f"{address}files/?name=99", False),
        ):
            mine, theirs = [], []
            for _ in range(times):
                mine += engine.page(page)
                theirs += engine.page(EMPTY)
            fsyncs = _fsyncs(bench, page) if targeted else ""
            yield _figure(f"dataset of {files:,} files: {title}", mine, theirs, targeted=targeted, fsyncs=fsyncs)


def _figure(title: str, mine: list[float], theirs: list[float], *, targeted: bool, fsyncs: str) -> Figure:
    milliseconds = [1000 * s for s in mine]
    median = statistics.median(milliseconds)
    return Figure(
        title=title,
        unit="ms",
        values=milliseconds,
        yardstick=f"{EMPTY} of the same process",
        yardstick_values=[1000 * s for s in theirs],
        ratio=median / (1000 * statistics.median(theirs)),
        ratio_words="its time",
        targets=(Target.at_most(round(median, 1), 200, "ms"),) if targeted else (),
        fsyncs=fsyncs,
        notes=(f"95th percentile {percentile(milliseconds, 0.95):.0f} ms",),
    )


def _fsyncs(bench: Bench, page: str) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    with counting_prefix() as (prefix, count):
        with Engine(bench.folder / "data", bench.folder / "state", prefix) as engine:
            engine.page(page, 10)
        return f"{count():,} fsyncs for 10 requests under strace -f -c, start of the process and signing in included"
