"""One request about one form, and the page it is answered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode

from catalog.editing import (
    desk,
    drawing,
    guided,
    markup,
    opened,
    reading,
    settling,
    signed_out,
    taking,
    targets,
    unsaved,
)
from catalog.editing.desk import Desk
from catalog.editing.guided import people
from catalog.editing.opened import Opened
from catalog.editing.reading import Filled
from catalog.editing.targets import Target

_CARRIED = "why"  # name of the input by which a page of two versions carries the reason
_LONGEST_QUESTION = 1_000  # characters; no name of an input of ours is that long


@dataclass(frozen=True)
class Chrome:
    """What stands around a form: the page it extends, the way back, and what that page needs."""

    base_template: str = "catalog/base.html"
    back_url: str = ""
    back_words: str = "Back to the record"
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What is said above a form: the tone of a notice, a sentence, and what it is about (place, sentence)."""

    tone: str
    words: str
    points: tuple[tuple[str, str], ...] = ()
    offers_draft: bool = False


@dataclass(frozen=True)
class Case:
    """One request about one form. ``base`` is what the form was made from; ``opening`` tells it from other tabs."""

    request: HttpRequest
    chrome: Chrome
    desk: Desk
    filled: Filled
    base: Opened
    opening: str

    @property
    def by(self) -> str:
        return str(self.request.user.get_username())

    @property
    def reason(self) -> str:
        """Why it is changed, if that was said: in the form, or before it met another version."""
        told = self.filled.get(reading.REASON, "") or self.request.POST.get(_CARRIED, "")
        return told.strip()[: targets.LONGEST_REASON]


def show(
    case: Case,
    *,
    told: tuple[Told, ...] = (),
    errors: Mapping[str, tuple[str, ...]] | None = None,
    focus: str = "",
    status: int = 200,
    is_dirty: bool = False,
    kept: Sequence[unsaved.Unsaved] = (),
    found: tuple[str, tuple[guided.Choice, ...]] | None = None,
) -> HttpResponse:
    """The page of a form as it is filled; what is not saved is kept meanwhile."""
    here = case.desk
    if is_dirty and case.request.method == "POST":
        _keep(case)
    sheet = desk.draw(here, case.filled, case.base, errors=errors, focus=focus, **_known(case, found))
    context = around(case.request, here.target, case.chrome) | {
        "sheet": sheet,
        "base": opened.sign(here.target, case.base),
        **of_opening(case),
        "told": told,
        "status": here.status,
        "can_be_complete": here.can_be_complete,
        "reason": case.reason,
        "longest_reason": targets.LONGEST_REASON,
        "asks_conditionally": here.tree.asks_conditionally,
        "kept": kept,
        "suggestions": [(kind, guided.common(kind)) for kind in sheet.suggestions],
        "is_dirty": is_dirty,
        "focus": focus,
    }
    return render(case.request, "catalog/forms/page.html", context, status=status)


def _keep(case: Case) -> None:
    base = opened.sign(case.desk.target, case.base)
    unsaved.keep(case.request.user, case.desk.target, case.opening, case.filled, base)


def again(case: Case, **question: str) -> HttpResponse:
    """On to the form as it is filled, kept as unsaved: an address of its own, to which a browser can go back.

    ``question`` is what the page is asked beside; what is empty is left out.
    """
    _keep(case)
    asked = {name: text for name, text in question.items() if 0 < len(text) <= _LONGEST_QUESTION}
    wanted = {unsaved.UNSAVED: case.opening, **asked}
    return HttpResponseRedirect(f"{case.request.path}?{urlencode(wanted)}")


def of_opening(case: Case) -> dict[str, str]:
    """What a form carries of its own: which opening it is, and whose."""
    holder = signed_out.holder(case.request.user, case.desk.target, case.opening)
    return {"opening": case.opening, "holder": holder}


def _known(case: Case, found: tuple[str, tuple[guided.Choice, ...]] | None = None) -> dict[str, Any]:
    """What the form can offer to take over."""
    return {
        "offers": taking.offers(case.desk, case.base, case.filled),
        "pickers": taking.SUGGESTED,
        "names": taking.NAMED,
        "found": found,
        "knows_me": people.knows(case.request.user),
    }


def around(request: HttpRequest, target: Target, chrome: Chrome) -> dict[str, Any]:
    """What every page about a form needs."""
    place = (target.word, target.identifier)
    return {
        **chrome.context,
        "chrome": chrome,
        "target": target,
        "what": targets.NAMES[target.word],
        "action": request.path,
        "suggest_url": reverse("suggest", args=["x"]).removesuffix("x/"),
        "check_url": reverse("edit-check", args=place),
        "keep_url": reverse("edit-keep", args=place),
    }


def points(errors: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """The place and the sentence of each error."""
    return tuple((drawing.anchor(name), words) for name, sentences in errors.items() for words in sentences)


def show_rows(case: Case, name: str, focus: str) -> HttpResponse:
    """A list after one of its buttons was pressed: alone where the page can put it in place, else the whole form."""
    here = case.desk
    if not getattr(case.request, "htmx", False):
        return again(case, at=focus)
    errors = settling.settle(here.tree, here.schemas, case.filled, case.base.rows, here.system).left
    sheet = desk.draw(here, case.filled, case.base, errors=errors, focus=focus, **_known(case))
    drawn = sheet.find(name)
    if drawn is None or not drawn.is_shown:
        return HttpResponse("")
    rows = markup.rows(drawn)
    return HttpResponse(rows + render_to_string("catalog/forms/meter.html", {"meter": sheet.meter, "swap": True}))
