"""Names of things lead to what is asked for: by Accept, by profile, by suffix."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.formats.table import DCAT, PROV, SCHEMAORG
from tests.catalog.public.shown import Shown
from tests.catalog.publishing import example

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
HTML, NONE = "", "406"
ACCEPTS = [
    (None, HTML),
    ("", HTML),
    ("*/*", HTML),
    (BROWSER, HTML),
    ("text/html", HTML),
    ("application/xhtml+xml", HTML),
    ("text/*", HTML),
    ("text/turtle", "ttl"),
    ("TEXT/Turtle", "ttl"),
    ("text/turtle;charset=utf-8", "ttl"),
    ("application/ld+json", "jsonld"),
    ("application/rdf+xml", "rdf"),
    ("application/n-triples", "nt"),
    ("application/trig", "trig"),
    ("application/n-quads", "nq"),
    ("application/json", "json"),
    ("application/x-bibtex", "bib"),
    ("application/x-research-info-systems", "ris"),
    ("application/vnd.citationstyles.csl+json", "csl.json"),
    ("application/vnd.datacite.datacite+json", "datacite.json"),
    ('application/ld+json;profile="https://schema.org/"', "schemaorg.jsonld"),
    ('application/ld+json; profile="http://schema.org"', "schemaorg.jsonld"),
    ('application/ld+json; profile="https://w3id.org/ro/crate/1.1"', "ro-crate-metadata.json"),
    ("text/html;q=0.1, text/turtle", "ttl"),
    ("text/turtle;q=0.8, application/ld+json;q=0.9", "jsonld"),
    ("text/turtle;q=0.8, application/ld+json;q=0.9, text/html;q=0.85", "jsonld"),
    ("application/*", "jsonld"),
    ("*/*;q=0.1, application/rdf+xml;q=0.2", "rdf"),
    ("text/html;q=0, */*", "jsonld"),
    ("text/turtle;q=0", NONE),
    ("image/png", NONE),
    ("application/pdf, image/*", NONE),
    ("text/turtle;q=nonsense", "ttl"),
    (",,;;q=,", NONE),
    ("text/turtle, " * 500, "ttl"),
]


@pytest.mark.parametrize(("accept", "suffix"), ACCEPTS)
def test_a_name_leads_to_what_is_accepted(shown: Shown, client: Client, accept: str | None, suffix: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    answer = client.get(f"/id/dataset/{shown.identifier}", headers=headers)
    if suffix == NONE:
        assert answer.status_code == 406
        assert f"{shown.page}.ttl" in answer.content.decode()
    else:
        assert answer.status_code == 303
        assert answer["Location"] in (f"{shown.page}.{suffix}", shown.page if suffix == HTML else None)
    assert {"Accept", "Accept-Profile"} <= {each.strip() for each in answer["Vary"].split(",")}
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert f'<http://127.0.0.1:8000{shown.page}.ttl>; rel="alternate"; type="text/turtle"' in answer["Link"]


@pytest.mark.parametrize(
    ("profile", "accept", "suffix"),
    [
        (f"<{SCHEMAORG.iri}>", "*/*", "schemaorg.jsonld"),
        (f"<{DCAT.iri}>", "text/turtle", "ttl"),
        (f"<{PROV.iri}>", "text/turtle", "prov.ttl"),
        (f"<{PROV.iri}>;q=0.5, <{DCAT.iri}>;q=0.9", "text/turtle", "ttl"),
        (f"<urn:unknown>, <{PROV.iri}>;q=0.1", "application/ld+json", "prov.jsonld"),
        ("<urn:unknown>", "*/*", NONE),
        (f"<{SCHEMAORG.iri}>", "text/turtle", NONE),
        ("not a profile", "text/turtle", "ttl"),
    ],
)
def test_a_profile_is_negotiated(shown: Shown, client: Client, profile: str, accept: str, suffix: str) -> None:
    asked = {"accept-profile": profile, "accept": accept}
    answer = client.get(f"/id/dataset/{shown.identifier}", headers=asked)
    assert answer.status_code == (406 if suffix == NONE else 303)
    assert suffix == NONE or answer["Location"] == f"{shown.page}.{suffix}"


def test_a_profile_is_asked_for_in_the_address(shown: Shown, client: Client) -> None:
    answer = client.get(f"{shown.page}?_profile=datacite")
    assert answer["Content-Type"] == "application/vnd.datacite.datacite+json"
    assert answer["Content-Profile"] == "<http://datacite.org/schema/kernel-4>"
    assert client.get(f"{shown.page}?_profile=schemaorg&_mediatype=text/turtle").status_code == 406
    assert client.get(f"{shown.page}?_profile=nothing").status_code == 406
    assert client.get(f"{shown.page}?_profile=alt")["Content-Type"] == "application/linkset+json"


@pytest.mark.parametrize(
    ("name", "page", "data"),
    [
        (f"/id/record/{example.DATASET}", f"/datasets/{example.DATASET}", f"/datasets/{example.DATASET}.csl.json"),
        (f"/id/run/{example.IMAGING}", f"/datasets/{example.DATASET}#run-{example.IMAGING}", None),
        (f"/id/instrument/{example.MICROSCOPE}", f"/datasets/{example.DATASET}#instrument-{example.MICROSCOPE}", None),
        (f"/id/project/{example.PROJECT}", f"/datasets/?project={example.PROJECT}", None),
        ("/id/agent/5b0d7f61-93a4-4c2e-8f17-6c5d4e3f2a1b", f"/datasets/{example.DATASET}", None),
        ("/id/catalog", "/datasets/", None),
    ],
)
def test_everything_named_leads_somewhere(shown: Shown, client: Client, name: str, page: str, data: str | None) -> None:
    answer = client.get(name, headers={"accept": "text/html"})
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert client.get(page).status_code == 200
    asked = "application/vnd.citationstyles.csl+json" if data else "text/turtle"
    answer = client.get(name, headers={"accept": asked})
    assert answer.status_code == 303
    assert data in (None, answer["Location"])


@pytest.mark.parametrize("accept", ["text/html", "text/turtle", "application/ld+json", "image/png"])
def test_head_of_a_name_is_its_get_without_the_content(shown: Shown, client: Client, accept: str) -> None:
    name = shown.page.replace("/datasets/", "/id/dataset/")
    get, head = (ask(name, headers={"accept": accept}) for ask in (client.get, client.head))
    assert get.status_code == (406 if accept == "image/png" else 303)
    assert (head.status_code, head.content, dict(head.headers)) == (get.status_code, b"", dict(get.headers))


def test_every_anchor_is_in_the_page(shown: Shown, client: Client) -> None:
    html = client.get(shown.page).content.decode()
    for anchor in ("runs", f"run-{example.IMAGING}", f"instrument-{example.MICROSCOPE}"):
        assert f'id="{anchor}"' in html


# --- conditions, HEAD, CORS ---------------------------------------------------------------------------------------

ADDRESSES = (
    "", ".csl.json", ".json", ".bib", "/linkset", ".ttl", ".jsonld", ".rdf", ".nt", ".trig", ".nq",
)  # fmt: skip


@pytest.mark.parametrize("suffix", ADDRESSES)
def test_head_etags_and_origins(shown: Shown, client: Client, suffix: str) -> None:
    address = f"{shown.page}{suffix}"
    get, head = client.get(address), client.head(address)
    assert get.status_code == 200
    assert head.content == b""
    assert dict(head.headers) == dict(get.headers)
    assert get["Content-Length"] == str(len(get.content))
    assert get["Access-Control-Allow-Origin"] == "*"
    assert get["X-Content-Type-Options"] == "nosniff"
    for condition in ({"if-none-match": get["ETag"]}, {"if-modified-since": get["Last-Modified"]}):
        again = client.get(address, headers=condition)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", get["ETag"])
    assert client.get(address, headers={"if-none-match": '"x"', "if-modified-since": get["Last-Modified"]}).content
    options = client.options(address)
    assert (options.status_code, options["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")
    assert client.post(address).status_code == 405
    shown.publish(dataset_title="Another title")
    assert client.get(address, headers={"if-none-match": get["ETag"]}).status_code == 200


def test_each_format_has_an_etag_of_its_own(shown: Shown, client: Client) -> None:
    tags = [client.get(f"{shown.page}{each}")["ETag"] for each in ADDRESSES]
    assert len(set(tags)) == len(tags)
