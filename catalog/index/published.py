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
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.index.reading import is_number
from catalog.index.records import Affected
from catalog.models import Dataset, Document, Published, PublishedThing, Rebuild, value_of
from catalog.publishing import record
from catalog.publishing.access import CONFIDENTIAL, EMBARGOED, LEVELS, stated
from catalog.publishing.finding import words_of
from catalog.publishing.iris import AGENT, DATA_OBJECT, FILE, INSTRUMENT, PROJECT, RUN, VARIABLE, uuid_of
from catalog.queries import below
from ingest import documents
from ingest.acts import Acts
from ingest.documents import ADMINISTRATIVE, COMPLETE
from ingest.errors import DocumentError, StoreError
from ingest.layout import METADATA
from ingest.publication import PUBLISHED, UNPUBLISHED, WITHDRAWN, pinned, state_of
from ingest.revisions import read_revision
from ingest.seen import state_folder

log = logging.getLogger(__name__)

_IN_ONE_QUERY = 200
_AT_ONCE = 500
_IN_ONE_TRANSACTION = 50  # records compared while other writers wait
_CODE = (Path(record.__file__).parent, Path(__file__))
_LEADING_ON = (FILE, RUN, DATA_OBJECT, PROJECT, INSTRUMENT, VARIABLE)  # to the tombstone of what is withdrawn
_AGENT_TYPES = ("Person", "Organization")


def derive(affected: Affected) -> None:
    """Makes the rows of every dataset that a change concerns equal to what the documents say now.

    While the index is rebuilt most documents are not in it yet: then only what closes a dataset counts, and
    :func:`compare_all` does the rest at the end.
    """
    concerned = set(affected.identifiers.get(Dataset, ()))
    for root, folder in affected.run_folders:
        here = Dataset.objects.filter(root=root, path=folder.partition(f"/{METADATA}/")[0])
        concerned.update(here.values_list("identifier", flat=True))
    now = timezone.now()
    _refresh(_closing(concerned, now) if concerned and Rebuild.objects.exists() else concerned, now)


def compare_all(*, afresh: bool = False) -> None:
    """Makes all rows equal to what the documents say now, and removes those of datasets that nothing speaks of.

    Args:
        afresh: each row is made anew even where all that it was made from is as it was.
    """
    with transaction.atomic():
        known = set(Dataset.objects.values_list("identifier", flat=True))
        wanted = sorted(known | set(Published.objects.values_list("identifier", flat=True)))
    for start in range(0, len(wanted), _IN_ONE_TRANSACTION):
        with transaction.atomic():
            _refresh(wanted[start : start + _IN_ONE_TRANSACTION], timezone.now(), afresh=afresh)


def _closing(identifiers: Iterable[str], now: datetime) -> set[str]:
    """Those of which more is public than the documents read so far allow."""
    wanted = sorted(identifiers)
    found: set[str] = set()
    for start in range(0, len(wanted), _IN_ONE_QUERY):
        some = wanted[start : start + _IN_ONE_QUERY]
        rows = {row.identifier: row for row in Published.objects.defer("value").filter(identifier__in=some)}
        datasets = Dataset.objects.select_related("registry", "administrative").filter(identifier__in=list(rows))
        found.update(each.identifier for each in datasets if _closes(each, rows[each.identifier], now))
    return found


def _closes(dataset: Dataset, row: Published, now: datetime) -> bool:
    if dataset.registry is not None and row.state == PUBLISHED:
        entry = _entry(dataset)
        if state_of(entry) != PUBLISHED or entry.get("state") != "present":
            return True
    live = value_of(dataset.administrative)
    return bool(live) and LEVELS.index(stated(live, now).level) > LEVELS.index(row.access_level)


def lift_embargoes(now: datetime | None = None) -> int:
    """Refreshes the records whose embargo is over by now; answers how many there were. While rebuilding it waits."""
    moment = now or timezone.now()
    over = Published.objects.filter(access_level=EMBARGOED, embargo_end__lte=moment.date())
    with transaction.atomic():
        if Rebuild.objects.exists():
            return 0
        concerned = set(over.values_list("identifier", flat=True))
        _refresh(concerned, moment)
    return len(concerned)


def _refresh(identifiers: Iterable[str], now: datetime, *, afresh: bool = False) -> None:
    wanted = sorted(identifiers)
    for start in range(0, len(wanted), _IN_ONE_QUERY):
        some = wanted[start : start + _IN_ONE_QUERY]
        known = {row.identifier: row for row in Published.objects.defer("value").filter(identifier__in=some)}
        datasets = Dataset.objects.select_related("registry", "administrative").filter(identifier__in=some)
        left = set(known)
        for dataset in datasets:
            entry = _entry(dataset)
            if state_of(entry) == UNPUBLISHED:
                continue
            row = known.get(dataset.identifier)
            if _derive_one(_Sources.of(dataset, entry, row), row, now, afresh=afresh):
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


