"""Records that try to break out of what they are shown in, and records that nobody may see."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from catalog.formats import dumping
from catalog.formats.table import FORMATS
from catalog.models import Published, PublishedThing
from catalog.publishing.site import site
from tests.catalog.hostile import CORPUS, Page
from tests.catalog.public.shown import Shown
from tests.catalog.publishing import example

REMOTE = "http://169.254.169.254/latest/meta-data"
_JSON_LD = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
_LINKS = {"href", "src", "action"}


class PublicPage(Page):
    """A public page: also a link to write a mail, and data in a script element of their own."""

    def __init__(self, html: str) -> None:
        self.data = _JSON_LD.findall(html)
        super().__init__(_JSON_LD.sub("", html))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        mailing = tag == "a" and (dict(attrs).get("href") or "").startswith("mailto:")
        plain = [(name, value) for name, value in attrs if not (mailing and name == "href")]
        super().handle_starttag("q" if tag == "blockquote" else tag, plain)

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag("q" if tag == "blockquote" else tag)


@pytest.fixture(autouse=True)
def known_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.catalog.hostile as hostile

    monkeypatch.setattr(hostile, "TAGS", hostile.TAGS | {"q"})


def planted(value: Any, text: str, path: str = "") -> Any:
    """The document with a text in the place of every text but the identifiers that it is found by."""
    if isinstance(value, list):
        return [planted(each, text, path) for each in value]
    if isinstance(value, dict):
        return {key: planted(each, text, key) for key, each in value.items()}
    kept = (
        "@id", "@type", "dataset_identifier", "publication_state", "access_level", "last_modified_date",
        "date_published", "file_identifier", "run_id", "data_object_identifier", "instrument_identifier",
        "project_identifier", "modified_utc", "generated_date", "outputs", "file_identifiers", "instruments_used",
    )  # fmt: skip
    return text if isinstance(value, str) and path not in kept else value


@pytest.mark.parametrize("number", range(0, len(CORPUS), 4))
def test_no_text_in_any_field_breaks_out_of_a_page(shown: Shown, client: Client, number: int) -> None:
    for text in CORPUS[number : number + 4]:
        shown.publish(**planted(shown.publish().value, text))
        for address in (shown.page, "/datasets/", f"/datasets/?q={number}"):
            answer = client.get(address)
            assert answer.status_code == 200, (address, text)
            page = PublicPage(answer.content.decode())
            assert page.wrong == [], (address, text)
            for block in page.data:
                assert not re.search("[<>&\u2028\u2029]", block)
                json.loads(block)
        for each in (e for e in FORMATS if e.profile is None or e.name in ("schemaorg", "datacite", "rocrate", "json")):
            answer = client.get(f"{shown.page}.{each.suffix}")
            assert answer.status_code == 200, (each.name, text)
        assert client.get(f"{shown.page}/linkset").status_code == 200


HARD = (
    '<a> "b" \\ \n\t c',
    "]]>",
    "\x01\x0b\x1f",
    'http://x.test/a b<>"{}|\\^`',
    "\u202eabc",
    "\ufffe",
    "'''\"\"\"",
    "@en",
    "_:b",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own
@pytest.mark.parametrize("text", HARD)
def test_every_rdf_format_of_a_hostile_record_is_read_by_another_parser(
    shown: Shown, client: Client, text: str
) -> None:
    """FA-61: Turtle, N-Triples, RDF/XML, TriG, N-Quads and JSON-LD."""
    import rdflib

    shown.publish(**planted(shown.publish().value, text))
    counted = {}
    for suffix, name in (
        ("ttl", "turtle"),
        ("nt", "nt"),
        ("rdf", "xml"),
        ("trig", "trig"),
        ("nq", "nquads"),
        ("jsonld", "json-ld"),
    ):
        answer = client.get(f"{shown.page}.{suffix}")
        assert answer.status_code == 200, suffix
        graph = rdflib.Dataset()
        graph.parse(data=answer.content, format=name, publicID="http://base.test/")
        counted[suffix] = len(list(graph.quads()))
    assert len(set(counted.values())) == 1, counted


def test_a_context_from_elsewhere_is_never_looked_at(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FA-53, of what is already public: no address in a record is opened by any way out."""
    import socket

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was tried")

    value = copy.deepcopy(shown.publish().value)
    value["@context"] = REMOTE
    value["creators"][0]["@context"] = {"@import": REMOTE}
    value["additional_properties"] = [{"@context": [REMOTE], "name": "n", "value": "v"}]
    shown.publish(**value)
    monkeypatch.setattr(socket.socket, "connect", refused)
    for each in FORMATS:
        answer = client.get(f"{shown.page}.{each.suffix}")
        assert answer.status_code == 200, each.name
        assert REMOTE not in answer.content.decode() or each.name == "json"


def test_a_megabyte_of_text_is_shown_and_stands_in_no_header(shown: Shown, client: Client) -> None:
    long = "word " * 200_000
    shown.publish(dataset_abstract=long, dataset_title="t" * 100_000, license="https://x.test/" + "l" * 1_000_000)
    answer = client.get(shown.page)
    assert answer.status_code == 200
    assert long.strip() in answer.content.decode()
    assert len(answer["Link"]) < 10_000
    assert len(client.get(f"{shown.page}.schemaorg.jsonld").content) < 4_000_000


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "JaVaScRiPt:alert(1)", "//evil.test", "http://a b"],
)
def test_no_link_leads_where_a_script_would_run(shown: Shown, client: Client, address: str) -> None:
    value = planted(shown.publish().value, "x")
    for each in value["creators"]:
        each |= {"orcid": address, "ror": address, "url": address, "@id": address}
    value |= {"license": address, "doi": address, "previous_version": address}
    value["related_identifiers"] = [{"identifier": address, "scheme": "URL", "iri": address, "relation": "Cites"}]
    value["documentation"] = [{"label": "x", "url": address}]
    value["funding"] = [{"funder": {"name": "F", "url": address, "ror": address}, "award_uri": address}]
    shown.publish(**value)
    answer = client.get(shown.page)
    page = PublicPage(answer.content.decode())
    assert page.wrong == []
    assert f'href="{address}"' not in answer.content.decode()
    assert address not in answer["Link"]


