"""Addresses of the SPARQL endpoint."""

from django.urls import path

from catalog.sparql import picture, views

urlpatterns = [
    path("sparql", views.public, name="sparql"),
    path("sparql/internal", views.internal, name="sparql-internal"),
    path("sparql/picture", picture.picture, name="sparql-picture"),
]
