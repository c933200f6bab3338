"""Addresses of the forms."""

from django.urls import path

from catalog.forms import instruments, reviewing, runs, suggest, views

urlpatterns = [
    path("edit/<slug:word>/<uuid:identifier>/", views.edit, name="edit"),
    path("edit/<slug:word>/<uuid:identifier>/check", views.check, name="edit-check"),
    path("edit/<slug:word>/<uuid:identifier>/keep", views.keep, name="edit-keep"),
    path("datasets/<uuid:identifier>/runs/new/", runs.start, name="start-run"),
    path("runs/<uuid:identifier>/files/", runs.files, name="run-files"),
    path("runs/<uuid:identifier>/finalise/", runs.finalise, name="finalise"),
    path("instruments/new/", instruments.new, name="new-instrument"),
    path("review/<slug:word>/<uuid:identifier>/", reviewing.review, name="review"),
    path("suggest/<slug:kind>/", suggest.suggest, name="suggest"),
]
