"""The words that records are said in: contexts, schemas, shapes and our own vocabulary, open to everyone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string

import contexts
import schemas
from catalog.formats import rendered
from catalog.pages.public import answering, negotiating
from catalog.publishing.site import has_sparql, site

_TURTLE = "text/turtle"
_SCHEMA, _CONTEXT = "application/schema+json", "application/ld+json"
_TERM = re.compile(r"^ff:([A-Za-z_][\w-]*)\s", re.MULTILINE)
_LABEL = re.compile(r'(?:rdfs:label|skos:prefLabel)\s+"((?:[^"\\]|\\.)*)"')
_DEFINITION = re.compile(r'(?:skos:definition|rdfs:comment)\s+"((?:[^"\\]|\\.)*)"')


@answering.for_anybody
def context(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """``/contexts/<name>/<version>.jsonld``, as packaged."""
    if version != contexts.VERSION or name not in contexts.names():
        raise Http404
    return _packaged(request, contexts.text(name), _CONTEXT)


@answering.for_anybody
def schema(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """``/schemas/<name>/<version>``, as packaged."""
    if name not in schemas.NAMES or schemas.load(name).get("$id") != f"{schemas.BASE}{name}/{version}":
        raise Http404
    return _packaged(request, schemas.text(name), _SCHEMA)


@dataclass(frozen=True)
class Term:
    """One word of the vocabulary, as its page shows it."""

    name: str
    label: str
    definition: str
    turtle: str


@answering.for_anybody
def terms(request: HttpRequest) -> HttpResponse:
    """``/terms``: the vocabulary, as Turtle or as a page."""
    turtle = contexts.vocabulary()
    wanted = negotiating.preferred(request, [_TURTLE, f"{_TURTLE}; charset=utf-8", negotiating.HTML])
    if wanted is None:
        words = f"There is {_TURTLE} and {negotiating.HTML}.\n"
        return HttpResponse(words, content_type="text/plain; charset=utf-8", status=406)
    if wanted != negotiating.HTML:
        return _packaged(request, turtle, f"{_TURTLE}; charset=utf-8", vary=("Accept",))
    page = render_to_string(
        "catalog/public_terms.html", {"terms": _read(turtle), "site": site(), "has_sparql": has_sparql()}
    ).encode()
    etag = rendered.name_of("", f"terms-{has_sparql():d}", site())[:32]
    return answering.data(request, lambda: page, "text/html; charset=utf-8", etag, vary=("Accept",))


@answering.for_anybody
def shapes(request: HttpRequest) -> HttpResponse:
    """``/shapes``: what a published record has, in SHACL; made from the schemas and contexts of this version."""
    etag = rendered.name_of("", "shapes", site())[:32]
    return answering.data(request, _shapes, f"{_TURTLE}; charset=utf-8", etag, cache=answering.ONE_HOUR)


def _shapes() -> bytes:
    from catalog.graph.shapes import turtle  # here: a plain page does not pay for the RDF engine

    return turtle().encode()


def _packaged(request: HttpRequest, text: str, media_type: str, vary: tuple[str, ...] = ()) -> HttpResponse:
    body = text.encode()
    etag = sha256(body).hexdigest()[:32]
    return answering.data(request, lambda: body, media_type, etag, cache=answering.ONE_HOUR, vary=vary)


def _read(turtle: str) -> list[Term]:
    """The blocks of our own file, which begin with the term at the start of a line."""
    starts = list(_TERM.finditer(turtle))
    ends = [match.start() for match in starts[1:]] + [len(turtle)]
    found = []
    for match, end in zip(starts, ends, strict=True):
        block = turtle[match.start() : end].strip()
        found.append(Term(match[1], _first(_LABEL, block) or match[1], _first(_DEFINITION, block), block))
    return found


def _first(pattern: re.Pattern[str], block: str) -> str:
    match = pattern.search(block)
    return match[1].replace('\\"', '"') if match else ""
