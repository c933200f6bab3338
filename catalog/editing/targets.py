"""The document a person is about to change: where it stands, which record it belongs to, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog import engine, index, rights
from catalog.index.absence import absence
from catalog.models import Dataset, Document, Instrument, Project, Run
from ingest import documents, manifest
from ingest.documents import ADMINISTRATIVE, EXPERIMENT, INSTRUMENT, PROJECT, STRUCTURAL
from ingest.errors import FairfolderError, FrozenError
from ingest.purposes import NO_PURPOSE, Purpose
from ingest.records import Change, Outcome, Record, Value
from ingest.seen import state_folder
from ingest.store import Store
from ingest.unreadable import Unreadable
from ingest.workspace import many_descriptors

# The word of an address → the kind of document it leads to.
KINDS: Mapping[str, str] = {
    "project": PROJECT,
    "dataset": ADMINISTRATIVE,
    "files": STRUCTURAL,
    "instrument": INSTRUMENT,
    "run": EXPERIMENT,
}
# The same word → what people call it.
NAMES: Mapping[str, str] = {
    "project": "project",
    "dataset": "dataset",
    "files": "files of the dataset",
    "instrument": "instrument",
    "run": "run",
}

LONGEST_REASON = 300  # characters of why somebody changed a record


@dataclass(frozen=True)
class Head:
    """What a document says, without the entries of a manifest, and its ETag over people's fields."""

    value: Value
    etag: str


@dataclass(frozen=True)
class Target:
    """One document that people may change.

    ``relative`` is its ``os`` path below ``root``; ``identifier`` is the record's own (a manifest's is its dataset's);
    an instrument belongs to no project.
    """

    root: Path
    relative: str
    kind: str
    identifier: str
    project_identifier: str = ""
    dataset_identifier: str = ""
    title: str = ""

    @property
    def path(self) -> Path:
        """Absolute."""
        return self.root / self.relative

    @property
    def word(self) -> str:
        """The word of its address."""
        return word_of(self.kind)

    def read(self) -> documents.Document:
        """The document as it stands on disk, with the ETag over people's fields.

        Raises:
            FileNotFoundError, DocumentError: see :func:`ingest.documents.read_document`.
        """
        return documents.read_document(self.path, self.kind)

    def read_head(self) -> Head:
        """All of the document but a manifest's entries: it may describe 100,000 files.

        Raises:
            FileNotFoundError, DocumentError: see :func:`ingest.documents.read_document`.
        """
        if self.kind == STRUCTURAL:
            parts = manifest.split(documents.read_bytes(self.path))
            if parts is not None:
                return Head(parts.header, documents.etag(STRUCTURAL, parts.header))
        document = self.read()
        value = {**document.value, "file_descriptions": []} if self.kind == STRUCTURAL else document.value
        return Head(value, document.etag)

    def may_be_seen(self, by: rights.Rights) -> bool:
        return self.kind == INSTRUMENT or by.sees(self.project_identifier)

    def may_be_changed(self, by: rights.Rights) -> bool:
        """Whether someone may change it; an instrument that is complete belongs to the curators."""
        if self.kind != INSTRUMENT:
            return by.edits(self.project_identifier)
        return by.curates or (by.edits_somewhere and self._is_draft())

    def _is_draft(self) -> bool:
        return Instrument.objects.filter(identifier=self.identifier).exclude(status="complete").exists()


def find(word: str, identifier: str) -> Target | None:
    """The document an address names, or None when there is none that can be changed now."""
    make = _FINDERS.get(word)
    return make(identifier) if make is not None else None


def changeable(word: str, identifier: str, by: rights.Rights) -> Target | None:
    """The document an address names, where this person may change it."""
    target = find(word, identifier)
    return target if target is not None and target.may_be_changed(by) else None


def word_of(kind: str) -> str:
    """The word of the address of a kind of document; "" of one that has none."""
    return next((word for word, each in KINDS.items() if each == kind), "")


def _at(document: Document | None, **more: Any) -> Target | None:
    root = engine.root_named(document.root) if document is not None else None
    if document is None or root is None:
        return None
    relative = documents.decode_path(document.path, document.path_encoding)
    return Target(root, relative, document.kind, **more)


def _project(identifier: str) -> Target | None:
    row = Project.objects.select_related("document").filter(identifier=identifier).first()
    if row is None:
        return None
    return _at(row.document, identifier=identifier, project_identifier=identifier, title=str(row))


def _dataset(identifier: str) -> Target | None:
    row = Dataset.objects.select_related("administrative").filter(identifier=identifier).first()
    return None if row is None else _of_dataset(row, row.administrative)


