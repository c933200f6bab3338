"""Numbers that no disk can hold, in documents edited by hand: told, and never in the way of anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog import index
from catalog.models import Dataset, Document, File
from ingest import documents
from tests.catalog.tree import Tree, entry

pytestmark = pytest.mark.django_db(transaction=True)


def assert_equal_to_rebuild() -> None:
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live


@pytest.mark.parametrize("size", [10**19, 2**63, -1, 10**25, True])
def test_a_size_that_cannot_be_is_told_and_shows_no_file(tree: Tree, size: int) -> None:
    tree.dataset(entries=[entry("a.csv"), entry("b.csv")])
    here = tree.document("p_Alpha/plate_1", documents.STRUCTURAL)
    value = json.dumps(size).encode()
    here.write_bytes(here.read_bytes().replace(b'"size_bytes":4096', b'"size_bytes":' + value, 1))
    index.refresh(tree.documents())
    assert [file.path for file in File.objects.all()] == ["b.csv"]
    assert "'a.csv'" in Dataset.objects.get().manifest_problem
    assert_equal_to_rebuild()


@pytest.mark.parametrize("number", [10**19, 2**63 - 1, -1])
def test_a_total_or_sequence_that_cannot_be_breaks_its_document(tree: Tree, number: int) -> None:
    dataset = tree.dataset(entries=[entry("a.csv")])
    manifest = tree.document("p_Alpha/plate_1", documents.STRUCTURAL)
    manifest.write_bytes(manifest.read_bytes().replace(b'"total_size_bytes": 4096', b'"total_size_bytes": %d' % number))
    registry = tree.edit(documents.registry_document(tree.root, dataset), {"sequence": number})
    index.refresh(tree.documents())
    broken = {Path(row.path).name: row.problem for row in Document.objects.exclude(problem="")}
    assert f"total_size_bytes is {number}, which cannot be" in broken[manifest.name]
    assert f"sequence is {number}, which cannot be" in broken[registry.name]
    assert_equal_to_rebuild()
