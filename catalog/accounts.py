"""Accounts of people and what they may: service state, not part of the index.

The role of an account stands in two places, its profile and the two flags by which Django's admin lets people in;
:func:`set_role` alone writes them, so that they agree.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from catalog import attempts, rights, second_factor
from catalog.models import Project
from catalog.models.people import Membership, Profile, ProjectRole, Role
from ingest.errors import FairfolderError

_RESERVED = frozenset({"filesystem", "system", "fairfolder"})
FIRST = "admin"
ADMIN = "admin"
ROLES = (Role.MEMBER.value, Role.VIEWER.value, Role.CURATOR.value, ADMIN)
PROJECT_ROLES = tuple(ProjectRole.values)
_COMMAND = ".venv/bin/python manage.py user"


class AccountError(FairfolderError):
    """An account that cannot be made, found or changed so."""


@dataclass(frozen=True)
class Password:
    """A new password, to be told once."""

    name: str
    password: str


@dataclass(frozen=True)
class Part:
    """An account's part in one project; folder and title are empty when the index knows no such project."""

    identifier: str
    role: str
    folder: str = ""
    title: str = ""


@dataclass(frozen=True)
class Account:
    name: str
    role: str
    may_sign_in: bool
    projects: Sequence[Part] = ()
    has_second_factor: bool = False


def reserved(name: str) -> str:
    """Why nobody may bear this user name; "" when somebody may."""
    if name.lower() not in _RESERVED:
        return ""
    return f"The user name {name!r} is what the history calls changes that no person made; choose another."


def first() -> Password | None:
    """The first account of a fresh service, which may do everything; None when there are accounts already."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        return add(FIRST, ADMIN)


def add(name: str, role: str = Role.VIEWER) -> Password:
    """A new account with a random password.

    Raises:
        AccountError: when the name is taken, reserved or no user name, or there is no such role.
    """
    _known_role(role)
    if why := reserved(name):
        raise AccountError(why)
    password = secrets.token_urlsafe(12)
    try:
        if not name:
            raise ValidationError("empty")  # Django's validators pass over an empty value
        User._meta.get_field("username").run_validators(name)
        with transaction.atomic():
            set_role(User.objects.create_user(name, password=password), role)
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
    attempts.forget(name)
    return Password(name, password)


def allow(name: str, *, allowed: bool) -> None:
    """Lets an account sign in, even after too many failures; or no longer.

    Raises:
        AccountError: when there is no such account, or nobody who may manage accounts would be left.
    """
    with transaction.atomic():
        user = named(name)
        if not allowed and is_last_administrator(user):
            raise _last(user)
        User.objects.filter(pk=user.pk).update(is_active=allowed)
    if allowed:
        attempts.forget(name)


# --- what an account may ----------------------------------------------------------------------------------------


def role_of(user: User) -> str:
    """One of :data:`ROLES`."""
    return ADMIN if user.is_superuser else rights.role_of(user)


def set_role(user: User, role: str) -> None:
    """Gives an account a role; the admin lets curators and administrators in, and nobody else.

    Raises:
        AccountError: when there is no such role, or nobody who may manage accounts would be left.
    """
    _known_role(role)
    with transaction.atomic():
        if role != ADMIN and is_last_administrator(user):
            raise _last(user)
        user.is_superuser = role == ADMIN
        user.is_staff = role in (ADMIN, Role.CURATOR)
        User.objects.filter(pk=user.pk).update(is_superuser=user.is_superuser, is_staff=user.is_staff)
        user.profile, _ = Profile.objects.update_or_create(
            user=user, defaults={"role": Role.CURATOR if role == ADMIN else role}
        )


def is_last_administrator(user: User) -> bool:
    """Whether nobody else who may sign in manages accounts."""
    able = User.objects.filter(is_superuser=True, is_active=True)
    return able.filter(pk=user.pk).exists() and not able.exclude(pk=user.pk).exists()


def join(user: User, project_identifier: str, role: str) -> None:
    """Gives an account a part in a project, or another one than it had.

    Raises:
        AccountError: when there is no such role.
    """
    if role not in PROJECT_ROLES:
        raise AccountError(f"The role in a project is {role!r}; it must be one of {', '.join(PROJECT_ROLES)}.")
    Membership.objects.update_or_create(user=user, project_identifier=project_identifier, defaults={"role": role})


def leave(user: User, project_identifier: str) -> None:
    """Takes an account's part in a project away.

    Raises:
        AccountError: when it has none.
    """
    if not Membership.objects.filter(user=user, project_identifier=project_identifier).delete()[0]:
        raise AccountError(f"{user.username!r} has no part in the project {project_identifier}; nothing was changed.")


def project_named(text: str) -> str:
    """The identifier of the project that a person means by its identifier or its folder.

    Raises:
        AccountError: when there is none, or more than one.
    """
    if Project.objects.filter(identifier=text).exists():
        return text
    found = list(Project.objects.filter(path=text.rstrip("/")).values_list("identifier", flat=True)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise AccountError(f"{text!r} is a project in more than one watched folder; give the identifier of one.")
    raise AccountError(f"There is no project {text!r}; give its identifier, or its folder's name such as p_Alpha.")


# --- finding accounts -------------------------------------------------------------------------------------------


def named(name: str) -> User:
    """The account of that name.

    Raises:
        AccountError: when there is none.
    """
    user = User.objects.filter(username=name).first()
    if user is None:
        raise _unknown(name)
    return user


def listed() -> list[Account]:
    """Every account, by name."""
    projects = {row.identifier: row for row in Project.objects.only("identifier", "path", "title")}
    parts: dict[int, list[Part]] = {}
    for part in Membership.objects.order_by("project_identifier"):
        known = projects.get(part.project_identifier)
        places = (known.path, known.title) if known is not None else ("", "")
        parts.setdefault(part.user_id, []).append(Part(part.project_identifier, part.role, *places))
    with_second_factor = second_factor.holders()
    return [
        Account(user.username, role_of(user), user.is_active, parts.get(user.pk, []), user.pk in with_second_factor)
        for user in User.objects.select_related("profile").order_by("username")
    ]


def _known_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError(f"The role is {role!r}; it must be one of {', '.join(ROLES)}.")


def _unknown(name: str) -> AccountError:
    return AccountError(f"There is no user {name!r}; list them with: {_COMMAND} list")


def _last(user: User) -> AccountError:
    return AccountError(
        f"{user.username!r} is the last administrator who may sign in; add another first with: "
        f"{_COMMAND} add NAME --role admin"
    )
