"""Reviews: a researcher asks a curator to look at a record; it is accepted, or returned with comments.

A review speaks of one document. It changes none by itself: a document becomes complete only when the curator asks for
that too, and only if it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from catalog import rights
from catalog.editing import completing, targets
from catalog.editing.targets import Target
from catalog.models import Document, Review, ReviewComment
from catalog.models.work import ReviewState
from ingest import documents
from ingest.documents import STRUCTURAL
from ingest.errors import DocumentError, FairfolderError
from ingest.purposes import Purpose
from ingest.records import Value

MOST_CHARACTERS = 10_000
_NOT_YOURS = "You may not do this with this record; ask a curator."


class ReviewError(FairfolderError):
    """Something that cannot be done with a review now."""


@dataclass(frozen=True)
class Standing:
    """A record's review as one person sees it, and what that person may do."""

    review: Review | None
    earlier: Sequence[Review]
    etag: str
    changed: bool
    may_send: bool
    may_decide: bool
    may_comment: bool
    has_status: bool
    is_complete: bool


def latest(target: Target) -> Review | None:
    """The review of a document that was asked for last."""
    return latest_of(target.kind, target.identifier)


def latest_of(kind: str, identifier: str) -> Review | None:
    """The same for a record of which no document need be there."""
    return _of(kind, identifier).first()


def _of(kind: str, identifier: str) -> QuerySet[Review]:
    rows = Review.objects.filter(kind=kind, identifier=identifier)
    return rows.select_related("asked_by", "decided_by").order_by("-asked", "-pk")


def standing(target: Target, by: rights.Rights) -> Standing:
    """What a page shows of a document's reviews."""
    rows = list(_of(target.kind, target.identifier).prefetch_related("comments__author"))
    review = rows[0] if rows else None
    etag, status = _read(target)
    is_open = review is not None and review.state == ReviewState.READY
    return Standing(
        review=review,
        earlier=rows[1:],
        etag=etag,
        changed=review is not None and review.etag != etag,
        may_send=not is_open and bool(etag) and target.may_be_changed(by),
        may_decide=is_open and by.curates,
        may_comment=is_open and (by.curates or target.may_be_changed(by)),
        has_status=target.kind != STRUCTURAL,
        is_complete=status == "complete",
    )


def _read(target: Target) -> tuple[str, str]:
    """ETag and status as they stand; empty when the document cannot be read."""
    try:
        head = target.read_head()
    except (FileNotFoundError, DocumentError):
        return "", ""
    return head.etag, str(head.value.get("status", ""))


# --- what people do -------------------------------------------------------------------------------------------


def send(target: Target, user: User, text: str = "") -> Review:
    """Asks for a review of the document as it stands.

    Raises:
        ReviewError: when this person may not, one is open already, or the document cannot be read.
    """
    if not target.may_be_changed(rights.of(user)):
        raise ReviewError(_NOT_YOURS)
    etag, _ = _read(target)
    if not etag:
        raise ReviewError("The record cannot be read now, so it was not sent; its page says why.")
    try:
        with transaction.atomic():
            review = Review.objects.create(
                kind=target.kind,
                identifier=target.identifier,
                project_identifier=target.project_identifier,
                title=target.title,
                etag=etag,
                asked_by=user,
            )
            _say(review, user, text)
    except IntegrityError:
        raise ReviewError("This record is waiting for its review already; add a comment instead.") from None
    return review


def comment(review: Review, target: Target, user: User, text: str) -> None:
    """Adds a remark to an open review.

    Raises:
        ReviewError: when it is over, there is no text, or this person takes no part in it.
    """
    by = rights.of(user)
    if not (by.curates or target.may_be_changed(by)):
        raise ReviewError(_NOT_YOURS)
    if not text.strip():
        raise ReviewError("The comment is empty; write one.")
    with transaction.atomic():
        _still_open(review)
        _say(review, user, text)


def give_back(review: Review, user: User, text: str) -> None:
    """Returns a record to who sent it, with what is to be done.

    Raises:
        ReviewError: when it was decided already, nothing is said, or this person is no curator.
    """
    if not text.strip():
        raise ReviewError("Say what is to be done: a record is returned with a comment.")
    with transaction.atomic():
        _decide(review, user, ReviewState.RETURNED)
        _say(review, user, text)


