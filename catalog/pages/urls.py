"""Addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from catalog.pages import health, records, signing_in

urlpatterns = [
    path("", records.projects, name="projects"),
    path("projects/<uuid:identifier>/", records.project, name="project"),
    path("datasets/<uuid:identifier>/", records.dataset, name="dataset"),
    path("datasets/<uuid:identifier>/files/", records.files, name="files"),
    path("files/<uuid:identifier>/", records.file, name="file"),
    path("status/", health.status, name="status"),
    path("why/", health.why, name="why"),
    path("healthz", health.healthz, name="healthz"),
    path("login/", signing_in.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
