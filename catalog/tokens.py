"""Tokens that let a program act as an account: made, listed, taken away. What a token may, its account's rights say."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.models import Token
from ingest.errors import SettingError

log = logging.getLogger(__name__)

_BEGINS = "ff_"
_NOTED_EVERY = timedelta(minutes=1)  # a program that asks often writes seldom
_LONGEST_NAME = 100


def make(user_name: str, name: str) -> str:
    """A new token of an account; it cannot be shown again.

    Raises:
        SettingError: when there is no such account, or it has a token of that name.
    """
    user, name = _user(user_name), name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise SettingError(f"The token's name is {name!r}; say in 1 to {_LONGEST_NAME} characters what it is for.")
    token = _BEGINS + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            Token.objects.create(user=user, name=name, sha256=_hash(token))
    except IntegrityError as error:
        taken = f"{user_name!r} has a token {name!r} already; remove it first, or choose another name."
        raise SettingError(taken) from error
    return token


def remove(user_name: str, name: str) -> None:
    """Takes a token away, at once.

    Raises:
        SettingError: when there is none of that name.
    """
    found, _ = Token.objects.filter(user=_user(user_name), name=name).delete()
    if not found:
        raise SettingError(f"{user_name!r} has no token {name!r}; token list shows those there are.")


def listed() -> Sequence[Mapping[str, str]]:
    """Every token: whose it is, its name, when it was made, and when it was used last ("" for never)."""
    rows = Token.objects.select_related("user").order_by("user__username", "name")
    return [
        {
            "user": row.user.get_username(),
            "name": row.name,
            "made": f"{row.made:%Y-%m-%d}",
            "used": f"{row.used:%Y-%m-%d}" if row.used is not None else "",
        }
        for row in rows
    ]


def of_account(user: User) -> QuerySet[Token]:
    """The tokens of an account, by name."""
    return Token.objects.filter(user=user).order_by("name")


def account_of(token: str) -> User | None:
    """The account that a token stands for; None for any other text, or where the account is switched off."""
    row = Token.objects.select_related("user").filter(sha256=_hash(token), user__is_active=True).first()
    if row is None:
        return None
    now = timezone.now()
    if row.used is None or now - row.used > _NOTED_EVERY or now < row.used:
        _note(row, now)
    return row.user


def _note(row: Token, now: datetime) -> None:
    """Notes the use; where the database cannot be written, what was asked is answered all the same."""
    try:
        with transaction.atomic():
            Token.objects.filter(pk=row.pk).update(used=now)
    except DatabaseError as error:
        log.warning("that the token %r of %s was used cannot be noted: %s", row.name, row.user.get_username(), error)


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise SettingError(f"There is no account {name!r}; user list shows those there are.")
    return user


def _hash(token: str) -> str:
    """Of a random text of 256 bits, which nobody guesses: a plain hash is enough."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