# --- who sees what ------------------------------------------------------------------------------------------------

ABSENT = "00000000-0000-4000-8000-000000000000"
SECRET = "Secret-of-nobody"


def ways(dataset: str, run: str, project: str, instrument: str, file: str) -> Iterator[str]:
    """Every address that takes an identifier."""
    yield from (
        f"/id/dataset/{dataset}",
        f"/id/record/{dataset}",
        f"/datasets/{dataset}",
        f"/datasets/{dataset}/linkset",
    )
    yield from (f"/datasets/{dataset}.{each.suffix}" for each in FORMATS)
    yield from (f"/id/run/{run}", f"/id/project/{project}", f"/id/instrument/{instrument}", f"/id/file/{file}")
    yield from (f"/id/agent/{run}", f"/id/dataobject/{run}", f"/id/variable/{run}")


def test_of_what_is_not_public_a_stranger_learns_nothing(shown: Shown, client: Client) -> None:
    """Another dataset is public; this one is described and indexed, and is like one that is not there."""
    own = list(ways(shown.identifier, example.IMAGING, example.PROJECT, example.MICROSCOPE, shown.ids["counts.csv"]))
    other = copy.deepcopy(example.published().value)
    other |= {"@id": f"urn:uuid:{ABSENT[:-1]}1", "dataset_identifier": f"{ABSENT[:-1]}1", "dataset_title": "Another"}
    for key in ("data_objects", "instruments", "file_descriptions", "creators", "contributors"):
        other[key] = []
    other["previous_version"] = ""
    other["project"] = {"@id": f"urn:uuid:{ABSENT[:-1]}2", "@type": "Project", "project_identifier": f"{ABSENT[:-1]}2"}
    shown.publish(**other)
    Published.objects.filter(identifier=shown.identifier).delete()
    PublishedThing.objects.filter(record=shown.identifier).delete()
    shown.tree.edit(
        shown.tree.document("p_HeatShock/dataset_replicate1", "dataset_administrative"), {"dataset_title": SECRET}
    )
    for address, absent in zip(own, ways(*[ABSENT] * 5), strict=True):
        for headers in ({}, {"accept": "text/turtle"}, {"range": "bytes=0-1"}, {"if-none-match": "*"}):
            asked, nothing = client.get(address, headers=headers), client.get(absent, headers=headers)
            assert (asked.status_code, asked.content) == (404, nothing.content), address
            assert dict(asked.headers) == dict(nothing.headers), address
    for address in (
        "/datasets/", "/datasets/?q=heat", f"/datasets/?project={example.PROJECT}", "/sitemap.xml", "/dcat/catalog",
        "/.well-known/void", "/dumps/catalog.nq.gz", "/robots.txt", "/id/catalog",
    ):  # fmt: skip
        dumping.build(site())
        answer = client.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if address.endswith(".gz"):
            import gzip

            content = gzip.decompress(content)
        assert SECRET.encode() not in content, address
        assert b"In work" not in content, address
        assert shown.identifier.encode() not in content, address


def test_before_anything_is_public_every_page_needs_a_login(unpublished: Shown, client: Client) -> None:
    lists = (
        "/",
        "/datasets/",
        "/sitemap.xml",
        "/dcat/catalog",
        "/id/catalog",
        "/.well-known/void",
        "/dumps/catalog.nq.gz",
    )
    for address in (*ways(*[unpublished.identifier] * 5), *lists):
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/login/")


def test_the_workbench_stays_behind_the_login(shown: Shown, client: Client) -> None:
    for address in (f"{shown.page}/", f"{shown.page}/files/", "/projects/", "/status/", "/instruments/"):
        assert client.get(address)["Location"].startswith("/login/")


def test_whoever_is_signed_in_is_led_from_the_public_address_to_the_workbench(
    unpublished: Shown, curator: Client
) -> None:
    assert curator.get(unpublished.page)["Location"] == f"{unpublished.page}/"
    unpublished.publish()
    assert curator.get(unpublished.page).status_code == 200


def test_a_withdrawn_dataset_leaves_a_tombstone(shown: Shown, client: Client) -> None:
    shown.withdraw()
    answer = client.get(shown.page)
    assert answer.status_code == 200  # docs/why/public-iris.md says why
    html = answer.content.decode()
    for words in ("withdrawn on 2026-11-25", "The wrong plate was imaged.", "Josiah Carberry", "10.5072/heat-shock-1"):
        assert words in html
    assert "counts.csv" not in html
    assert '<meta name="robots" content="noindex">' in html
    assert client.get(f"/id/dataset/{shown.identifier}").status_code == 303
    for each in FORMATS:
        found = client.get(f"{shown.page}.{each.suffix}")
        assert found.status_code == 200, each.name
        assert b"counts.csv" not in found.content
    assert shown.identifier not in client.get("/datasets/").content.decode()
    assert shown.identifier.encode() not in client.get("/sitemap.xml").content
