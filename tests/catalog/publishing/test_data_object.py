"""A data object's own documents: every file of a dataset too large to list is reached by following links in RDF."""

from __future__ import annotations

import pytest
import rdflib
from django.test import Client
from pytest_django import Settings

from catalog.pages.public import members
from ingest.revisions import data_object
from tests.catalog.publishing.ready import Ready

pytestmark = pytest.mark.django_db
BASE = "http://127.0.0.1:8000"
DCAT, PROV = rdflib.Namespace("http://www.w3.org/ns/dcat#"), rdflib.PROV
HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
TURTLE = {"accept": "text/turtle"}


@pytest.fixture
def large(ready: Ready, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Ready:
    """Two runs, three files, and a record that lists none of them."""
    settings.FAIRFOLDER_FILES_IN_RECORD = 2
    monkeypatch.setattr(members, "FILES_A_PAGE", 1)
    ready.run("second", ("later.csv",))
    ready.publish()
    return ready


def followed(client: Client, iri: str) -> rdflib.Graph:
    """What a name leads to, as Turtle."""
    answer = client.get(iri.removeprefix(BASE), headers=TURTLE)
    while answer.status_code == 303:
        answer = client.get(answer["Location"].removeprefix(BASE), headers=TURTLE)
    assert answer.status_code == 200, iri
    return rdflib.Graph().parse(data=answer.content, format="turtle")


def test_every_file_is_reached_by_following_links(large: Ready, client: Client) -> None:
    dataset = rdflib.URIRef(f"{BASE}/id/dataset/{large.identifier}")
    first = followed(client, str(dataset))
    assert not [each for each in first.subjects(rdflib.RDF.type, DCAT.Distribution) if "/id/file/" in str(each)]
    objects = list(first.subjects(rdflib.DCTERMS.isPartOf, dataset))
    assert {str(each) for each in objects} == {
        f"{BASE}/id/dataobject/{data_object(large.run_id(label))}" for label in ("first", "second")
    }
    found: dict[str, str] = {}
    for each in objects:
        address: str = str(each)
        while address:
            page = followed(client, address)
            for file in page.objects(dataset, DCAT.distribution):
                assert (each, PROV.hadMember, file) in page
                assert page.value(file, DCAT.byteSize) is not None
                found[str(page.value(file, rdflib.DCTERMS.title))] = str(page.value(file, DCAT.downloadURL))
            following = next(iter(page.objects(None, HYDRA.nextPage)), None)
            address = str(following or "")
    assert sorted(found) == ["a.csv", "b.csv", "later.csv"]
    assert {client.head(each.removeprefix(BASE)).status_code for each in found.values()} == {200}


def test_a_page_says_where_the_others_are_in_its_header(large: Ready, client: Client) -> None:
    name = data_object(large.run_id("first"))
    answer = client.get(f"/id/dataobject/{name}?page=2", headers={"accept": "application/ld+json"})
    assert answer["Location"] == f"/dataobjects/{name}.jsonld?page=2"
    page = client.get(answer["Location"])
    assert (page.status_code, page["Content-Type"]) == (200, "application/ld+json")
    assert f'<{BASE}/dataobjects/{name}.jsonld?page=1>; rel="prev"' in page["Link"]
    assert 'rel="next"' not in page["Link"]
    assert f'<{BASE}/id/dataobject/{name}>; rel="describes"' in page["Link"]
    known = client.get(answer["Location"], headers={"if-none-match": page["ETag"]})
    assert known.status_code == 304
    for wrong in ("0", "3", "x", "9" * 20):
        assert client.get(f"/dataobjects/{name}.ttl?page={wrong}").status_code == 404
    for suffix in ("bib", "schemaorg.jsonld", "what"):
        assert client.get(f"/dataobjects/{name}.{suffix}").status_code == 404
    assert client.get(f"/id/dataobject/{name}")["Location"] == f"/datasets/{large.identifier}#runs"


@pytest.mark.parametrize("level", ["restricted", "embargoed"])
def test_what_is_not_open_has_no_address_to_download_there(large: Ready, client: Client, level: str) -> None:
    large.access(level, access_conditions="Ask.", embargo_end_date="2999-01-01")
    page = followed(client, f"{BASE}/id/dataobject/{data_object(large.run_id('second'))}")
    assert list(page.objects(None, DCAT.accessURL))
    assert not list(page.objects(None, DCAT.downloadURL))


def test_withdrawn_its_documents_lead_to_the_tombstone(large: Ready, client: Client) -> None:
    name = data_object(large.run_id("first"))
    large.withdraw()
    assert client.get(f"/dataobjects/{name}.ttl")["Location"] == f"/datasets/{large.identifier}.ttl"


@pytest.mark.parametrize("page", ["1%0d%0aX:y", "1%23top", "1%26a=b", "9" * 12, "-1"])
def test_a_page_that_is_no_number_goes_nowhere(large: Ready, client: Client, page: str) -> None:
    identifier = data_object(large.run_id("first"))
    answer = client.get(f"/id/dataobject/{identifier}?page={page}", headers=TURTLE)
    assert answer.status_code == 303
    assert answer["Location"] == f"/dataobjects/{identifier}.ttl"
