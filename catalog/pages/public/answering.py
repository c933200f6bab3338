"""Answers to anybody: open to every origin, with an ETag and without a cookie, and the same for HEAD but the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date, parse_etags, parse_http_date_safe, quote_etag

from catalog.pages.public import rows
from catalog.publishing.site import has_sparql, site

PLAIN = "text/plain; charset=utf-8"
NEGOTIATED = ("Accept", "Accept-Profile")
ONE_HOUR, ONE_YEAR = "public, max-age=3600", "public, max-age=31536000, immutable"
REVALIDATED = "public, no-cache"  # kept, and asked after each time: what is withdrawn is gone at once
_ATTEMPTS = 3
_METHODS = ("GET", "HEAD", "OPTIONS")
_EXPOSED = "Link, ETag, Last-Modified, Content-Location, Content-Profile, Content-Range, Accept-Ranges"
_ASKED_WITH = "Accept, Accept-Profile, If-None-Match, If-Modified-Since, If-Range, Range"
_DATA_POLICY = "default-src 'none'; sandbox"

View = Callable[..., HttpResponseBase]


def for_anybody(view: View) -> View:
    """A view that needs no account and only reads; scripts of other sites may read its answers too."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "OPTIONS":
            response: HttpResponseBase = HttpResponse(status=204, headers={"Allow": ", ".join(_METHODS)})
            response["Access-Control-Allow-Methods"] = ", ".join(_METHODS)
            response["Access-Control-Allow-Headers"] = _ASKED_WITH
            response["Access-Control-Max-Age"] = "86400"
        elif request.method not in _METHODS:
            response = HttpResponseNotAllowed(_METHODS)
        else:
            response = _as_it_stands(request, lambda: view(request, *args, **kwargs))
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = _EXPOSED
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return login_not_required(answered)


def _as_it_stands(request: HttpRequest, make: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """An answer that is made from one state of a record, also while that changes."""
    for _ in range(_ATTEMPTS):
        with suppress(rows.ChangedError):
            return make()
    words = "It is being published anew. Please try again in a few seconds."
    response = refused(request, 503, "The record is changing", words)
    response["Retry-After"] = "5"
    return response


def asks_for_page(request: HttpRequest) -> bool:
    """Whether whoever asks reads HTML: a browser says so, a program that takes anything does not."""
    accepted = request.headers.get("Accept", "")
    return not accepted.strip() or "text/html" in accepted or "application/xhtml" in accepted


def refused(
    request: HttpRequest, status: int, title: str, advice: str, ways: Sequence[tuple[str, str]] = ()
) -> HttpResponse:
    """Why there is nothing else, in a page that leads on to what is public; in plain text for programs.

    Args:
        ways: further addresses, each with its words.
    """
    here = site()
    ways = [*ways, ("All public datasets", here.base_url + reverse("public-datasets"))]
    if asks_for_page(request):
        context = {
            "status": status,
            "title": title,
            "advice": advice,
            "ways": ways,
            "site": here,
            "has_sparql": has_sparql(),
        }
        response = HttpResponse(render_to_string("catalog/public_failure.html", context), status=status)
    else:
        lines = [f"{title}. {advice}", "", *(f"{words}: {address}" for words, address in ways), ""]
        response = HttpResponse("\n".join(lines), content_type=PLAIN, status=status)
    patch_vary_headers(response, ("Accept",))
    return response


def absent(request: HttpRequest) -> HttpResponse:
    """What is not public is answered as what is not there; before anything is public, every page needs a login."""
    if not rows.any_published() and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    words = "No public record has this address. It may be mistyped, or the record is not public."
    return refused(request, 404, "There is nothing here", words)


def is_known(request: HttpRequest, etag: str, modified: datetime | None = None) -> bool:
    """Whether whoever asks has this already (RFC 9110, 13.1.2 and 13.1.3)."""
    if known := request.headers.get("If-None-Match"):
        tags = parse_etags(known)
        return "*" in tags or any(tag.removeprefix("W/") == etag for tag in tags)
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", "")) if modified else None
    return since is not None and modified is not None and int(modified.timestamp()) <= since


def takes_gzip(request: HttpRequest) -> bool:
    """Whether whoever asks unpacks gzip (RFC 9110, 12.5.3); who says nothing of it may not."""
    weights: dict[str, float] = {}
    for each in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        with suppress(ValueError):
            weights[name] = float(weight)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def data(
    request: HttpRequest,
    body: Callable[[], bytes],
    content_type: str,
    etag: str,
    *,
    packed: Callable[[], bytes] | None = None,
    modified: datetime | None = None,
    headers: Mapping[str, str] | None = None,
    vary: tuple[str, ...] = (),
    status: int = 200,
    cache: str = REVALIDATED,
) -> HttpResponse:
    """An answer with these bytes, which are made only where they are needed; 304 where they are known.

    Args:
        etag: unquoted.
        packed: the same bytes in gzip, for who takes them so.
    """
    packs = packed is not None and takes_gzip(request)
    tag = quote_etag(f"{etag}-gzip" if packs else etag)
    if status == 200 and is_known(request, tag, modified):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(packed() if packed and packs else body(), content_type=content_type, status=status)
        response["Content-Length"] = str(len(response.content))
        response["X-Content-Type-Options"] = "nosniff"
        if not content_type.startswith("text/html"):
            response["Content-Security-Policy"] = _DATA_POLICY
        if request.method == "HEAD":
            response.content = b""
    if packs and status == 200:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = tag
    if modified is not None:
        response["Last-Modified"] = http_date(modified.timestamp())
    response["Cache-Control"] = cache
    for name, value in (headers or {}).items():
        response[name] = value
    if packed is not None:
        vary = (*vary, "Accept-Encoding")
    if vary:
        patch_vary_headers(response, vary)
    return response


def see_other(request: HttpRequest, address: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """303: what was named is a thing in the world; the address leads to what is said of it."""
    response = HttpResponse(status=303, headers={"Location": address, **(headers or {})})
    response["Cache-Control"] = REVALIDATED
    patch_vary_headers(response, NEGOTIATED)
    return response