def _files(identifier: str) -> Target | None:
    row = Dataset.objects.select_related("structural").filter(identifier=identifier).first()
    return None if row is None else _of_dataset(row, row.structural)


def _of_dataset(row: Dataset, document: Document | None) -> Target | None:
    return _at(
        document,
        identifier=row.identifier,
        project_identifier=row.project_identifier,
        dataset_identifier=row.identifier,
        title=str(row),
    )


def _run(identifier: str) -> Target | None:
    row = Run.objects.select_related("document").filter(identifier=identifier).first()
    dataset = Dataset.objects.filter(identifier=row.dataset_identifier).first() if row is not None else None
    if row is None or dataset is None:
        return None
    return _at(
        row.document,
        identifier=identifier,
        project_identifier=dataset.project_identifier,
        dataset_identifier=dataset.identifier,
        title=str(row),
    )


def _instrument(identifier: str) -> Target | None:
    row = Instrument.objects.select_related("document").filter(identifier=identifier).first()
    return None if row is None else _at(row.document, identifier=identifier, title=str(row))


_FINDERS: Mapping[str, Callable[[str], Target | None]] = {
    "project": _project,
    "dataset": _dataset,
    "files": _files,
    "instrument": _instrument,
    "run": _run,
}


# --- writing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """A pure function over one document's value, for one person's action.

    ``unreadable`` is the text it replaces, where that says nothing: see :class:`ingest.records.Unreadable`.
    """

    target: Target
    function: Callable[[Value | None], Value | None]
    if_match: str | None = None
    unreadable: Unreadable | None = None


@lru_cache(maxsize=32)
def store(root: Path) -> Store:
    """The writer of a root, as this process uses it."""
    many_descriptors()  # one action on hundreds of records holds their folders and locks all at once
    state = state_folder(settings.ENGINE.state_dir, root)
    return Store(root, engine.schemas(root), state=state, recorder=engine.recorder(root))


def save(
    target: Target,
    function: Callable[[Value | None], Value | None],
    *,
    by: str,
    if_match: str = "",
    purpose: Purpose = NO_PURPOSE,
    unreadable: Unreadable | None = None,
) -> Outcome:
    """Change one document as one action; its pages tell at once.

    Args:
        purpose: what the history says of it beyond what the document tells.
        unreadable: the text that is replaced, where it says nothing.

    Raises:
        ConflictError: when ``if_match`` is given and is not the ETag found under the lock.
        DocumentError: when the result would not be valid, with a sentence per problem.
        FrozenError, StoreError, BusyError: when it cannot be written now.
    """
    outcome = save_all([Edit(target, function, if_match or None, unreadable)], by=by, purpose=purpose)[0]
    if outcome.error is not None:
        raise outcome.error
    return outcome


def save_all(edits: Iterable[Edit], *, by: str, purpose: Purpose = NO_PURPOSE) -> list[Outcome]:
    """Several documents changed as one action for each root; one record's trouble holds up no other's.

    Answers one outcome for each *record*, with the error of those that could not be changed.

    Raises:
        FrozenError, StoreError, BusyError: when nothing can be written now.
    """
    outcomes: list[Outcome] = []
    for root, records in _records(edits).items():
        if reason := absence(root):
            raise FrozenError(f"{reason} Nothing was saved.")
        done = store(root).apply(records, by=by, purpose=purpose)
        outcomes += done
        index.refresh([written.path for each in done for written in each.written])
    return outcomes


def _records(edits: Iterable[Edit]) -> dict[Path, list[Record]]:
    """One record for each project or dataset, with all changes to its documents."""
    records: dict[Path, dict[str, Record]] = {}
    for edit in edits:
        target = edit.target
        change = Change(target.path, target.kind, edit.function, edit.if_match, unreadable=edit.unreadable)
        record = _record_of(target)
        here = records.setdefault(target.root, {})
        key = record.relative or target.relative
        known = here.get(key, record)
        here[key] = replace(known, changes=(*known.changes, change))
    return {root: list(each.values()) for root, each in records.items()}


def _record_of(target: Target) -> Record:
    owner = target.relative.partition("/.metadata/")[0]
    if target.kind == INSTRUMENT:
        return Record("", "", "")
    if target.kind == PROJECT:
        return Record("project", target.identifier, owner)
    return Record("dataset", target.dataset_identifier, owner)


def words(error: FairfolderError) -> tuple[str, ...]:
    """What is wrong, one sentence each."""
    problems: tuple[str, ...] = getattr(error, "problems", ())
    return problems or (str(error),)
