"""Metadata that tries to break out is harmless, stays visible where it can, and never makes invalid RDF."""

from __future__ import annotations

import json
from typing import Any

import pyoxigraph as ox
import pytest

from catalog.graph import feeds
from catalog.graph import quads as graphs
from catalog.graph.serialising import FORMATS, text
from tests.catalog.graph.graphs import SITE, published
from tests.catalog.graph.test_serialising import READERS

VALUES = {
    "script": "</script><script>alert(1)</script>",
    "javascript": "javascript:alert(1)",
    "space": "https://example.org/a b",
    "angle": "https://example.org/<x>",
    "quote": 'https://example.org/"x"',
    "rtl": "abc\u202egnp.exe",
    "rtl iri": "https://example.org/\u202egnp",
    "surrogate": "a\ud800b",
    "control": "a\x00b\x08c\x1bd",
    "newline": "a\n@prefix x: <urn:x> .\nb",
    "nonsense iri": "http://[::1",
    "percent": "https://example.org/%zz",
    "keyword": "@id",
    "prefixed": "dct:title",
    "uuid": "urn:uuid:not-a-uuid",
    "turtle": '"""^^<x>',
    "cdata": "]]>&lt;&#0;",
    "metadata address": "http://169.254.169.254/latest/meta-data",
    "empty": "",
    "number": 1e400,
    "deep": {"@value": "x", "@type": "y z", "@id": "a b"},
    "list": [["a", ["b", {"@list": ["c"]}]]],
    "true": True,
}


def infected(value: Any, hostile: Any) -> Any:
    """A copy of a document in which every plain value is the hostile one."""
    if isinstance(value, list):
        return [infected(each, hostile) for each in value]
    if isinstance(value, dict):
        return {key: each if key == "@type" else infected(each, hostile) for key, each in value.items()}
    return hostile


def one_by_one(value: dict[str, Any], hostile: Any) -> list[dict[str, Any]]:
    """Documents in each of which the values of one key, at the top or below, are hostile, the identity kept."""
    return [value | {key: infected(each, hostile)} for key, each in value.items() if not key.startswith("@")]


def is_valid(found: list[ox.Quad]) -> None:
    """Every format is read back whole, with as many statements."""
    triples = {quad.triple for quad in found}
    for name, reader in READERS.items():
        read = list(ox.parse(text(found, name), format=reader))
        if name == "rdfxml":  # control characters become U+FFFD, which may make two statements one
            assert 0 < len(read) <= len(triples)
        else:
            assert {quad.triple for quad in read} == triples, name


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("function", ["dcat", "prov", "schemaorg", "terms", "record_quads"])
def test_a_document_full_of_it(function: str, name: str) -> None:
    value = infected(published(), VALUES[name])
    for kept in ("@id", "dataset_identifier"):
        value[kept] = published()[kept]
    is_valid(getattr(graphs, function)(value, SITE))


@pytest.mark.parametrize("name", VALUES)
def test_one_key_after_the_other(name: str) -> None:
    for value in one_by_one(published(), VALUES[name]):
        found = graphs.record_quads(value, SITE)
        triples = {quad.triple for quad in found}
        assert {quad.triple for quad in ox.parse(text(found, "nquads"), format=ox.RdfFormat.N_QUADS)} == triples


def test_texts_stay_visible() -> None:
    for name in ("script", "javascript", "rtl", "space", "newline", "turtle", "cdata"):
        found = graphs.dcat(published() | {"dataset_title": VALUES[name]}, SITE)
        assert VALUES[name] in {quad.object.value for quad in found}
    assert "a\ufffdb" in {
        q.object.value for q in graphs.dcat(published() | {"dataset_title": VALUES["surrogate"]}, SITE)
    }


def test_a_wrong_language_tag_is_left_out() -> None:
    found = graphs.dcat(published() | {"metadata_language": "no such thing"}, SITE)
    title = next(q.object for q in found if q.predicate.value.endswith("terms/title") and "seedlings" in q.object.value)
    assert title.language is None


@pytest.mark.parametrize("function", ["dcat", "prov", "schemaorg", "terms", "record_quads"])
@pytest.mark.parametrize("name", ["https://example.org/people#me", "urn:uuid:5b0d7f61-93a4-4c2e-8f17-6c5d4e3f2a1b#me"])
def test_what_stands_in_a_thing_whose_name_has_a_fragment_has_a_name_too(function: str, name: str) -> None:
    value = published()
    value["creators"][0] |= {"@id": name, "identifiers": [{"value": "1", "scheme": "x"}]}
    value["creators"][0].pop("orcid", None)
    found = {str(each) for quad in getattr(graphs, function)(value, SITE) for each in (quad.subject, quad.object)}
    assert not [each for each in found if each.count("#") > 1 and each.startswith("<")]


def test_a_record_that_cannot_be_drawn_keeps_no_other_from_the_catalog(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = {**published(), "@id": "urn:uuid:0b6a3f0e-0000-4000-8000-000000000000"}, published()

    def drawn(value: Any, site: Any) -> Any:
        if value is bad:
            raise ValueError("No scheme found in an absolute IRI")
        return graphs.dcat(value, site)

    monkeypatch.setattr(feeds, "dcat", drawn)
    page = feeds.catalog_page([bad, good], SITE, 1, 1, 2)
    assert set(graphs.dcat(good, SITE)) <= set(page)
    assert not [quad for quad in page if "0b6a3f0e-0000" in str(quad)]
    assert f"{bad['@id']} is left out of the catalog's page" in caplog.text


def test_what_is_no_iri_makes_no_statement_and_no_error() -> None:
    value = published() | {"documentation": [{"label": "Read me", "url": "not an iri"}], "license": "a b"}
    found = graphs.dcat(value, SITE)
    assert not [q for q in found if "a b" in str(q) or "not an iri" in str(q)]
    assert "Read me" in {q.object.value for q in found}


def test_a_text_of_a_megabyte_is_written_in_every_format() -> None:
    value = published() | {"dataset_abstract": "ä\u202e<&" * 250_000}
    found = graphs.dcat(value, SITE)
    for name in FORMATS:
        assert len(text(found, name)) > 1_000_000


def test_deep_nesting_ends() -> None:
    deep: Any = {"@type": "Person", "name": "x"}
    for _ in range(5_000):
        deep = {"@type": "Person", "affiliations": [deep]}
    is_valid(graphs.dcat(published() | {"creators": [deep]}, SITE))


def test_many_types_are_read_once() -> None:
    value = published() | {"@type": ["Dataset", *(f"T{n}" for n in range(10_000))]}
    is_valid(graphs.dcat(value, SITE))  # were each compared with each, it would not end in the time a test has


def test_json_ld_can_be_put_into_a_page_once_escaped() -> None:
    """What a page does: the text in it is data, and after escaping no tag is left in it."""
    written = text(graphs.schemaorg(published() | {"dataset_title": VALUES["script"]}, SITE), "jsonld").decode()
    escaped = written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    assert "</script>" not in escaped
    assert json.loads(escaped) == json.loads(written)
