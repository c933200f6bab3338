"""Our own vocabulary: every term that is used is defined, and every one that is defined is used."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph as ox

import contexts
import schemas

RDF, RDFS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
CODE = Path(contexts.__file__).resolve().parent.parent / "catalog" / "graph"


def defined() -> dict[str, dict[str, list[ox.NamedNode | ox.Literal]]]:
    found: dict[str, dict[str, list[ox.NamedNode | ox.Literal]]] = {}
    for quad in ox.parse(contexts.vocabulary(), format=ox.RdfFormat.TURTLE):
        if quad.subject.value.startswith(contexts.TERMS):
            name = quad.subject.value.removeprefix(contexts.TERMS)
            found.setdefault(name, {}).setdefault(quad.predicate.value, []).append(quad.object)
    return found


def used() -> set[str]:
    in_contexts = {n for name in contexts.names() for n in re.findall(r'"ff:([A-Za-z0-9-]+)"', contexts.text(name))}
    in_code = {n for path in CODE.glob("*.py") for n in re.findall(r'FF\["([A-Za-z0-9-]+)"\]', path.read_text())}
    parts = schemas.load("definitions")["$defs"]
    roles = {f"role-{each}" for each in parts["contribution"]["properties"]["role"]["enum"]}
    relations = {f"relation-{each}" for each in parts["relation"]["properties"]["relation"]["enum"]}
    runs = schemas.load("experiment_contextual")["properties"]["run_type"]["enum"]
    return in_contexts | in_code | roles | relations | {f"run-{each}" for each in runs}


def test_every_term_that_is_used_is_defined_and_the_other_way_round() -> None:
    schemes = {"roles", "relations", "runs"}
    assert used() | schemes == set(defined())


def test_every_term_has_a_label_a_definition_and_a_home() -> None:
    for name, told in defined().items():
        for needed in (RDFS + "label", SKOS + "definition", RDFS + "isDefinedBy", RDF + "type"):
            assert told.get(needed), (name, needed)
        assert all(each.language == "en" for each in told[RDFS + "label"]), name
        assert all(each.value.endswith(".") for each in told[SKOS + "definition"]), name


def test_what_a_context_types_as_a_datatype_has_that_range() -> None:
    ranges = {name: told[RDFS + "range"][0].value for name, told in defined().items() if RDFS + "range" in told}
    for name in contexts.names():
        for term, datatype in re.findall(r'"@id": "ff:(\w+)", "@type": "xsd:(\w+)"', contexts.text(name)):
            assert ranges[term] == f"http://www.w3.org/2001/XMLSchema#{datatype}", term
