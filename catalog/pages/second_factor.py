"""Setting up a second factor, showing it, and taking it away again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import second_factor
from catalog.second_factor import CodeError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """What there is to do for this account: begin, confirm the app, enter a code, or nothing."""
    user = request.user
    assert isinstance(user, User)
    if request.method == "POST":
        act = _ACTIONS.get(request.POST.get("do", ""))
        if act is not None:
            try:
                return act(request, user)
            except CodeError as error:
                return _drawn(request, user, status=400, error=str(error))
    return _drawn(request, user)


def _drawn(
    request: HttpRequest, user: User, *, status: int = 200, error: str = "", codes: Sequence[str] = ()
) -> HttpResponse:
    is_set_up, is_shown = second_factor.is_set_up(user), second_factor.is_shown(user)
    device = None if is_set_up else second_factor.begun(request, user)
    context = {
        "is_set_up": is_set_up,
        "is_shown": is_shown,
        "is_asked_for": settings.FAIRFOLDER_ADMIN_SECOND_FACTOR and user.is_staff,
        "secret": second_factor.secret(device) if device is not None else "",
        "address": device.config_url if device is not None else "",
        "codes_left": second_factor.recovery_codes_left(user),
        "codes": codes,
        "error": error,
        "next": _next(request),
        "section": "profile",
    }
    return render(request, "catalog/second_factor.html", context, status=status)


def _next(request: HttpRequest) -> str:
    """Where the person was going, when that is in this service."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""


def _begin(request: HttpRequest, user: User) -> HttpResponse:
    if not second_factor.is_set_up(user):
        second_factor.begin(request, user)
    return _drawn(request, user)


def _confirm(request: HttpRequest, user: User) -> HttpResponse:
    codes = second_factor.confirm(request, user, request.POST.get("code", ""))
    return _drawn(request, user, codes=codes)


def _check(request: HttpRequest, user: User) -> HttpResponse:
    second_factor.check(request, user, request.POST.get("code", ""))
    return redirect(_next(request) or "second_factor")


def _renew(request: HttpRequest, user: User) -> HttpResponse:
    _must_be_shown(user)
    return _drawn(request, user, codes=second_factor.renew_recovery(user))


def _off(request: HttpRequest, user: User) -> HttpResponse:
    _must_be_shown(user)
    second_factor.switch_off(user)
    return redirect("second_factor")


def _must_be_shown(user: User) -> None:
    if not second_factor.is_shown(user):
        raise CodeError("Enter a code of your app first; then this can be changed.")


_ACTIONS: Mapping[str, Callable[[HttpRequest, User], HttpResponse]] = {
    "begin": _begin,
    "confirm": _confirm,
    "check": _check,
    "renew": _renew,
    "off": _off,
}
