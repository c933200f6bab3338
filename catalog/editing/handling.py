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
from catalog.editing.case import Case, Chrome, Told, again, around, show, show_rows
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
    opening = unsaved.opening_of(request.POST) or unsaved.new_opening()
    case = Case(request, chrome, here, reading.posted(request.POST), base or here.now, opening)
    if base is None:
        return _forged(case)
    verb, _, about = request.POST.get("do", "save").partition(":")
    return _VERBS.get(verb, _saved)(case, about)


def _asked(request: HttpRequest, here: Desk, chrome: Chrome) -> HttpResponse:
    wanted = request.GET.get(unsaved.UNSAVED, "")
    kept = unsaved.find(request.user, here.target, wanted) if wanted else None
    base = opened.unsign(here.target, kept.base) if kept is not None else None
    if kept is not None and base is not None:
        return _gone_on_with(Case(request, chrome, here, kept.filled, base, kept.opening))
    case = Case(request, chrome, here, desk.fresh(here), here.now, unsaved.new_opening())
    return saving.lacking(case) if saving.ASKED in request.GET else show(case, kept=saving.offered(case))


def _gone_on_with(case: Case) -> HttpResponse:
    """An unsaved form: where a newer version stands against it both of them, else the form with what is wrong in it."""
    status = case.request.GET.get(saving.AGAINST, "")
    if status and case.base.etag != case.desk.now.etag:
        return saving.against_newer(case, status)
    name = case.request.GET.get("find", "")
    query = case.filled.get(name + reading.PICK, "")
    found = (name, taking.found(case.request, case.desk, name, query)) if name else None
    return saving.unsaved_form(case, case.request.GET.get("at", name), found)


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
    return again(replace(case, filled=filled), at=about)


def _find(case: Case, about: str) -> HttpResponse:
    return again(case, find=about)


def _take(case: Case, about: str) -> HttpResponse:
    name, _, token = about.partition("=")  # an identity may have more of them
    filled = taking.taken(case.request, case.desk, case.filled, name, token)
    return again(replace(case, filled=filled), at=name)


def _drop(case: Case, about: str) -> HttpResponse:
    name, _, token = about.partition("=")
    return again(replace(case, filled=taking.dropped(case.desk, case.filled, name, token)), at=name)


def _inherit(case: Case, about: str) -> HttpResponse:
    filled = taking.inherit(case.desk, case.base, case.filled, about)
    return again(replace(case, filled=filled), at=about)


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
    "drop": _drop,
    "inherit": _inherit,
    "discard": _discard,
    "merge": _merged,
}