def _derive_one(sources: _Sources, row: Published | None, now: datetime, *, afresh: bool) -> bool:
    """Whether there is something to show of it; its rows are as they should be then."""
    basis, sequence = sources.basis(), sources.entry.get("sequence")
    lifted = row is not None and row.embargo_end is not None and row.embargo_end <= now.date()
    if row is not None and row.basis == basis and not lifted and not afresh:
        if row.sequence != sequence and is_number(sequence):
            Published.objects.filter(pk=row.pk).update(sequence=sequence)
        return True
    try:
        made = _composed(sources, row, now)
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # not as the store writes them
        log.error(
            "%s is not shown in public, its records are not as they should be: %r",
            sources.entry.get("identifier"),
            error,
        )
        return False
    if made is None:
        return False
    if row is None or row.etag != made.etag or afresh:
        things = [*_things(made), *_kept(made)]
        PublishedThing.objects.filter(record=made.identifier)._raw_delete("default")
        PublishedThing.objects.bulk_create(things, _AT_ONCE)
    told = {"basis": basis, "last_level": sources.last_level}
    Published.objects.update_or_create(identifier=made.identifier, defaults=_columns(made) | told)
    return True


def _composed(sources: _Sources, row: Published | None, now: datetime) -> record.Published | None:
    return record.compose(
        sources.entry,
        sources.live,
        sources.complete(),
        now,
        last_level=sources.last_level,
        former=record.Former(row.modified, row.etag) if row is not None else None,
        files_in_record=settings.FAIRFOLDER_FILES_IN_RECORD,
    )


@dataclass(frozen=True)
class _Sources:
    """What a public record is made from, as the index knows it; ``pinned`` are the files that may be read for it.

    ``last_level`` is what the live record said when it could be read last, empty where that is not certain.
    """

    entry: Mapping[str, Any]
    live: Mapping[str, Any]
    live_sha256: str
    last_level: str
    pinned: Sequence[Document]

    @classmethod
    def of(cls, dataset: Dataset, entry: Mapping[str, Any], row: Published | None) -> _Sources:
        live = dataset.administrative
        wanted = {str(each.get("sha256")) for each in pinned(entry)}
        inside = below(dataset.root, dataset.path, dataset.path_encoding).filter(kind=COMPLETE)
        found = inside.filter(sha256__in=wanted).defer("value").order_by("path") if wanted else ()
        level = _last_level(dataset, row)
        return cls(entry, value_of(live), live.sha256 if live is not None else "", level, list(found))

    def basis(self) -> str:
        """One checksum of everything the record depends on but the time, at which an embargo is over."""
        told = [
            _code(),
            settings.FAIRFOLDER_FILES_IN_RECORD,
            self.entry.get("publication"),
            self.entry.get("state"),
            self.entry.get("missing_since"),
            self.live_sha256,
            self.last_level,
            sorted({each.sha256 for each in self.pinned}),
        ]
        return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def complete(self) -> list[Mapping[str, Any]]:
        """The complete metadata files, each as it was when it was published; others are left out."""
        return [value for each in self.pinned if (value := _read(each)) is not None]


def _last_level(dataset: Dataset, row: Published | None) -> str:
    if live := value_of(dataset.administrative):
        level = live.get("access_level")
        return level if isinstance(level, str) and level in LEVELS else CONFIDENTIAL
    folder = documents.decode_path(dataset.path, dataset.path_encoding)
    place = documents.encode_path(f"{folder}/{METADATA}/{ADMINISTRATIVE}.json")
    here = Document.objects.filter(root=dataset.root, path=place["path"], path_encoding=place.get("path_encoding", ""))
    # One that is there and cannot be read may say anything.
    return "" if row is None or here.exists() else row.last_level


@cache
def _code() -> str:
    """One checksum of the code that decides what is public: a version that takes something back takes it back."""
    paths = sorted(path for each in _CODE for path in (each.glob("*.py") if each.is_dir() else (each,)))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()


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
        "words": words_of(made.value),
    }


# --- what a record names ---------------------------------------------------------------------------------------------


def _things(made: record.Published) -> Iterator[PublishedThing]:
    """A row for every thing with an IRI of this service that the record names."""
    named = dict.fromkeys(_named(made))
    for position, (kind, identifier) in enumerate(named):
        yield PublishedThing(record=made.identifier, kind=kind, identifier=identifier, position=position)
    for kind, identifier in dict.fromkeys(made.gone):
        yield PublishedThing(record=made.identifier, kind=kind, identifier=identifier)
    for position, file in enumerate(made.files):
        yield PublishedThing(
            record=made.identifier,
            kind=FILE,
            identifier=file["file_identifier"],
            position=position,
            run=file.get("run_id") or "",
            value=file,
        )


def _kept(made: record.Published) -> Iterator[PublishedThing]:
    """Of a tombstone whose complete metadata is gone: what was public when it could be read last."""
    if made.state != WITHDRAWN:
        return
    told = set(made.gone)
    known = PublishedThing.objects.filter(record=made.identifier, kind__in=_LEADING_ON)
    for kind, identifier in known.values_list("kind", "identifier"):
        if (kind, identifier) not in told:
            yield PublishedThing(record=made.identifier, kind=kind, identifier=identifier)


def _named(made: record.Published) -> Iterator[tuple[str, str]]:
    value = made.value
    for each in value.get("data_objects", ()):
        yield DATA_OBJECT, each["data_object_identifier"]
        yield RUN, each["experiment"]["run_id"]
    for each in value.get("instruments", ()):
        yield INSTRUMENT, each["instrument_identifier"]
    if project := value.get("project"):
        yield PROJECT, project["project_identifier"]
    for holder in (value.get("structure", {}), *made.files):
        for each in holder.get("variables", ()):
            if own := uuid_of(str(each.get("@id"))):  # what was read from a file has none: it is a part of the file
                yield VARIABLE, own
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
