"""The people of a project: curators say who belongs to it, everyone who sees the project sees who does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import accounts, rights
from catalog.models import Project
from catalog.models.people import Membership, Profile, ProjectRole
from catalog.pages.failures import failure

_ROLES = [(role.value, role.label.partition(": ")[0], role.label.partition(": ")[2]) for role in ProjectRole]


_MOST_CHOICES = 200  # with more accounts than these, the name of one is typed


@dataclass(frozen=True)
class Member:
    """One person; `name` is that of the account where the person gave none.

    Those who do not manage the list are shown nothing of the account beyond it.
    """

    name: str
    account: str
    role: str
    may_sign_in: bool


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Who has a part in a project."""
    may = rights.of_request(request)
    project = get_object_or_404(may.projects(), identifier=str(identifier))
    if request.method == "POST":
        if not may.curates:
            raise PermissionDenied
        return _changed(request, project)
    people = _people(project.identifier)
    others = _others(people) if may.curates else ()
    context = {
        "project": project,
        "people": people,
        "manages": may.curates,
        "accounts": others,
        "is_typed": len(others) > _MOST_CHOICES,
        "roles": _ROLES,
        "section": "projects",
    }
    return render(request, "catalog/members.html", context)


def _changed(request: HttpRequest, project: Project) -> HttpResponse:
    name, do = request.POST.get("account", ""), request.POST.get("do", "")
    try:
        user = accounts.named(name.replace("\0", ""))
        if do == "remove":
            accounts.leave(user, project.identifier)
            messages.success(request, f"{user.username} has no part in this project any more.")
        else:
            role = request.POST.get("role", "")
            accounts.join(user, project.identifier, role)
            messages.success(request, f"{user.username} is {role} of this project now.")
    except accounts.AccountError as error:
        return failure(400, "Nothing was changed", str(error))
    return redirect("members", project.identifier)


def _people(project_identifier: str) -> Sequence[Member]:
    rows = Membership.objects.filter(project_identifier=project_identifier)
    found = [
        Member(_shown(row.user), row.user.username, row.role, row.user.is_active)
        for row in rows.select_related("user__profile")
    ]
    return sorted(found, key=lambda each: each.name.casefold())


def _shown(user: User) -> str:
    profile: Profile | None = getattr(user, "profile", None)  # an account may have none
    return (profile.name if profile is not None else "") or user.get_full_name() or user.username


def _others(people: Sequence[Member]) -> Sequence[tuple[str, str]]:
    """``(account, words)`` of those who may be added; of too many to choose from, as many as tell that."""
    rows = User.objects.filter(is_active=True).exclude(username__in=[each.account for each in people])
    return [
        (user.username, user.username if _shown(user) == user.username else f"{_shown(user)} ({user.username})")
        for user in rows.select_related("profile").order_by("username")[: _MOST_CHOICES + 1]
    ]
