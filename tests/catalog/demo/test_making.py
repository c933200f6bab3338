"""The demonstration as a person gets it: described, with its sources and licences, and honestly unfinished."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.demo import DemoError, Made, complete, drafts, make
from catalog.demo.collections import COLLECTIONS
from catalog.demo.examples import examples
from ingest.documents import ADMINISTRATIVE, PROJECT, STRUCTURAL
from ingest.finding import find_documents
from ingest.settings import EngineSettings
from ingest.workspace import Workspace, open_workspace

LICENCES = {
    "palmer_penguins": "CC0-1.0",
    "air_temperature_mpi_esm": "CC-BY-SA-4.0",
    "mri_phantom": "PDDL-1.0",
    "neuroimaging_formats": "MIT",
}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Workspace]]:
    """Opens workspaces on one watched folder; they are closed at the end."""
    (tmp_path / "data").mkdir()
    workspaces = []

    def open_one(**settings: Any) -> Workspace:
        engine = EngineSettings(state_dir=tmp_path / "state", settle_seconds=0, **settings)
        workspaces.append(open_workspace(tmp_path / "data", engine))
        return workspaces[-1]

    yield open_one
    for workspace in workspaces:
        workspace.close()


def made(workspace: Workspace, **options: Any) -> Made:
    """The project of drafts."""
    return make(workspace, [drafts()], **options)[0]


def records(root: Path, kind: str) -> dict[str, Any]:
    """Folder name → document of that kind."""
    return {p.parent.parent.name: json.loads(p.read_text()) for p in root.rglob(f".metadata/{kind}.json")}


def test_every_file_is_described_and_every_record_is_valid(opened: Callable[..., Workspace]) -> None:
    workspace = opened()
    one = made(workspace)
    manifests = records(workspace.root, STRUCTURAL)
    entries = [entry for manifest in manifests.values() for entry in manifest["file_descriptions"]]
    assert (one.datasets, one.files) == (len(manifests), len(entries)) == (4, 32)
    assert one.size_bytes == sum(entry["size_bytes"] for entry in entries)
    assert {entry["extraction"]["warnings"] == [] for entry in entries} == {True}
    for found in find_documents(workspace.root, workspace.layout):
        assert workspace.schemas.problems(found.kind, json.loads(found.path.read_text())) == [], found.path


def test_each_dataset_states_its_licence_and_where_it_is_from(opened: Callable[..., Workspace]) -> None:
    workspace = opened()
    made(workspace)
    datasets = records(workspace.root, ADMINISTRATIVE)
    assert {name: record["license"] for name, record in datasets.items()} == LICENCES
    for collection in COLLECTIONS:
        origin = datasets[collection.folder]["provenance_statement"]
        assert origin.startswith(f"Copied unchanged from the Python package {collection.distribution} ")
        assert origin.endswith(collection.licence_statement)


def test_nothing_is_claimed_that_no_source_says(opened: Callable[..., Workspace]) -> None:
    workspace = opened()
    made(workspace)
    for kind in (PROJECT, ADMINISTRATIVE):
        for record in records(workspace.root, kind).values():
            assert record["status"] == "draft"
            assert not {"data_steward", "publisher", "data_retention_schedule", "principal_investigator"} & set(record)
            assert workspace.schemas.missing_for_complete(kind, record)


def test_every_document_written_is_announced(opened: Callable[..., Workspace]) -> None:
    workspace, announced = opened(), list[Path]()
    made(workspace, on_recorded=announced.extend)
    assert {found.path for found in find_documents(workspace.root, workspace.layout)} <= set(announced)


def test_it_keeps_to_the_prefixes_of_this_place(opened: Callable[..., Workspace]) -> None:
    workspace = opened(project_prefix="project-", dataset_prefix="ds_")
    assert made(workspace).project.name == "project-demo"
    assert set(records(workspace.root, ADMINISTRATIVE)) == {f"ds_{name}" for name in LICENCES}


def test_a_second_call_changes_nothing(opened: Callable[..., Workspace]) -> None:
    workspace = opened()
    made(workspace)
    before = {p: p.stat().st_mtime_ns for p in workspace.root.rglob("*")}
    with pytest.raises(DemoError, match="p_demo is there already"):
        made(workspace)
    assert {p: p.stat().st_mtime_ns for p in workspace.root.rglob("*")} == before


def test_what_is_there_already_is_left_and_nothing_is_made_beside_it(opened: Callable[..., Workspace]) -> None:
    workspace = opened()
    (workspace.root / "p_demo_published").mkdir()
    (workspace.root / "p_demo_published" / "mine.txt").write_text("mine")
    with pytest.raises(DemoError, match="p_demo_published is there already"):
        make(workspace, [drafts(), complete(examples(date.today()))])
    assert not (workspace.root / "p_demo").exists()


def test_the_examples_are_complete_and_say_what_is_made_up(opened: Callable[..., Workspace]) -> None:
    workspace = opened()
    make(workspace, [complete(examples(date.today()))])
    for kind in (PROJECT, ADMINISTRATIVE):
        for record in records(workspace.root, kind).values():
            assert record["status"] == "complete"
            assert workspace.schemas.missing_for_complete(kind, record) == []
            assert "made up" in record.get("dataset_abstract", record.get("project_description"))
