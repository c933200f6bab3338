"""A form asked for or sent, whoever asks: the pages for researchers and the admin alike.

Whoever calls has made sure that the person may change the document. Nothing typed is ever lost: what cannot be saved
comes back in the form with its reason, and is kept as an unsaved form meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from catalog.editing import desk, opened, reading, saving, taking, targets, unsaved
from catalog.editing.case import Case, Chrome, Told, around, show, show_rows
from catalog.editing.desk import Desk
from catalog.editing.targets import Target
from ingest.errors import DocumentError

__all__ = ["Chrome", "handle"]


def handle(request: HttpRequest, target: Target, chrome: Chrome) -> HttpResponse:
    """The page of a form, or what becomes of one that was sent."""
    try:
        here = desk.on(target)
        return _sent(request, here, chrome) if request.method == "POST" else _asked(request, here, chrome)
    except FileNotFoundError:
        raise Http404 from None
    except DocumentError as error:  # it cannot be read, now or any more
        return _trouble(request, target, chrome, error)


def _sent(request: HttpRequest, here: Desk, chrome: Chrome) -> HttpResponse:
    base = opened.unsign(here.target, request.POST.get(unsaved.BASE, ""))
    case = Case(request, chrome, here, reading.posted(request.POST), base or here.now, unsaved.opening_of(request.POST))
    if base is None:
        return _forged(case)
    verb, _, about = request.POST.get("do", "save").partition(":")
    return _VERBS.get(verb, _saved)(case, about)


def _asked(request: HttpRequest, here: Desk, chrome: Chrome) -> HttpResponse:
    kept = unsaved.find(request.user, here.target, request.GET.get("unsaved", ""))
    if kept is not None:
        base = opened.unsign(here.target, kept.base)
        if base is not None:
            case = Case(request, chrome, here, kept.filled, base, kept.opening)
            told = Told("plain", "These are your unsaved changes. Save them to keep them.")
            return show(case, told=(told,), is_dirty=True)
    case = Case(request, chrome, here, desk.fresh(here), here.now, unsaved.new_opening())
    return show(case, kept=unsaved.offered(request.user, here.target))


# --- rows, and what else a button may ask ---------------------------------------------------------------------


def _add(case: Case, about: str) -> HttpResponse:
    filled, number = reading.with_row(case.filled, about)
    return show_rows(replace(case, filled=filled), about, f"{about}/{number}")


def _row(about: str) -> tuple[str, int]:
    name, _, number = about.rpartition("/")
    return name, int(number) if number.isascii() and number.isdigit() and len(number) < 7 else -1


def _remove(case: Case, about: str) -> HttpResponse:
    name, number = _row(about)
    return show_rows(replace(case, filled=reading.without_row(case.filled, name, number)), name, name)


def _move(by: int) -> Callable[[Case, str], HttpResponse]:
    def move(case: Case, about: str) -> HttpResponse:
        name, number = _row(about)
        filled, place = reading.moved_row(case.filled, name, number, by)
        return show_rows(replace(case, filled=filled), name, f"{name}/{place}")

    return move


def _show_field(case: Case, about: str) -> HttpResponse:
    filled = {**case.filled, reading.SHOW + about: "1"}
    return show(replace(case, filled=filled), focus=about, is_dirty=True)


def _find(case: Case, about: str) -> HttpResponse:
    found = taking.found(case.request, case.desk, about, case.filled.get(about + reading.PICK, ""))
    return show(case, found=(about, found), focus=about, is_dirty=True)


def _take(case: Case, about: str) -> HttpResponse:
    name, _, token = about.partition("=")  # an identity may have more of them
    filled = taking.taken(case.request, case.desk, case.filled, name, token)
    return show(replace(case, filled=filled), focus=name, is_dirty=True)


def _inherit(case: Case, about: str) -> HttpResponse:
    filled = taking.inherit(case.desk, case.base, case.filled, about)
    return show(replace(case, filled=filled), focus=about, is_dirty=True)


def _discard(case: Case, _: str) -> HttpResponse:
    unsaved.forget(case.request.user, case.desk.target, case.opening)
    return HttpResponseRedirect(case.request.path)


def _saved(case: Case, _: str) -> HttpResponse:
    return saving.as_it_is(case)


def _drafted(case: Case, _: str) -> HttpResponse:
    return saving.as_draft(case)


def _completed(case: Case, _: str) -> HttpResponse:
    return saving.as_complete(case)


def _merged(case: Case, _: str) -> HttpResponse:
    return saving.merged(case)


def _forged(case: Case) -> HttpResponse:
    words = "This form could not be read: what it was made from is missing or was altered. Here it is as it stands now."
    return show(replace(case, filled=desk.fresh(case.desk)), told=(Told("bad", words),), status=400)


def _trouble(request: HttpRequest, target: Target, chrome: Chrome, error: DocumentError) -> HttpResponse:
    context = around(request, target, chrome) | {"sentences": targets.words(error)}
    return render(request, "catalog/forms/trouble.html", context, status=409)


_VERBS: Mapping[str, Callable[[Case, str], HttpResponse]] = {
    "save": _saved,
    "draft": _drafted,
    "complete": _completed,
    "add": _add,
    "remove": _remove,
    "up": _move(-1),
    "down": _move(1),
    "show": _show_field,
    "find": _find,
    "take": _take,
    "inherit": _inherit,
    "discard": _discard,
    "merge": _merged,
}
