"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("catalog.pages.urls")),
    path("", include("catalog.forms.urls")),
    path("", include("catalog.sparql.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "catalog.pages.failures.bad_request"
handler403 = "catalog.pages.failures.forbidden"
handler404 = "catalog.pages.failures.not_found"
handler500 = "catalog.pages.failures.server_error"
