"""Addresses that need no account."""

from django.urls import path

from catalog.pages.public import catalogs, downloads, dumps, identifiers, listing, members, records, vocabulary

urlpatterns = [
    path("id/catalog", identifiers.catalog, name="id-catalog"),
    path("id/dataset/<uuid:identifier>", identifiers.dataset, {"kind": "dataset"}, name="id-dataset"),
    path("id/record/<uuid:identifier>", identifiers.dataset, {"kind": "record"}, name="id-record"),
    path("id/file/<uuid:identifier>", downloads.file, name="download"),
    path("id/<slug:kind>/<uuid:identifier>", identifiers.thing, name="id-thing"),
    path("dataobjects/<uuid:identifier>.<str:suffix>", members.data_object, name="data-object"),
    path("datasets/", listing.datasets, name="public-datasets"),
    path("datasets/<uuid:identifier>", records.dataset, name="landing"),
    path("datasets/<uuid:identifier>.<str:suffix>", records.form, name="public-format"),
    path("datasets/<uuid:identifier>/linkset", records.linkset, name="linkset"),
    path("contexts/<slug:name>/<str:version>.jsonld", vocabulary.context, name="context"),
    path("schemas/<slug:name>/<str:version>", vocabulary.schema, name="schema"),
    path("terms", vocabulary.terms, name="terms"),
    path("shapes", vocabulary.shapes, name="shapes"),
    path("dcat/catalog", catalogs.dcat, name="dcat-catalog"),
    path("dumps/catalog.nq.gz", dumps.dump, name="dump"),
    path(".well-known/void", catalogs.void, name="void"),
    path("sitemap.xml", listing.sitemap, name="sitemap"),
    path("robots.txt", listing.robots, name="robots"),
]
