"""A curator's acts: publish, withdraw. Each is one action of the store, one commit, and one refresh of the index."""

from __future__ import annotations

from pathlib import Path, PurePath

from django.utils import timezone

from catalog import engine, index
from catalog.editing import targets
from catalog.index.absence import absence
from catalog.models import Dataset
from catalog.publishing import standing
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
    again = publication.state_of(standing.of(dataset).entry) == publication.WITHDRAWN
    subject = f"{'Publish again' if again else 'Publish'} {_called(dataset)}"
    _act(dataset, publication.publish(found.objects, found.cited or {}, label=found.label), subject, by)
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
    """What a person confirmed: the data objects of a version, whatever the hour."""
    return ".".join(sorted(str(each["sha256"])[:16] for each in found.objects)) + f".{found.access.level}"


def _act(dataset: Dataset, act: Act, subject: str, by: str, reason: str = "") -> None:
    root, relative = _place(dataset)
    if told := absence(root):
        raise FrozenError(f"{told} Nothing was done.")
    record = Record("dataset", dataset.identifier, relative, publication=act, touch=True)
    purpose = Purpose(subject, trigger="publish", reason=reason)
    outcome = targets.store(root).apply([record], by=by, purpose=purpose)[0]
    if outcome.error is not None:
        raise outcome.error
    index.refresh([documents.registry_document(root, dataset.identifier)])


def _place(dataset: Dataset) -> tuple[Path, str]:
    root = engine.root_named(dataset.root)
    if root is None:
        raise LayoutError(f"The dataset {str(dataset)!r} is in no watched folder; nothing of it can be changed.")
    return root, documents.decode_path(dataset.path, dataset.path_encoding)


def _called(dataset: Dataset) -> str:
    return documents.readable(PurePath(dataset.path).name)
