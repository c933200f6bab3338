"""Addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from catalog.pages import (
    file_history,
    health,
    history,
    instruments,
    members,
    profile,
    publishing,
    records,
    runs,
    second_factor,
    signing_in,
    tokens,
)
from catalog.pages.public import listing

urlpatterns = [
    path("", listing.home, name="projects"),
    path("projects/", records.projects, name="workbench"),
    path("", include("catalog.pages.public.urls")),
    path("projects/<uuid:identifier>/", records.project, name="project"),
    path("projects/<uuid:identifier>/members/", members.members, name="members"),
    path("datasets/<uuid:identifier>/", records.dataset, name="dataset"),
    path("datasets/<uuid:identifier>/files/", records.files, name="files"),
    path("datasets/<uuid:identifier>/runs/", records.runs, name="dataset-runs"),
    path("datasets/<uuid:identifier>/publish/", publishing.publish, name="publish"),
    path("files/<uuid:identifier>/", records.file, name="file"),
    path("files/<uuid:identifier>/history/", file_history.file_history, name="file-history"),
    path("files/<uuid:identifier>/preview", records.preview, name="preview"),
    path("runs/<uuid:identifier>/", runs.run, name="run"),
    path("runs/<uuid:identifier>/revisions/<int:number>/", runs.revision, name="revision"),
    path("runs/<uuid:identifier>/revisions/<int:number>.json", runs.revision_file, name="revision-file"),
    path("history/<slug:word>/<uuid:identifier>/", history.history, name="history"),
    path("history/<slug:word>/<uuid:identifier>/version/", history.version, name="version"),
    path("history/<slug:word>/<uuid:identifier>/version.json", history.version_file, name="version-file"),
    path("history/<slug:word>/<uuid:identifier>/differences/", history.differences, name="differences"),
    path("history/<slug:word>/<uuid:identifier>/restore/", history.restore, name="restore"),
    path("history/<slug:word>/<uuid:identifier>/prov.jsonld", history.trail, name="trail"),
    path("instruments/", instruments.instruments, name="instruments"),
    path("instruments/<uuid:identifier>/", instruments.instrument, name="instrument"),
    path("status/", health.status, name="status"),
    path("why/", health.why, name="why"),
    path("healthz", health.healthz, name="healthz"),
    path("login/", signing_in.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("profile/", profile.profile, name="profile"),
    path("profile/password/", signing_in.ChangePassword.as_view(), name="password"),
    path("profile/second-factor/", second_factor.page, name="second_factor"),
    path("profile/tokens/", tokens.page, name="tokens"),
]
