"""The catalog as a whole, for machines: its DCAT pages, and its VoID description."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog.formats import rendered
from catalog.formats.table import DCAT, FORMATS, Format
from catalog.models import Published
from catalog.pages.public import answering, linking, negotiating, rows
from catalog.publishing.iris import catalog_iri
from catalog.publishing.site import Site, has_sparql, site

RECORDS_A_PAGE = 50
_RDF: dict[str, Format] = {each.media_type: each for each in FORMATS if each.profile is DCAT}
MEDIA_TYPES = tuple(_RDF)
_SUFFIXES = {each.suffix: each for each in _RDF.values()}


def address(media_type: str) -> str:
    """Where the catalog stands in a format."""
    return f"{reverse('dcat-catalog')}?format={_RDF[media_type].suffix}"


def not_acceptable() -> HttpResponse:
    words = f"The catalog comes as {', '.join((negotiating.HTML, *MEDIA_TYPES))}.\n"
    response = HttpResponse(words, content_type="text/plain; charset=utf-8", status=406)
    response["Vary"] = ", ".join(answering.NEGOTIATED)
    return response


# --- DCAT, page by page -------------------------------------------------------------------------------------------


@answering.for_anybody
def dcat(request: HttpRequest) -> HttpResponse:
    """``/dcat/catalog``: the catalog with some of its records, and where the others are (Hydra)."""
    if not rows.any_published():
        return answering.absent(request)
    wanted = _wanted(request)
    if wanted is None:
        return not_acceptable()
    found = rows.every().order_by("identifier")
    total = found.count()
    number, pages = request.GET.get("page", "1"), max(1, -(-total // RECORDS_A_PAGE))
    if not (number.isascii() and number.isdigit() and len(number) < 9 and 1 <= int(number) <= pages):
        return answering.refused(request, 404, "There is no such page", f"The catalog has {pages:,} of them.")
    start = (int(number) - 1) * RECORDS_A_PAGE
    chosen = list(found[start : start + RECORDS_A_PAGE])
    here, name = site(), f"catalog-{wanted.name}-{number}-{pages}-{total}-{has_sparql():d}"
    etag = _digest(chosen)

    def make() -> bytes:
        # Here: a plain page does not pay for the RDF engine.
        from catalog.graph.feeds import catalog_page
        from catalog.graph.serialising import text

        values = [rows.value_of(row) for row in chosen]
        quads = catalog_page(values, here, int(number), pages, total, has_sparql=has_sparql())
        return text(quads, FORMS[wanted.name])

    return answering.data(
        request,
        lambda: rendered.kept(etag, name, here, make),
        wanted.content_type,
        rendered.name_of(etag, name, here)[:32],
        packed=lambda: rendered.packed(etag, name, here, make),
        headers={"Link": _paging(here, wanted, int(number), pages)},
        vary=("Accept",),
    )


FORMS = {"jsonld": "jsonld", "ttl": "turtle", "rdf": "rdfxml", "nt": "ntriples", "trig": "trig", "nq": "nquads"}


def _wanted(request: HttpRequest) -> Format | None:
    named = request.GET.get("format", "")
    if named:
        return _SUFFIXES.get(named) or _RDF.get(named)
    best = negotiating.preferred(request, [_DEFAULT, *MEDIA_TYPES])
    return _RDF[best] if best else None


_DEFAULT = "text/turtle"


def _paging(here: Site, wanted: Format, number: int, pages: int) -> str:
    base = f"{here.base_url}/dcat/catalog"
    links = [linking.Link(base, rel, f"{base}?format={wanted.suffix}&page={n}") for rel, n in turns(number, pages)]
    return linking.header(links)


def turns(number: int, pages: int) -> Iterator[tuple[str, int]]:
    yield from (("first", 1), ("last", pages))
    if number > 1:
        yield "prev", number - 1
    if number < pages:
        yield "next", number + 1


def _digest(chosen: list[Published]) -> str:
    told = "\0".join(f"{row.identifier} {row.etag}" for row in chosen)
    return hashlib.sha256(told.encode()).hexdigest()


# --- VoID ---------------------------------------------------------------------------------------------------------

_VOID = """\
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix void: <http://rdfs.org/ns/void#> .

<{base}/.well-known/void> a void:DatasetDescription ;
    foaf:primaryTopic <{catalog}> .

<{catalog}> a void:Dataset ;
    dcterms:title {title} ;
    dcterms:description {description} ;
    dcterms:publisher <{publisher}> ;
    foaf:homepage <{base}/datasets/> ;
    void:uriSpace {space} ;
    void:dataDump <{base}/dumps/catalog.nq.gz> ;
    void:rootResource <{catalog}> ;
    void:documents {documents} ;
    void:feature {features} ;
    void:vocabulary <http://www.w3.org/ns/dcat#>, dcterms:, <http://www.w3.org/ns/prov#>,
        <https://w3id.org/fairfolder/terms#> .
"""
_VOID_SPARQL = "\n<{catalog}> void:sparqlEndpoint <{base}/sparql> .\n"
_FEATURES = ("JSON-LD", "Turtle", "RDF_XML", "N-Triples", "TriG", "N-Quads")


@answering.for_anybody
def void(request: HttpRequest) -> HttpResponse:
    """``/.well-known/void``: what linked data there is, and where."""
    if not rows.any_published():
        return answering.absent(request)
    here = site()
    body = (
        (_VOID + (_VOID_SPARQL if has_sparql() else ""))
        .format(
            base=here.base_url,
            catalog=catalog_iri(here.base_url),
            title=_literal(here.title),
            description=_literal(here.description or here.title),
            publisher=here.publisher_iri,
            space=_literal(f"{here.base_url}/id/"),
            documents=rows.listed().count(),
            features=", ".join(f"<http://www.w3.org/ns/formats/{each}>" for each in _FEATURES),
        )
        .encode()
    )
    etag = hashlib.sha256(body).hexdigest()[:32]
    return answering.data(request, lambda: body, "text/turtle; charset=utf-8", etag, cache=answering.ONE_HOUR)


def _literal(text: str) -> str:
    """A Turtle string; JSON escapes what Turtle does, in the same way."""
    return orjson.dumps(text).decode()
