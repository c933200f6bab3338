"""Every dataset's record as it stands, published or not, as one document: what the internal graph is made from.

For curators only. The newest complete metadata of a run comes before its draft; what is public is
:mod:`catalog.publishing.record`, and shares nothing with this.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db.models import QuerySet

from catalog.models import Dataset, FileDocument, Instrument, Project, Run, value_of

_FORMAT = "1"
Value = Mapping[str, Any]


class WholeRows:
    """The datasets that the index knows."""

    def etags(self) -> Mapping[str, str]:
        """Identifier → a checksum of every document its record is made from."""
        instruments = sorted(Instrument.objects.values_list("identifier", "document__sha256"))
        shared = hashlib.sha256(orjson.dumps([_FORMAT, instruments, settings.FAIRFOLDER_FILES_IN_RECORD])).hexdigest()
        projects = dict(Project.objects.values_list("identifier", "document__sha256"))
        runs: dict[str, list[Any]] = defaultdict(list)
        for dataset, *told in Run.objects.values_list(
            "dataset_identifier", "identifier", "document__sha256", "revision"
        ):
            runs[dataset].append(told)
        columns = ("identifier", "project_identifier", "administrative__sha256", "manifest_sha256", "state")
        return {
            identifier: _digest([shared, projects.get(project), sorted(runs[identifier], key=str), *rest])
            for identifier, project, *rest in Dataset.objects.values_list(*columns)
        }

    def values(self, identifiers: Sequence[str]) -> Iterator[tuple[str, str, Value]]:
        """The records of these datasets, each with the checksum it has now."""
        etags = self.etags()
        instruments = [document for row in Instrument.objects.select_related("document") if (document := _of(row))]
        for dataset in _rows(identifiers):
            yield dataset.identifier, etags[dataset.identifier], _record(dataset, instruments)


def _digest(told: Iterable[Any]) -> str:
    return hashlib.sha256(orjson.dumps(list(told))).hexdigest()


def _rows(identifiers: Sequence[str]) -> QuerySet[Dataset]:
    return Dataset.objects.select_related("administrative").filter(identifier__in=identifiers)


def _of(row: Instrument | Project | Run) -> Value:
    return value_of(row.document)


def _record(dataset: Dataset, instruments: Sequence[Value]) -> dict[str, Any]:
    own = value_of(dataset.administrative)
    value: dict[str, Any] = {
        **own,
        "@id": f"urn:uuid:{dataset.identifier}",
        "@type": "Dataset",
        "dataset_identifier": dataset.identifier,
    }
    project = Project.objects.select_related("document").filter(identifier=dataset.project_identifier).first()
    if project is not None and (document := _of(project)):
        value["project"] = {**document, "@type": "Project"}
    runs = [_of(run) for run in Run.objects.select_related("document").filter(dataset_identifier=dataset.identifier)]
    value["experiment"] = [{**run, "@type": "Run"} for run in runs if run]
    named = set(_identifiers(runs))
    value["instruments"] = [each for each in instruments if named & set(_identifiers(each))]
    if dataset.file_count <= settings.FAIRFOLDER_FILES_IN_RECORD:
        texts = FileDocument.objects.filter(file__dataset=dataset).order_by("file__path")
        value["file_descriptions"] = [orjson.loads(text) for text in texts.values_list("text", flat=True)]
    return value


def _identifiers(value: Any) -> Iterator[str]:
    """Every ``@id`` in a document, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("@id"), str):
            yield value["@id"]
        for each in value.values():
            yield from _identifiers(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _identifiers(each)
