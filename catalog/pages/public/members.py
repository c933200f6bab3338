"""``/dataobjects/<uuid>.<suffix>``: a data object with its files, page by page, for programs that follow links."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog.formats import rendered
from catalog.formats.reading import Thing, one, several, text
from catalog.formats.table import BY_SUFFIX, DCAT, Format
from catalog.models import Published
from catalog.pages.public import answering, catalogs, linking, rows
from catalog.publishing.iris import DATA_OBJECT, public_iri
from catalog.publishing.site import site
from ingest.publication import WITHDRAWN

FILES_A_PAGE = 500


def address(identifier: object, wanted: Format, page: str = "") -> str:
    """Where a data object stands in a format; of a page other than the first, which one."""
    here = reverse("data-object", args=[identifier, wanted.suffix])
    return here + (f"?page={page}" if _is_number(page) else "")


@answering.for_anybody
def data_object(request: HttpRequest, identifier: UUID, suffix: str) -> HttpResponse:
    """One page of it."""
    wanted = BY_SUFFIX.get(suffix)
    row = next(iter(rows.naming(DATA_OBJECT, identifier, 1)), None)
    if row is None or wanted is None or wanted.profile is not DCAT:
        return answering.absent(request)
    if row.state == WITHDRAWN:
        return answering.see_other(request, reverse("public-format", args=[row.identifier, suffix]))
    found = _in(rows.value_of(row), str(identifier))
    if found is None:
        return answering.absent(request)
    pages = max(1, -(-int(found["file_count"]) // FILES_A_PAGE))
    number = request.GET.get("page", "1")
    if not (_is_number(number) and 1 <= int(number) <= pages):
        return answering.refused(request, 404, "There is no such page", f"The data object has {pages:,} of them.")
    return _page(request, row, found, wanted, int(number), pages)


def _is_number(page: str) -> bool:
    return page.isascii() and page.isdigit() and len(page) < 9


def _in(value: Thing, identifier: str) -> Thing | None:
    objects = several(value, "data_objects")
    return next((each for each in objects if text(each, "data_object_identifier") == identifier), None)


def _page(request: HttpRequest, row: Published, found: Thing, wanted: Format, number: int, pages: int) -> HttpResponse:
    here, identifier = site(), text(found, "data_object_identifier")
    name = f"dataobject-{identifier}-{wanted.name}-{number}-{FILES_A_PAGE}"

    def make() -> bytes:
        # Here: a plain page does not pay for the RDF engine.
        from catalog.graph.members import data_object_page
        from catalog.graph.serialising import text as written

        run = text(one(found, "experiment"), "run_id")
        files = rows.files_of_run(row, run, (number - 1) * FILES_A_PAGE, FILES_A_PAGE)
        quads = data_object_page(rows.value_of(row), found, files, here, number, pages)
        return written(quads, catalogs.FORMS[wanted.name])

    base = f"{here.base_url}{address(identifier, wanted)}"
    links = [linking.Link(base, rel, f"{base}?page={n}") for rel, n in catalogs.turns(number, pages)]
    links.append(linking.Link(base, "describes", public_iri(here.base_url, DATA_OBJECT, identifier)))
    links.append(linking.Link(base, "collection", f"{here.base_url}/datasets/{row.identifier}", "text/html"))
    return answering.data(
        request,
        lambda: rendered.kept(row.etag, name, here, make),
        wanted.content_type,
        rendered.name_of(row.etag, name, here)[:32],
        packed=lambda: rendered.packed(row.etag, name, here, make),
        modified=row.modified,
        headers={"Link": linking.header(links)},
    )
