"""``/id/<kind>/<uuid>``: the names of things in the world, each leading by 303 to what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog.formats.table import DCAT, FORMATS, PROV, Format, Profile
from catalog.models import Published
from catalog.pages.public import answering, catalogs, linking, members, negotiating, records, rows
from catalog.publishing import iris
from catalog.publishing.site import site
from ingest.publication import WITHDRAWN

# Where in a dataset's page a thing stands; what several datasets share leads to a list of them.
_ANCHORS: Mapping[str, str] = {
    iris.RECORD: "",
    iris.DATA_OBJECT: "#runs",
    iris.RUN: "#run-{}",
    iris.INSTRUMENT: "#instrument-{}",
    iris.AGENT: "",
    iris.PROJECT: "",
    iris.VARIABLE: "",
}
_SHARED = (iris.PROJECT, iris.INSTRUMENT, iris.AGENT)


@answering.for_anybody
def dataset(request: HttpRequest, kind: str, identifier: UUID) -> HttpResponse:
    """A dataset, or the record of it in the catalog."""
    row = rows.record(identifier)
    return answering.absent(request) if row is None else _see(request, [row], "", "")


@answering.for_anybody
def thing(request: HttpRequest, kind: str, identifier: UUID) -> HttpResponse:
    """A project, run, instrument, data object, variable or agent, of which one or more records speak."""
    if kind not in _ANCHORS:
        return answering.absent(request)
    named = rows.naming(kind, identifier, 2)  # whether there are several is all that is asked
    if not named:
        return answering.absent(request)
    if named[0].state == WITHDRAWN:  # nothing else speaks of it, and the tombstone has no places in it
        return _see(request, named, "", "")
    if kind == iris.DATA_OBJECT and (document := _own_document(request, identifier)) is not None:
        return document
    listed = f"?{kind}={identifier}" if (kind in _SHARED and len(named) > 1) or kind == iris.PROJECT else ""
    return _see(request, named, _ANCHORS[kind].format(identifier), listed, prefers=PROV if kind == iris.RUN else None)


@answering.for_anybody
def catalog(request: HttpRequest) -> HttpResponse:
    """The catalog itself."""
    if not rows.any_published():
        return answering.absent(request)
    wanted = negotiating.preferred(request, [negotiating.HTML, *catalogs.MEDIA_TYPES])
    if wanted is None:
        return catalogs.not_acceptable()
    address = reverse("public-datasets") if wanted == negotiating.HTML else catalogs.address(wanted)
    return answering.see_other(request, address)


def _own_document(request: HttpRequest, identifier: UUID) -> HttpResponse | None:
    """A data object has documents of its own, in RDF: a record may have too many files to list them."""
    try:
        wanted = negotiating.chosen(request)
    except negotiating.NotAcceptableError:
        return None
    if wanted is None or wanted.profile is not DCAT:
        return None
    return answering.see_other(request, members.address(identifier, wanted, request.GET.get("page", "")))


def _see(
    request: HttpRequest, named: list[Published], anchor: str, listed: str, prefers: Profile | None = None
) -> HttpResponse:
    """303 to what is said of a thing; `prefers` is the profile that says most of it, for who asks for none."""
    first = named[0]
    try:
        wanted = negotiating.chosen(request)
    except negotiating.NotAcceptableError:
        return records.not_acceptable(request, first.identifier)
    headers = {"Link": linking.header_of_formats(first.identifier, site())}
    if wanted is None and listed:
        return answering.see_other(request, reverse("public-datasets") + listed, headers)
    if wanted is None:
        return answering.see_other(request, reverse("landing", args=[first.identifier]) + anchor, headers)
    if prefers is not None and not negotiating.names_a_profile(request):
        wanted = next((e for e in FORMATS if e.profile is prefers and e.media_type == wanted.media_type), wanted)
    return answering.see_other(request, _data(first, wanted), headers)


def _data(row: Published, wanted: Format) -> str:
    return reverse("public-format", args=[row.identifier, wanted.suffix])
