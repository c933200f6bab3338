"""Contexts and schemas say the same, key by key; each context is JSON-LD that any processor takes."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pyld import jsonld

import contexts
import schemas
from catalog.graph.compiling import NOTHING, Scope, compiled
from catalog.graph.contexts import context, scope
from scripts.make_contexts.__main__ import documents, text
from tests.contexts.positions import Place, filled, places

CHECKOUT = Path(contexts.__file__).resolve().parent.parent
TYPES = (*schemas.load("definitions")["$defs"]["node_type"]["enum"], "DataObject")


def no_loader(address: str, _options: Any = None) -> Any:
    raise AssertionError(f"fetched {address}")


@pytest.mark.parametrize("name", contexts.names())
def test_the_committed_file_is_what_the_table_gives(name: str) -> None:
    assert contexts.text(name) == text(documents()[name]) + "\n"


def test_every_context_there_is_has_a_file_and_an_address() -> None:
    assert set(contexts.names()) == set(documents()) == {p.stem for p in CHECKOUT.glob("contexts/*.jsonld")}
    for name in contexts.names():
        assert contexts.name_of(contexts.iri(name)) == name
    assert contexts.iri("dcat") == "https://w3id.org/fairfolder/contexts/dcat/1.0.0.jsonld"
    assert contexts.name_of("https://w3id.org/fairfolder/contexts/dcat/9.9.9.jsonld") == ""
    with pytest.raises(KeyError):
        contexts.iri("registry")


def test_the_files_are_part_of_the_package() -> None:
    kept = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    assert "*.jsonld" in kept


@pytest.mark.parametrize("name", contexts.names())
def test_every_context_is_valid_json_ld(name: str) -> None:
    """Every term is used once, which makes a processor look at its definition."""
    own = context(name)
    uses = {key: None for key in own if not key.startswith("@")}
    jsonld.expand({"@context": own, **uses}, {"documentLoader": no_loader})
    compiled([own])


@pytest.mark.parametrize("name", contexts.names())
def test_every_type_is_a_term_in_every_context(name: str) -> None:
    for type_ in TYPES:
        document = {"@context": context(name), "@id": "urn:x:1", "@type": type_}
        found = jsonld.expand(document, {"documentLoader": no_loader})[0]["@type"]
        assert len(found) == 1, type_
        assert ":" in found[0], type_


@pytest.mark.parametrize("kind", contexts.KINDS)
def test_every_key_of_the_schema_has_a_meaning_at_its_place(kind: str) -> None:
    def check(place: Place, at: Scope, path: str) -> None:
        for type_ in place.types or [""]:
            own = at.typed([type_]) if type_ else at
            for key, below in place.below.items():
                assert key in own.terms, f"{path}.{key}"
                assert own.terms[key].use != NOTHING or _is_left_out(path, key), f"{path}.{key}"
                if below.below and own.terms[key].use != NOTHING:
                    check(below, own.below(key), f"{path}.{key}")

    check(places(kind), scope(kind), kind)


def _is_left_out(path: str, key: str) -> bool:
    """A contact is a vCard, which says nothing of where the person works."""
    return path.endswith(".data_steward") and key == "affiliations"


@pytest.mark.parametrize("kind", contexts.KINDS)
def test_every_term_of_the_context_is_a_key_of_the_schema(kind: str) -> None:
    used: set[int] = set()

    def use(place: Place, at: Scope) -> None:
        for type_ in place.types or [""]:
            own = at.typed([type_]) if type_ else at
            for key, below in place.below.items():
                used.add(id(own.terms[key]))
                if below.below and own.terms[key].use != NOTHING:
                    use(below, own.below(key))

    use(places(kind), scope(kind))
    prefixes = {key for key, value in context(kind).items() if isinstance(value, str) and value.endswith(("#", "/"))}
    top = scope(kind)
    unused = {key for key, term in top.terms.items() if id(term) not in used} - prefixes - set(TYPES)
    assert unused == set()


@pytest.mark.parametrize("kind", contexts.KINDS)
def test_no_key_is_dropped_by_expansion(kind: str) -> None:
    marks: list[str] = []
    document = filled(places(kind), marks)
    expanded = json.dumps(jsonld.expand({"@context": context(kind), **document}, {"documentLoader": no_loader}))
    lost = [mark for mark in marks if f'"{mark}"' not in expanded and f'{mark}"' not in expanded]
    steward = document.get("data_steward") or document.get("dataset", {}).get("data_steward", {})
    allowed = set(re.findall(r"urn:mark:[0-9]+", json.dumps(steward.get("affiliations", []))))
    assert set(lost) <= allowed
    assert len(marks) > 15


def test_a_record_of_a_kind_without_a_context_names_none() -> None:
    assert "registry" not in contexts.names()
    assert "@context" not in schemas.load("registry")["properties"]
