"""Who someone is: fills "me" in forms. Everyone changes their own, and nobody's role."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import rights
from catalog.editing import guided
from catalog.models import Profile
from catalog.models.people import ProjectRole, Role

_LONGEST = {each.name: each.max_length or 0 for each in Profile._meta.concrete_fields}
_ADMINISTRATOR = "administrator: sees and changes every record, and manages accounts"


@dataclass(frozen=True)
class Question:
    """One field of the profile; ``guided`` is its kind of value."""

    key: str
    title: str
    hint: str = ""
    guided: str = ""
    autocomplete: str = ""
    type: str = "text"


@dataclass(frozen=True)
class Answered:
    """A field with what stands in it and, after posting, what is wrong with it."""

    question: Question
    text: str
    error: str = ""


QUESTIONS: Sequence[Question] = (
    Question("name", "Name", "As it should be shown, like Josiah Carberry.", "", "name"),
    Question("given_name", "Given name", "", "", "given-name"),
    Question("family_name", "Family name", "", "", "family-name"),
    Question("orcid", "ORCID", "In any form, like 0000-0002-1825-0097.", "orcid"),
    Question("email", "E-mail", "", "email", "email", "email"),
    Question("affiliation", "Affiliation", "Where you work, like Brown University.", "", "organization"),
    Question("affiliation_ror", "ROR of the affiliation", "In any form, like 05gq02987.", "ror"),
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """What someone says of themselves, and what they may, which they cannot change."""
    assert isinstance(request.user, User)  # the middleware lets nobody else in
    if request.method == "POST":
        answered = read(request.POST)
        if not any(each.error for each in answered):
            Profile.objects.update_or_create(user=request.user, defaults={a.question.key: a.text for a in answered})
            messages.success(request, "Your profile is saved.")
            return redirect("profile")
        return _page(request, answered, status=422)
    row = Profile.objects.filter(user=request.user).first() or Profile()
    return _page(request, [Answered(each, getattr(row, each.key)) for each in QUESTIONS], status=200)


def read(posted: Mapping[str, Any]) -> Sequence[Answered]:
    """The answers in the form they are kept in, each with what is wrong with it."""
    found = [_read(each, str(posted.get(each.key, ""))) for each in QUESTIONS]
    texts = {each.question.key: each.text for each in found}
    if texts["affiliation_ror"] and not texts["affiliation"]:
        lacking = "The ROR is given, but not the affiliation it belongs to: add its name."
        found = [
            Answered(a.question, a.text, a.error or lacking) if a.question.key == "affiliation" else a for a in found
        ]
    return found


def _read(question: Question, typed: str) -> Answered:
    text = guided.normalised(question.guided, _on_one_line(typed))
    return Answered(question, text, _wrong(question, text))


def _on_one_line(typed: str) -> str:
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in typed)
    return " ".join(kept.split())


def _wrong(question: Question, text: str) -> str:
    most = _LONGEST[question.key]
    if len(text) > most:
        return f"{question.title} has {len(text)} characters; it may have at most {most}."
    if advice := guided.advice(question.guided, text):
        return advice
    if question.key == "email" and text:
        try:
            validate_email(text)
        except ValidationError:
            return f"“{text}” is no e-mail address: it should look like name@example.org."
    return ""


def _page(request: HttpRequest, answered: Sequence[Answered], status: int) -> HttpResponse:
    may = rights.of_request(request)
    titles = {row.identifier: row for row in may.projects().filter(identifier__in=may.projects_joined)}
    context = {
        "answered": answered,
        "wrong": [each for each in answered if each.error],
        "role": _ADMINISTRATOR if may.administers else Role(may.role).label,
        "projects": [
            (row, ProjectRole(may.projects_joined[key]).label)
            for key, row in sorted(titles.items(), key=lambda item: str(item[1]).casefold())
        ],
        "section": "profile",
    }
    return render(request, "catalog/profile.html", context, status=status)
