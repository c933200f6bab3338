"""One new file in a large dataset: described and in the index."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench import trees
from bench.measuring import Bench, Figure, Target, counting_prefix, has_strace, seconds
from bench.peers.literal import add_entry, empty_manifest, entry, manifest_path, validator
from bench.reconcile_from_nothing import SETTLED
from bench.service import Engine, described


def run(bench: Bench) -> Iterator[Figure]:
    """The engine call for that dataset, the index refreshed in it; its process runs on, as the watcher's does."""
    files = bench.scale.pick(100_000, 2_000, 50)
    root, state = bench.folder / "data", bench.folder / "state"
    trees.plant(root, 1, files)
    dataset = trees.dataset_path(root, 0)
    literal = _literal_dataset(bench.folder / "literal", files)
    time.sleep(SETTLED)
    mine, indexing, cpu, theirs = [], [], [], []
    with Engine(root, state) as engine:
        described(engine.reconcile(), files)
        for number in range(bench.runs):
            trees.fill(dataset, files + number, 1)
            time.sleep(SETTLED)
            answer = engine.reconcile(dataset)
            mine.append(described(answer, 1))
            indexing.append(answer["indexing"])
            cpu.append(answer["cpu_seconds"])
            theirs.append(_literal(literal, files + number))
    times = Figure("", "s", mine, "", theirs, 0, "")
    yield Figure(
        title=f"one new file in a dataset of {files:,}, engine call",
        unit="s",
        values=mine,
        yardstick="the manifest read by json, validated by jsonschema, written by json",
        yardstick_values=theirs,
        ratio=times.yardstick_value / times.value,
        ratio_words="as fast",
        targets=(Target.at_most(times.value, 1.5, "s"),),
        fsyncs=_fsyncs(root, state, dataset, files + bench.runs),
        notes=(
            f"the index took {statistics.median(indexing):.2f} s of it; {statistics.median(cpu):.2f} s of processor",
        ),
    )


def _literal_dataset(root: Path, files: int) -> Path:
    """A dataset whose manifest speaks of so many files; none of them is there, the literal way never looks."""
    folder = trees.dataset_path(root, 0)
    (folder / ".metadata").mkdir(parents=True)
    [path] = trees.fill(folder, 0, 1)
    sample = entry(folder, path)
    entries = [sample | {"path": f"there/{i}", "file_name": str(i)} for i in range(files)]
    manifest_path(folder).write_text(json.dumps(empty_manifest() | {"file_descriptions": entries}, indent=2))
    return folder


def _literal(folder: Path, number: int) -> float:
    [path] = trees.fill(folder, number, 1)
    checks = validator()
    return seconds(lambda: add_entry(folder, path, checks))


def _fsyncs(root: Path, state: Path, dataset: Path, number: int) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    with counting_prefix() as (prefix, count):
        with Engine(root, state, prefix) as engine:
            trees.fill(dataset, number, 1)
            time.sleep(SETTLED)
            described(engine.reconcile(dataset), 1)
        return f"{count():,} fsyncs in a run of its own under strace -f -c, start of the process included"
