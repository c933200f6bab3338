"""Rows of what is public, made from the documents in the same transaction as all other rows.

A dataset that was never published costs one look at its registry entry. Of one that was, the complete metadata files
are read again only when something changed that the public record is made from.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.index.reading import is_number
from catalog.index.records import Affected
from catalog.models import Dataset, Document, Published, PublishedThing, value_of
from catalog.publishing import record
from catalog.publishing.access import EMBARGOED
from catalog.publishing.iris import AGENT, DATA_OBJECT, FILE, INSTRUMENT, PROJECT, RUN, uuid_of
from catalog.queries import below
from ingest import documents
from ingest.acts import Acts
from ingest.documents import COMPLETE
from ingest.errors import DocumentError, StoreError
from ingest.layout import METADATA
from ingest.publication import UNPUBLISHED, pinned, state_of
from ingest.revisions import read_revision
from ingest.seen import state_folder

log = logging.getLogger(__name__)

_IN_ONE_QUERY = 200
_AT_ONCE = 500
_FORMAT = "1"  # part of every basis: another one makes every row anew
_AGENT_TYPES = ("Person", "Organization")


def derive(affected: Affected) -> None:
    """Makes the rows of every dataset that a change concerns equal to what the documents say now."""
    concerned = set(affected.identifiers.get(Dataset, ()))
    for root, folder in affected.run_folders:
        here = Dataset.objects.filter(root=root, path=folder.partition(f"/{METADATA}/")[0])
        concerned.update(here.values_list("identifier", flat=True))
    _refresh(concerned, timezone.now())


def lift_embargoes(now: datetime | None = None) -> int:
    """Refreshes the records whose embargo is over by now; answers how many there were."""
    moment = now or timezone.now()
    over = Published.objects.filter(access_level=EMBARGOED, embargo_end__lte=moment.date())
    with transaction.atomic():
        concerned = set(over.values_list("identifier", flat=True))
        _refresh(concerned, moment)
    return len(concerned)


def _refresh(identifiers: Iterable[str], now: datetime) -> None:
    wanted = sorted(identifiers)
    for start in range(0, len(wanted), _IN_ONE_QUERY):
        some = wanted[start : start + _IN_ONE_QUERY]
        known = {row.identifier: row for row in Published.objects.defer("value").filter(identifier__in=some)}
        datasets = Dataset.objects.select_related("registry").filter(identifier__in=some)
        left = set(known)
        for dataset in datasets:
            entry = _entry(dataset)
            if state_of(entry) == UNPUBLISHED:
                continue
            if _derive_one(_Sources.of(dataset, entry), known.get(dataset.identifier), now):
                left.discard(dataset.identifier)
        _forget(left)


def _entry(dataset: Dataset) -> Mapping[str, Any]:
    """Its registry entry with the publication that the store wrote, whatever an editor made of it."""
    document = dataset.registry
    entry = value_of(document)
    if document is None or not entry:
        return {}
    root = Path(document.root)
    try:
        acts = Acts(root, state_folder(settings.ENGINE.state_dir, root))
        return {**entry, "publication": acts.trusted(entry)}
    except StoreError as error:  # what cannot be told to be public is not
        log.error("%s is not shown in public: %s", document.path, error)
        return {}


def _forget(identifiers: set[str]) -> None:
    if identifiers:
        PublishedThing.objects.filter(record__in=identifiers)._raw_delete("default")
        Published.objects.filter(identifier__in=identifiers)._raw_delete("default")


def _derive_one(sources: _Sources, row: Published | None, now: datetime) -> bool:
    """Whether there is something to show of it; its rows are as they should be then."""
    basis, sequence = sources.basis(), sources.entry.get("sequence")
    lifted = row is not None and row.embargo_end is not None and row.embargo_end <= now.date()
    if row is not None and row.basis == basis and not lifted:
        if row.sequence != sequence and is_number(sequence):
            Published.objects.filter(pk=row.pk).update(sequence=sequence)
        return True
    limit = settings.FAIRFOLDER_FILES_IN_RECORD
    try:
        made = record.compose(sources.entry, sources.live, sources.complete(), now, files_in_record=limit)
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # not as the store writes them
        log.error(
            "%s is not shown in public, its records are not as they should be: %r",
            sources.entry.get("identifier"),
            error,
        )
        return False
    if made is None:
        return False
    if row is None or row.etag != made.etag:
        PublishedThing.objects.filter(record=made.identifier)._raw_delete("default")
        PublishedThing.objects.bulk_create(_things(made), _AT_ONCE)
    Published.objects.update_or_create(identifier=made.identifier, defaults=_columns(made) | {"basis": basis})
    return True


@dataclass(frozen=True)
class _Sources:
    """What a public record is made from, as the index knows it; ``pinned`` are the files that may be read for it."""

    entry: Mapping[str, Any]
    live: Mapping[str, Any]
    live_sha256: str
    pinned: Sequence[Document]

    @classmethod
    def of(cls, dataset: Dataset, entry: Mapping[str, Any]) -> _Sources:
        live = dataset.administrative
        wanted = {str(each.get("sha256")) for each in pinned(entry)}
        inside = below(dataset.root, dataset.path, dataset.path_encoding).filter(kind=COMPLETE)
        found = inside.filter(sha256__in=wanted).defer("value").order_by("path") if wanted else ()
        return cls(entry, value_of(live), live.sha256 if live is not None else "", list(found))

    def basis(self) -> str:
        """One checksum of everything the record depends on but the time, at which an embargo is over."""
        told = [
            _FORMAT,
            settings.FAIRFOLDER_FILES_IN_RECORD,
            self.entry.get("publication"),
            self.entry.get("state"),
            self.entry.get("missing_since"),
            self.live_sha256,
            sorted({each.sha256 for each in self.pinned}),
        ]
        return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def complete(self) -> list[Mapping[str, Any]]:
        """The complete metadata files, each as it was when it was published; others are left out."""
        return [value for each in self.pinned if (value := _read(each)) is not None]


def _read(document: Document) -> Mapping[str, Any] | None:
    """A complete metadata file if it still is the one the index knows; a change is told to the index by itself."""
    path = Path(document.root, documents.decode_path(document.path, document.path_encoding))
    try:
        found = read_revision(path)
    except (FileNotFoundError, DocumentError):
        return None
    return found.value if found.sha256 == document.sha256 else None


def _columns(made: record.Published) -> dict[str, Any]:
    return {
        "state": made.state,
        "access_level": made.access_level,
        "embargo_end": made.embargo_end,
        "title": made.title,
        "modified": made.modified,
        "version": made.version,
        "previous_version": made.previous_version,
        "doi": made.doi,
        "etag": made.etag,
        "sequence": made.sequence,
        "size_bytes": sum(each["size_bytes"] for each in made.files),
        "file_count": len(made.files),
        "value": made.value,
    }


# --- what a record names ---------------------------------------------------------------------------------------------


def _things(made: record.Published) -> Iterator[PublishedThing]:
    """A row for every thing with an IRI of this service that the record names."""
    named = dict.fromkeys(_named(made))
    for position, (kind, identifier) in enumerate(named):
        yield PublishedThing(record=made.identifier, kind=kind, identifier=identifier, position=position)
    for position, file in enumerate(made.files):
        identifier = file["file_identifier"]
        yield PublishedThing(record=made.identifier, kind=FILE, identifier=identifier, position=position, value=file)


def _named(made: record.Published) -> Iterator[tuple[str, str]]:
    value = made.value
    for each in value.get("data_objects", ()):
        yield DATA_OBJECT, each["data_object_identifier"]
        yield RUN, each["experiment"]["run_id"]
    for each in value.get("instruments", ()):
        yield INSTRUMENT, each["instrument_identifier"]
    if project := value.get("project"):
        yield PROJECT, project["project_identifier"]
    for identifier in _agents({key: each for key, each in value.items() if key != "file_descriptions"}):
        yield AGENT, identifier


def _agents(value: Any) -> Iterator[str]:
    """The persons and organizations in a document that have no name of the world's own."""
    if isinstance(value, dict):
        if value.get("@type") in _AGENT_TYPES and (own := uuid_of(str(value.get("@id")))):
            yield own
        for each in value.values():
            yield from _agents(each)
    elif isinstance(value, list):
        for each in value:
            yield from _agents(each)
