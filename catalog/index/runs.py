"""The dataset a run belongs to, and what its row says of its complete metadata file: its revision, and if outdated.

A run belongs to the dataset in whose folder its document stands, whatever the document names: only that tells who may
change it. The rest depends on the manifest that names the complete file, on that file, and on every document it was
made of. So a change of any of these derives the rows of the runs concerned again; their files are compared only when
some of theirs changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.index import files
from catalog.index.files import text
from catalog.index.records import Affected, folder_of, moment_of, of_run
from catalog.models import Dataset, Document, Instrument, Project, Run, value_of
from catalog.queries import below
from ingest import documents
from ingest.documents import ADMINISTRATIVE, EXPERIMENT, STRUCTURAL
from ingest.errors import DocumentError
from ingest.layout import METADATA
from ingest.marking import all_named
from ingest.parts import Part, Parts, outdated_files, outdated_records
from ingest.revisions import file_lines, read_revision

_IN_ONE_QUERY = 200
_EMPTY: Mapping[str, Any] = {
    "revision": 0, "complete_metadata": "", "finalized": None, "outdated": [], "outdated_files": [], "compared": "",
}  # fmt: skip


def derive(affected: Affected) -> None:
    """Makes the rows of every run that a change concerns equal to what the documents say now."""
    if not Run.objects.exists():
        return
    around = _Around()
    for some in _batches(set(_concerned(affected))):
        for run in Run.objects.filter(identifier__in=some):
            _derive_one(run, around, run.identifier in affected.run_files)


def _concerned(affected: Affected) -> Iterator[str]:
    """Identifiers of the runs that a change of these records, files and documents may concern."""
    yield from affected.run_files
    yield from affected.identifiers.get(Run, ())
    datasets = set(affected.identifiers.get(Dataset, ()))
    yield from _in_folders_of(datasets)
    if projects := affected.identifiers.get(Project):
        own = Dataset.objects.filter(project_identifier__in=list(projects))
        datasets.update(own.values_list("identifier", flat=True))
    for some in _batches(datasets):
        yield from Run.objects.filter(dataset_identifier__in=some).values_list("identifier", flat=True)
    if instruments := affected.identifiers.get(Instrument):
        yield from _using(instruments)
    for root, folder in affected.run_folders:
        here = Document.objects.filter(root=root, path=f"{folder}/{EXPERIMENT}.json")
        yield from here.values_list("identifier", flat=True)


def _in_folders_of(datasets: Iterable[str]) -> Iterator[str]:
    """The runs in these datasets' folders, which may have been other datasets' folders until now."""
    for some in _batches(datasets):
        for row in Dataset.objects.filter(identifier__in=some):
            here = below(row.root, row.path, row.path_encoding).filter(kind=EXPERIMENT)
            yield from here.values_list("identifier", flat=True)


def _batches(identifiers: Iterable[str]) -> Iterator[list[str]]:
    several = sorted(identifiers)
    return (several[start : start + _IN_ONE_QUERY] for start in range(0, len(several), _IN_ONE_QUERY))


def _using(instruments: set[str]) -> Iterator[str]:
    for identifier, value in Document.objects.filter(kind=EXPERIMENT).values_list("identifier", "value").iterator():
        used = value.get("instruments_used") if isinstance(value, dict) else None
        if isinstance(used, list) and instruments & {each for each in used if isinstance(each, str)}:
            yield identifier


@dataclass
class _Around:
    """What several runs share, asked for once: the dataset around their documents, and what that one holds."""

    datasets: dict[tuple[str, str, str, str], Dataset | None] = field(default_factory=dict)
    named: dict[int, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    projects: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def dataset(self, document: Document) -> Dataset | None:
        """The dataset in whose folder a run's document stands; where two say it is theirs, the one the run names."""
        named = text(value_of(document).get("dataset_identifier")).lower()
        key = (*folder_of(document), named)
        if key not in self.datasets:
            self.datasets[key] = _dataset_at(*key)
        return self.datasets[key]

    def named_by(self, dataset: Dataset, run: Run) -> Mapping[str, Any]:
        """What the manifest says of a run's complete metadata file; {} when it names none."""
        if dataset.pk not in self.named:
            self.named[dataset.pk] = all_named(value_of(dataset.structural))
        return self.named[dataset.pk].get(run.identifier, {})

    def project(self, identifier: str) -> Mapping[str, Any]:
        """The document of a project; {} when there is none."""
        if identifier not in self.projects:
            row = Project.objects.select_related("document").filter(identifier=identifier).first()
            self.projects[identifier] = value_of(row.document if row is not None else None)
        return self.projects[identifier]


