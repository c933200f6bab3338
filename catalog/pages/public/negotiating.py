"""Which format a request asks for: by suffix, ``_profile`` and ``_mediatype``, ``Accept-Profile`` and ``Accept``.

Media types are compared by Django (``HttpRequest.get_preferred_type``: q-values, wildcards, specificity). Profiles
follow the W3C draft Content Negotiation by Profile, by header and by query string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from django.http import HttpRequest
from django.http.request import MediaType

from catalog.formats.table import FORMATS, Format, Profile, profile_named

HTML = "text/html"
_XHTML = "application/xhtml+xml"
_PROFILE = re.compile(r"<([^<>]*)>\s*(?:;\s*q\s*=\s*([0-9.]+))?")
_LONGEST = 4_000  # characters of a header that are looked at


class NotAcceptableError(Exception):
    """None of what there is was asked for."""


def chosen(request: HttpRequest) -> Format | None:
    """The format that is asked for; None for the page that people read.

    Raises:
        NotAcceptableError: when there is none that the request accepts.
    """
    profile = _asked_profile(request)
    page = (HTML, f"{HTML}; charset=utf-8") if profile is None else ()
    offers: dict[str, Format | None] = dict.fromkeys(page)
    if page and _XHTML in request.headers.get("Accept", ""):  # by its name only: what is given is no XHTML
        offers[_XHTML] = None
    offers |= _offers([each for each in FORMATS if profile is None or each.profile == profile])
    best = preferred(request, list(offers))
    if best is None:
        raise NotAcceptableError
    return offers[best]


def preferred(request: HttpRequest, offered: Sequence[str]) -> str | None:
    """The media type that a request prefers of those that are offered, the first where it does not care."""
    asked = _accepted(request)
    if not asked.strip():
        return offered[0]
    asking = HttpRequest()
    asking.META = {"HTTP_ACCEPT": asked[:_LONGEST]}
    wanted = [each for each in offered if _is_wanted(asking, each)]
    return asking.get_preferred_type(wanted) if wanted else None


def _is_wanted(asking: HttpRequest, media_type: str) -> bool:
    """Whether the range that fits best does not refuse it (``q=0``)."""
    fitting = [each for each in _ranges(asking) if MediaType(media_type).match(str(each))]
    best = max(fitting, key=_specificity, default=None)
    return best is not None and best.quality > 0


def _ranges(asking: HttpRequest) -> list[MediaType]:
    return [MediaType(part) for part in asking.headers.get("Accept", "").split(",") if part.strip()]


def _specificity(asked: MediaType) -> int:
    return int(asked.specificity)


def _offers(formats: Sequence[Format]) -> dict[str, Format]:
    """Media type → format, the first where several have one; with the parameters that a client may name."""
    found: dict[str, Format] = {}
    for each in formats:
        found.setdefault(each.media_type, each)
        found.setdefault(f"{each.media_type}; charset=utf-8", each)
        for iri in (each.profile.iri, *each.profile.aliases) if each.profile else ():
            found.setdefault(f'{each.media_type}; profile="{iri}"', each)
    return found


def names_a_profile(request: HttpRequest) -> bool:
    """Whether a profile is asked for at all, in one of the three places for it."""
    return bool(
        request.GET.get("_profile") or request.headers.get("Accept-Profile") or "profile=" in _accepted(request)
    )


def _accepted(request: HttpRequest) -> str:
    return request.GET.get("_mediatype") or request.headers.get("Accept", "")


def _asked_profile(request: HttpRequest) -> Profile | None:
    """The profile that is asked for, if any.

    Raises:
        NotAcceptableError: when it is none of ours and no other would do.
    """
    token = request.GET.get("_profile", "")
    if token:
        return _known(token)
    asked = sorted(_asked(request.headers), key=lambda each: -each[1])
    for iri, _ in asked:
        if found := profile_named(iri):
            return found
    if asked:
        raise NotAcceptableError
    return None


def _known(token: str) -> Profile:
    found = profile_named(token)
    if found is None:
        raise NotAcceptableError
    return found


def _asked(headers: Mapping[str, str]) -> list[tuple[str, float]]:
    """The profiles of ``Accept-Profile`` with their q-values."""
    found = []
    for iri, q in _PROFILE.findall(headers.get("Accept-Profile", "")[:_LONGEST]):
        try:
            quality = float(q or 1)
        except ValueError:
            quality = 1.0
        if 0 < quality <= 1:
            found.append((iri, quality))
    return found
