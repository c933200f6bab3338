"""What someone typed and has not saved: kept for them and nobody else, until it is saved or thrown away."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from catalog.editing.targets import Target
from catalog.models import UnsavedForm
from ingest import documents

BASE = "base"  # name of the input that carries what a form was made from
UNSAVED = "unsaved"  # in an address: which opening to go on with
OPENING = "opening"  # name of the input that tells one opening of the form from another
_MOST = 20  # of one record; the oldest go

Person = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Unsaved:
    """A filled form with what it was made from (signed), which opening of the form it is, and when it was kept."""

    filled: dict[str, str]
    base: str
    opening: str
    kept: datetime


def new_opening() -> str:
    """A name for one more opening of a form, so that two tabs never keep in each other's place."""
    return secrets.token_urlsafe(12)


def opening_of(posted: Mapping[str, Any]) -> str:
    """Which opening of a form was sent."""
    text = str(posted.get(OPENING, ""))
    return text if re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text) else ""


def keep(user: Person, target: Target, opening: str, filled: Mapping[str, str], base: str) -> None:
    """Keep a form as it stands, instead of what this opening of it kept before."""
    posted = {**_storable(filled), BASE: base}
    UnsavedForm.objects.update_or_create(**_key(user, target), opening=opening, defaults={"posted": posted})
    over = _rows(user, target).values_list("pk", flat=True)[_MOST:]
    UnsavedForm.objects.filter(pk__in=list(over)).delete()


def offered(user: Person, target: Target) -> list[Unsaved]:
    """What was kept of a record's form, the newest first."""
    return [_read(row) for row in _rows(user, target) if isinstance(row.posted, dict)]


def find(user: Person, target: Target, opening: str) -> Unsaved | None:
    """What one opening kept, or None."""
    return next((each for each in offered(user, target) if each.opening == opening), None)


def forget(user: Person, target: Target, opening: str) -> None:
    """Forget what this opening kept, and no other."""
    UnsavedForm.objects.filter(**_key(user, target), opening=opening).delete()


def _rows(user: Person, target: Target) -> QuerySet[UnsavedForm]:
    return UnsavedForm.objects.filter(**_key(user, target)).order_by("-saved", "-pk")


def _read(row: UnsavedForm) -> Unsaved:
    texts = {str(name): str(text) for name, text in row.posted.items()}
    return Unsaved(texts, texts.pop(BASE, ""), row.opening, row.saved)


def _key(user: Person, target: Target) -> dict[str, Any]:
    root, relative = documents.readable(str(target.root)), documents.readable(target.relative)
    return {"user": user, "root": root, "document": relative}


def _storable(filled: Mapping[str, str]) -> dict[str, str]:
    """Without what a database refuses in a text: NUL (PostgreSQL) and lone surrogates."""
    return {_clean(name): _clean(text) for name, text in filled.items()}


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
