"""A save over a newer version: both sides side by side, field by field, and nothing of either lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render

from catalog.editing import opened, telling
from catalog.editing.case import Case, around, of_opening
from catalog.editing.opened import Opened
from catalog.editing.reading import Filled
from ingest.merging import ABSENT, Conflict, Merged, merge, resolve, same
from ingest.records import Value

_MINE = "mine"
_SIDES = ("mine", "theirs")
Errors = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Side:
    """One field that needs no choice: who changed it, and what it becomes."""

    title: str
    who: str
    before: str
    after: str


@dataclass(frozen=True)
class Choice:
    """One field both changed."""

    name: str
    title: str
    base: str
    mine: str
    theirs: str
    chosen: str = ""


@dataclass(frozen=True)
class Versions:
    """What the form was made from, saved last at ``stamp``; what the person made of it; ``left`` could not be kept."""

    base: Value
    mine: Value
    left: Mapping[str, Any]
    stamp: str


def show(
    case: Case, versions: Versions, theirs: Opened, *, chosen: Mapping[str, str] | None = None, status: int = 412
) -> HttpResponse:
    """The page that shows both versions; nothing is chosen beforehand."""
    merged = merge(versions.base, versions.mine, theirs.people)
    target = case.desk.target
    told = {"base": versions.base, "mine": versions.mine, "left": dict(versions.left), "stamp": versions.stamp}
    by = _saved_by(case, versions)
    context = around(case.request, target, case.chrome) | {
        "base": opened.sign(target, theirs),
        **of_opening(case),
        "why": case.reason,
        "mine": signing.dumps(told, salt=_salt(case), compress=True),
        "merged": _sides(case, versions, theirs.people, merged),
        "choices": [_choice(case, number, each, chosen or {}) for number, each in enumerate(merged.conflicts)],
        "left": _left(case, versions.left),
        "by": by,
        "is_oneself": by == case.by,
        "at": case.desk.system.get("last_modified_date", ""),
        "is_unanswered": chosen is not None,
    }
    return render(case.request, "catalog/forms/conflict.html", context, status=status)


def sent(case: Case) -> Versions | None:
    """The versions a conflict page carried; None when they were altered."""
    try:
        told = signing.loads(case.request.POST.get(_MINE, ""), salt=_salt(case))
    except signing.BadSignature:
        return None
    return Versions(told["base"], told["mine"], told["left"], told["stamp"])


def _salt(case: Case) -> str:
    """Two versions carried by one person's page are that person's, of that record."""
    target = case.desk.target
    return f"catalog.editing.conflicts {target.kind} {target.identifier} {case.request.user.pk}"


def _saved_by(case: Case, versions: Versions) -> str:
    """Who saved the newer version; "" where it was written with an editor, past the service."""
    by = str(case.desk.system.get("last_modified_by", ""))
    return "" if by == "filesystem" or opened.stamp(case.desk.system) == versions.stamp else by


def decided(case: Case, versions: Versions) -> Value | None:
    """The merged document, when every choice was made."""
    merged = merge(versions.base, versions.mine, case.base.people)
    answers = [case.request.POST.get(_name(number), "") for number in range(len(merged.conflicts))]
    if any(answer not in _SIDES for answer in answers):
        return None
    value: Value = resolve(merged, [answer == "mine" for answer in answers])
    return value


def answers(given: Mapping[str, Any]) -> dict[str, str]:
    """What was chosen so far."""
    return {name: str(text) for name, text in given.items() if name.startswith("choice-") and text in _SIDES}


def kept_texts(filled: Filled, errors: Errors) -> dict[str, list[str]]:
    """What was typed and could not be kept, with why: input name → text and sentence."""
    return {name: [filled.get(name, ""), " ".join(sentences)] for name, sentences in errors.items()}


def _name(number: int) -> str:
    return f"choice-{number}"


def _choice(case: Case, number: int, conflict: Conflict, chosen: Mapping[str, str]) -> Choice:
    tree = case.desk.tree
    field = telling.field_of(tree, conflict.path)
    base, mine, theirs = (telling.value(field, each) for each in (conflict.base, conflict.mine, conflict.theirs))
    return Choice(_name(number), telling.place(tree, conflict.path), base, mine, theirs, chosen.get(_name(number), ""))


def _sides(case: Case, versions: Versions, theirs: Value, merged: Merged) -> list[Side]:
    """What each side changed on its own, by top-level field; a field with a choice in it is left to that."""
    open_ = {conflict.path[0] for conflict in merged.conflicts if conflict.path}
    return [
        side
        for key in dict.fromkeys((*versions.base, *versions.mine, *theirs))
        if key not in open_ and (side := _side(case, key, versions, theirs, merged.value)) is not None
    ]


def _side(case: Case, key: str, versions: Versions, theirs: Value, merged: Value) -> Side | None:
    base, mine, other = (value.get(key, ABSENT) for value in (versions.base, versions.mine, theirs))
    is_mine, is_theirs = not same(base, mine), not same(base, other)
    if not is_mine and not is_theirs:
        return None
    who = "both" if is_mine and is_theirs else "you" if is_mine else "they"
    field = telling.field_of(case.desk.tree, (key,))
    after = telling.value(field, merged.get(key, ABSENT))
    return Side(telling.place(case.desk.tree, (key,)), who, telling.value(field, base), after)


def _left(case: Case, left: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What could not be kept: its place, what was typed, and why."""
    found = []
    for name, (text, why) in left.items():
        path = [int(step) if step.isdigit() else step for step in name.split("/")[1:]]
        found.append((telling.place(case.desk.tree, path), text, why))
    return found
