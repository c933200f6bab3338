"""A dump of everything public. Nobody waits for one: while it is made anew, the one before is given."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, quote_etag

from catalog.formats import rendered
from catalog.models import Published
from catalog.pages.failures import failure
from catalog.pages.public import answering, rows, sending
from catalog.pages.public.ranges import Span
from catalog.publishing.site import Site, site
from ingest.errors import BusyError
from ingest.locking import lock_file

log = logging.getLogger(__name__)
_BEFORE, _AFTER = "catalog-", ".nq.gz"  # between them, the ETag


@answering.for_anybody
def dump(request: HttpRequest) -> HttpResponseBase:
    """``/dumps/catalog.nq.gz``: every record in a named graph of its own."""
    if not rows.any_published():
        return answering.absent(request)
    here = site()
    now = _etag(dict(rows.every().values_list("identifier", "etag")), here)
    if answering.is_known(request, quote_etag(now)):
        return HttpResponse(status=304, headers={"ETag": quote_etag(now)})
    if request.method == "GET" and not _path(now).exists():
        _build_alone(now, here)
    stack = ExitStack()
    found = _newest(stack)
    if found is None:
        return _none_yet()
    descriptor, tag = found
    if answering.is_known(request, tag):
        stack.close()
        return HttpResponse(status=304, headers={"ETag": tag})
    info = os.fstat(descriptor)
    headers = {
        "Content-Type": "application/gzip",
        "Content-Length": str(info.st_size),
        "ETag": tag,
        "Content-Disposition": 'attachment; filename="catalog.nq.gz"',
        "Cache-Control": answering.REVALIDATED,
        "Last-Modified": http_date(info.st_mtime),
        "X-Content-Type-Options": "nosniff",
    }
    return sending.streamed(request, descriptor, stack, Span(0, info.st_size - 1), 200, headers)


def _etag(known: Mapping[str, str], here: Site) -> str:
    """Of a dump of these records, by the etag of each."""
    told = hashlib.sha256(orjson.dumps(known, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return rendered.name_of(told, "dump", here)[:32]


def _folder() -> Path:
    return Path(settings.FAIRFOLDER_STATE_DIR) / "dumps"


def _path(etag: str) -> Path:
    return _folder() / f"{_BEFORE}{etag}{_AFTER}"


def _newest(stack: ExitStack) -> tuple[int, str] | None:
    """A descriptor of the dump that was made last, and its quoted ETag; it may be thrown away while we look."""
    found: list[tuple[float, Path]] = []
    for path in _folder().glob(f"{_BEFORE}*{_AFTER}"):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime, path))
    for _, path in sorted(found, reverse=True):
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            return descriptor, quote_etag(path.name.removeprefix(_BEFORE).removesuffix(_AFTER))
    return None


def _build_alone(etag: str, here: Site) -> None:
    """Makes it, unless somebody is doing so; on a full disk the one before stays."""
    try:
        _folder().mkdir(mode=0o700, exist_ok=True)
        with lock_file(_folder() / "building.lock", 0.0):
            if not _path(etag).exists():
                _build(here)
    except BusyError:
        return
    except OSError as error:
        log.error("the dump of what is public cannot be made: %s", error)


def _build(here: Site) -> None:
    """The records as they are when each is written, which may be later than when it was asked for."""
    draft, written = _folder() / f".{secrets.token_hex(8)}", {}
    try:
        with draft.open("wb") as file:
            for identifier in list(rows.every().order_by("identifier").values_list("identifier", flat=True)):
                row = rows.record(identifier)
                if row is not None:
                    file.write(_member(row, here))
                    written[identifier] = row.etag
        path = _path(_etag(written, here))
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    for old in _folder().glob(f"{_BEFORE}*{_AFTER}"):
        if old != path:
            old.unlink(missing_ok=True)


def _member(row: Published, here: Site) -> bytes:
    """A record's part; nothing of one that cannot be drawn, which keeps no other from being told."""
    try:
        return rendered.kept(row.etag, "dump", here, lambda: _compressed(row, here))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        log.error("%s is left out of the dump, it cannot be drawn: %r", row.identifier, error)
        return b""


def _compressed(row: Published, here: Site) -> bytes:
    """A record's quads as a gzip member of their own: members one after the other are a gzip file."""
    # Here: a plain page does not pay for the RDF engine.
    from catalog.graph.quads import record_quads
    from catalog.graph.serialising import text

    return gzip.compress(text(record_quads(rows.value_of(row), here), "nquads"), 6, mtime=0)


def _none_yet() -> HttpResponse:
    response = failure(503, "The dump is being made", "There is none before it. Please come back in a minute.")
    response["Retry-After"] = "60"
    return response
