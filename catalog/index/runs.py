"""The dataset a run belongs to, and what its row says of its complete metadata file: its revision, and if outdated.

A run belongs to the dataset in whose folder its document stands, whatever the document names: only that tells who may
change it. The rest depends on the manifest that names the complete file, on that file, and on every document it was
made of. So a change of any of these derives the rows of the runs concerned again; their files are compared only when
some of theirs changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    for some in _batches(set(_concerned(affected))):
        for run in Run.objects.filter(identifier__in=some):
            _derive_one(run, run.identifier in affected.run_files)


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


def _derive_one(run: Run, files_changed: bool) -> None:
    document, dataset = _standing(run)
    columns = {
        **_EMPTY,
        **of_run(document),
        "dataset_identifier": dataset.identifier if dataset is not None else "",
    }
    named = _named(run, dataset)
    if dataset is not None and named is not None:
        columns |= {
            "revision": named["revision"],
            "complete_metadata": named["complete_metadata"],
            "finalized": moment_of(named.get("finalized_date")),
        }
        columns |= _state(run, document, dataset, named, files_changed)
    if any(getattr(run, name) != value for name, value in columns.items()):
        Run.objects.filter(pk=run.pk).update(**columns)


def _standing(run: Run) -> tuple[Document, Dataset | None]:
    """The run's document and the dataset whose folder it stands in; of several documents the first that is in one."""
    bearers = Document.objects.filter(kind=EXPERIMENT, identifier=run.identifier)
    by_place = list(bearers.order_by("root", "path", "path_encoding"))
    found = ((document, dataset) for document in by_place if (dataset := _dataset_around(document)) is not None)
    return next(found, (by_place[0], None))


def _dataset_around(document: Document) -> Dataset | None:
    """The dataset in whose folder a run's document stands; where two say it is theirs, the one the run names."""
    root, path, encoding = folder_of(document)
    beside = [
        documents.encode_path(f"{documents.decode_path(path, encoding)}/{METADATA}/{kind}.json")["path"]
        for kind in (ADMINISTRATIVE, STRUCTURAL)
    ]
    named = text(value_of(document).get("dataset_identifier")).lower()
    candidates = {named, *Document.objects.filter(root=root, path__in=beside).values_list("identifier", flat=True)}
    rows = Dataset.objects.select_related("administrative", "structural").filter(
        identifier__in=candidates, root=root, path=path, path_encoding=encoding
    )
    return min(rows, key=lambda row: (row.identifier != named, row.identifier), default=None)


def _named(run: Run, dataset: Dataset | None) -> Mapping[str, Any] | None:
    """What the manifest says of a run's complete metadata file."""
    runs = value_of(dataset.structural if dataset is not None else None).get("runs")
    for each in runs if isinstance(runs, list) else ():
        if isinstance(each, dict) and str(each.get("run_id")).lower() == run.identifier:
            whole = type(each.get("revision")) is int and isinstance(each.get("complete_metadata"), str)
            return each if whole and 0 < each["revision"] < 2**31 else None
    return None


def _state(
    run: Run, experiment: Document, dataset: Dataset, named: Mapping[str, Any], files_changed: bool
) -> dict[str, Any]:
    document = _document_in(dataset, named["complete_metadata"])
    if document is None:
        return {"outdated": [f"Its complete metadata file {named['complete_metadata']} is missing."]}
    if not isinstance(document.value, dict):
        return {"outdated": [document.problem]}
    if document.sha256 != named.get("sha256"):
        return {"outdated": ["Its complete metadata file was changed after it was written."]}
    try:
        of_records = list(outdated_records(document.value, _parts(experiment, dataset)))
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


def _parts(document: Document, dataset: Dataset) -> Parts:
    """The documents as they stand, the files left out."""
    project = Project.objects.select_related("document").filter(identifier=dataset.project_identifier).first()
    experiment = value_of(document)
    return Parts(
        Part("", value_of(project.document if project is not None else None)),
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
