"""`check` finds what is wrong, says where, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.check import check
from ingest.errors import LayoutError
from tests.ingest.watched import Value, Watched

D = "p_Barley/leaves"
OTHER = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
PROJECT = "p_Barley/.metadata/project_descriptive.json"
ADMINISTRATIVE = f"{D}/.metadata/dataset_administrative.json"
MANIFEST = f"{D}/.metadata/dataset_structural.json"


@pytest.fixture
def described(watched: Watched) -> Watched:
    watched.put(f"{D}/a.txt", "a\n")
    watched.put("p_Barley/roots/b.txt", "b\n")
    watched.reconcile()
    return watched


def test_a_described_root_has_no_findings_and_is_counted(described: Watched) -> None:
    with described.workspace(read_only=True) as ws:
        report = check(ws)
    assert (report.documents, report.files, report.findings) == (8, 2, [])
    assert report.as_json() == {"root": str(described.root), "documents": 8, "files": 2, "findings": []}


def entry(value: Value) -> Value:
    first: Value = value["file_descriptions"][0]
    return first


PLANTED: dict[str, tuple[str, Callable[[Value], Any], str]] = {
    "a wrong type": (PROJECT, lambda v: v.update(project_title=3), "type"),
    "a value outside its list": (ADMINISTRATIVE, lambda v: v.update(access_level="secret"), "enum"),
    "complete without what complete needs": (PROJECT, lambda v: v.update(status="complete"), "required"),
    "a system field taken away": (PROJECT, lambda v: v.pop("created_by"), "required"),
    "a wrong ORCID": (
        PROJECT,
        lambda v: v.update(principal_investigator={"name": "x", "orcid": "https://orcid.org/0000-0002-1825-0098"}),
        "",
    ),
    "an entry without a checksum": (MANIFEST, lambda v: entry(v).pop("checksum"), "required"),
    "a path that leads out": (MANIFEST, lambda v: entry(v).update(path="../roots/b.txt"), "pattern"),
    "a path described twice": (
        MANIFEST,
        lambda v: v["file_descriptions"].append({**entry(v), "file_identifier": OTHER, "@id": f"urn:uuid:{OTHER}"}),
        "unique",
    ),
    "an identifier twice": (
        MANIFEST,
        lambda v: v["file_descriptions"].append({**entry(v), "path": "z.txt", "file_name": "z.txt"}),
        "unique",
    ),
    "another dataset's identifier": (
        MANIFEST,
        lambda v: v.update({"dataset_identifier": OTHER, "@id": f"urn:uuid:{OTHER}"}),
        "link",
    ),
    "another project": (ADMINISTRATIVE, lambda v: v.update(associated_project_identifier=OTHER), "link"),
}


@pytest.mark.parametrize("word", PLANTED)
def test_a_planted_defect_is_found_and_nothing_is_changed(described: Watched, word: str) -> None:
    document, plant, rule = PLANTED[word]
    described.edit(document, plant)
    before = described.metadata()
    findings = described.check()
    assert findings
    assert any(f": {rule}" in line for line in findings), findings
    assert all(line.startswith("p_Barley") for line in findings)
    assert described.metadata() == before


def test_identifiers_doubled_between_datasets_are_found(described: Watched) -> None:
    identifier = described.identifiers(D)["a.txt"]
    described.edit(
        "p_Barley/roots/.metadata/dataset_structural.json",
        lambda v: entry(v).update({"file_identifier": identifier, "@id": f"urn:uuid:{identifier}"}),
    )
    (line,) = described.check()
    assert f"the identifier {identifier} stands in" in line
    assert "a.txt" in line
    assert "b.txt" in line


@pytest.mark.parametrize("document", [PROJECT, ADMINISTRATIVE, MANIFEST])
def test_a_missing_document_is_found_with_the_mend(described: Watched, document: str) -> None:
    described.remove(document)
    (line,) = described.check()
    assert line == f"{document}: present: this document is missing; make it with: reconcile"


def test_a_part_can_be_checked_alone(described: Watched) -> None:
    described.edit(PROJECT, lambda v: v.update(project_title=3))
    with described.workspace(read_only=True) as ws:
        assert check(ws, Path(D)).findings == []
        assert len(check(ws, described.root / "p_Barley").findings) == 1
        with pytest.raises(LayoutError, match="is not inside the watched folder"):
            check(ws, Path("../elsewhere"))


def test_checking_needs_no_state_and_makes_none(described: Watched) -> None:
    described.lose_state()
    assert described.check() == []
    assert not described.state.exists()