def _derive_one(run: Run, around: _Around, files_changed: bool) -> None:
    document, dataset = _standing(run, around)
    columns = {
        **_EMPTY,
        **of_run(document),
        "dataset_identifier": dataset.identifier if dataset is not None else "",
    }
    named = around.named_by(dataset, run) if dataset is not None else {}
    if dataset is not None and named:
        columns |= {
            "revision": named["revision"],
            "complete_metadata": named["complete_metadata"],
            "finalized": moment_of(named.get("finalized_date")),
        }
        columns |= _state(run, document, dataset, around, files_changed)
    if any(getattr(run, name) != value for name, value in columns.items()):
        Run.objects.filter(pk=run.pk).update(**columns)


def _standing(run: Run, around: _Around) -> tuple[Document, Dataset | None]:
    """The run's document and the dataset whose folder it stands in; of several documents the first that is in one."""
    bearers = Document.objects.filter(kind=EXPERIMENT, identifier=run.identifier)
    by_place = list(bearers.order_by("root", "path", "path_encoding"))
    found = ((document, dataset) for document in by_place if (dataset := around.dataset(document)) is not None)
    return next(found, (by_place[0], None))


def _dataset_at(root: str, path: str, encoding: str, named: str) -> Dataset | None:
    beside = [
        documents.encode_path(f"{documents.decode_path(path, encoding)}/{METADATA}/{kind}.json")["path"]
        for kind in (ADMINISTRATIVE, STRUCTURAL)
    ]
    candidates = {named, *Document.objects.filter(root=root, path__in=beside).values_list("identifier", flat=True)}
    rows = Dataset.objects.select_related("administrative", "structural").filter(
        identifier__in=candidates, root=root, path=path, path_encoding=encoding
    )
    return min(rows, key=lambda row: (row.identifier != named, row.identifier), default=None)


def _state(run: Run, experiment: Document, dataset: Dataset, around: _Around, files_changed: bool) -> dict[str, Any]:
    named = around.named_by(dataset, run)
    document = _document_in(dataset, named["complete_metadata"])
    if document is None:
        return {"outdated": [f"Its complete metadata file {named['complete_metadata']} is missing."]}
    if not isinstance(document.value, dict):
        return {"outdated": [document.problem]}
    if document.sha256 != named.get("sha256"):
        return {"outdated": ["Its complete metadata file was changed after it was written."]}
    try:
        of_records = list(outdated_records(document.value, _parts(experiment, dataset, around)))
        of_files = run.outdated_files
        if files_changed or run.compared != document.sha256:
            of_files = _of_files(run, dataset, document)
    except (FileNotFoundError, DocumentError, AttributeError, KeyError, TypeError) as error:
        return {"outdated": [f"It cannot be compared with its complete metadata file: {error}."]}
    return {
        "outdated": of_records + of_files,
        "outdated_files": of_files,
        "compared": document.sha256,
    }


def _of_files(run: Run, dataset: Dataset, document: Document) -> list[str]:
    path = Path(document.root, documents.decode_path(document.path, document.path_encoding))
    lines = file_lines(documents.read_bytes(path))
    if lines is not None and files.are_just(dataset.pk, run.identifier, lines):
        return []
    before = read_revision(path).value["structure"]
    entries = sorted(files.entries_of(dataset.pk, run.identifier), key=lambda entry: str(entry["path"]))
    return list(outdated_files(before, {"file_descriptions": entries}))


def _document_in(dataset: Dataset, relative: str) -> Document | None:
    folder = documents.decode_path(dataset.path, dataset.path_encoding)
    encoded = documents.encode_path(f"{folder}/{relative}")
    here = Document.objects.filter(root=dataset.root, path=encoded["path"])
    return here.filter(path_encoding=encoded.get("path_encoding", "")).first()


def _parts(document: Document, dataset: Dataset, around: _Around) -> Parts:
    """The documents as they stand, the files left out."""
    experiment = value_of(document)
    return Parts(
        Part("", around.project(dataset.project_identifier)),
        Part("", value_of(dataset.administrative)),
        Part("", value_of(dataset.structural)),
        Part("", experiment),
        tuple(Part("", value) for value in _instruments(experiment.get("instruments_used"))),
    )


def _instruments(used: Any) -> Iterable[Mapping[str, Any]]:
    identifiers = [each for each in used if isinstance(each, str)] if isinstance(used, list) else []
    if not identifiers:
        return []
    rows = Instrument.objects.select_related("document").filter(identifier__in=identifiers).order_by("identifier")
    return [value_of(row.document) for row in rows]
