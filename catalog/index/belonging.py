"""Which project a dataset is in: the one in whose folder it stands, whatever its own text says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.index.records import Columns
from catalog.models import Dataset, Document
from catalog.queries import below
from ingest import documents
from ingest.documents import ADMINISTRATIVE, PROJECT, STRUCTURAL
from ingest.layout import METADATA

_IN_ONE_QUERY = 200


def put_in_projects(rows: Mapping[str, Columns]) -> None:
    """Sets the project of each dataset's columns; where no project is known at its place, its own text counts."""
    above = {identifier: _project_document(row) for identifier, row in rows.items() if row["path"]}
    known = _identifiers_at(set(above.values()))
    for identifier, place in above.items():
        if known.get(place):
            rows[identifier]["project_identifier"] = known[place]


def _project_document(row: Mapping[str, Any]) -> tuple[str, str]:
    """Root and path of the document of the project that a dataset's folder stands in."""
    folder = documents.decode_path(row["path"], row["path_encoding"]).partition("/")[0]
    return row["root"], documents.encode_path(f"{folder}/{METADATA}/{PROJECT}.json")["path"]


def _identifiers_at(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    by_root: dict[str, list[str]] = defaultdict(list)
    for root, path in places:
        by_root[root].append(path)
    found: dict[tuple[str, str], str] = {}
    for root, paths in by_root.items():
        for start in range(0, len(paths), _IN_ONE_QUERY):
            some = Document.objects.filter(root=root, kind=PROJECT, path__in=paths[start : start + _IN_ONE_QUERY])
            found |= {(root, path): number for path, number in some.values_list("path", "identifier")}
    return found


def datasets_below(root: str, document: str, encoding: str) -> Iterator[str]:
    """Identifiers of the datasets in the folder of a project's document, those that are missing included."""
    folder = documents.decode_path(document, encoding).partition("/")[0]
    encoded = documents.encode_path(folder)
    here = below(root, encoded["path"], encoded.get("path_encoding", ""))
    yield from here.filter(kind__in=(ADMINISTRATIVE, STRUCTURAL)).values_list("identifier", flat=True)
    rows = Dataset.objects.filter(root=root, path__gt=f"{encoded['path']}/", path__lt=f"{encoded['path']}0")
    yield from rows.values_list("identifier", flat=True)
