"""The tokens of one's own account: made, shown once, revoked. For those whose tokens may ask anything."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import rights, tokens
from ingest.errors import SettingError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """What tokens there are; by POST one more, or one less."""
    user = request.user
    assert isinstance(user, User)
    if not rights.of_request(request).asks_every_record:
        raise Http404
    name = request.POST.get("name", "").strip()
    try:
        if request.POST.get("do") == "make":
            return _drawn(request, user, made=tokens.make(user.get_username(), name), name=name)
        if request.POST.get("do") == "revoke":
            tokens.remove(user.get_username(), name)
            messages.success(request, f"The token “{name}” is revoked: no program gets in with it any more.")
            return redirect("tokens")
    except SettingError as error:
        return _drawn(request, user, error=str(error), name=name, status=422)
    return _drawn(request, user)


def _drawn(
    request: HttpRequest, user: User, *, made: str = "", error: str = "", name: str = "", status: int = 200
) -> HttpResponse:
    context = {"tokens": tokens.of_account(user), "made": made, "error": error, "name": name, "section": "profile"}
    return render(request, "catalog/tokens.html", context, status=status)
