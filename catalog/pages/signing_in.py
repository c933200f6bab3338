"""The sign-in page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


@method_decorator(never_cache, name="dispatch")
class SignIn(LoginView):
    """Leads those who are signed in on to where they were going."""

    template_name = "catalog/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Adds whether the service is reached from this machine only: then the page says where accounts come from."""
        return super().get_context_data(**kwargs) | {"is_local": not settings.FAIRFOLDER_ALLOWED_HOSTS}
