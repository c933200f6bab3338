"""What is public, as lists: the datasets for people, the site map for crawlers; and where the catalog begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from catalog import keyset
from catalog.keyset import Cursor
from catalog.models import Published, PublishedThing
from catalog.pages import records as workbench
from catalog.pages.failures import answering_questions
from catalog.pages.public import answering, rows
from catalog.publishing.finding import folded
from catalog.publishing.iris import AGENT, INSTRUMENT, PROJECT
from catalog.publishing.site import site

PAGE = 25
IN_SITEMAP = 20_000  # the format allows 50,000 in one file
_KEYS = ("modified", "identifier")
_LONGEST_QUESTION, _MOST_WORDS = 200, 8


@login_not_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The first page: of the workbench for who is signed in, else of what is public, if anything is."""
    if request.user.is_authenticated:
        return workbench.projects(request)
    if request.method in ("GET", "HEAD") and rows.any_published():
        return HttpResponseRedirect(reverse("public-datasets"))
    return redirect_to_login(request.get_full_path())


@answering.for_anybody
@answering_questions
def datasets(request: HttpRequest) -> HttpResponse:
    """Every public dataset, the latest first; some of them by words, or by what they have in common."""
    if not rows.any_published():
        return answering.absent(request)
    asked = request.GET.get("q", "").strip()[:_LONGEST_QUESTION]
    found, heading = _narrowed(request, _containing(rows.listed(), asked))
    marker = request.GET.get("at", "")
    cursor = Cursor.parse(marker, (datetime, str)) if marker else None
    page = keyset.page(found, _KEYS, cursor, found.count(), PAGE, descending=True)
    narrowed = bool(asked) or heading != _ALL
    context = {"page": page, "asked": asked, "heading": heading, "narrowed": narrowed, "site": site()}
    return render(request, "catalog/public_datasets.html", {**context, "section": "datasets"})


_ALL = "Datasets"


def _containing(found: QuerySet[Published], asked: str) -> QuerySet[Published]:
    """Those that have each word somewhere in their title, abstract or keywords."""
    for word in folded(asked).split()[:_MOST_WORDS]:
        found = found.filter(words__contains=word)
    return found


def _narrowed(request: HttpRequest, found: QuerySet[Published]) -> tuple[QuerySet[Published], str]:
    """Those that name one thing, and what that is called."""
    for kind, key in ((PROJECT, "project_title"), (INSTRUMENT, "instrument_name"), (AGENT, "name")):
        asked = request.GET.get(kind, "")
        if asked:
            things = PublishedThing.objects.filter(kind=kind, identifier=asked)
            return found.filter(identifier__in=things.values("record")), _heading(kind, asked, key)
    return found, _ALL


def _heading(kind: str, identifier: str, key: str) -> str:
    """The thing's own name, where one of the records tells it."""
    for row in rows.naming(kind, identifier, 1):
        if found := _named(rows.value_of(row), f"urn:uuid:{identifier}", key):
            return found
    return f"Datasets of one {kind}"


def _named(value: Any, iri: str, key: str) -> str:
    if isinstance(value, list):
        return next((found for each in value if (found := _named(each, iri, key))), "")
    if not isinstance(value, dict):
        return ""
    if value.get("@id") == iri and isinstance(value.get(key), str):
        return str(value[key])
    return next((found for each in value.values() if (found := _named(each, iri, key))), "")


# --- for crawlers -------------------------------------------------------------------------------------------------


@answering.for_anybody
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may read is what is public; everything else asks for a login anyway."""
    lines = ["User-agent: *", "Disallow: /admin/", "Disallow: /login/", "Disallow: /sparql"]
    lines += [f"Sitemap: {site().base_url}/sitemap.xml"] if rows.any_published() else ["Disallow: /"]
    body = "\n".join([*lines, ""]).encode()
    return answering.data(request, lambda: body, "text/plain; charset=utf-8", _digest(body), cache=answering.ONE_HOUR)


@answering.for_anybody
def sitemap(request: HttpRequest) -> HttpResponse:
    """The landing pages, or an index of site maps where there are too many for one."""
    if not rows.any_published():
        return answering.absent(request)
    number = rows.listed().count()
    text = request.GET.get("page", "")
    pages = -(-number // IN_SITEMAP)
    if text and not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= max(1, pages)):
        return answering.absent(request)
    lines = _index(pages) if pages > 1 and not text else _urls(int(text or 1))
    body = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines, ""]).encode()
    return answering.data(request, lambda: body, "application/xml; charset=utf-8", _digest(body))


_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"


def _index(pages: int) -> Iterator[str]:
    base = escape(site().base_url)
    yield f'<sitemapindex xmlns="{_SITEMAPS}">'
    for page in range(1, pages + 1):
        yield f"<sitemap><loc>{base}/sitemap.xml?page={page}</loc></sitemap>"
    yield "</sitemapindex>"


def _urls(page: int) -> Iterator[str]:
    base = escape(site().base_url)
    told = rows.listed().order_by("identifier").values_list("identifier", "modified")
    yield f'<urlset xmlns="{_SITEMAPS}">'
    for identifier, modified in told[(page - 1) * IN_SITEMAP : page * IN_SITEMAP]:
        yield f"<url><loc>{base}/datasets/{UUID(identifier)}</loc><lastmod>{modified:%Y-%m-%d}</lastmod></url>"
    yield "</urlset>"


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]