def accept(review: Review, user: User, text: str = "", *, seen: str, complete: bool = False) -> str:
    """Accepts a record as the curator saw it; ``complete`` also marks its document complete.

    Answers what else followed from that, as a sentence, or "".

    Raises:
        ReviewError: when it was decided already, changed since ``seen`` (an ETag), or is not there.
        DocumentError: when it was to be marked complete and is not, with a sentence per problem.
        ConflictError, FrozenError, StoreError, BusyError: when it could not be marked complete now.
    """
    target = target_of(review)
    if target is None or not rights.of(user).curates:
        raise ReviewError(_NOT_YOURS)
    etag, status = _read(target)
    if etag != seen:
        raise ReviewError("The record was changed while you looked at it; look at it again, then decide.")
    _still_open(review)
    more = ""
    if complete and target.kind != STRUCTURAL and status != "complete":
        purpose = Purpose(f"Accept and complete {targets.NAMES[target.word]} {target.title}", trigger="form")
        targets.save(target, _completed, by=user.get_username(), if_match=etag, purpose=purpose)
        more = completing.completed(target, user.get_username())
        etag, _ = _read(target)
    with transaction.atomic():
        _decide(review, user, ReviewState.ACCEPTED)
        Review.objects.filter(pk=review.pk).update(etag=etag)
        _say(review, user, text)
    return more


def _completed(value: Value | None) -> Value | None:
    return None if value is None else {**value, "status": "complete"}


def _still_open(review: Review) -> None:
    if not Review.objects.filter(pk=review.pk, state=ReviewState.READY).exists():
        raise ReviewError("This review was decided already; the page shows how.")


def _decide(review: Review, user: User, state: ReviewState) -> None:
    if not rights.of(user).curates:
        raise ReviewError(_NOT_YOURS)
    open_ = Review.objects.filter(pk=review.pk, state=ReviewState.READY)
    if not open_.update(state=state, decided_by=user, decided=timezone.now()):
        raise ReviewError("This review was decided already; the page shows how.")


def _say(review: Review, user: User, text: str) -> None:
    if text.strip():
        lines = "\n".join(text.strip().splitlines())
        ReviewComment.objects.create(review=review, author=user, text=lines[:MOST_CHARACTERS])


def decide(review: Review, user: Any, posted: QueryDict) -> str:
    """What a curator's button asks for (``do``), done; a sentence on it.

    Raises:
        FairfolderError: as the function that does it.
    """
    text, verb = posted.get("text", ""), posted.get("do", "")
    if verb == "return":
        give_back(review, user, text)
        return "The record was returned with your comment."
    if verb == "comment":
        target = target_of(review)
        if target is None:
            raise ReviewError("The record is not there any more.")
        comment(review, target, user, text)
        return "Your comment was added."
    if verb in ("accept", "complete"):
        more = accept(review, user, text, seen=posted.get("seen", ""), complete=verb == "complete")
        done = "The record was accepted and marked complete." if verb == "complete" else "The record was accepted."
        return f"{done} {more}".strip()
    raise ReviewError("Choose what to do with the review: accept it, or return it.")


# --- the queue ------------------------------------------------------------------------------------------------


def target_of(review: Review) -> Target | None:
    """The document a review is of; None when it is not there any more."""
    return targets.find(targets.word_of(review.kind), review.identifier)


def changed_since(reviews: Sequence[Review]) -> dict[int, bool]:
    """Key of each review → whether its document changed since it was sent, as far as the index knows.

    A document that is not there counts as changed.
    """
    wanted = {(review.kind, review.identifier) for review in reviews}
    rows = Document.objects.filter(
        kind__in={kind for kind, _ in wanted}, identifier__in={number for _, number in wanted}
    )
    tags = {
        (row.kind, row.identifier): documents.etag(row.kind, row.value)
        for row in rows
        if isinstance(row.value, dict) and (row.kind, row.identifier) in wanted
    }
    return {review.pk: tags.get((review.kind, review.identifier)) != review.etag for review in reviews}
