"""While someone types: what is wrong with a field, how complete the record would be, and what is kept meanwhile.

Only what the answer needs is drawn: the field that was changed, and what came or went with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from catalog.editing import desk, drawing, markup, opened, reading, settling, unsaved
from catalog.editing.desk import Desk
from catalog.editing.drawing import Pen, Spot
from catalog.editing.opened import Opened
from catalog.editing.reading import Filled
from catalog.editing.targets import Target
from ingest.errors import DocumentError
from ingest.periods import PAIRS

CHECK = "check"  # the name of the field that was changed last
# What a field decides on beside itself: the start of a stretch of time on its end, the access on the embargo.
_DECIDES: Mapping[str, str] = {**dict(PAIRS), "access_level": "embargo_end_date"}


def check(request: HttpRequest, target: Target) -> HttpResponse:
    """What is wrong with the field :data:`CHECK` names; beside it the meter, and what came or went with the answer."""
    here, base = _on(request, target)
    filled = reading.posted(request.POST)
    settled = settling.settle(here.tree, here.schemas, filled, base.rows, here.system)
    read = reading.read(here.tree, filled, base.rows) if settled.left else settled.reading
    pen = Pen(filled, base.rows, read.shape, desk.with_notes(here, read, base, settled.left))
    standing = _standing(filled)
    meter = desk.meter(here, read, {name: drawing.anchor(name) for name in standing})
    parts = [*_errors(here, pen, request.POST.get(CHECK, ""), standing)]
    parts.append(render_to_string("catalog/forms/meter.html", {"meter": meter, "swap": True}))
    parts += _changed(here, pen, standing)
    return HttpResponse("".join(parts))


def _standing(filled: Filled) -> frozenset[str]:
    """The names of all fields, groups and entries that the form that was sent has."""
    found: set[str] = set()
    for name in filled:
        head = name.partition("#")[0]
        while head and head not in found:
            found.add(head)
            head = head.rpartition("/")[0]
    return frozenset(found)


def _errors(here: Desk, pen: Pen, name: str, standing: frozenset[str]) -> Iterator[str]:
    """What is wrong with the field that was changed, and with the one it decides on."""
    parent, _, key = name.rpartition("/")
    for number, each in enumerate((name, f"{parent}/{_DECIDES[key]}" if key in _DECIDES else "")):
        spot = _find(here, pen, each) if number == 0 or each in standing else None
        if spot is not None:
            yield markup.error(pen.draw(spot), swap=number > 0)
    told = _find(here, pen, f"{parent}/@type") if pen.filled.get(f"{parent}/@type") == "" else None
    if told is not None and told.part.is_leaf and (drawn := pen.draw(told)).text:  # it follows from what was filled in
        yield markup.choice(drawn, swap=True)


def _find(here: Desk, pen: Pen, name: str) -> Spot | None:
    """Where a field of the form stands."""
    among = [spot for section in here.tree.sections for spot in drawing.spots(section)]
    while among:
        near = next((spot for spot in among if f"{name}/".startswith(f"{spot.name}/")), None)
        if near is None or near.name == name:
            return near
        among = list(pen.inside(near))
    return None


def _changed(here: Desk, pen: Pen, standing: frozenset[str]) -> Iterator[str]:
    """What must be drawn anew: fields and groups that the last answer brings or takes away."""
    for section in here.tree.sections:
        outer = list(drawing.spots(section))
        names = {spot.name for spot in outer}
        changed = [
            each
            for spot in outer
            for each in _outermost(pen, spot, standing)
            if pen.is_shown(each) is not (each.name in standing)
        ]
        for each in changed:
            yield markup.field(pen.draw(each), swap=True)
        if any(each.name in names for each in changed):
            context = {"section": drawing.section(section, pen), "swap": True}
            yield render_to_string("catalog/forms/apart.html", context)


def _outermost(pen: Pen, spot: Spot, standing: frozenset[str]) -> Iterator[Spot]:
    """The fields that may come and go, in what the page has: not what is inside of one that comes."""
    is_conditional = bool(spot.part.conditions or spot.part.only_for)
    if is_conditional:
        yield spot
    is_group = bool(spot.part.fields or spot.part.item)
    if is_group and pen.is_shown(spot) and (not is_conditional or spot.name in standing):
        for each in pen.inside(spot):
            yield from _outermost(pen, each, standing)


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
