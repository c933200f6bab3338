"""Our own shapes: that they say what the schemas say, catch what they are for, and are told in words that are safe."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import rdflib
from pyoxigraph import Literal, NamedNode, Quad
from rdflib import RDF

import schemas
from catalog.graph import quads, shacl, shapes, violations
from catalog.graph.compiling import PROPERTY
from catalog.graph.contexts import scope
from catalog.graph.shapes import BASE, SH, THINGS, Field, Thing, fields
from catalog.graph.vocabulary import DCT
from ingest.errors import FairfolderError
from tests.catalog.graph.graphs import SITE
from tests.catalog.publishing import example
from tests.conformance import generated, variants

GOLDEN = Path(__file__).parent / "shapes.ttl"
TOMBSTONES = ("withdrawn", "confidential")


@cache
def graph() -> rdflib.Graph:
    return rdflib.Graph().parse(data=shapes.turtle(), format="turtle")


def told(value: dict[str, Any]) -> list[str]:
    drawn = quads.dcat(value, SITE)
    return violations.sentences(shacl.validate(drawn, shacl.own()), drawn)


# --- what they say ------------------------------------------------------------------------------------------------


def test_the_published_shapes_are_the_golden_file() -> None:
    """A diff shows what a changed schema asks of public records; ``WRITE_GOLDEN=1`` writes it anew."""
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(shapes.turtle())
    assert shapes.turtle() == GOLDEN.read_text()


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.type)
def test_what_a_complete_record_must_have_and_shows_is_what_is_asked(thing: Thing) -> None:
    schema, terms = schemas.load(thing.schema), scope("dcat").typed((thing.type,)).terms
    required = {*schema["required"], *schema.get("then", {}).get("required", ())}
    said = {key for key in required & set(thing.kind.public) if key in terms and terms[key].use == PROPERTY}
    registry = {"date_published"} if thing.type == "Dataset" else set()
    by_name = {"data_object_identifier"}
    assert {each.key for each in fields(thing.type) if each.required} == (said | registry) - by_name


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.type)
def test_fields_are_called_as_in_the_forms(thing: Thing) -> None:
    properties = schemas.load(thing.schema)["properties"]
    named = {each.key: each.label for each in fields(thing.type) if each.key in properties}
    assert named == {key: properties[key]["title"] for key in named}
    assert all(graph().value(rdflib.URIRef(f"{BASE}{thing.type}-{key}"), rdflib.URIRef(f"{SH}name")) for key in named)


def test_nothing_private_has_a_shape() -> None:
    for thing in THINGS:
        assert {each.key for each in fields(thing.type)} <= {*thing.kind.public, "date_published"}
    assert b"retention" not in shapes.turtle().encode()


def test_they_are_well_formed_and_no_node_is_blank() -> None:
    assert not [each for each in graph().all_nodes() if isinstance(each, rdflib.BNode)]
    for each in graph().subjects(RDF.type, rdflib.URIRef(f"{SH}PropertyShape")):
        assert graph().value(each, rdflib.URIRef(f"{SH}path"))


def test_a_key_that_the_schemas_ask_of_an_object_is_asked_there_too() -> None:
    steward = next(each for each in fields("Dataset") if each.key == "data_steward")
    assert {each.key for each in steward.within if each.required} == {"name", "email"}


# --- what they catch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [each for each in variants.VARIANTS if each not in TOMBSTONES])
def test_a_published_record_is_as_asked(name: str) -> None:
    assert told(variants.VARIANTS[name]()) == []


def test_generated_records_are_as_asked(rng: random.Random, count: Callable[[int, int], int]) -> None:
    for _ in range(count(4, 200)):
        value = generated.record(rng, [])
        if value["publication_state"] == "published":
            assert told(value) == []


PLACES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Dataset": lambda value: value,
    "Project": lambda value: value["project"],
    "DataObject": lambda value: value["data_objects"][0],
    "Run": lambda value: value["data_objects"][0]["experiment"],
    "File": lambda value: value["file_descriptions"][0],
}


def asked() -> Iterator[tuple[str, Field]]:
    """Every key that is asked of a kind of thing."""
    for thing in THINGS:
        yield from ((thing.type, each) for each in fields(thing.type) if each.required)


@pytest.mark.parametrize(
    ("type_name", "field"), list(asked()), ids=lambda each: each if isinstance(each, str) else each.key
)
def test_each_key_that_is_asked_for_is_missed(type_name: str, field: Field) -> None:
    value = variants.composed(lambda record: record.update(related_identifiers=[]))
    if field.key in ("dataset_identifier", "associated_project_identifier"):  # said by the DOI, or the project, too
        value.pop("doi")
        value.pop("project")
    del PLACES[type_name](value)[field.key]
    said = told(value)
    assert any(f"has no {field.label}" in each for each in said), said


def _nameless_funder(value: dict[str, Any]) -> None:
    del value["project"]["funding"]
    del value["funding"][0]["funder"]["name"]


DEFECTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a short abstract": (lambda v: v.update(dataset_abstract="Short."), "6 characters; at least 50"),
    "an unknown access level": (lambda v: v.update(access_level="secret"), "choose one of PUBLIC, RESTRICTED"),
    "an unknown kind of run": (
        lambda v: v["data_objects"][0]["experiment"].update(run_type="magic"), "choose one of run-computational"
    ),
    "a steward without an address": (lambda v: v["data_steward"].pop("email"), "has no E-mail (vcard:hasEmail)"),
    "a contribution without a role": (lambda v: v["contributors"][0].pop("role"), "has no Role (dcat:hadRole)"),
    "a funder without a name": (_nameless_funder, "has no Name (foaf:name)"),
    "a checksum without a value": (
        lambda v: v["file_descriptions"][0]["checksum"].pop("value"), "has no Value (spdx:checksumValue)"
    ),
    "a size that is none": (lambda v: v["file_descriptions"][0].update(size_bytes=-1), "xsd:nonNegativeInteger"),
    "a day that is none": (lambda v: v.update(date_published="yesterday"), "'yesterday' as Published (dct:issued)"),
    "two titles": (lambda v: v.update(dataset_title=["One", "Two"]), "has more than one of Dataset title"),
    "a run without its days": (
        lambda v: v["data_objects"][0]["experiment"].update(experiment_dates={}), "has no Start (dcat:startDate)"
    ),
    "a licence that is no address": (lambda v: v.update(license="a b"), "has no Licence (dct:license)"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_told(name: str) -> None:
    plant, words = DEFECTS[name]
    value = variants.composed()
    plant(value)
    said = told(value)
    assert any(words in each for each in said), said


def test_the_same_defect_of_many_things_is_one_sentence() -> None:
    value = variants.composed()
    for each in value["file_descriptions"]:
        del each["mime_type"]
    assert told(value) == [
        "5 files ('well_A01.tif', 'well_A02.tif', 'caf%E9.log' and 2 more): each has no Media type (dcat:mediaType); "
        "give one."
    ]


# --- hostile things -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[31mred\x1b[0m",
        "a\nb\r\nc",
        "\u202eright to left",
        "<script>alert(1)</script>",
        "x" * 1_000_000,
        "\x00\ud800",
    ],
    ids=["escape", "lines", "rtl", "script", "megabyte", "surrogate"],
)
def test_what_records_hold_is_one_short_printable_line(hostile: str) -> None:
    value = variants.composed()
    value |= {"dataset_title": hostile, "dataset_abstract": hostile[:40]}
    for words in [*told(value), violations.quoted(hostile)]:
        assert words.isprintable()
        assert len(words) < 500


def test_shapes_in_the_data_are_data() -> None:
    """A record that says it is a shape is none."""
    drawn = quads.dcat(variants.composed(), SITE)
    node = NamedNode("https://example.org/shape")
    drawn += [
        Quad(node, NamedNode(f"{SH}targetClass"), NamedNode("http://www.w3.org/ns/dcat#Dataset")),
        Quad(node, NamedNode(f"{SH}sparql"), Literal("SELECT * { SERVICE <http://169.254.169.254/> { ?s ?p ?o } }")),
    ]
    assert shacl.validate(drawn, shacl.own()).conforms


_HEAD = b"@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://example.org/> .\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"ex:a sh:sparql [ sh:select 'SELECT * { SERVICE <http://169.254.169.254/> {} }' ] .", "sh:s"),
        (b"ex:a sh:rule [ sh:construct 'CONSTRUCT {} WHERE {}' ] .", "only SHACL Core"),
        (b"ex:a sh:jsLibrary [ sh:jsLibraryURL 'http://169.254.169.254/x.js' ] .", "only SHACL Core"),
        (b"ex:a sh:property", "cannot be read as Turtle"),
        (b"\xff\xfe", "cannot be read as Turtle"),
        (b"#" * (5 << 20), "shapes may have"),
    ],
)
def test_shapes_that_would_run_something_or_cannot_be_read_are_refused(text: bytes, words: str) -> None:
    with pytest.raises(FairfolderError, match=words):
        shacl.read(_HEAD + text, "theirs.ttl")


@pytest.mark.parametrize(
    "text",
    [
        b"ex:a a sh:NodeShape ; sh:targetClass ex:C ; sh:path ex:p .",
        b"ex:a a sh:PropertyShape ; sh:targetClass ex:C .",
        b"ex:a a sh:NodeShape ; sh:targetNode ex:n ; sh:pattern '(' .",
        b"ex:a a sh:NodeShape ; sh:targetNode ex:n ; sh:nodeKind sh:IRI, sh:Literal .",
    ],
)
def test_shapes_that_are_not_well_formed_are_refused_in_a_sentence(text: bytes) -> None:
    drawn = [Quad(NamedNode("http://example.org/n"), DCT["title"], Literal("n"))]
    with pytest.raises(FairfolderError, match=r"theirs\.ttl cannot be used"):
        shacl.validate(drawn, shacl.read(_HEAD + text, "theirs.ttl"))


def test_imports_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    def refused(*_args: object, **_options: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(urllib.request, "urlopen", refused)
    text = b"ex:o a <http://www.w3.org/2002/07/owl#Ontology> ; "
    text += b"<http://www.w3.org/2002/07/owl#imports> <http://169.254.169.254/x.ttl> ."
    drawn = quads.dcat(variants.composed(), SITE)
    assert shacl.validate(drawn, shacl.read(_HEAD + text, "theirs.ttl")).results == ()


# --- speed ----------------------------------------------------------------------------------------------------------


def test_of_very_many_files_the_preflight_looks_at_some() -> None:
    from catalog.publishing.checking import _with_few_files

    value = variants.composed()
    one = value["file_descriptions"][0]
    many = [{**copy.deepcopy(one), "file_identifier": f"{one['file_identifier'][:-4]}{n:04d}"} for n in range(1_000)]
    value["file_descriptions"] = many
    value["data_objects"][0]["file_identifiers"] = [each["file_identifier"] for each in many]
    few = _with_few_files(value)
    assert len(few["file_descriptions"]) == len(few["data_objects"][0]["file_identifiers"]) == 100
    assert len(value["file_descriptions"]) == 1_000
    assert _with_few_files(example.published().value) == example.published().value
