"""Making rows equal to documents: some of them, all of them, or those that changed while nobody looked."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from catalog.index import files, published, records, runs
from catalog.index.absence import absence
from catalog.index.belonging import datasets_below, put_in_projects
from catalog.index.reading import Place, Reading, kind_at, locate, places_below, read, stamp_of
from catalog.index.records import Affected, Columns
from catalog.models import (
    ChangeLog,
    Dataset,
    Document,
    File,
    FileDocument,
    Instrument,
    Project,
    Rebuild,
    Run,
)
from catalog.queries import below
from ingest import documents, finding
from ingest.errors import BusyError, DocumentError, FairfolderError, FrozenError
from ingest.layout import Layout
from ingest.locking import lock_file

log = logging.getLogger(__name__)

BATCH = 500  # documents in one transaction
BATCH_BYTES = 20_000_000  # of documents, after which a transaction takes no more
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
_TABLES: tuple[type[Model], ...] = (
    FileDocument, File, Dataset, Project, Instrument, Run, ChangeLog, Document, Rebuild,
)  # fmt: skip
T = TypeVar("T")
Key = tuple[str, str, str]  # root, path, path_encoding


def refresh(paths: Sequence[Path]) -> None:
    """Makes the rows equal to these documents as they are on disk now, absent ones included.

    A folder means every document known or found below it; a watched folder means whatever `stat` tells to have changed
    in it since its documents were read. Paths are absolute.

    Raises:
        django.db.OperationalError: when the database cannot be written.
        StoreError: when the engine's state of a watched folder cannot be read.
    """
    roots = tuple(settings.MONITOR_PATHS)
    wanted = dict.fromkeys(paths)
    for root in roots:
        if root in wanted:
            _catch_up_root(root)
    _refresh_all(_documents_at([place for path in wanted if (place := locate(roots, path))]))


def rebuild(progress: Callable[[int], None] = lambda done: None) -> int:
    """Drops every row and builds all anew from the documents; answers how many there were.

    `progress` is told how many documents are done. Pages keep working meanwhile and say that they are not complete.
    What is public stays as it is until all documents are read; only what is closed meanwhile is closed at once.

    Raises:
        FrozenError: when a watched folder is not there, or looks unmounted; nothing is dropped then.
        BusyError: when another process rebuilds.
    """
    for root in settings.MONITOR_PATHS:
        if reason := absence(root):
            raise FrozenError(f"{reason} The index stays as it is; reconcile tells when all is well again.")
    with _rebuilding():
        with transaction.atomic():
            for model in _TABLES:
                model._default_manager.all()._raw_delete("default")
            Rebuild.objects.create(started=timezone.now())
        done = 0
        for batch in weighed(place for root in settings.MONITOR_PATHS for place in _on_disk(root)):
            with transaction.atomic():
                _refresh(batch)
                done += len(batch)
                Rebuild.objects.update(done=done)
            progress(done)
        _finish()
    return done


def _finish() -> None:
    """What is public follows the whole index, and the note goes: then once more, for what others changed meanwhile."""
    published.compare_all(afresh=True)
    Rebuild.objects.all().delete()
    published.compare_all()


def catch_up() -> int:
    """Refreshes whatever changed while nobody followed; answers how many documents that were.

    A document is read again when `stat` tells other than at the last reading. Rows of a watched folder that is not
    there (an unmounted disk) stay as they are; rows of a folder that is no longer watched go.

    Raises:
        FairfolderError, ExceptionGroup: what is wrong with some of the watched folders; the others are done.
        django.db.DatabaseError: when the database cannot be read or written.
    """
    done: list[int | None] = [_forget_unwatched()]
    wrong: list[Exception] = []
    for root in settings.MONITOR_PATHS:
        try:
            done.append(_catch_up_root(root))
        except (FairfolderError, OSError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            wrong.append(error)
    _tell(wrong)
    if None not in done:
        _finish_interrupted()
    return sum(filter(None, done))


def _tell(wrong: Sequence[Exception]) -> None:
    if wrong and all(isinstance(error, FairfolderError) for error in wrong):
        raise FairfolderError(" ".join(map(str, wrong)))
    if wrong:
        raise ExceptionGroup("some watched folders are not in the index yet", wrong)


def _catch_up_root(root: Path) -> int | None:
    """How many documents of a watched folder were read again; None when it looks unmounted and was left alone."""
    if reason := absence(root):
        log.warning("the index keeps its rows: %s", reason)
        return None
    layout = _layout()
    with transaction.atomic():
        rows = Document.objects.filter(root=documents.readable(str(root))).values_list(*_PLACE, "stamp")
        stamps = {row[:3]: row[3] for row in rows}
    changed = [
        place
        for place in _on_disk(root)
        if stamps.pop(place.key, None) != stamp_of(place.file) and kind_at(place, layout)
    ]
    changed += [_place_of(key, root) for key in stamps]
    _refresh_all(changed)
    return len(changed)


def _forget_unwatched() -> int:
    watched = [documents.readable(str(root)) for root in settings.MONITOR_PATHS]
    gone = [_place_of(key) for key in Document.objects.exclude(root__in=watched).values_list(*_PLACE)]
    _refresh_all(gone)
    return len(gone)


@contextmanager
def _rebuilding() -> Iterator[None]:
    """Held while an index is rebuilt, so that whoever finds a rebuild noted knows whether it still goes on.

    Raises:
        BusyError: when another process holds it.
    """
    try:
        with lock_file(settings.FAIRFOLDER_STATE_DIR / "reindex.lock", 0.0):
            yield
    except BusyError:
        raise BusyError("Another process rebuilds the index already; wait until it is done.") from None


def _finish_interrupted() -> None:
    """Takes back the note of a rebuild that was interrupted; one that goes on keeps its own."""
    if Rebuild.objects.exists():
        with suppress(BusyError), _rebuilding():
            _finish()


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _layout() -> Layout:
    return Layout(settings.ENGINE.project_prefix, settings.ENGINE.dataset_prefix)


def _on_disk(root: Path) -> Iterator[Place]:
    for found in finding.find_documents(root, _layout()):
        yield Place(root, found.path.relative_to(root).as_posix())


def _place_of(key: Key, root: Path | None = None) -> Place:
    return Place(root or Path(key[0]), documents.decode_path(key[1], key[2]))


def _documents_at(places: Iterable[Place]) -> list[Place]:
    """The documents among these places, and for each folder those that stand below it in the index or on disk."""
    layout = _layout()
    found: dict[Key, Place] = {}
    folders = []
    for place in places:
        if kind_at(place, layout):
            found[place.key] = place
        else:
            folders.append(place)
    if folders:
        with transaction.atomic():  # no other process is between its reading of a file and its writing of the row
            rows = [(place.root, key) for place in folders for key in below(*place.key).values_list(*_PLACE)]
        found |= {key: _place_of(key, root) for root, key in rows}
    found |= {each.key: each for place in folders for each in places_below(place, layout)}
    return list(found.values())


def weighed(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Lists of places that one transaction takes, so that no other writer waits long for it."""
    batch: list[Place] = []
    weight = 0
    for place in places:
        batch.append(place)
        weight += _size(place)
        if len(batch) >= BATCH or weight >= BATCH_BYTES:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _size(place: Place) -> int:
    try:
        return os.lstat(place.file).st_size
    except OSError:
        return 0


