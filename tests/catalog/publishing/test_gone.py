"""What was public and is withdrawn: its names lead to the tombstone, and it stands in no list and no count."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import rdflib
from django.test import Client

from catalog import index
from catalog.models import PublishedThing
from catalog.publishing.iris import DATA_OBJECT, FILE, RUN
from ingest.revisions import data_object
from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, OF_DATASET, Ready

pytestmark = pytest.mark.django_db
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
HTML = {"accept": "text/html"}


def files(ready: Ready) -> dict[str, str]:
    """Path → address of each public file."""
    value = ready.row.value
    return {each["path"]: f"/id/file/{each['file_identifier']}" for each in value["file_descriptions"]}


def names() -> set[tuple[str, str]]:
    return set(PublishedThing.objects.filter(kind__in=(FILE, RUN, DATA_OBJECT)).values_list("kind", "identifier"))


def test_a_file_of_a_withdrawn_dataset_is_gone_and_says_where_the_tombstone_is(ready: Ready, client: Client) -> None:
    ready.publish()
    [address, *_] = files(ready).values()
    row = ready.withdraw()
    page = f"http://127.0.0.1:8000/datasets/{row.identifier}"
    for headers in (HTML, {"accept": "*/*"}, {"accept": "text/turtle"}):
        answer = client.get(address, headers=headers)
        assert answer.status_code == 410
        assert page in answer.content.decode()
        assert "withdrawn" in answer.content.decode()
        assert answer["Content-Type"].startswith("text/html" if headers is HTML else "text/plain")
        assert f'<{page}>; rel="collection"' in answer["Link"]
        assert f'<{page}.ttl>; rel="describedby"' in answer["Link"]
        for word in (b"a.csv", b"Living cells", b"heat shock"):
            assert word not in answer.content


@pytest.mark.parametrize("accept", ["text/html", "text/turtle"])
def test_its_runs_and_data_objects_lead_to_the_tombstone(ready: Ready, client: Client, accept: str) -> None:
    ready.publish()
    run = ready.run_id()
    row = ready.withdraw()
    for name in (f"/id/run/{run}", f"/id/dataobject/{data_object(run)}"):
        answer = client.get(name, headers={"accept": accept})
        suffix = "" if accept == "text/html" else ".ttl"
        assert (answer.status_code, answer["Location"]) == (303, f"/datasets/{row.identifier}{suffix}")
        assert client.get(answer["Location"]).status_code == 200


def test_only_what_was_public_leads_there(ready: Ready, client: Client) -> None:
    ready.publish()
    ready.run("second", ("later.csv",))
    [later] = [each for each in index_files() if each[1] == "later.csv"]
    ready.withdraw()
    assert client.get(f"/id/file/{later[0]}", headers=HTML).status_code == 404
    assert client.get(f"/id/run/{ready.run_id('second')}").status_code == 404


def index_files() -> list[tuple[str, str]]:
    from catalog.models import File

    return list(File.objects.values_list("identifier", "path"))


def test_the_names_stay_when_the_folder_goes_too(ready: Ready) -> None:
    ready.publish()
    before = names()
    assert len(before) == 4
    ready.withdraw()
    assert names() == before
    shutil.rmtree(ready.root / FOLDER)
    index.refresh([ready.root / FOLDER])
    ready.described.describe()
    assert names() == before
    index.rebuild()
    assert names() == before


def test_publishing_again_gives_the_files_back(ready: Ready, client: Client) -> None:
    ready.publish()
    addresses = files(ready)
    ready.withdraw()
    ready.publish()
    assert {client.head(each).status_code for each in addresses.values()} == {200}


def test_it_stands_in_no_list_and_no_count(ready: Ready, client: Client) -> None:
    ready.publish()
    title = OF_DATASET["dataset_title"]
    assert title in client.get("/datasets/").content.decode()
    row = ready.withdraw()
    project = ready.described.project().identifier
    for address in ("/datasets/", "/datasets/?q=cells", f"/datasets/?project={project}"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert title not in answer.content.decode()
        assert row.identifier not in answer.content.decode()
    void = client.get("/.well-known/void").content.decode()
    assert "void:documents 0" in void


def test_harvesters_see_its_record_and_no_dataset_of_the_catalog(ready: Ready, client: Client) -> None:
    ready.publish()
    row = ready.withdraw()
    graph = rdflib.Graph().parse(data=client.get("/dcat/catalog?format=ttl").content, format="turtle")
    catalog, base = rdflib.URIRef("http://127.0.0.1:8000/id/catalog"), "http://127.0.0.1:8000/id"
    assert list(graph.objects(catalog, DCAT.dataset)) == []
    assert [str(each) for each in graph.objects(catalog, DCAT.record)] == [f"{base}/record/{row.identifier}"]


def test_confidential_by_now_its_names_tell_nothing_of_it(ready: Ready, client: Client) -> None:
    ready.publish()
    addresses, run = files(ready), ready.run_id()
    ready.change(ADMINISTRATIVE, access_level="confidential")
    told: list[Any] = [client.get(each, headers=HTML) for each in (*addresses.values(), f"/id/run/{run}")]
    assert [each.status_code for each in told] == [410, 410, 303]
    for answer in told:
        for word in (*addresses, OF_DATASET["dataset_title"], "Rosa"):
            assert word.encode() not in answer.content
