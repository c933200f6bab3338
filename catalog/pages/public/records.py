"""A published dataset's page, its formats, and its link set."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse

from catalog import rights
from catalog.formats import rendered
from catalog.formats.reading import Thing
from catalog.formats.table import BY_SUFFIX, FORMATS, Format
from catalog.models import Published
from catalog.pages.public import answering, landing, linking, negotiating, rows
from catalog.pages.public.landing import FILES_A_PAGE, FilePage
from catalog.publishing.altered import altered_among
from catalog.publishing.site import Site, has_sparql, site

_HTML = "text/html; charset=utf-8"


@answering.for_anybody
def dataset(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """``/datasets/<uuid>``: the landing page; with ``_profile`` or ``_mediatype`` that format."""
    row = rows.record(identifier)
    if row is None:
        return _workbench(request, identifier)
    if request.GET.get("_profile") == "alt":
        return _linkset(request, row, as_json=True)
    if request.GET.get("_profile") or request.GET.get("_mediatype"):
        try:
            wanted = negotiating.chosen(request)
        except negotiating.NotAcceptableError:
            return not_acceptable(request, row.identifier)
        if wanted is not None:
            return in_format(request, row, wanted)
    return _page(request, row)


@answering.for_anybody
def form(request: HttpRequest, identifier: UUID, suffix: str) -> HttpResponse:
    """``/datasets/<uuid>.<suffix>``: the record in one format."""
    row, wanted = rows.record(identifier), BY_SUFFIX.get(suffix)
    if row is None or wanted is None:
        return answering.absent(request)
    return in_format(request, row, wanted)


@answering.for_anybody
def linkset(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """``/datasets/<uuid>/linkset``: FAIR Signposting, level 2."""
    row = rows.record(identifier)
    if row is None:
        return answering.absent(request)
    wanted = negotiating.preferred(request, [linking.LINKSET_JSON, linking.LINKSET, "application/json"])
    return _linkset(request, row, as_json=wanted != linking.LINKSET)


def in_format(request: HttpRequest, row: Published, wanted: Format) -> HttpResponse:
    """The record in a format, as it is kept or made now. A withdrawn record is still told: what it says is that."""
    here = site()

    def links(value: Thing) -> str:
        return linking.header_of_format(value, wanted, here)

    headers = {"Link": _links(row, f"links-{wanted.name}", here, links)}
    if wanted.profile is not None:
        headers["Content-Profile"] = f"<{wanted.profile_iri}>"

    def make() -> bytes:
        return wanted.render(rows.value_of(row), here)

    return answering.data(
        request,
        lambda: rendered.kept(row.etag, wanted.name, here, make),
        wanted.content_type,
        _etag(row, wanted.name, here),
        packed=lambda: rendered.packed(row.etag, wanted.name, here, make),
        modified=row.modified,
        headers=headers,
    )


def _page(request: HttpRequest, row: Published) -> HttpResponse:
    number, pages = _files_page(request, row)
    if not 1 <= number <= pages:
        words = f"The dataset has {pages:,} of them."
        ways = [("The dataset", f"{site().base_url}/datasets/{row.identifier}")]
        return answering.refused(request, 404, "There is no such page of files", words, ways)
    here, start = site(), (number - 1) * FILES_A_PAGE
    altered = altered_among(row, start, FILES_A_PAGE) if rights.gives_data(row) else {}
    # A part of the name, so that a page that is kept never tells of other files than are so now.
    name = f"html-{number}-{has_sparql():d}" + "".join(f"-{own}-{why}" for own, why in sorted(altered.items()))

    def make() -> bytes:
        entries = rows.files(row, start, FILES_A_PAGE)
        return landing.page(rows.value_of(row), here, FilePage(entries, number, pages, altered))

    return answering.data(
        request,
        lambda: rendered.kept(row.etag, name, here, make),
        _HTML,
        _etag(row, name, here),
        packed=lambda: rendered.packed(row.etag, name, here, make),
        modified=None if altered else row.modified,  # the record did not change, the page did
        headers={"Link": _links(row, "links", here, lambda value: linking.header_of_page(value, here))},
        vary=answering.NEGOTIATED,
    )


def _files_page(request: HttpRequest, row: Published) -> tuple[int, int]:
    """Which page of files is asked for, and how many there are."""
    pages = max(1, -(-row.file_count // FILES_A_PAGE))
    text = request.GET.get("files", "1")
    return (int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0), pages


def _links(row: Published, name: str, here: Site, make: Callable[[Thing], str]) -> str:
    """A ``Link`` header, kept like what it belongs to."""
    return rendered.kept(row.etag, name, here, lambda: make(rows.value_of(row)).encode("ascii", "replace")).decode()


def _etag(row: Published, name: str, here: Site) -> str:
    return rendered.name_of(row.etag, name, here)[:32]


def _linkset(request: HttpRequest, row: Published, *, as_json: bool) -> HttpResponse:
    here = site()
    name = linking.LINKSET_JSON if as_json else linking.LINKSET
    write = linking.json if as_json else linking.text

    def make() -> bytes:
        return write(linking.of_record(rows.value_of(row), here))

    return answering.data(
        request,
        lambda: rendered.kept(row.etag, name, here, make),
        name,
        _etag(row, name, here),
        packed=lambda: rendered.packed(row.etag, name, here, make),
        modified=row.modified,
        vary=("Accept",),
    )


def not_acceptable(request: HttpRequest, identifier: str) -> HttpResponse:
    """406, with what there is: a page for those who read HTML, lines of text for the others."""
    here = site()
    address = f"{here.base_url}/datasets/{identifier}"
    if answering.asks_for_page(request):
        context = {"site": here, "address": address, "ways": FORMATS, "has_sparql": has_sparql()}
        response = HttpResponse(render_to_string("catalog/public_formats.html", context), status=406)
    else:
        response = HttpResponse(_offered(address), content_type=answering.PLAIN, status=406)
    response["Link"] = linking.header_of_formats(identifier, here)
    response["Vary"] = ", ".join(answering.NEGOTIATED)
    return response


def _offered(address: str) -> str:
    """The formats of a record, a line for each: media type, profile, address."""
    lines = ["The record comes in none of the formats that the request accepts. It comes as:", ""]
    lines.append(f"text/html {address}")
    for each in FORMATS:
        profile = f'; profile="{each.profile_iri}"' if each.profile else ""
        lines.append(f"{each.media_type}{profile} {address}.{each.suffix}")
    return "\n".join([*lines, ""])


def _workbench(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Whoever is signed in and may see the dataset is led to it."""
    if (
        request.user.is_authenticated
        and rights.of_request(request).datasets().filter(identifier=str(identifier)).exists()
    ):
        return HttpResponseRedirect(reverse("dataset", args=[identifier]))
    return answering.absent(request)
