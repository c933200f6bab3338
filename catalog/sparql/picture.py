"""A small picture of what stands around one node: what points at it on the left, what it points at on the right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import attempts
from catalog.graph import asking
from catalog.graph.asking import NoAnswerError, Question
from catalog.publishing.site import site
from catalog.sparql import answering, showing
from catalog.sparql.places import PLACES_HERE
from catalog.sparql.showing import Cell, short

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")
_LABELS = (
    "<http://purl.org/dc/terms/title>|<http://www.w3.org/2000/01/rdf-schema#label>|<http://xmlns.com/foaf/0.1/name>"
    "|<https://schema.org/name>|<http://www.w3.org/2004/02/skos/core#prefLabel>"
)
_AROUND = """SELECT DISTINCT ?way ?p ?other ?label WHERE {
  { <NODE> ?p ?other BIND("out" AS ?way) } UNION { ?other ?p <NODE> BIND("in" AS ?way) }
  OPTIONAL { ?other LABELS ?label }
} LIMIT 400"""
_NAMES = "SELECT ?label WHERE { <NODE> LABELS ?label } LIMIT 1"
_MOST, _LETTERS, _SMALL_LETTERS = 10, 28, 34
_WIDTH, _BOX, _HIGH, _STEP, _TOP = 900, 250, 46, 62, 30


@dataclass(frozen=True)
class Neighbour:
    """A node beside the one in the middle: how they hang together, and where it is drawn."""

    relation: str
    cell: Cell
    name: str
    x: int = 0
    y: int = 0
    line: str = ""
    label_x: int = 0
    label_y: int = 0

    @property
    def address(self) -> str:
        """The picture around it."""
        return f"{reverse('sparql-picture')}?{urlencode({'node': self.cell.iri})}" if self.cell.iri else ""

    @property
    def drawn(self) -> str:
        return cut(self.name)

    @property
    def drawn_relation(self) -> str:
        return cut(self.relation, _SMALL_LETTERS)


@dataclass(frozen=True)
class Picture:
    """The node in the middle with what is drawn around it, and its plain values."""

    iri: str
    name: str
    inward: Sequence[Neighbour]
    outward: Sequence[Neighbour]
    facts: Sequence[Neighbour]
    height: int = 0
    left_out: int = 0
    width: int = field(default=_WIDTH)

    @property
    def drawn(self) -> str:
        return cut(self.name)

    @property
    def middle(self) -> int:
        return self.height // 2


@login_not_required
@require_safe
def picture(request: HttpRequest) -> HttpResponse:
    """The picture around the node named in the address."""
    iri = request.GET.get("node", "").strip()
    context = {"node": iri, "site": site(), "section": "sparql"}
    if not answering.is_on():
        return render(request, "catalog/sparql_picture.html", {**context, "failure": answering.OFF}, status=404)
    if not _IRI.fullmatch(iri):
        told = f"{iri!r} is no IRI; give a whole one, such as {site().base_url}/id/catalog." if iri else ""
        return render(request, "catalog/sparql_picture.html", {**context, "failure": told}, status=400 if iri else 200)
    address = attempts.address(request) or ""
    if not PLACES_HERE.take(address):
        told = "Too many queries are asked at once; ask again in a few seconds."
        return render(request, "catalog/sparql_picture.html", {**context, "failure": told}, status=503)
    try:
        drawn = around(iri, address)
    except NoAnswerError as error:
        status = 503 if error.reason in (asking.BUSY, asking.ABSENT, asking.FAILED, asking.TIME) else 400
        response = render(request, "catalog/sparql_picture.html", {**context, "failure": str(error)}, status=status)
        answering.is_told_of(response)
        return response
    finally:
        PLACES_HERE.give_back(address)
    return render(request, "catalog/sparql_picture.html", {**context, "picture": drawn})


def around(iri: str, who: str = "") -> Picture:
    """What the public graph says of a node.

    Raises:
        NoAnswerError: when it cannot be asked.
    """
    names = _rows(_NAMES, iri, who)
    found: dict[tuple[str, str, str], Neighbour] = {}
    for way, relation, other, label in _rows(_AROUND, iri, who):
        name = label.text or other.text
        found.setdefault((way.text, relation.iri, other.iri or other.text), Neighbour(relation.text, other, name))
    inward = [each for (way, _, _), each in found.items() if way == "in" and each.cell.iri]
    outward = [each for (way, _, _), each in found.items() if way == "out" and each.cell.iri]
    facts = [each for (way, _, _), each in found.items() if way == "out" and not each.cell.iri]
    height = 2 * _TOP + _STEP * max(1, min(_MOST, max(len(inward), len(outward))))
    return Picture(
        iri,
        names[0][0].text if names else short(iri),
        _placed(inward[:_MOST], height, is_left=True),
        _placed(outward[:_MOST], height, is_left=False),
        facts,
        height,
        max(0, len(inward) - _MOST) + max(0, len(outward) - _MOST),
    )


def _rows(template: str, iri: str, who: str) -> Sequence[Sequence[Cell]]:
    found = answering.answer(Question(template.replace("LABELS", _LABELS).replace("NODE", iri), rows=400), who=who)
    with found.stream:
        return showing.shown(found).rows


def _placed(neighbours: Sequence[Neighbour], height: int, *, is_left: bool) -> Sequence[Neighbour]:
    """Boxes below each other, each with its line to the middle."""
    start = (height - _STEP * len(neighbours)) // 2
    x = 0 if is_left else _WIDTH - _BOX
    middle = (_WIDTH - _BOX) // 2 if is_left else (_WIDTH + _BOX) // 2
    placed = []
    for number, each in enumerate(neighbours):
        y = start + number * _STEP
        side, level = (_BOX, y + _HIGH // 2) if is_left else (_WIDTH - _BOX, y + _HIGH // 2)
        ends = (side, level, middle - 4, height // 2) if is_left else (middle, height // 2, side - 4, level)
        placed.append(
            Neighbour(each.relation, each.cell, each.name, x, y, "M{} {}L{} {}".format(*ends), x + 12, y + 38)
        )
    return placed


def cut(text: str, most: int = _LETTERS) -> str:
    """A text as far as it fits into a box: of an IRI the end, which tells it from others."""
    if len(text) <= most:
        return text
    return f"…{text[1 - most :]}" if _IRI.fullmatch(text) and "://" in text else f"{text[: most - 1]}…"
