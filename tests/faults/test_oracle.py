"""The oracle itself is checked: it finds nothing wrong where nothing is, and every planted inconsistency."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.faults.oracle import everything, violations
from tests.ingest.watched import Value, Watched

D = "p_Barley/leaves"
MANIFEST = f"{D}/.metadata/dataset_structural.json"


@pytest.fixture
def described(watched: Watched) -> Watched:
    for name in ("a.txt", "b.csv", "sub/c.bin", "new\nline", "\udcff.txt"):
        watched.put(f"{D}/{name}", name.encode("utf-8", "surrogateescape"))
    watched.put("p_Barley/roots/d.txt")
    watched.reconcile()
    watched.remove(f"{D}/b.csv")
    watched.reconcile()
    return watched


def test_a_described_root_is_consistent(described: Watched) -> None:
    assert violations(described.root, described.state) == []


def rewrite(watched: Watched, path: str, change: Callable[[Value], object]) -> None:
    value = watched.json(path)
    change(value)
    (watched.root / path).write_text(json.dumps(value))


def registry_path(watched: Watched) -> str:
    return f".metadata/registry/{watched.manifest(D)['dataset_identifier']}.json"


PLANTED: dict[str, Callable[[Watched], object]] = {
    "a file nobody described": lambda w: w.put(f"{D}/new.txt"),
    "a described file that is gone": lambda w: w.remove(f"{D}/a.txt"),
    "changed bytes": lambda w: w.put(f"{D}/a.txt", "other"),
    "half a document": lambda w: (w.root / MANIFEST).write_text((w.root / MANIFEST).read_text()[:500]),
    "an invalid document": lambda w: rewrite(w, MANIFEST, lambda v: v.pop("created_by")),
    "an entry twice": lambda w: rewrite(
        w, MANIFEST, lambda v: v["file_descriptions"].append(v["file_descriptions"][0])
    ),
    "entries out of order": lambda w: rewrite(w, MANIFEST, lambda v: v["file_descriptions"].reverse()),
    "a wrong total": lambda w: rewrite(w, MANIFEST, lambda v: v.update(file_count=99)),
    "a document the registry does not know": lambda w: rewrite(w, MANIFEST, lambda v: v.update(scope="x")),
    "a temporary file": lambda w: (w.root / D / ".metadata" / ".x.0a0a0a0a0a0a.tmp").write_text(""),
    "a lost document": lambda w: w.remove(MANIFEST),
    "a copied identity": lambda w: w.copy(D, "p_Barley/copy"),
    "a lost registry entry": lambda w: w.remove(registry_path(w)),
    "a sequence number twice": lambda w: rewrite(w, registry_path(w), lambda v: v.update(sequence=1)),
    "a counter that fell behind": lambda w: (w.root / ".metadata/registry/.sequence").write_text("1\n"),
    "a folder that is gone": lambda w: w.remove("p_Barley/roots"),
}


@pytest.mark.parametrize("word", PLANTED)
def test_a_planted_inconsistency_is_found(described: Watched, word: str) -> None:
    PLANTED[word](described)
    assert violations(described.root, described.state) != []


def test_any_touch_of_research_data_is_seen(described: Watched) -> None:
    before = everything(described.root)
    assert len(before) == 5
    assert everything(described.root) == before
    (described.root / D / "a.txt").chmod(0o600)
    assert everything(described.root) != before
