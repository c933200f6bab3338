"""FA-39 of the whole chain: many people save while a burst is described; every change once, by whoever made it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.faults.history_oracle import ask, commits_of_ours
from tests.faults.oracle import everything, violations
from tests.faults.processes import CHECKOUT, environment, start_reconcile
from tests.ingest.provenance.historic import Historic
from tests.ingest.provenance.whole.chain import versions

pytestmark = pytest.mark.timeout(3600)

_PERSON = """
import sys
from pathlib import Path
from ingest.documents import ADMINISTRATIVE
from ingest.workspace import open_workspace
root, name, count, datasets = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
with open_workspace(root, read_only=True) as ws:
    for number in range(count):
        path = root / datasets[number % len(datasets)] / ".metadata" / f"{ADMINISTRATIVE}.json"
        told = f"{name} {number}"
        ws.store.change(path, ADMINISTRATIVE, lambda old: {**(old or {}), "title": told}, by=name)
"""


def test_many_save_while_a_burst_is_described(historic: Historic, count: Callable[[int, int], int]) -> None:
    people, saves, files = 8, count(6, 125), count(300, 10_000)
    datasets = [f"p_Barley/d{n}" for n in range(3)]
    for dataset in datasets:
        historic.put(f"{dataset}/first.txt", "first\n")
    historic.reconcile()
    before = len(historic.commits())
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _PERSON, str(historic.root), f"user{n}", str(saves), *datasets],
            cwd=CHECKOUT, env=environment(historic), stderr=subprocess.PIPE, text=True,
        )
        for n in range(people)
    ]  # fmt: skip
    for number in range(files):
        historic.put(f"p_{('Barley', 'Rye')[number % 2]}/d{number % 5}/burst/f{number}.txt", f"{number}\n")
    data = everything(historic.root)
    passing = start_reconcile(historic)
    for writer in writers:
        _, words = writer.communicate(timeout=1800)
        assert (writer.returncode, words) == (0, ""), "a person met an error, or words about a lock"
    out, words_of_pass = passing.communicate(timeout=1800)
    assert passing.returncode == 0, out + words_of_pass
    assert b"Traceback" not in words_of_pass
    historic.reconcile()
    assert_each_once(historic, {f"user{n} {i}" for n in range(people) for i in range(saves)}, datasets)
    assert violations(historic.root, historic.state) == []
    assert everything(historic.root) == data
    assert historic.problems() == {}
    assert historic.status().history["trouble"] == ""
    assert ask(historic.root, "fsck", "--unreachable", "--no-reflogs", "--connectivity-only") == b""
    assert len(historic.commits()) - before >= people * saves + 1


def assert_each_once(historic: Historic, wanted: set[str], datasets: list[str]) -> None:
    """Every save is one commit by who made it, and every burst file's pointer is in exactly one."""
    found: list[str] = []
    for dataset in datasets:
        last = ""
        for each in versions(historic, f"{dataset}/.metadata/dataset_administrative.json"):
            title = str(each.value.get("title", ""))
            if title != last and title:
                found.append(title)
                assert each.author == title.split(" ")[0], (each.commit, title)
            last = title
    assert sorted(found) == sorted(wanted)
    pointers = [p for changes in commits_of_ours(historic.root).values() for p in changes if p.endswith(".txt.dvc")]
    assert len(pointers) == len(set(pointers)) == len(list(historic.root.glob("p_*/d*/**/*.txt")))
