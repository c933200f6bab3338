"""A dump of everything public, as the indexer made it. Nobody waits for one: while it is made anew, the one before
is given, as long as nothing in it was closed since.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, quote_etag

from catalog.formats import dumping
from catalog.pages.public import answering, rows, sending
from catalog.pages.public.ranges import Span
from catalog.publishing.site import site


@answering.for_anybody
def dump(request: HttpRequest) -> HttpResponseBase:
    """``/dumps/catalog.nq.gz``: every record in a named graph of its own."""
    if not rows.any_published():
        return answering.absent(request)
    now = quote_etag(dumping.current(site()))
    if answering.is_known(request, now):
        return HttpResponse(status=304, headers={"ETag": now})
    stack = ExitStack()
    found = _newest(stack)
    if found is None:
        return _none_yet(request)
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


def _newest(stack: ExitStack) -> tuple[int, str] | None:
    """A descriptor of the dump that was made last, and its quoted ETag; it may be thrown away while we look."""
    found: list[tuple[float, str]] = []
    for path in dumping.folder().glob(f"{dumping.BEFORE}*{dumping.AFTER}"):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime, path.name.removeprefix(dumping.BEFORE).removesuffix(dumping.AFTER)))
    for _, tag in sorted(found, reverse=True):
        with suppress(FileNotFoundError):
            descriptor = os.open(dumping.path(tag), os.O_RDONLY | os.O_CLOEXEC)
            if dumping.may_be_given(tag):
                stack.callback(os.close, descriptor)
                return descriptor, quote_etag(tag)
            os.close(descriptor)
    return None


def _none_yet(request: HttpRequest) -> HttpResponse:
    words = "It is made anew after each change. Please come back in a minute."
    response = answering.refused(request, 503, "The dump is being made", words)
    response["Retry-After"] = "60"
    return response
