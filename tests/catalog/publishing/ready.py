"""A dataset that the engine described, with complete records and finished runs: it may be published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import index
from catalog.editing import runs, targets
from catalog.models import Dataset, Published, Run
from catalog.publishing import acting
from ingest import documents
from ingest import runs as engine_runs
from ingest.run_templates import templates
from ingest.runs import RunStart
from tests.catalog.described import Described

FOLDER = "p_Alpha/ds"
ADMINISTRATIVE = f"{FOLDER}/.metadata/dataset_administrative.json"
PROJECT = "p_Alpha/.metadata/project_descriptive.json"
PERSON = {"@type": "Person", "name": "Rosa Luz", "email": "rosa.private@example.org"}

OF_PROJECT = {
    "project_title": "Heat shock",
    "project_description": "Response of seedlings to heat.",
    "principal_investigator": PERSON,
    "status": "complete",
}
OF_DATASET = {
    "dataset_title": "Counts of living cells",
    "dataset_abstract": "Living cells counted in confocal images of seedlings after a heat shock.",
    "creators": [PERSON],
    "data_steward": {"@type": "Organization", "name": "Data Desk", "email": "data@example.org"},
    "publisher": {"@type": "Organization", "name": "Example University"},
    "license": "CC-BY-4.0",
    "access_level": "public",
    "keywords": ["heat shock"],
    "data_retention_schedule": {"period": "P10Y", "start_event": "published", "action": "review"},
    "status": "complete",
}
OF_RUN = {
    "run_type": "observation",
    "experiment_dates": {"start": "2026-01-12"},
    "experimenters": [PERSON],
    "no_protocol_reason": "None yet.",
}


@dataclass(frozen=True)
class Ready:
    """What tests do to it, as people and the engine would."""

    described: Described

    @property
    def root(self) -> Path:
        return self.described.root

    @property
    def dataset(self) -> Dataset:
        rows = Dataset.objects.select_related("registry", "administrative", "structural")
        return rows.get(identifier=self.identifier)

    @property
    def identifier(self) -> str:
        return str(Dataset.objects.get(title=OF_DATASET["dataset_title"]).identifier)

    @property
    def row(self) -> Published:
        return Published.objects.get()

    def entry(self) -> dict[str, Any]:
        """The registry entry on disk."""
        return self.described.read(f".metadata/registry/{self.identifier}.json")

    def change(self, path: str, **fields: Any) -> None:
        """A person's change of a record, in its form; None takes a field away."""
        kind = documents.kind_of(self.root / path)
        assert kind is not None

        def changed(old: dict[str, Any] | None) -> dict[str, Any]:
            return {key: each for key, each in {**(old or {}), **fields}.items() if each is not None}

        targets.store(self.root).change(self.root / path, kind, changed, by="rosa")
        index.refresh([self.root / path, documents.registry_folder(self.root)])

    def run(self, label: str, files: tuple[str, ...]) -> None:
        """A run with these files, complete."""
        template = next(each for each in templates(self.root, targets.store(self.root).schemas) if each.name == "plain")
        wanted = RunStart(label, template, label, files)
        identifier = Dataset.objects.get(path=FOLDER).identifier
        engine_runs.start(targets.store(self.root), self.root, FOLDER, identifier, wanted, "rosa")
        index.refresh([self.root / FOLDER])
        self.change(f"{FOLDER}/.metadata/runs/{label}/experiment_contextual.json", **OF_RUN)
        self.finalise(label)

    def finalise(self, label: str) -> None:
        target = targets.find("run", self.run_id(label))
        assert target is not None
        runs.finalise(target, by="rosa")

    def publish(self, by: str = "curie") -> Published:
        acting.publish(self.dataset, by=by)
        return self.row

    def withdraw(self, reason: str = "Consent was taken back.") -> Published:
        acting.withdraw(self.dataset, reason, by="curie")
        return self.row

    def access(self, level: str, **fields: Any) -> None:
        """The live record says another access level."""
        self.change(ADMINISTRATIVE, access_level=level, **fields)

    def run_id(self, label: str = "first") -> str:
        return str(Run.objects.get(label=label).identifier)


def ready(described: Described) -> Ready:
    made = Ready(described)
    described.put("p_Alpha/ds/a.csv")
    described.put("p_Alpha/ds/plate1/b.csv", "x\n1\n")
    described.put("p_Alpha/ds/later.csv", "y\n1\n")
    described.describe()
    made.change(PROJECT, **OF_PROJECT)
    made.change(ADMINISTRATIVE, **OF_DATASET)
    made.run("first", ("a.csv", "plate1/b.csv"))
    return made
