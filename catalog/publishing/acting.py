"""A curator's acts: publish, withdraw. Each is one action of the store, one commit, and one refresh of the index."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import orjson
from django.utils import timezone

from catalog import engine, index
from catalog.editing import targets
from catalog.index.absence import absence
from catalog.models import Dataset
from catalog.publishing.checking import Preflight, preflight
from ingest import documents, publication
from ingest.errors import FairfolderError, FrozenError, LayoutError
from ingest.publication import Act
from ingest.purposes import Purpose
from ingest.records import Record

LONGEST_REASON = 1_000


class PublishingError(FairfolderError):
    """Why a dataset is not published or withdrawn; ``found`` is what the preflight says."""

    def __init__(self, sentence: str, found: Preflight | None = None) -> None:
        super().__init__(sentence)
        self.found = found


def publish(dataset: Dataset, *, by: str, seen: str = "") -> Preflight:
    """Makes a dataset public as it stands; what is public already as it stands stays so.

    Args:
        by: the curator.
        seen: the etag of the preview they confirmed; what has changed since is not published.

    Raises:
        PublishingError: when the preflight refuses it, or it is not what was seen.
        FairfolderError: why it cannot be written now.
    """
    found = preflight(dataset, timezone.now())
    if not found.passes:
        words = " ".join(each.sentence for each in found.refusals)
        raise PublishingError(f"It cannot be published yet. {words}", found)
    if seen and seen != token(found):
        raise PublishingError("It was changed while you looked at it; this is what would be published now.", found)
    again = publication.state_of(found.entry) == publication.WITHDRAWN
    subject = f"{'Publish again' if again else 'Publish'} {_called(dataset)}"
    act = _if_unchanged(publication.publish(found.objects, found.cited or {}, label=found.label), found)
    _act(dataset, act, subject, by)
    return found


def withdraw(dataset: Dataset, reason: str, *, by: str) -> None:
    """Takes a dataset back; where it was, a tombstone says why.

    Raises:
        PublishingError, DocumentError: when it is not published, or no reason is given.
        FairfolderError: why it cannot be written now.
    """
    told = reason.strip()
    if len(told) > LONGEST_REASON:
        raise PublishingError(f"The reason has {len(told):,} characters; at most {LONGEST_REASON:,} are kept.")
    _act(dataset, publication.withdraw(told), f"Withdraw {_called(dataset)}", by, told)


def token(found: Preflight) -> str:
    """What a person confirmed: the data objects of a version and what had been done until then, whatever the hour."""
    objects = sorted(str(each["sha256"])[:16] for each in found.objects)
    return ".".join([*objects, found.access.level, _done_until_now(found.entry)])


def _done_until_now(entry: Mapping[str, Any]) -> str:
    """State, versions and withdrawal as one word: another act, also one of another curator, makes it another."""
    said = entry.get("publication", {"state": publication.UNPUBLISHED})
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _if_unchanged(act: Act, found: Preflight) -> Act:
    """The act, refused where somebody else acted since; it looks under the lock of the store."""

    def checked(entry: Mapping[str, Any], moment: str) -> publication.Publication:
        if _done_until_now(entry) != _done_until_now(found.entry):
            state = publication.state_of(entry)
            words = f"Somebody else published or withdrew it meanwhile: it is {state} now. Look at it again."
            raise PublishingError(words)
        return act(entry, moment)

    return checked


def _act(dataset: Dataset, act: Act, subject: str, by: str, reason: str = "") -> None:
    root, relative = _place(dataset)
    if told := absence(root):
        raise FrozenError(f"{told} Nothing was done.")
    record = Record("dataset", dataset.identifier, relative, publication=act, touch=True)
    purpose = Purpose(subject, trigger="publish", reason=reason)
    outcome = targets.store(root).apply([record], by=by, purpose=purpose)[0]
    index.refresh([documents.registry_document(root, dataset.identifier)])  # also where somebody else acted
    if outcome.error is not None:
        raise outcome.error


def _place(dataset: Dataset) -> tuple[Path, str]:
    root = engine.root_named(dataset.root)
    if root is None:
        raise LayoutError(f"The dataset {str(dataset)!r} is in no watched folder; nothing of it can be changed.")
    return root, documents.decode_path(dataset.path, dataset.path_encoding)


def _called(dataset: Dataset) -> str:
    return documents.readable(PurePath(dataset.path).name)
