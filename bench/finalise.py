"""A run of many files made complete: its complete metadata file, its entries in the manifest, and the index."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import trees
from bench.measuring import Bench, BenchError, Figure, Target, counting_prefix, has_strace, seconds
from bench.peers.literal import validator
from bench.reconcile_from_nothing import SETTLED
from bench.service import Engine, described


def run(bench: Bench) -> Iterator[Figure]:
    """Each time a revision: the first as the run is started, the others as something was said of it since."""
    files = bench.scale.pick(10_000, 500, 20)
    root, state = bench.folder / "data", bench.folder / "state"
    trees.plant(root, 1, files)
    folder = trees.dataset_path(root, 0)
    dataset = folder.relative_to(root).as_posix()
    time.sleep(SETTLED)
    answers, theirs = [], []
    with Engine(root, state) as engine:
        described(engine.reconcile(), files)
        for _ in range(bench.runs):
            answers.append(_finalised(engine, dataset, files))
            theirs.append(_literal(folder, bench.folder / "literal.json"))
    mine = [float(answer["seconds"]) for answer in answers]
    value = statistics.median(mine)
    yield Figure(
        title=f"a run of {files:,} files made complete",
        unit="s",
        values=mine,
        yardstick="the same documents read by json, validated by jsonschema, written by json; no index",
        yardstick_values=theirs,
        ratio=statistics.median(theirs) / value,
        ratio_words="as fast",
        targets=(Target.at_most(round(value, 2), 2, "s"),),
        fsyncs=_fsyncs(bench, dataset, files),
        notes=(
            f"the index took {statistics.median(a['indexing'] for a in answers):.2f} s of it; "
            f"{statistics.median(a['cpu_seconds'] for a in answers):.2f} s of processor; "
            f"the file has {answers[-1]['bytes'] / 1e6:.1f} MB",
        ),
    )


def _finalised(engine: Engine, dataset: str, files: int) -> dict[str, Any]:
    answer = engine.finalise(dataset)
    if answer["files"] != files:
        raise BenchError(f"{files} files were to be part of the run, but: {answer}")
    return answer


def _literal(folder: Path, target: Path) -> float:
    """What the same comes to with the standard library: read, mark, gather, validate, and write both."""
    own = folder / ".metadata"
    checks = validator()

    def work() -> None:
        manifest = json.loads((own / "dataset_structural.json").read_text())
        experiment = json.loads((own / "runs" / "Run" / "experiment_contextual.json").read_text())
        for entry in manifest["file_descriptions"]:
            entry |= {"data_object_version": "V2", "run_id": experiment["run_id"]}
        checks.validate(manifest)
        whole = {
            "metadata_version": "2",
            "project": json.loads((folder.parent / ".metadata" / "project_descriptive.json").read_text()),
            "dataset": json.loads((own / "dataset_administrative.json").read_text()),
            "structure": manifest,
            "experiment": experiment,
        }
        target.write_text(json.dumps(whole, indent=2))
        target.with_suffix(".manifest").write_text(json.dumps(manifest, indent=2))

    return seconds(work)


def _fsyncs(bench: Bench, dataset: str, files: int) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    with counting_prefix() as (prefix, count):
        with Engine(bench.folder / "data", bench.folder / "state", prefix) as engine:
            _finalised(engine, dataset, files)
        return f"{count():,} fsyncs under strace -f -c, start of the process and a change of the run included"