def _refresh_all(places: Iterable[Place]) -> None:
    for batch in weighed(places):
        with transaction.atomic():
            _refresh(batch)


def _refresh(places: Sequence[Place]) -> None:
    """One batch, inside a transaction that holds the write lock from its start."""
    layout = _layout()
    watched = set(settings.MONITOR_PATHS)
    readings: dict[Key, Reading | None] = {}
    for place in places:
        kind = kind_at(place, layout) if place.root in watched else None
        readings[place.key] = read(place, kind) if kind else None
    affected = _write_documents(readings)
    _derive(affected)
    runs.derive(affected)
    published.derive(affected)


def _write_documents(readings: Mapping[Key, Reading | None]) -> Affected:
    """Makes document rows equal to the readings; answers which records they spoke of before or speak of now."""
    affected = Affected()
    rows = _rows(readings)
    new: list[Document] = []
    gone: list[int] = []
    projects: list[Key] = []
    for key, reading in readings.items():
        row = rows.get(key)
        if row is not None and reading is not None and _same(row, reading):
            continue
        if row is not None:
            affected.add(row.kind, row.identifier)
        if _is_other_project(row, reading):
            projects.append(key)
        if documents.COMPLETE in (row and row.kind, reading and reading.kind):
            affected.run_folders.add((key[0], key[1].rpartition("/")[0]))
        if reading is not None:
            affected.add(reading.kind, reading.identifier)
            new.append(Document(**dict(zip(_PLACE, key, strict=True)), **_facts(reading)))
        elif row is not None:
            gone.append(row.pk)
    for batch in batches(gone, _IN_ONE_QUERY):
        Document.objects.filter(pk__in=batch)._raw_delete("default")
    Document.objects.bulk_create(new, _IN_ONE_QUERY, update_conflicts=True, unique_fields=_PLACE, update_fields=_FACTS)
    for key in projects:
        for identifier in datasets_below(*key):
            affected.add(documents.ADMINISTRATIVE, identifier)
    return affected


