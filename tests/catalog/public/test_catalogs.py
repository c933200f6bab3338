"""The catalog as a whole: lists for people, pages, dumps and maps for machines."""

from __future__ import annotations

import copy
import gzip
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import rdflib
from django.test import Client
from pytest_django import Settings

from catalog.formats import dumping, rendered
from catalog.models import Published
from catalog.pages.public import catalogs, listing
from catalog.publishing.site import site
from tests.catalog.public.shown import Shown
from tests.catalog.publishing import example

BASE = "http://127.0.0.1:8000"
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
VOID = rdflib.Namespace("http://rdfs.org/ns/void#")


def another(shown: Shown, number: int, **changes: object) -> str:
    """One more public record, without files."""
    identifier = f"00000000-0000-4000-8000-{number:012}"
    value = copy.deepcopy(example.published().value)
    value |= {"@id": f"urn:uuid:{identifier}", "dataset_identifier": identifier, "dataset_title": f"Number {number}"}
    value |= {"data_objects": [], "instruments": [], "file_descriptions": [], "previous_version": "", **changes}
    shown.publish(**value)
    return identifier


def test_the_list_is_searched_by_words_and_paged(shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(1, 5):
        another(shown, number, keywords=["salt" if number % 2 else "sugar"])
    html = client.get("/datasets/").content.decode()
    assert html.count('<li class="card">') == 2
    assert 'rel="next"' in html
    seen, address = [], "/datasets/"
    while address:
        html = client.get(address).content.decode()
        seen += [part.partition('"')[0] for part in html.split('<h2><a href="/datasets/')[1:]]
        nearest = html.partition('rel="next" href="')[2].partition('"')[0]
        address = f"/datasets/{nearest}" if nearest else ""
    assert len(seen) == len(set(seen)) == 5
    assert client.get("/datasets/?q=salt").content.decode().count('<li class="card">') == 2
    assert "Number 3" in client.get("/datasets/?q=number+3").content.decode()
    assert "No public dataset fits" in client.get("/datasets/?q=nothing+at+all").content.decode()
    assert client.get("/datasets/?at=nonsense").status_code == 400
    narrowed = client.get(f"/datasets/?project={example.PROJECT}").content.decode()
    assert "Heat shock response in Arabidopsis" in narrowed


def test_the_first_page_leads_strangers_to_what_is_public(
    shown: Shown, client: Client, django_user_model: object
) -> None:
    assert client.get("/")["Location"] == "/datasets/"
    client.force_login(django_user_model.objects.create_user("reader"))  # type: ignore[attr-defined]
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("accept", "name"), [("text/turtle", "turtle"), ("application/ld+json", "json-ld"), ("application/rdf+xml", "xml")]
)
def test_the_catalog_comes_in_pages_that_hold_every_record_once(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch, accept: str, name: str
) -> None:
    monkeypatch.setattr(catalogs, "RECORDS_A_PAGE", 2)
    ids = {shown.identifier, *(another(shown, number) for number in range(1, 5))}
    found: list[str] = []
    for page in (1, 2, 3):
        answer = client.get(f"/dcat/catalog?page={page}", headers={"accept": accept})
        assert answer.status_code == 200
        graph = rdflib.Graph().parse(data=answer.content, format=name)
        catalog = rdflib.URIRef(f"{BASE}/id/catalog")
        found += [str(each).rpartition("/")[2] for each in graph.objects(catalog, DCAT.dataset)]
        [collection] = graph.subjects(HYDRA.totalItems, None)
        assert int(str(graph.value(collection, HYDRA.totalItems))) == 5
        assert bool(graph.value(collection, HYDRA.nextPage)) is (page < 3)
        assert ('rel="next"' in answer["Link"]) is (page < 3)
    assert sorted(found) == sorted(ids)
    for page in ("0", "4", "x", "-1", "9" * 20):
        assert client.get(f"/dcat/catalog?page={page}").status_code == 404
    assert client.get("/dcat/catalog", headers={"accept": "image/png"}).status_code == 406


