"""The document whose history an address names: any that people change, and the complete metadata files of a run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePath

from catalog import engine
from catalog.editing import targets
from catalog.editing.targets import Target
from catalog.models import Dataset, Document, Project
from ingest import documents, revisions
from ingest.documents import COMPLETE, EXPERIMENT
from ingest.layout import METADATA

_REVISION = re.compile(r"revision-([1-9][0-9]{0,8})")


def target(word: str, identifier: str) -> Target | None:
    """The document of a word and an identifier: ``revision-2`` is that of a run's complete metadata files."""
    found = _REVISION.fullmatch(word)
    if found is None:
        return targets.find(word, identifier) or _gone(word, identifier)
    run = targets.find("run", identifier)
    if run is None:
        return None
    folder = Path(run.relative).parent
    name = revisions.revision_name(folder.name, int(found[1]))
    return replace(run, relative=(folder / name).as_posix(), kind=COMPLETE)


def _gone(word: str, identifier: str) -> Target | None:
    """The document of a record whose folder is not there any more: what it said is still to be read."""
    row: Project | Dataset | None = None
    if word == "project":
        row = Project.objects.filter(identifier=identifier).first()
    elif word in ("dataset", "files"):
        row = Dataset.objects.filter(identifier=identifier).first()
    root = engine.root_named(row.root) if row is not None else None
    if row is None or root is None or not row.path:
        return None
    kind, folder = targets.KINDS[word], documents.decode_path(row.path, row.path_encoding)
    project, dataset = (row.project_identifier, identifier) if isinstance(row, Dataset) else (identifier, "")
    return Target(root, f"{folder}/{METADATA}/{kind}.json", kind, identifier, project, dataset, str(row))


def at(root: Path, relative: str) -> Target | None:
    """The document at an ``os`` path below a root, as the index knows it; None when it knows none there."""
    place = documents.encode_path(relative)
    rows = Document.objects.filter(root=documents.readable(str(root)), path=place["path"])
    row = rows.filter(path_encoding=place.get("path_encoding", "")).first()
    if row is None:
        return None
    if row.kind != COMPLETE:
        return targets.find(targets.word_of(row.kind), row.identifier)
    run = at(root, f"{PurePath(relative).parent}/{EXPERIMENT}.json")
    number = documents.revision_of(PurePath(relative).name)
    return target(f"revision-{number}", run.identifier) if run is not None else None


def word_of(found: Target) -> str:
    """The word that leads to a document's history."""
    if found.kind == COMPLETE:
        return f"revision-{documents.revision_of(found.path.name)}"
    return found.word


def name_of(found: Target) -> str:
    """What people call a document."""
    if found.kind == COMPLETE:
        return f"complete metadata file, revision {documents.revision_of(found.path.name)}"
    return targets.NAMES[found.word]
