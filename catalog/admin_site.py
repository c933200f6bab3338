"""The admin's door: one sign-in page for the whole service, and the second factor where it is asked for.

It stands outside :mod:`catalog.admin`, which registers its tables with this site as soon as it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator

from catalog import second_factor

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


class Site(admin.AdminSite):
    """Curators and administrators get in; whoever may not is told so, whatever they ask for."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not second_factor.is_awaited(request.user)

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        guarded = super().admin_view(view, cacheable)

        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not super(Site, self).has_permission(request):
                raise PermissionDenied
            if second_factor.is_awaited(request.user):
                return redirect_to_login(request.get_full_path(), reverse("second_factor"))
            return guarded(request, *args, **kwargs)

        return cast(_View, update_wrapper(opened, guarded))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one sign-in page, with its limits."""
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(wanted, reverse(settings.LOGIN_URL))
