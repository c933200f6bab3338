"""The bytes of a published, public file, at its own address.

Given only while they are the ones that were published: the record's checksum is the manifest's, and the file is as it
was when that was taken. Opened step by step without following a link (:mod:`ingest.opening`), so that no path leads
out of the dataset.
"""

from __future__ import annotations

import logging
import os
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date, quote_etag

from catalog import engine, names, queries, rights
from catalog.formats import reading
from catalog.formats.reading import Thing
from catalog.models import Dataset, File, Published
from catalog.pages.public import answering, landing, linking, rows, sending
from catalog.pages.public.ranges import Span, UnsatisfiableError, asked
from catalog.publishing.iris import public_iri
from catalog.publishing.site import site
from ingest import documents
from ingest.errors import OtherFileError, StoreError
from ingest.opening import described_file
from ingest.publication import WITHDRAWN
from ingest.rows import Condition, Stamp
from ingest.seen import Seen, state_folder

log = logging.getLogger(__name__)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Accept-Ranges": "bytes",
}


@answering.for_anybody
def file(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    """``/id/file/<uuid>``."""
    found = rows.file(identifier)
    if found is None:
        return answering.absent(request)
    row, entry = found
    value = rows.value_of(row)
    if row.state == WITHDRAWN:
        return _withdrawn(request, value)
    if not rights.gives_data(row):
        return _refused(request, value)
    described = _described(row, entry)
    if described is None and queries.rebuilding():
        return _unreachable(request, value, "The catalog is being read anew from its files.")
    if described is None:
        return _gone(request, value, "The file is not kept at its place any more.")
    etag = reading.text(reading.one(entry, "checksum"), "value")
    if described.checksum != etag or described.state != "present":
        return _changed(request, value, "The file has changed since it was published.")
    return _given(request, value, described, _headers(value, entry, etag), quote_etag(etag))


def _described(row: Published, entry: Thing) -> File | None:
    """The file as the manifest has it now."""
    identifier = reading.uuid_of(entry)
    found = File.objects.select_related("dataset").filter(identifier=identifier, dataset__identifier=row.identifier)
    return found.order_by("id").first()


def _headers(value: Thing, entry: Thing, etag: str) -> dict[str, str]:
    here = site()
    name = names.plain(reading.text(entry, "file_name") or reading.text(entry, "path").rpartition("/")[2])
    address = public_iri(here.base_url, "file", reading.uuid_of(entry))
    return {
        **_HEADERS,
        "Content-Type": reading.download_type(entry),
        "Content-Disposition": content_disposition_header(True, name.replace("\\", "_").replace("/", "_"))
        or "attachment",
        "Cache-Control": answering.REVALIDATED,
        "Link": linking.header(linking.of_file(address, value, here)),
        "Repr-Digest": f"sha-256=:{_base64(etag)}:",
    }


def _base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()


def _given(request: HttpRequest, value: Thing, described: File, headers: dict[str, str], etag: str) -> HttpResponseBase:
    """The file, a part of it, or that it is known."""
    root = engine.root_named(described.dataset.root)
    if root is None:
        return _unreachable(request, value, "Its folder is not connected at present.")
    folder, path = _place(described.dataset, described)
    stack = ExitStack()
    try:
        seen = _seen(root, folder, path, described)
        opened = described_file(root, folder, path, described.size_bytes, described.modified, seen)
        descriptor = stack.enter_context(opened)
        modified = os.fstat(descriptor).st_mtime
        headers = {**headers, "ETag": etag, "Last-Modified": http_date(modified)}
        if answering.is_known(request, etag):
            stack.close()
            return HttpResponse(status=304, headers={k: v for k, v in headers.items() if k != "Content-Type"})
        if settings.FAIRFOLDER_SENDFILE != "off":
            stack.close()
            return _handed_over(root, folder, path, headers)
        return _streamed(request, descriptor, stack, described.size_bytes, headers, etag)
    except StoreError as error:
        log.warning("a published file is not given: %s", error)
        return _unreachable(request, value, "The service cannot tell at present whether it still is the published one.")
    except OtherFileError as error:  # when it was opened, or when it was closed again
        log.info("a published file is not given: %s", error)
        there = os.path.lexists(os.path.join(root, folder, path))
        return _changed(request, value, _sentence(error)) if there else _gone(request, value, _sentence(error))


def _seen(root: Path, folder: str, path: str, described: File) -> Stamp | None:
    """How the file was when its published bytes were read; None where that is not known.

    Raises:
        OtherFileError: when it was seen to have changed since.
        StoreError: when what was seen cannot be read.
    """
    seen = Seen(state_folder(settings.ENGINE.state_dir, root), read_only=True)
    try:
        place, name = seen.place_of(described.dataset.identifier), os.fsencode(path)
        row = seen.files(place.id, [name]).get(name) if place is not None and place.path == folder else None
    finally:
        seen.close()
    if row is not None and (row.condition is not Condition.DESCRIBED or row.sha256 != described.checksum):
        raise OtherFileError("the file has changed since it was described; it is described again by itself")
    return None if row is None else row.stamp


def _streamed(
    request: HttpRequest, descriptor: int, stack: ExitStack, size: int, headers: dict[str, str], etag: str
) -> HttpResponseBase:
    try:
        span = asked(request.headers.get("Range", ""), size) if _may_be_part(request, headers, etag) else None
    except UnsatisfiableError:
        stack.close()
        answer = answering.refused(request, 416, "This range is not in the file", f"The file has {size:,} bytes.")
        answer["Content-Range"] = f"bytes */{size}"
        return answer
    part = span or Span(0, size - 1)
    headers = {**headers, "Content-Length": str(part.length)}
    if span is not None:
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{size}"
    return sending.streamed(request, descriptor, stack, part, 206 if span else 200, headers)


def _may_be_part(request: HttpRequest, headers: dict[str, str], etag: str) -> bool:
    """Whether ``If-Range`` holds: a strong ETag, or the very date."""
    condition = request.headers.get("If-Range", "").strip()
    return request.method in ("GET", "HEAD") and condition in ("", etag, headers["Last-Modified"])


def _handed_over(root: Path, folder: str, path: str, headers: dict[str, str]) -> HttpResponse:
    """The front server reads the file; see docs/iris.md for how it is told not to follow links."""
    relative = os.fsencode(f"{folder}/{path}")
    if settings.FAIRFOLDER_SENDFILE == "x-sendfile":
        name, target = "X-Sendfile", quote(os.path.join(os.fsencode(root), relative))
    else:
        number = engine.roots().index(root)
        name, target = "X-Accel-Redirect", f"{settings.FAIRFOLDER_SENDFILE_PREFIX}/{number}/{quote(relative)}"
    return HttpResponse(headers={**headers, name: target})


def _place(dataset: Dataset, described: File) -> tuple[str, str]:
    folder = documents.decode_path(dataset.path, dataset.path_encoding)
    return folder, documents.decode_path(described.path, described.path_encoding)


def _sentence(error: Exception) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."


# --- why not ------------------------------------------------------------------------------------------------------


def _refused(request: HttpRequest, value: Thing) -> HttpResponse:
    """Who may be asked for it."""
    told = landing.access(value)
    whom = " ".join(filter(None, (told["contact"] or told["steward"], told["email"])))
    ask = f" To ask for it, write to {whom} and name the dataset {_page(value)}" if whom else ""
    words = f"{told['sentence']} {told['conditions']}".strip() + f"{ask}."
    return answering.refused(request, 403, "This file is not open", words, _ways(value))


def _withdrawn(request: HttpRequest, value: Thing) -> HttpResponse:
    """What stays of a file that was public: the tombstone of its dataset says since when it is not, and why."""
    words = "It belonged to a dataset that was withdrawn. The page of the dataset says when and why."
    answer = answering.refused(request, 410, "The file is gone", words, _ways(value))
    answer["Link"] = linking.header(linking.of_gone_file(value, site()))
    return answer


def _changed(request: HttpRequest, value: Thing, why: str) -> HttpResponse:
    words = f"{why} The dataset's page says whom to ask for it."
    return answering.refused(request, 409, "The file is not the published one", words, _ways(value))


def _gone(request: HttpRequest, value: Thing, why: str) -> HttpResponse:
    words = f"{why} The dataset's page says whom to ask for it."
    return answering.refused(request, 410, "The file is gone", words, _ways(value))


def _unreachable(request: HttpRequest, value: Thing, why: str) -> HttpResponse:
    answer = answering.refused(
        request, 503, "The file cannot be reached now", f"{why} Please try again later.", _ways(value)
    )
    answer["Retry-After"] = "600"
    return answer


def _ways(value: Thing) -> list[tuple[str, str]]:
    return [("The dataset's page", _page(value))]


def _page(value: Thing) -> str:
    return reading.landing_page(value, site().base_url)
