"""Making rows equal to documents: some of them, all of them, or those that changed while nobody looked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from catalog.index import files, records
from catalog.index.reading import Place, Reading, kind_at, locate, read, stamp_of
from catalog.index.records import Affected, Columns
from catalog.models import ChangeLog, Dataset, Document, File, FileDocument, Instrument, Project, Rebuild, Run
from ingest import documents
from ingest.errors import DocumentError, FrozenError
from ingest.layout import Layout

BATCH = 500  # documents in one transaction
_IN_ONE_QUERY = 200
_PLACE = ("root", "path", "path_encoding")
_FACTS = ("kind", "identifier", "sha256", "size_bytes", "problem", "value", "stamp")

Derivation = Callable[[str, Sequence[Document]], Columns | None]
DERIVATIONS: Mapping[type[Model], Derivation] = {
    Project: records.project,
    Dataset: records.dataset,
    Instrument: records.instrument,
    Run: records.run,
    ChangeLog: records.change,
}
T = TypeVar("T")


def refresh(paths: Sequence[Path]) -> None:
    """Makes the rows equal to these documents as they are on disk now, absent ones included; a folder means all below.

    Paths are absolute. Raises django.db.OperationalError when the database cannot be written.
    """
    roots = tuple(settings.MONITOR_PATHS)
    places = {place.key: place for place in (locate(roots, path) for path in paths) if place}
    for batch in batches(places.values(), BATCH):
        with transaction.atomic():
            _refresh(batch)


def rebuild(progress: Callable[[int], None] = lambda done: None) -> int:
    """Drops every row and builds all anew from the documents; answers how many there were.

    `progress` is told how many documents are done. Pages keep working meanwhile and say that they are not complete.

    Raises:
        FrozenError: when a watched folder is not there; nothing is dropped then.
    """
    for root in settings.MONITOR_PATHS:
        if not root.is_dir():
            raise FrozenError(f"The watched folder {str(root)!r} is not there; mount its disk or correct MONITOR_PATH.")
    with transaction.atomic():
        for model in (FileDocument, File, Dataset, Project, Instrument, Run, ChangeLog, Document, Rebuild):
            model._default_manager.all()._raw_delete("default")
        Rebuild.objects.create(started=timezone.now())
    done = 0
    for batch in batches(_on_disk(), BATCH):
        with transaction.atomic():
            _refresh(batch)
            done += len(batch)
            Rebuild.objects.update(done=done)
        progress(done)
    Rebuild.objects.all().delete()
    return done


def catch_up() -> int:
    """Refreshes whatever changed while nobody followed; answers how many documents that were.

    A document is read again when `stat` tells other than at the last reading. Rows of a watched folder that is not
    there (an unmounted disk) stay as they are; rows of a folder that is no longer watched go.
    """
    layout = _layout()
    absent = {documents.readable(str(root)) for root in settings.MONITOR_PATHS if not root.is_dir()}
    stamps = {tuple(row[:3]): row[3] for row in Document.objects.values_list(*_PLACE, "stamp").iterator()}
    changed: dict[tuple[str, str, str], Place] = {}
    for place in _on_disk():
        if stamps.pop(place.key, None) != stamp_of(place.file) and kind_at(place, layout):
            changed[place.key] = place
    gone = [key for key in stamps if key[0] not in absent]
    for batch in batches([*changed.values(), *(_place_of(key) for key in gone)], BATCH):
        with transaction.atomic():
            _refresh(batch)
    Rebuild.objects.all().delete()
    return len(changed) + len(gone)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _layout() -> Layout:
    return Layout(settings.ENGINE.project_prefix, settings.ENGINE.dataset_prefix)


def _on_disk() -> Iterator[Place]:
    layout = _layout()
    for root in settings.MONITOR_PATHS:
        for found in documents.find_documents(root, layout):
            yield Place(root, found.path.relative_to(root).as_posix())


def _place_of(key: tuple[str, str, str]) -> Place:
    return Place(Path(key[0]), documents.decode_path(key[1], key[2]))


def _refresh(places: Sequence[Place]) -> None:
    """One batch, inside a transaction that holds the write lock from its start."""
    layout = _layout()
    watched = set(settings.MONITOR_PATHS)
    readings: dict[tuple[str, str, str], Reading | None] = {}
    for place in places:
        kind = kind_at(place, layout) if place.root in watched else None
        readings[place.key] = read(place, kind) if kind else None
        if kind is None:
            readings.update({key: _reread(key, layout) for key in _below(place)})
    affected = _write_documents(readings)
    _derive(affected)


def _reread(key: tuple[str, str, str], layout: Layout) -> Reading | None:
    place = _place_of(key)
    kind = kind_at(place, layout) if place.root in settings.MONITOR_PATHS else None
    return read(place, kind) if kind else None


def _below(place: Place) -> Iterator[tuple[str, str, str]]:
    root, path, _ = place.key
    rows = Document.objects.filter(root=root, path__startswith=f"{path}/")
    yield from rows.values_list(*_PLACE)


def _write_documents(readings: Mapping[tuple[str, str, str], Reading | None]) -> Affected:
    """Makes document rows equal to the readings; answers which records they spoke of before or speak of now."""
    affected = Affected()
    rows = _rows(readings)
    new: list[Document] = []
    gone: list[int] = []
    for key, reading in readings.items():
        row = rows.get(key)
        if row is not None and reading is not None and _same(row, reading):
            continue
        if row is not None:
            affected.add(row.kind, row.identifier)
        if reading is not None:
            affected.add(reading.kind, reading.identifier)
            new.append(Document(**dict(zip(_PLACE, key, strict=True)), **_facts(reading)))
        elif row is not None:
            gone.append(row.pk)
    for batch in batches(gone, _IN_ONE_QUERY):
        Document.objects.filter(pk__in=batch)._raw_delete("default")
    Document.objects.bulk_create(new, _IN_ONE_QUERY, update_conflicts=True, unique_fields=_PLACE, update_fields=_FACTS)
    return affected


def _facts(reading: Reading) -> dict[str, Any]:
    return {name: getattr(reading, name) for name in _FACTS}


def _same(row: Document, reading: Reading) -> bool:
    return all(getattr(row, name) == getattr(reading, name) for name in _FACTS if name != "value")


def _rows(keys: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Document]:
    by_root: dict[str, list[str]] = defaultdict(list)
    for root, path, _ in keys:
        by_root[root].append(path)
    rows = {}
    for root, paths in by_root.items():
        for batch in batches(paths, _IN_ONE_QUERY):
            for row in Document.objects.defer("value").filter(root=root, path__in=batch):
                rows[row.root, row.path, row.path_encoding] = row
    return rows


def _derive(affected: Affected) -> None:
    for model, identifiers in affected.identifiers.items():
        for batch in batches(sorted(identifiers), _IN_ONE_QUERY):
            _derive_batch(model, batch)


def _derive_batch(model: type[Model], identifiers: list[str]) -> None:
    bearing: dict[str, list[Document]] = {identifier: [] for identifier in identifiers}
    for document in Document.objects.filter(identifier__in=identifiers):
        bearing[document.identifier].append(document)
    derivation = DERIVATIONS[model]
    derived = {identifier: derivation(identifier, candidates) for identifier, candidates in bearing.items()}
    gone = [identifier for identifier, row in derived.items() if row is None]
    rows = {identifier: row for identifier, row in derived.items() if row is not None}
    manager = model._default_manager
    if model is Dataset and gone:
        for pk in manager.filter(identifier__in=gone).values_list("pk", flat=True):
            files.unload(pk)
    if gone:
        manager.filter(identifier__in=gone)._raw_delete("default")
    if not rows:
        return
    names = [name.removesuffix("_id") for name in next(iter(rows.values()))]
    manager.bulk_create(
        [model(identifier=identifier, **row) for identifier, row in rows.items()],
        _IN_ONE_QUERY,
        update_conflicts=True,
        unique_fields=("identifier",),
        update_fields=names,
    )
    if model is Dataset:
        _load_files(Dataset.objects.select_related("structural").filter(identifier__in=rows))


def _load_files(datasets: Iterable[Dataset]) -> None:
    """File rows follow the manifest's checksum: nothing is read while that stays the same."""
    loaded = []
    for dataset in datasets:
        sha256 = dataset.structural.sha256 if dataset.structural else ""
        if sha256 == dataset.manifest_sha256:
            continue
        dataset.manifest_problem = ""
        try:
            if dataset.structural is None:
                files.unload(dataset.pk)
            else:
                manifest = _place_of(_key(dataset.structural)).file
                dataset.manifest_problem = files.load(dataset.pk, manifest, known=bool(dataset.manifest_sha256))
            dataset.manifest_sha256 = sha256
        except (FileNotFoundError, DocumentError) as error:
            files.unload(dataset.pk)
            dataset.manifest_sha256, dataset.manifest_problem = "", str(error)
        loaded.append(dataset)
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE catalog_dataset SET manifest_sha256 = %s, manifest_problem = %s WHERE id = %s",
            [(each.manifest_sha256, each.manifest_problem, each.pk) for each in loaded],
        )


def _key(row: Document) -> tuple[str, str, str]:
    return row.root, row.path, row.path_encoding
