"""The published rows: all that public pages know of a dataset."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

import orjson
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from catalog import rights
from catalog.formats.reading import Thing
from catalog.models import Published, PublishedThing
from catalog.publishing.iris import FILE
from ingest.publication import WITHDRAWN

_KEPT = 8  # documents taken apart, in each process


def any_published() -> bool:
    """Whether anything is public at all, be it a tombstone."""
    return rights.published().exists()


def every() -> QuerySet[Published]:
    """Every public record, tombstones too, without the documents."""
    return rights.published().defer("value", "words")


def listed() -> QuerySet[Published]:
    """Every dataset that is published, without the documents: what is withdrawn stands in no list and no count."""
    return every().exclude(state=WITHDRAWN)


def record(identifier: object) -> Published | None:
    """The public record of a dataset, without its document."""
    return next(iter(every().filter(identifier=str(identifier))[:1]), None)


class ChangedError(Exception):
    """A record was published anew, or withdrawn, while an answer was made from it: it is to be made again."""


def value_of(row: Published) -> Thing:
    """The published document that has the row's etag, so that nothing is kept under another; nobody may change it.

    Raises:
        ChangedError: when the record has another one by now.
    """
    return _documents.of(row)


def naming(kind: str, uuid: object, most: int) -> list[Published]:
    """The first of the records that name a thing, in the order of their titles; tombstones where no other does."""
    things = PublishedThing.objects.filter(kind=kind, identifier=str(uuid))
    found = every().filter(identifier__in=things.values("record")).order_by("title", "identifier")
    return list(found.exclude(state=WITHDRAWN)[:most]) or list(found.filter(state=WITHDRAWN)[:most])


def file(uuid: object) -> tuple[Published, Thing] | None:
    """The record that publishes a file, and the file's public entry; {} of a file that went with its dataset."""
    for row in naming(FILE, uuid, 1):
        if row.state == WITHDRAWN:
            return row, {}
        things = PublishedThing.objects.filter(record=row.identifier, kind=FILE, identifier=str(uuid))
        for entry in _texts(things):
            return row, entry
    return None


def files(row: Published, start: int, number: int) -> list[Thing]:
    """Some of a record's files, in its order.

    Raises:
        ChangedError: when they may be those of a later record.
    """
    things = PublishedThing.objects.filter(record=row.identifier, kind=FILE).order_by("position")
    return _as_of(row, _texts(things, start, number))


def _as_of(row: Published, found: list[Thing]) -> list[Thing]:
    if not rights.published().filter(pk=row.pk, etag=row.etag).exists():  # both change in one transaction
        raise ChangedError(row.identifier)
    return found


def files_of_run(row: Published, run: str, start: int, number: int) -> list[Thing]:
    """Some of the files that one run of a record made, in its order.

    Raises:
        ChangedError: when they may be those of a later record.
    """
    things = PublishedThing.objects.filter(record=row.identifier, kind=FILE, run=run).order_by("position")
    return _as_of(row, _texts(things, start, number))


class _Documents:
    """The documents asked for last, as they were read; a changed one has another ETag."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.kept: OrderedDict[tuple[str, str], Thing] = OrderedDict()

    def of(self, row: Published) -> Thing:
        key = (row.identifier, row.etag)
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
                return self.kept[key]
        found = next(iter(_texts(rights.published().filter(pk=row.pk, etag=row.etag))), None)
        if found is None:
            raise ChangedError(row.identifier)
        with self.lock:
            self.kept[key] = found
            while len(self.kept) > _KEPT:
                self.kept.popitem(last=False)
        return found


_documents = _Documents()


def _texts(rows: QuerySet[Any, Any], start: int = 0, number: int = 1) -> list[Thing]:
    """The values of rows, read as text: Django's own reader takes several times as long."""
    texts = rows.annotate(text=Cast("value", TextField())).values_list("text", flat=True)[start : start + number]
    values = (orjson.loads(each) for each in texts if each)
    return [each for each in values if isinstance(each, dict)]
