"""Runs begun, given their files and finalised by a person: the engine's triggers 3 to 5, and the pages that tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog import engine, index
from catalog.editing import targets
from catalog.editing.targets import Target
from catalog.index.absence import absence
from catalog.models import Dataset
from ingest import complete, run_templates
from ingest import runs as engine_runs
from ingest.complete import Finalised
from ingest.documents import decode_path, encode_path
from ingest.errors import FrozenError, LayoutError
from ingest.layout import METADATA
from ingest.run_templates import RunTemplate
from ingest.runs import RunStart, Started


def place(dataset: Dataset) -> tuple[Path, str]:
    """The watched folder of a dataset and its ``os`` path below it.

    Raises:
        LayoutError: when it is in no watched folder.
    """
    root = engine.root_named(dataset.root)
    if root is None:
        raise LayoutError(f"The dataset {str(dataset)!r} is in no watched folder; nothing of it can be changed.")
    return root, decode_path(dataset.path, dataset.path_encoding)


def templates(dataset: Dataset) -> Sequence[RunTemplate]:
    """What a run of a dataset may begin with, the site's own included."""
    root, _ = place(dataset)
    return run_templates.templates(root, engine.schemas(root))


def begin(
    dataset: Dataset,
    *,
    name: str,
    label: str,
    template: RunTemplate,
    files: tuple[str, ...] | None,
    experimenters: Sequence[Mapping[str, Any]],
    by: str,
) -> Started:
    """Trigger 3; the new run is on its page at once.

    Raises:
        FairfolderError: why it cannot begin, in a sentence.
    """
    root, relative = place(dataset)
    _present(root)
    language = settings.ENGINE.metadata_language
    wanted = RunStart(name, template, label, files, tuple(experimenters), language=language)
    started = engine_runs.start(targets.store(root), root, relative, dataset.identifier, wanted, by)
    _show(root, relative)
    return started


def finalise(target: Target, *, by: str) -> Finalised:
    """Triggers 4 and 5 for a run's document as it stands on disk.

    Raises:
        DocumentError: when it is not complete; ``problems`` and ``pointers`` say what is missing.
        FairfolderError: why it cannot be finalised now, in a sentence.
    """
    _present(target.root)
    relative = target.relative.partition(f"/{METADATA}/")[0]
    label = Path(target.relative).parent.name
    with engine.looking(target.root) as workspace:
        done = complete.finalise(targets.store(target.root), target.root, relative, label, by, workspace.seen)
    _show(target.root, relative)
    return done


def give_files(target: Target, files: tuple[str, ...] | None, *, by: str, if_match: str) -> None:
    """Which files a run is about, from now on; None for every file that no other run has.

    Raises:
        ConflictError: when the run was changed since ``if_match``.
        FairfolderError: why it cannot be changed now.
    """
    recorded = None if files is None else sorted(encode_path(path)["path"] for path in files)

    def change(old: dict[str, Any] | None) -> dict[str, Any] | None:
        if old is None:
            return None
        kept = {key: value for key, value in old.items() if key != "data_files"}
        return kept if recorded is None else {**kept, "data_files": recorded}

    targets.save(target, change, by=by, if_match=if_match)


def _present(root: Path) -> None:
    if reason := absence(root):
        raise FrozenError(f"{reason} Nothing was saved.")


def _show(root: Path, dataset: str) -> None:
    index.refresh([root / dataset])
