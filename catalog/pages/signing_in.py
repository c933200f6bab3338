"""The sign-in page, what is said after too many failures, and a new password for oneself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from catalog import attempts
from catalog.pages.failures import failure


@method_decorator(never_cache, name="dispatch")
class SignIn(LoginView):
    """Leads those who are signed in on to where they were going."""

    template_name = "catalog/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Adds whether the service is reached from this machine only: then the page says where accounts come from."""
        return super().get_context_data(**kwargs) | {"is_local": not settings.FAIRFOLDER_ALLOWED_HOSTS}


@method_decorator(never_cache, name="dispatch")
class ChangePassword(PasswordChangeView):
    """Asks for the present password too; every other session of the account ends."""

    template_name = "catalog/password.html"
    success_url = reverse_lazy("password")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed; sessions of this account elsewhere have ended.")
        return super().form_valid(form)


def locked_out(
    request: HttpRequest, response: HttpResponseBase | None, credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """The answer to a sign-in after too many failures, whether or not there is such an account."""
    minutes = attempts.minutes_to_wait(request, credentials)
    page = failure(
        429,
        "Too many failed sign-ins",
        f"Signing in is held for this user name or this address. Try again in {minutes} "
        f"minute{'' if minutes == 1 else 's'}, or ask an administrator for a new password.",
    )
    page["Retry-After"] = str(60 * minutes)
    page["Cache-Control"] = "no-store"
    return page
