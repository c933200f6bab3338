"""Trigger 3: a person starts a run. Its folder, its label, which files are its own, and what is known of it already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest import blanks, documents, instruments, manifest
from ingest.documents import EXPERIMENT, RUNS, STRUCTURAL, encode_path
from ingest.errors import DocumentError, LayoutError
from ingest.labels import free, label_of
from ingest.layout import METADATA
from ingest.prefilling import from_headers
from ingest.purposes import Purpose
from ingest.records import Change, Record
from ingest.run_templates import RunTemplate
from ingest.store import Store

Value = dict[str, Any]
Entries = Sequence[Value]


@dataclass(frozen=True)
class RunStart:
    """What a person asks for: ``files`` as ``os`` paths in the dataset, None for all that no other run has claimed."""

    name: str
    template: RunTemplate
    label: str = ""
    files: tuple[str, ...] | None = None
    experimenters: tuple[Mapping[str, Any], ...] = ()
    instruments: tuple[str, ...] = ()
    language: str = "en"


@dataclass(frozen=True)
class Started:
    """The run that began; ``path`` is its document."""

    run_id: str
    run_label: str
    path: Path


@dataclass(frozen=True)
class Claims:
    """Which run each file of a dataset belongs to: file identifier → labels of the runs that claim it."""

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def others(self, entry: Mapping[str, Any], label: str) -> tuple[str, ...]:
        """The other runs that claim a file."""
        return tuple(each for each in self.labels.get(str(entry["file_identifier"]), ()) if each != label)


# --- what is there -----------------------------------------------------------------------------------------------


def run_labels(root: Path, dataset: str) -> list[str]:
    """The names of the folders of a dataset's runs, sorted; with or without a document."""
    folder = root / dataset / METADATA / RUNS
    return [] if folder.is_symlink() else documents.folders_in(folder)


def experiments(root: Path, dataset: str) -> dict[str, Value]:
    """Folder name → record of each run of a dataset; those that cannot be read are left out."""
    found: dict[str, Value] = {}
    for label in run_labels(root, dataset):
        try:
            found[label] = documents.read_document(documents.run_document(root, dataset, label), EXPERIMENT).value
        except (FileNotFoundError, DocumentError):
            continue
    return found


def read_entries(root: Path, dataset: str) -> list[Value]:
    """The entries of a dataset's manifest.

    Raises:
        DocumentError, FileNotFoundError: when there is no manifest that can be read.
    """
    path = documents.dataset_document(root, dataset, STRUCTURAL)
    value = documents.read_document(path, STRUCTURAL).value
    manifest.entries_by_name(path, value)
    return list(value["file_descriptions"])


# --- whose files -------------------------------------------------------------------------------------------------


def claims(entries: Entries, runs: Mapping[str, Mapping[str, Any]]) -> Claims:
    """Which run each file belongs to: the one that was finalised with it, and those whose draft lists it."""
    named = {str(value.get("run_id")): label for label, value in runs.items()}
    listed: dict[str, list[str]] = {}
    for label, value in runs.items():
        for path in _listed(value) or ():
            listed.setdefault(path, []).append(label)
    found: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        owner = str(entry.get("run_id") or "")
        labels = (named.get(owner) or _lost(entry, runs),) if owner else tuple(listed.get(str(entry.get("path")), ()))
        if labels:
            found[str(entry["file_identifier"])] = labels
    return Claims(found)


def _lost(entry: Mapping[str, Any], runs: Mapping[str, Any]) -> str:
    """The label of the run a file was finalised with, of which there is no record that can be read."""
    label = str(entry.get("complete_metadata", "")).rpartition("/")[0].rpartition("/")[2]
    return label if label and label not in runs else str(entry["run_id"])


def _listed(run: Mapping[str, Any]) -> list[str] | None:
    files = run.get("data_files")
    return [each for each in files if isinstance(each, str)] if isinstance(files, list) else None


def own_files(entries: Entries, runs: Mapping[str, Mapping[str, Any]], label: str) -> list[Value]:
    """The entries of a run's files: those its record lists, else every one that no other run has claimed."""
    listed = _listed(runs[label])
    if listed is not None:
        wanted = set(listed)
        return [entry for entry in entries if entry.get("path") in wanted]
    claimed_ = claims(entries, runs)
    return [e for e in entries if not claimed_.others(e, label) and e.get("state") != "missing"]


def claimed(root: Path, dataset: str) -> dict[str, str]:
    """``os`` path → label of the run that has claimed it, for the files of a dataset.

    Raises:
        DocumentError, FileNotFoundError: when there is no manifest that can be read.
    """
    entries = read_entries(root, dataset)
    found = claims(entries, experiments(root, dataset)).labels
    return {
        documents.decode_path(entry["path"], entry.get("path_encoding")): found[entry["file_identifier"]][0]
        for entry in entries
        if entry["file_identifier"] in found
    }


