"""While someone types: what is wrong with a field, how complete the record would be, and what is kept meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from catalog.editing import case, desk, opened, reading, settling, unsaved
from catalog.editing.case import Chrome
from catalog.editing.desk import Desk, Sheet
from catalog.editing.drawing import Drawn
from catalog.editing.opened import Opened
from catalog.editing.reading import Filled
from catalog.editing.targets import Target
from ingest.errors import DocumentError

CHECK = "check"  # the name of the field that was changed last


def check(request: HttpRequest, target: Target) -> HttpResponse:
    """What is wrong with the field :data:`CHECK` names; beside it the meter, and what came or went with the answer."""
    here, base = _on(request, target)
    filled = reading.posted(request.POST)
    settled = settling.settle(here.tree, here.schemas, filled, base.people, here.system)
    sheet = desk.draw(here, filled, base, errors=settled.left)
    name = request.POST.get(CHECK, "")
    around = case.around(request, target, Chrome())
    parts = [render_to_string("catalog/forms/meter.html", {"meter": sheet.meter, "swap": True})]
    drawn = sheet.find(name)
    if drawn is not None:
        parts.insert(0, render_to_string("catalog/forms/error.html", {"drawn": drawn}))
    parts += [render_to_string(each, {**around, **context}) for each, context in _changed(sheet, filled)]
    return HttpResponse("".join(parts))


def _changed(sheet: Sheet, filled: Filled) -> Iterator[tuple[str, dict[str, object]]]:
    """What must be drawn anew: fields and groups that the last answer brings or takes away."""
    for section in sheet.sections:
        parts = (each for part in section.parts for each in _outermost(part, filled))
        changed = [each for each in parts if each.is_shown is not _stands(each, filled)]
        for each in changed:
            yield "catalog/forms/field.html", {"drawn": each, "swap": True}
        if not set(changed).isdisjoint(section.parts):
            yield "catalog/forms/apart.html", {"section": section, "swap": True}


def _outermost(part: Drawn, filled: Filled) -> Iterator[Drawn]:
    """The fields that may come and go, in what the page has: not what is inside of one that comes."""
    if part.is_conditional:
        yield part
    if part.is_shown and (not part.is_conditional or _stands(part, filled)):
        for each in part.below():
            yield from _outermost(each, filled)


def _stands(drawn: Drawn, filled: Filled) -> bool:
    """Whether the form that was sent has the field."""
    below = f"{drawn.name}/"
    return drawn.name in filled or drawn.name + reading.LIST in filled or any(each.startswith(below) for each in filled)


def keep(request: HttpRequest, target: Target) -> HttpResponse:
    """Keeps the form as it stands; answers when that was."""
    text = request.POST.get(unsaved.BASE, "")
    if opened.unsign(target, text) is None:
        return JsonResponse({"kept": ""}, status=400)
    unsaved.keep(request.user, target, unsaved.opening_of(request.POST), reading.posted(request.POST), text)
    return JsonResponse({"kept": timezone.now().strftime("%H:%M UTC")})


def _on(request: HttpRequest, target: Target) -> tuple[Desk, Opened]:
    try:
        here = desk.on(target)
    except (FileNotFoundError, DocumentError):
        raise Http404 from None
    return here, opened.unsign(target, request.POST.get(unsaved.BASE, "")) or here.now
