"""Every dataset's record as it stands, published or not, as one document: what the internal graph is made from.

For curators only. The newest complete metadata of a run comes before its draft; what is public is
:mod:`catalog.publishing.record`, and shares nothing with this.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.db.models import QuerySet

from catalog.models import Dataset, File, FileDocument, Instrument, Project, Run, value_of

log = logging.getLogger(__name__)

_FORMAT = "2"
_FILES_AT_ONCE = 500
_USED = "instruments_used"  # of a run: identifiers
Value = Mapping[str, Any]


class WholeRows:
    """The datasets that the index knows."""

    def etags(self) -> Mapping[str, str]:
        """Identifier → a checksum of every document its record is made from."""
        instruments = dict(Instrument.objects.values_list("identifier", "document__sha256"))
        shared = [_FORMAT, settings.FAIRFOLDER_FILES_IN_RECORD]
        projects = dict(Project.objects.values_list("identifier", "document__sha256"))
        runs: dict[str, list[Any]] = defaultdict(list)
        told = ("dataset_identifier", "identifier", "document__sha256", "revision", f"document__value__{_USED}")
        for dataset, identifier, sha256, revision, named in Run.objects.values_list(*told):
            used = [[each, instruments[each]] for each in _words(named) if each in instruments]
            runs[dataset].append([identifier, sha256, revision, used])
        columns = ("identifier", "project_identifier", "administrative__sha256", "manifest_sha256", "state")
        return {
            identifier: _digest([*shared, projects.get(project), sorted(runs[identifier], key=str), *rest])
            for identifier, project, *rest in Dataset.objects.values_list(*columns)
        }

    def values(self, wanted: Mapping[str, str]) -> Iterator[tuple[str, str, Value]]:
        """The records of the datasets of :meth:`etags` that are `wanted`, each with its checksum there.

        What changed since then has another checksum the next time, and is made again.
        """
        datasets = list(Dataset.objects.select_related("administrative").filter(identifier__in=list(wanted)))
        around = _around(datasets)
        for dataset in datasets:
            yield dataset.identifier, wanted[dataset.identifier], _record(dataset, around)

    def files(self, identifier: str) -> Iterator[list[Value]]:
        """The files of a dataset whose record does not list them, in portions; none where there are too many."""
        dataset = Dataset.objects.filter(identifier=identifier).first()
        if dataset is None:
            return
        if dataset.file_count > settings.FAIRFOLDER_SPARQL_FILES:
            log.warning(too_many_files(identifier))
            return
        rows = File.objects.filter(dataset=dataset, document__isnull=False).order_by("pk")
        after = 0
        while some := list(rows.filter(pk__gt=after).values_list("pk", "document__text")[:_FILES_AT_ONCE]):
            yield [each for _, text in some if isinstance(each := orjson.loads(text), dict)]
            after = some[-1][0]


def too_many_files(identifier: str) -> str:
    """What the log says of a dataset whose files no query finds."""
    return (
        f"the dataset {identifier} has more than {settings.FAIRFOLDER_SPARQL_FILES:,} files: SPARQL knows its data "
        "objects, and not each file (FAIRFOLDER_SPARQL_FILES)"
    )


def _digest(told: Iterable[Any]) -> str:
    return hashlib.sha256(orjson.dumps(list(told))).hexdigest()


@dataclass(frozen=True)
class _Around:
    """What some datasets are recorded with: documents by identifier, and those of the runs by dataset."""

    projects: Mapping[str, Value]
    runs: Mapping[str, Sequence[Value]]
    instruments: Mapping[str, Value]


def _around(datasets: Sequence[Dataset]) -> _Around:
    projects = _documents(Project.objects.filter(identifier__in={each.project_identifier for each in datasets}))
    runs: dict[str, list[Value]] = defaultdict(list)
    found = Run.objects.select_related("document").filter(dataset_identifier__in=[each.identifier for each in datasets])
    for run in found.order_by("identifier"):
        if document := _of(run):
            runs[run.dataset_identifier].append(document)
    used = {name for some in runs.values() for run in some for name in _words(run.get(_USED))}
    return _Around(projects, runs, _documents(Instrument.objects.filter(identifier__in=used)))


def _documents(rows: QuerySet[Instrument] | QuerySet[Project]) -> dict[str, Value]:
    return {row.identifier: document for row in rows.select_related("document") if (document := _of(row))}


def _of(row: Instrument | Project | Run) -> Value:
    return value_of(row.document)


def _record(dataset: Dataset, around: _Around) -> dict[str, Any]:
    own = value_of(dataset.administrative)
    value: dict[str, Any] = {
        **own,
        "@id": f"urn:uuid:{dataset.identifier}",
        "@type": "Dataset",
        "dataset_identifier": dataset.identifier,
    }
    if project := around.projects.get(dataset.project_identifier):
        value["project"] = {**project, "@type": "Project"}
    runs = around.runs.get(dataset.identifier, ())
    value["experiment"] = [{**run, "@type": "Run"} for run in runs]
    used = dict.fromkeys(name for run in runs for name in _words(run.get(_USED)))
    value["instruments"] = [around.instruments[name] for name in used if name in around.instruments]
    if dataset.file_count <= settings.FAIRFOLDER_FILES_IN_RECORD:
        texts = FileDocument.objects.filter(file__dataset=dataset).order_by("file__path")
        value["file_descriptions"] = [orjson.loads(text) for text in texts.values_list("text", flat=True)]
    return value


def _words(value: Any) -> list[str]:
    """The texts in a list of a document that anybody may have written."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