# --- starting ----------------------------------------------------------------------------------------------------


def free_label(root: Path, dataset: str, name: str) -> str:
    """A label for a run of this name that no other run of the dataset has, fit for a folder's name."""
    return free(label_of(name, "run"), run_labels(root, dataset))


def prefilled(wanted: RunStart, entries: Entries, registry: Sequence[Mapping[str, Any]]) -> Value:
    """The fields of a new run: its template's, its name and people, and what the headers of its files tell."""
    found = from_headers(entries, registry)
    value = _without_empty(dict(wanted.template.value))
    for key, told in found.items():
        if isinstance(told, list) and isinstance(value.get(key), list):
            value[key] = _merged(value[key], told)
        elif key not in value:
            value[key] = told
    if wanted.name.strip():
        value["experiment_name"] = wanted.name.strip()
    if wanted.experimenters:
        value["experimenters"] = [dict(each) for each in wanted.experimenters]
    if wanted.instruments:
        value["instruments_used"] = list(dict.fromkeys(wanted.instruments))
    if wanted.files is not None:
        value["data_files"] = sorted(encode_path(path)["path"] for path in dict.fromkeys(wanted.files))
    return value


def _without_empty(value: Value) -> Value:
    """Fields that hold nothing are absent."""
    return {key: each for key, each in value.items() if each not in ([], {})}


def _merged(offered: Iterable[Any], told: Iterable[Any]) -> list[Any]:
    """What was told fills the rows that were offered for it; the other rows stay."""
    rows = list(told)
    filled = {_row_name(row) for row in rows}
    purposes = {row.get("purpose") for row in rows if isinstance(row, dict)}
    for row in offered:
        bare = isinstance(row, dict) and set(row) <= {"purpose"}
        if (bare and row.get("purpose") in purposes) or (_row_name(row) and _row_name(row) in filled):
            continue
        if row not in rows:
            rows.append(row)
    return rows


def _row_name(row: Any) -> str:
    name = row.get("name") if isinstance(row, dict) else None
    return name.casefold() if isinstance(name, str) else ""


def start(
    store: Store, root: Path, dataset_relative: str, dataset_identifier: str, wanted: RunStart, by: str
) -> Started:
    """Trigger 3: make a run's folder and its record, as one action of this person.

    Raises:
        LayoutError: when a file it names lies outside the dataset or belongs to another run.
        DocumentError: when the manifest cannot be read or the record would not be valid.
        StoreError, BusyError: when it cannot be written now.
    """
    runs = experiments(root, dataset_relative)
    entries = read_entries(root, dataset_relative)
    _refuse_foreign(wanted, entries, runs)
    run_id = documents.new_identifier()
    own = {"": {"run_id": run_id, **({} if wanted.files is None else {"data_files": _recorded(wanted.files)})}}
    files = own_files(entries, {**runs, **own}, "")
    value = prefilled(wanted, files, [value for _, value in instruments.recorded(root)])

    def new(old: Value | None) -> Value | None:
        if old is not None:
            return None
        _refuse_foreign(wanted, entries, experiments(root, dataset_relative))  # others may have begun meanwhile
        return {**template, **value}

    while True:
        label = free_label(root, dataset_relative, wanted.label or wanted.name)
        path = documents.run_document(root, dataset_relative, label)
        template = blanks.experiment_template(run_id, label, dataset_identifier, wanted.language)
        change = Change(path, EXPERIMENT, new)
        record = Record("dataset", dataset_identifier, dataset_relative, (change,))
        outcome = store.apply([record], by=by, purpose=Purpose(trigger="3", run=label))[0]
        if outcome.error is not None:
            raise outcome.error
        if outcome.written:  # else another run took the label at this very moment
            return Started(run_id, label, path)


def _recorded(files: Iterable[str]) -> list[str]:
    return [encode_path(path)["path"] for path in files]


def _refuse_foreign(wanted: RunStart, entries: Entries, runs: Mapping[str, Mapping[str, Any]]) -> None:
    known = {documents.decode_path(e["path"], e.get("path_encoding")): e for e in entries}
    claimed_ = claims(entries, runs)
    for path in wanted.files or ():
        if not path or path.startswith("/") or {"", ".", ".."} & set(path.split("/")) or "\0" in path:
            raise LayoutError(f"{path!r} is no path of a file in this dataset; choose files from its list.")
        labels = claimed_.others(known[path], "") if path in known else ()
        if labels:
            raise LayoutError(
                f"{documents.readable(path)!r} belongs to the run {labels[0]!r} already; "
                "leave it out, or take it out there."
            )
