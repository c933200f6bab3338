"""One dataset that the engine described, and a warm process that answers pages about it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import trees
from bench.measuring import Bench
from bench.reconcile_from_nothing import SETTLED
from bench.service import Engine, described

EMPTY = "/healthz"  # the yardstick of a page: an answer of the same process that holds nothing


@contextmanager
def one_dataset(bench: Bench, files: int) -> Iterator[tuple[Engine, Path, str]]:
    """The process, the path of the dataset's own record, and the dataset's identifier."""
    root = bench.folder / "data"
    trees.plant(root, 1, files)
    time.sleep(SETTLED)
    with Engine(root, bench.folder / "state") as engine:
        described(engine.reconcile(), files)
        record = trees.dataset_path(root, 0) / ".metadata" / "dataset_administrative.json"
        yield engine, record, json.loads(record.read_bytes())["dataset_identifier"]