def test_void_describes_what_there_is(shown: Shown, client: Client) -> None:
    answer = client.get("/.well-known/void")
    graph = rdflib.Graph().parse(data=answer.content, format="turtle")
    catalog = rdflib.URIRef(f"{BASE}/id/catalog")
    assert str(graph.value(catalog, VOID.dataDump)) == f"{BASE}/dumps/catalog.nq.gz"
    assert str(graph.value(catalog, VOID.sparqlEndpoint)) == f"{BASE}/sparql"
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_where_no_sparql_is_answered_none_is_told_of(shown: Shown, client: Client, settings: Settings) -> None:
    def told() -> tuple[bool, bool]:
        pages = (client.get("/.well-known/void"), client.get("/dcat/catalog?format=ttl"))
        void, dcat = (rdflib.Graph().parse(data=page.content, format="turtle") for page in pages)
        return any(void.objects(None, VOID.sparqlEndpoint)), any(dcat.objects(None, DCAT.service))

    assert told() == (True, True)
    settings.FAIRFOLDER_SPARQL = False
    assert told() == (False, False)
    settings.FAIRFOLDER_SPARQL_QUERY_URL = "http://127.0.0.1:9/"  # nothing keeps that one up to date
    assert told() == (False, False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own
def test_the_dump_has_a_named_graph_for_each_record(shown: Shown, client: Client) -> None:
    other = another(shown, 1)
    dumping.build(site())
    answer = client.get("/dumps/catalog.nq.gz")
    content = gzip.decompress(b"".join(answer.streaming_content))
    data = rdflib.Dataset().parse(data=content, format="nquads")
    names = {str(quad[3]) for quad in data.quads()}
    assert names == {f"{BASE}/id/record/{each}" for each in (shown.identifier, other)}
    etag = answer["ETag"]
    assert client.get("/dumps/catalog.nq.gz", headers={"if-none-match": etag}).status_code == 304
    another(shown, 1, dataset_title="Changed")
    dumping.build(site())
    answer = client.get("/dumps/catalog.nq.gz", headers={"if-none-match": etag})
    assert b"Changed" in gzip.decompress(b"".join(answer.streaming_content))
    assert len(list((shown.tree.root.parent / "state" / "dumps").glob("catalog-*.gz"))) == 1


def test_the_site_map_names_every_landing_page(shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    other = another(shown, 1)
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"

    def places(address: str) -> list[str | None]:
        tree = ElementTree.fromstring(client.get(address).content)
        return [each.text for each in tree.iter(f"{space}loc")]

    assert places("/sitemap.xml") == [f"{BASE}/datasets/{each}" for each in sorted((shown.identifier, other))]
    monkeypatch.setattr(listing, "IN_SITEMAP", 1)
    assert places("/sitemap.xml") == [f"{BASE}/sitemap.xml?page={number}" for number in (1, 2)]
    assert len(places("/sitemap.xml?page=2")) == 1
    assert client.get("/sitemap.xml?page=3").status_code == 404
    assert f"Sitemap: {BASE}/sitemap.xml" in client.get("/robots.txt").content.decode()


# --- what is kept -------------------------------------------------------------------------------------------------


def test_a_kept_answer_is_read_and_a_damaged_one_made_anew(tmp_path: Path, settings: Settings) -> None:
    settings.FAIRFOLDER_STATE_DIR = tmp_path
    large = b"x" * 100_000
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return large

    assert [rendered.kept("etag", "name", site(), make) for _ in range(3)] == [large] * 3
    assert len(made) == 1
    [file] = (tmp_path / "rendered").iterdir()
    for damage in (b"", file.read_bytes()[:-1], file.read_bytes()[:-1] + b"y"):
        file.write_bytes(damage)
        rendered.forget()  # as another process, or this one later
        assert rendered.kept("etag", "name", site(), make) == large
    assert len(made) == 4
    rendered.kept("another", "name", site(), make)
    assert len(list((tmp_path / "rendered").iterdir())) == 2
    rendered.make_room(150_000)
    assert len(list((tmp_path / "rendered").iterdir())) == 1


def test_where_nothing_can_be_kept_it_is_answered_all_the_same(
    shown: Shown, client: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "state" / "rendered").write_text("in the way")
    assert client.get(shown.page).status_code == 200
    assert client.get(f"{shown.page}.ttl").status_code == 200


def test_another_site_is_another_answer(shown: Shown, client: Client, settings: Settings) -> None:
    first = client.get(f"{shown.page}.csl.json")
    settings.FAIRFOLDER_BASE_URL = "https://elsewhere.test"
    second = client.get(f"{shown.page}.json")
    assert b"elsewhere.test" in second.content
    assert first["ETag"] != second["ETag"]


def test_files_of_a_large_dataset_are_paged(shown: Shown, client: Client) -> None:
    value = copy.deepcopy(example.published().value)
    model = value["file_descriptions"][0]
    entries = []
    for number in range(250):
        own = f"10000000-0000-4000-8000-{number:012}"
        entries.append({**model, "@id": f"urn:uuid:{own}", "file_identifier": own, "path": f"f{number:04}.csv"})
    shown.publish()
    from dataclasses import replace

    from tests.catalog.public.shown import put

    put(replace(example.published(), value={**value, "file_descriptions": entries}, files=tuple(entries)))
    html = client.get(shown.page).content.decode()
    assert "f0000.csv" in html
    assert "f0100.csv" not in html.partition("</head>")[2]
    assert "Page 1 of 3" in html
    assert "f0249.csv" in client.get(f"{shown.page}?files=3").content.decode()
    for page in ("0", "4", "x", "9" * 30):
        assert client.get(f"{shown.page}?files={page}").status_code == 404
    assert Published.objects.get().file_count == 250
