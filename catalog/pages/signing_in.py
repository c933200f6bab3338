"""The sign-in page."""

from __future__ import annotations

from django.contrib.auth.views import LoginView
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


@method_decorator(never_cache, name="dispatch")
class SignIn(LoginView):
    """Leads those who are signed in on to where they were going."""

    template_name = "catalog/login.html"
    redirect_authenticated_user = True
    extra_context = {"section": "login"}  # noqa: RUF012  (Django's own way of naming it)
