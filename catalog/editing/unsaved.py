"""What someone typed and has not saved: kept for them and nobody else, until it is saved or thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from catalog.editing.targets import Target
from catalog.models import UnsavedForm
from ingest import documents

BASE = "base"  # name of the input that carries what a form was made from


@dataclass(frozen=True)
class Unsaved:
    """A filled form with what it was made from (signed), and when it was kept."""

    filled: dict[str, str]
    base: str
    kept: datetime


def keep(user: AbstractBaseUser | AnonymousUser, target: Target, filled: Mapping[str, str], base: str) -> None:
    """Keep a form as it stands, instead of what was kept before."""
    UnsavedForm.objects.update_or_create(**_key(user, target), defaults={"posted": {**_storable(filled), BASE: base}})


def find(user: AbstractBaseUser | AnonymousUser, target: Target) -> Unsaved | None:
    """What was kept, or None."""
    row = UnsavedForm.objects.filter(**_key(user, target)).first()
    if row is None or not isinstance(row.posted, dict):
        return None
    texts = {str(name): str(text) for name, text in row.posted.items()}
    return Unsaved(texts, texts.pop(BASE, ""), row.saved)


def forget(user: AbstractBaseUser | AnonymousUser, target: Target) -> None:
    UnsavedForm.objects.filter(**_key(user, target)).delete()


def _key(user: AbstractBaseUser | AnonymousUser, target: Target) -> dict[str, Any]:
    root, relative = documents.readable(str(target.root)), documents.readable(target.relative)
    return {"user": user, "root": root, "document": relative}


def _storable(filled: Mapping[str, str]) -> dict[str, str]:
    """Without what a database refuses in a text: NUL (PostgreSQL) and lone surrogates."""
    return {_clean(name): _clean(text) for name, text in filled.items()}


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
