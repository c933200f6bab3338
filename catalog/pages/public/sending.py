"""Sending an open file piece by piece, from one of the places that this process has for it.

Whoever reads slowly holds a thread for as long, so there are only so many places, and who is too slow is cut off. A
public service leaves this to the server in front (``FAIRFOLDER_SENDFILE``).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from catalog import attempts
from catalog.pages.public import answering
from catalog.pages.public.ranges import Span
from catalog.places import DOWNLOADS_HERE
from ingest.errors import OtherFileError

log = logging.getLogger(__name__)
_PIECE = 256 << 10
_PATIENCE = 60.0  # seconds for a piece; a line of 5 KB/s is fast enough
_RETRY_SECONDS = "30"


class SlowReaderError(OSError):
    """Whoever reads takes too long for a piece."""


class Pieces:
    """The bytes of a part of an open file; closes it at the end, and when nobody reads on."""

    def __init__(self, descriptor: int, stack: ExitStack, part: Span) -> None:
        self._descriptor, self._stack, self._part = descriptor, stack, part

    def __iter__(self) -> Iterator[bytes]:
        place, end = self._part.first, self._part.last + 1
        while place < end:
            piece = os.pread(self._descriptor, min(_PIECE, end - place), place)
            if not piece:
                raise OtherFileError("the file became shorter while it was read")
            place += len(piece)
            began = time.monotonic()
            yield piece
            if time.monotonic() - began > _PATIENCE:
                raise SlowReaderError(f"a download was ended: a piece of it took more than {_PATIENCE:.0f} s")
        self._stack.close()  # raises when the file was changed meanwhile: the answer is cut off, never silently wrong

    def close(self) -> None:
        """What was changed meanwhile has been told, or nobody listens."""
        try:
            self._stack.close()
        except OtherFileError as error:
            log.info("a download was given up: %s", error)


def streamed(
    request: HttpRequest, descriptor: int, stack: ExitStack, part: Span, status: int, headers: Mapping[str, str]
) -> HttpResponse | StreamingHttpResponse:
    """A part of an open file, which is closed with ``stack``; or that there is no place for it now."""
    if request.method == "HEAD":
        stack.close()
        return HttpResponse(status=status, headers=dict(headers))
    address = attempts.address(request) or ""
    if not DOWNLOADS_HERE.take(address):
        stack.close()
        return _crowded(request)
    stack.callback(partial(DOWNLOADS_HERE.give_back, address))
    return StreamingHttpResponse(Pieces(descriptor, stack, part), status=status, headers=dict(headers))


def _crowded(request: HttpRequest) -> HttpResponse:
    words = "All places for downloads are taken, or those of your address. Please try again in half a minute."
    answer = answering.refused(request, 503, "Too many files are being sent", words)
    answer["Retry-After"] = _RETRY_SECONDS
    return answer
