"""A form sent by someone who was signed out meanwhile: nothing is done, and nothing typed is lost.

Each form carries, signed, who opened it and of which record (:data:`HOLDER`). So what comes back without a session, or
with that of another sign-in, is kept as an unsaved form of that account and of nobody else; they find it once they are
signed in. One opening keeps one form, so whoever has a page can fill no more than that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.http import urlencode

from catalog import rights
from catalog.editing import opened, reading, targets, unsaved
from catalog.editing.targets import Target

HOLDER = "holder"  # name of the input that tells who opened the form
_SALT = "catalog.editing.signed_out"
_LONGEST = timedelta(days=30)  # a form that was opened before has to be opened again
_IN_THE_BACKGROUND = ("edit-check", "edit-keep")
_SIGNED_OUT = "You are signed out: keep this page open, sign in in another tab, then go on here."


def holder(user: unsaved.Person, target: Target, opening: str) -> str:
    """The text by which a form tells who opened it."""
    return signing.dumps([user.pk, target.word, target.identifier, opening], salt=_SALT)


class KeepsForms:
    """Meets what is sent without being signed in before the way to the sign-in page, where it would be lost."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """None where the request goes its way."""
        if not getattr(view, "login_required", True):
            return None
        sent = _sent(request)
        if sent is not None and sent.user.pk != request.user.pk:
            return _answer(request, sent)
        if _is_in_the_background(request) and not request.user.is_authenticated:
            return _said(_SIGNED_OUT)
        return None


def met(request: HttpRequest) -> HttpResponse | None:
    """The answer to a form whose token is that of an earlier sign-in; None where it is none of ours.

    The token guards against pages of others, which have no :data:`HOLDER`: keeping what was typed needs none, saving
    it does.
    """
    sent = _sent(request)
    return None if sent is None else _answer(request, sent)


@dataclass(frozen=True)
class _Sent:
    """A form that was sent, and the account that opened it."""

    user: User
    target: Target
    opening: str


def _sent(request: HttpRequest) -> _Sent | None:
    """None where this is no form, or whoever opened it may not change the record any more."""
    text = request.POST.get(HOLDER, "") if request.method == "POST" else ""
    try:
        key, word, identifier, opening = signing.loads(text, salt=_SALT, max_age=_LONGEST)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=key, is_active=True).first()
    target = targets.changeable(word, identifier, rights.of(user)) if user is not None else None
    return None if user is None or target is None else _Sent(user, target, opening)


def _answer(request: HttpRequest, sent: _Sent) -> HttpResponse:
    """Keep what was typed, and say so; nothing else is done."""
    _keep(request, sent)
    name = sent.user.get_username()
    is_same = sent.user.pk == request.user.pk
    if is_same and _word(request) == "edit-keep":
        return JsonResponse({"kept": timezone.now().strftime("%H:%M UTC")})
    if is_same:
        words = "You signed in again after this form was opened, so it was not saved yet."
        return _told(request, f"{words} What you typed is kept.", f"{request.path}{_question(sent)}")
    if not request.user.is_authenticated:
        words = f"You are signed out, so nothing was saved. What you typed is kept for {name}:"
        if _is_in_the_background(request):
            return _said(f"{words} press Save to sign in and go on.")
        messages.info(request, f"{words} sign in to go on with it.")
        return redirect_to_login(f"{request.path}{_question(sent)}", resolve_url(settings.LOGIN_URL))
    words = f"This form was opened by {name}, and you are signed in as {request.user.get_username()}."
    return _told(request, f"{words} Nothing was saved; what was typed is kept for {name}.", resolve_url("projects"))


def _told(request: HttpRequest, words: str, address: str) -> HttpResponse:
    """Words where the person sees them: on the next page, or in the form that asks without one."""
    if _is_in_the_background(request):
        return _said(words)
    messages.warning(request, words)
    return HttpResponseRedirect(address)


def _keep(request: HttpRequest, sent: _Sent) -> None:
    """A page of two versions has no fields: of that one the form was kept when it was shown."""
    base = request.POST.get(unsaved.BASE, "")
    filled = reading.posted(request.POST)
    if filled and opened.unsign(sent.target, base) is not None:
        unsaved.keep(sent.user, sent.target, sent.opening, filled, base)


def _question(sent: _Sent) -> str:
    return f"?{urlencode({unsaved.UNSAVED: sent.opening})}"


def _said(words: str) -> HttpResponse:
    return HttpResponse(words, status=401, content_type="text/plain; charset=utf-8")


def _is_in_the_background(request: HttpRequest) -> bool:
    """Whether a page asks without being left: what is answered takes no page's place."""
    return bool(getattr(request, "htmx", False)) or _word(request) in _IN_THE_BACKGROUND


def _word(request: HttpRequest) -> str:
    return (request.resolver_match.url_name or "") if request.resolver_match is not None else ""
