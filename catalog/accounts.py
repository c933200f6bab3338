"""Accounts of people: service state, not part of the index."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from ingest.errors import FairfolderError

FIRST = "admin"
_COMMAND = ".venv/bin/python manage.py user"


class AccountError(FairfolderError):
    """An account that cannot be made or found."""


@dataclass(frozen=True)
class Password:
    """A new password, to be told once."""

    name: str
    password: str


@dataclass(frozen=True)
class Account:
    name: str
    role: str
    may_sign_in: bool


def first() -> Password | None:
    """The first account of a fresh service, which may do everything; None when there are accounts already."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        return add(FIRST, admin=True)


def add(name: str, *, staff: bool = False, admin: bool = False) -> Password:
    """A new account with a random password.

    Raises:
        AccountError: when the name is taken or no user name.
    """
    password = secrets.token_urlsafe(12)
    try:
        if not name:
            raise ValidationError("empty")  # Django's validators pass over an empty value
        User._meta.get_field("username").run_validators(name)
        with transaction.atomic():
            User.objects.create_user(name, password=password, is_staff=staff or admin, is_superuser=admin)
    except ValidationError:
        raise AccountError(
            f"The user name is {name!r}; it may hold letters, digits and @ . + - _ only, at most 150 of them."
        ) from None
    except IntegrityError:
        raise AccountError(
            f"The user name {name!r} is taken; choose another, or give it a new password with: "
            f"{_COMMAND} password {name}"
        ) from None
    return Password(name, password)


def renew(name: str) -> Password:
    """A new random password for an account; whoever is signed in with the old one is signed out.

    Raises:
        AccountError: when there is no such account.
    """
    password = secrets.token_urlsafe(12)
    if not User.objects.filter(username=name).update(password=make_password(password)):
        raise _unknown(name)
    return Password(name, password)


def allow(name: str, *, allowed: bool) -> None:
    """Lets an account sign in, or no longer.

    Raises:
        AccountError: when there is no such account, or nobody who may manage accounts would be left.
    """
    with transaction.atomic():
        if not User.objects.filter(username=name).exists():
            raise _unknown(name)
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(username=name)
        if not allowed and User.objects.filter(username=name, is_superuser=True).exists() and not others.exists():
            raise AccountError(
                f"{name!r} is the last administrator who may sign in; add another first with: "
                f"{_COMMAND} add NAME --admin"
            )
        User.objects.filter(username=name).update(is_active=allowed)


def listed() -> list[Account]:
    """Every account, by name."""
    return [
        Account(user.username, "admin" if user.is_superuser else "staff" if user.is_staff else "reader", user.is_active)
        for user in User.objects.order_by("username")
    ]


def _unknown(name: str) -> AccountError:
    return AccountError(f"There is no user {name!r}; list them with: {_COMMAND} list")
