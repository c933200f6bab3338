"""The whole chain as processes of their own, to be killed: a pass over the root, and saves as a form makes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.history_oracle import ask, commits_of_ours
from tests.faults.processes import CHECKOUT, environment
from tests.ingest.provenance.historic import Historic

# Saves from FIRST on, LAST not included; then a pass. Each says when it was accepted.
DRIVER = """
import sys
from pathlib import Path
from ingest.documents import ADMINISTRATIVE
from ingest.errors import FairfolderError
from ingest.reconcile import reconcile
from ingest.workspace import open_workspace
root, first, last, passing = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[5] == "pass"
path = root / sys.argv[4] / ".metadata" / f"{ADMINISTRATIVE}.json"
with open_workspace(root) as ws:
    print("begun", flush=True)
    for number in range(first, last):
        title = f"Save {number}"
        ws.store.change(path, ADMINISTRATIVE, lambda old: {**(old or {}), "title": title}, by=f"user{number}")
        print(number, flush=True)
    if passing:
        report = reconcile(ws, wait=True)
        print("passed", len(report.findings), len(report.alarms), flush=True)
"""


def command(historic: Historic, dataset: str, saves: range, *, passing: bool = True) -> list[str]:
    """What to run: so many saves in a dataset, then a pass."""
    numbers = [str(saves.start), str(saves.stop)]
    return [sys.executable, "-c", DRIVER, str(historic.root), *numbers, dataset, "pass" if passing else "no"]


def started(
    historic: Historic, words: list[str], env: Mapping[str, str] | None = None, *, wait: bool = True
) -> subprocess.Popen[bytes]:
    """A process that has begun, with a group of its own."""
    process = subprocess.Popen(
        words, cwd=CHECKOUT, env={**environment(historic), **(env or {})}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    if wait:
        assert process.stdout.readline() == b"begun\n"
    return process


@dataclass(frozen=True)
class Told:
    """A version of a document in the history, and whose it is."""

    commit: str
    author: str
    value: dict[str, object]


def versions(historic: Historic, path: str) -> list[Told]:
    """Every version of a document that a commit brought, oldest first; asked of git."""
    held = [(commit, changes[path]) for commit, changes in commits_of_ours(historic.root).items() if path in changes]
    held = [(commit, blob) for commit, blob in held if blob.strip("0")]
    if not held:
        return []
    asked = "".join(f"{commit}\n" for commit, _ in held).encode()
    names = ask(historic.root, "log", "--no-walk=unsorted", "--stdin", "--format=%an", data=asked).decode().splitlines()
    found = []
    for (commit, blob), name in zip(held, names, strict=True):
        text = ask(historic.root, "cat-file", "blob", blob)
        found.append(Told(commit, name, json.loads(text)))
    return found


def saved(historic: Historic, path: str) -> dict[int, str]:
    """Number → author of each ``Save n`` that stands in the history; fails when one stands there twice.

    A version that carries an older title on is none of that save.
    """
    found: dict[int, str] = {}
    before = ""
    for each in versions(historic, path):
        title = str(each.value.get("title", ""))
        if title != before and title.startswith("Save "):
            number = int(title.removeprefix("Save "))
            assert number not in found, f"{title} stands in the history twice"
            found[number] = each.author
        before = title
    return found