def _is_other_project(row: Document | None, reading: Reading | None) -> bool:
    """Whether another project stands at a place than before, so that its datasets are in another one now."""
    before = row.identifier if row is not None and row.kind == documents.PROJECT else ""
    after = reading.identifier if reading is not None and reading.kind == documents.PROJECT else ""
    return before != after


def _facts(reading: Reading) -> dict[str, Any]:
    return {name: getattr(reading, name) for name in _FACTS}


def _same(row: Document, reading: Reading) -> bool:
    return all(getattr(row, name) == getattr(reading, name) for name in _FACTS if name != "value")


def _rows(keys: Iterable[Key]) -> dict[Key, Document]:
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
    everyone = sorted(set().union(*affected.identifiers.values()))
    for batch in batches(everyone, _IN_ONE_QUERY):
        # A registry entry speaks to three tables: the documents are read once for them all.
        bearing: dict[str, list[Document]] = {identifier: [] for identifier in batch}
        for document in Document.objects.filter(identifier__in=batch):
            bearing[document.identifier].append(document)
        for model, identifiers in affected.identifiers.items():
            wanted = {each: bearing[each] for each in batch if each in identifiers}
            _derive_rows(model, wanted, affected.run_files)


def _derive_rows(model: type[Model], bearing: Mapping[str, Sequence[Document]], run_files: set[str]) -> None:
    """The rows of one table for these identifiers, each from the documents that bear it."""
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
    if model is Dataset:
        put_in_projects(rows)
    names = [name.removesuffix("_id") for name in next(iter(rows.values()))]
    manager.bulk_create(
        [model(identifier=identifier, **row) for identifier, row in rows.items()],
        _IN_ONE_QUERY,
        update_conflicts=True,
        unique_fields=("identifier",),
        update_fields=names,
    )
    if model is Dataset:
        _load_files(Dataset.objects.select_related("structural").filter(identifier__in=rows), run_files)


def _load_files(datasets: Iterable[Dataset], run_files: set[str]) -> None:
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
                known = bool(dataset.manifest_sha256)
                dataset.manifest_problem = files.load(dataset.pk, manifest, run_files, known=known)
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


def _key(row: Document) -> Key:
    return row.root, row.path, row.path_encoding
