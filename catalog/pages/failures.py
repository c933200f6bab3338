"""Error pages in the same style as the others; a busy or absent database is 503, never 500."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import wraps

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from catalog.keyset import QuestionError
from ingest.provenance.git import GitError

log = logging.getLogger(__name__)
_UNAVAILABLE = (OperationalError, InterfaceError)


def failure(status: int, title: str, advice: str) -> HttpResponse:
    """An error page that needs neither session nor database."""
    page = render_to_string("catalog/failure.html", {"status": status, "title": title, "advice": advice})
    return HttpResponse(page, status=status)


class UnavailableDatabase:
    """Turns a locked, full or missing database, met in a view, into a page that says so and asks to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(exception) if isinstance(exception, _UNAVAILABLE) else None


def unavailable(error: Exception) -> HttpResponse:
    log.warning("database unavailable: %s", error)
    response = failure(
        503,
        "The index is busy",
        "Its database did not answer in time. Your files are safe and go on being described. "
        "Please try again in a few seconds.",
    )
    response["Retry-After"] = "10"
    return response


def _for_stranger(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse | None:
    """The answer to somebody without an account: it leads to what is public, where anything is."""
    from catalog.pages.public import answering, rows  # here: they need the models, and this module is loaded before

    user = getattr(request, "user", None)  # none where the request failed early
    try:
        if (user is not None and user.is_authenticated) or not rows.any_published():
            return None
    except _UNAVAILABLE:
        return None
    return answering.refused(request, status, title, advice)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    told = _for_stranger(request, 400, "This request cannot be read", "Something in its address or form is not right.")
    return told or failure(
        400, "This request cannot be read", "Go back and try again, or start from the list of projects."
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    told = _for_stranger(request, 403, "This page is not open to you", "Its readers have an account that may see it.")
    return told or failure(
        403, "This page is not open to you", "Sign in with an account that may see it, or ask an administrator."
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    told = _for_stranger(request, 404, "There is nothing here", "No page and no public record has this address.")
    return told or failure(
        404,
        "There is nothing here",
        "The record may have been removed, or the address is mistyped. Start from the list of projects.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a fault of ours; a database that failed outside a view (reading the session) ends here too."""
    fault = sys.exception()
    if isinstance(fault, _UNAVAILABLE):
        return unavailable(fault)
    return failure(
        500, "Something went wrong here", "The fault is ours and is written to the service's log. Your files are safe."
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    from catalog.editing import signed_out  # here: every command loads this module, for its check of the settings

    return signed_out.met(request) or failure(
        403,
        "The form has expired",
        "Go back, reload the page and send the form again. Cookies must be allowed for this site.",
    )


def telling_of_git(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answers with a sentence where the repository cannot be read."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except GitError as error:
            from catalog import rights  # here: it needs the models, and this module is loaded before them

            log.warning("the history cannot be read: %s", error)
            # Git's words name folders of the server, and how to mend it there.
            why = str(error) if rights.of_request(request).curates else "Please tell an administrator."
            return failure(503, "The history cannot be read now", why)

    return answered


def answering_questions(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answers a question that cannot be asked with its sentence instead of a page."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except QuestionError as error:
            told = _for_stranger(request, 400, "This address cannot be read", str(error))
            return told or failure(400, "This address cannot be read", str(error))

    return answered
