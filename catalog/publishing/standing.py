"""A dataset as it stands: what its registry entry, its live record and its manifest say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog import engine
from catalog.models import Dataset, Instrument, Project, Run, value_of
from ingest import documents
from ingest.acts import Acts
from ingest.marking import all_named
from ingest.seen import state_folder


@dataclass(frozen=True)
class Standing:
    """``entry`` holds the publication that the next act begins with; ``edited``: the file says another than we wrote.

    What is public is in the row (`catalog.models.Published`): where the two disagree, the stricter of them.
    """

    root: Path | None
    relative: str
    entry: Mapping[str, Any]
    live: Mapping[str, Any]
    runs: Sequence[Mapping[str, Any]]
    edited: bool = False

    @property
    def folder(self) -> Path:
        """The dataset's folder; only where there is a root."""
        assert self.root is not None
        return self.root / self.relative


def of(dataset: Dataset) -> Standing:
    """What the index knows of a dataset.

    Raises:
        StoreError: when the engine's state of its watched folder cannot be read.
    """
    root = engine.root_named(dataset.root)
    entry = value_of(dataset.registry)
    edited = False
    if root is not None and entry:
        acts = Acts(root, state_folder(settings.ENGINE.state_dir, root))
        edited = not acts.is_obeyed(entry)
        entry = {**entry, "publication": acts.kept(entry)}
    named = all_named(value_of(dataset.structural))
    runs = sorted(named.values(), key=lambda each: str(each.get("run_label")))
    relative = documents.decode_path(dataset.path, dataset.path_encoding)
    return Standing(root, relative, entry, value_of(dataset.administrative), runs, edited)


def waits_for_revision(dataset: Dataset) -> bool:
    """Whether something changed that no complete metadata says yet, so that publishing would not make it public."""
    return Run.objects.filter(dataset_identifier=dataset.identifier).exclude(outdated=[]).exists()


def target(word: str, identifier: str) -> Mapping[str, Any] | None:
    """A record around a dataset as it stands; None when there is none."""
    if word == "project":
        row = Project.objects.select_related("document").filter(identifier=identifier).first()
        return value_of(row.document) if row is not None else None
    if word == "instrument":
        instrument = Instrument.objects.select_related("document").filter(identifier=identifier).first()
        return value_of(instrument.document) if instrument is not None else None
    dataset = Dataset.objects.select_related("administrative").filter(identifier=identifier).first()
    return value_of(dataset.administrative) if dataset is not None else None
