"""Record rows as a pure function of document rows: whichever document came last, the same rows come out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from catalog.index.files import text
from catalog.index.reading import is_number
from catalog.models import ChangeLog, Dataset, Document, Instrument, Project, Run, value_of
from ingest import documents

Columns = dict[str, Any]


@dataclass
class Affected:
    """Identifiers whose rows must be derived again, by the kind of record."""

    identifiers: dict[type[Model], set[str]] = field(default_factory=lambda: defaultdict(set))
    run_files: set[str] = field(default_factory=set)  # runs some of whose files are described otherwise now
    run_folders: set[tuple[str, str]] = field(default_factory=set)  # (root, path) where a complete file came or went

    def add(self, kind: str, identifier: str) -> None:
        if identifier:
            for model in MODELS[kind]:
                self.identifiers[model].add(identifier)


MODELS: Mapping[str, tuple[type[Model], ...]] = {
    documents.PROJECT: (Project,),
    documents.ADMINISTRATIVE: (Dataset,),
    documents.STRUCTURAL: (Dataset,),
    documents.INSTRUMENT: (Instrument,),
    documents.EXPERIMENT: (Run,),
    documents.REGISTRY: (Project, Dataset, ChangeLog),
    documents.COMPLETE: (),  # what it says of its run is derived from more than itself: see catalog.index.runs
}


def folder_of(document: Document) -> tuple[str, str, str]:
    """The folder a document speaks of: (root, path, path_encoding), below the root."""
    if not document.path_encoding:
        return document.root, document.path.rsplit("/.metadata/", 1)[0], ""
    folder = documents.decode_path(document.path, document.path_encoding).rsplit("/.metadata/", 1)[0]
    encoded = documents.encode_path(folder)
    return document.root, encoded["path"], encoded.get("path_encoding", "")


def _registered(registry: Document | None) -> tuple[str, str, str] | None:
    value = value_of(registry)
    if registry is None or not isinstance(value.get("path"), str):
        return None
    return registry.root, value["path"], text(value.get("path_encoding"))


def moment_of(value: Any) -> datetime | None:
    """The time of an RFC 3339 text, UTC; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _whole(value: Any) -> int:
    """A count for a column; anything else counts nothing."""
    return value if is_number(value) else 0


def _by_place(candidates: Iterable[Document]) -> list[Document]:
    return sorted(candidates, key=lambda document: (document.root, document.path, document.path_encoding))


def _of(kind: str, candidates: Iterable[Document]) -> list[Document]:
    return _by_place(document for document in candidates if document.kind == kind)


def _registry(kind: str, candidates: Iterable[Document]) -> Document | None:
    entries = [entry for entry in _of(documents.REGISTRY, candidates) if value_of(entry).get("kind") == kind]
    return entries[0] if entries else None


def _chosen_folder(bearers: Sequence[Document], registry: Document | None) -> tuple[tuple[str, str, str] | None, str]:
    """The folder a record lives in, and what to say when several claim it: the registry's, else the first by name."""
    folders = sorted({folder_of(document) for document in bearers})
    registered = _registered(registry)
    if not folders:
        return registered, ""
    chosen = registered if registered in folders else folders[0]
    if len(folders) == 1:
        return chosen, ""
    others = ", ".join(path for _, path, _ in folders if path != chosen[1]) or ", ".join(root for root, _, _ in folders)
    return chosen, f"The same identifier is also claimed by {others}; the folder shown is {chosen[1]}."


def _shared(folder: tuple[str, str, str] | None, registry: Document | None, present: bool) -> Columns:
    entry = value_of(registry)
    root, path, encoding = folder or ("", "", "")
    return {
        "root": root,
        "path": path,
        "path_encoding": encoding,
        "state": text(entry.get("state")) or ("present" if present else "missing"),
        "sequence": _whole(entry.get("sequence")),
        "registry_id": registry.pk if registry else None,
    }


def project(identifier: str, candidates: Sequence[Document]) -> Columns | None:
    """A project's row from the documents that bear its identifier, or None when nothing speaks of it."""
    bearers = _of(documents.PROJECT, candidates)
    registry = _registry("project", candidates)
    if not bearers and registry is None:
        return None
    folder, problem = _chosen_folder(bearers, registry)
    document = next((bearer for bearer in bearers if folder_of(bearer) == folder), None)
    value = value_of(document)
    return _shared(folder, registry, document is not None) | {
        "title": text(value.get("project_title")),
        "status": text(value.get("status")),
        "modified": moment_of(value.get("last_modified_date")),
        "problem": problem,
        "document_id": document.pk if document else None,
    }


def dataset(identifier: str, candidates: Sequence[Document]) -> Columns | None:
    """A dataset's row from the documents that bear its identifier, or None when nothing speaks of it."""
    bearers = [*_of(documents.ADMINISTRATIVE, candidates), *_of(documents.STRUCTURAL, candidates)]
    registry = _registry("dataset", candidates)
    if not bearers and registry is None:
        return None
    folder, problem = _chosen_folder(bearers, registry)
    here = {bearer.kind: bearer for bearer in bearers if folder_of(bearer) == folder}
    administrative, structural = here.get(documents.ADMINISTRATIVE), here.get(documents.STRUCTURAL)
    value, manifest = value_of(administrative), value_of(structural)
    parent = value.get("associated_project_identifier") or manifest.get("associated_project_identifier")
    return _shared(folder, registry, bool(here)) | {
        "project_identifier": text(parent or value_of(registry).get("project_identifier")).lower(),
        "title": text(value.get("dataset_title")),
        "status": text(value.get("status")),
        "modified": max(
            filter(None, (moment_of(each.get("last_modified_date")) for each in (value, manifest))), default=None
        ),
        "access_level": text(value.get("access_level")),
        "license": text(value.get("license")),
        "file_count": _whole(manifest.get("file_count")),
        "size_bytes": _whole(manifest.get("total_size_bytes")),
        "problem": problem,
        "administrative_id": administrative.pk if administrative else None,
        "structural_id": structural.pk if structural else None,
    }


def instrument(identifier: str, candidates: Sequence[Document]) -> Columns | None:
    """An instrument's row; of several documents with one identifier the first by place counts."""
    bearers = _of(documents.INSTRUMENT, candidates)
    if not bearers:
        return None
    value = value_of(bearers[0])
    return {
        "name": text(value.get("instrument_name")),
        "serial_number": text(value.get("serial_number")),
        "status": text(value.get("status")),
        "document_id": bearers[0].pk,
    }


def run(identifier: str, candidates: Sequence[Document]) -> Columns | None:
    """What a run's row tells of its document; its dataset depends on more than that: see catalog.index.runs."""
    bearers = _of(documents.EXPERIMENT, candidates)
    return of_run(bearers[0]) if bearers else None


def of_run(document: Document) -> Columns:
    value = value_of(document)
    return {
        "label": text(value.get("run_label")),
        "name": text(value.get("experiment_name")),
        "run_type": text(value.get("run_type")),
        "status": text(value.get("status")),
        "document_id": document.pk,
    }


def change(identifier: str, candidates: Sequence[Document]) -> Columns | None:
    """The latest entry of the change log, from the registry."""
    entries = _of(documents.REGISTRY, candidates)
    if not entries:
        return None
    value = value_of(entries[0])
    state, actor = text(value.get("state")), text(value.get("last_modified_by"))
    return {
        "root": entries[0].root,
        "sequence": _whole(value.get("sequence")),
        "kind": text(value.get("kind")),
        "datestamp": moment_of(value.get("datestamp")),
        "action": f"{state} by {actor}" if actor else state,
    }
