"""What is private never leaves, even where it was handed in: no reading of a record knows it."""

from __future__ import annotations

from typing import Any

import pyoxigraph as ox
import pytest

import contexts
from catalog.graph import quads as graphs
from catalog.graph.serialising import text
from tests.catalog.graph.graphs import PROCESSORS, SITE, published
from tests.schemas import records

SECRET = "leaked"
FUNCTIONS = ("dcat", "prov", "schemaorg", "terms", "record_quads")
PERSON = {
    "@id": "https://orcid.org/0000-0001-5109-3700",
    "@type": "Person",
    "name": f"{SECRET} name",
    "email": f"{SECRET}@example.org",
}

PRIVATE: dict[str, Any] = {
    "created_by": SECRET,
    "last_modified_by": SECRET,
    "generated_by": SECRET,
    "ethics_approvals": [{"label": SECRET, "url": f"https://irb.example/{SECRET}"}],
    "consent_framework": SECRET,
    "sensitivity": SECRET,
    "anonymization_method": SECRET,
    "data_retention_schedule": {"period": SECRET, "basis": SECRET},
    "derived_from": f"urn:{SECRET}",
    "sources": [{"path": SECRET}],
    "completeness": {"drafts": [SECRET]},
    "foreign": {"@id": f"urn:{SECRET}", "@type": "Person", "name": SECRET},
    "deep": [{"x": {"y": [{"@id": f"urn:{SECRET}", "@type": "Dataset", "dataset_title": SECRET, "agent": PERSON}]}}],
    f"https://schema.org/{SECRET}": PERSON,
    "dct:title": SECRET,
    "@graph": [PERSON],
    "@included": [PERSON],
    "@reverse": {"dct:creator": PERSON},
    "@context": {"foreign": f"urn:{SECRET}"},
    "@nest": {"dataset_title": SECRET},
    "@language": SECRET,
}


def everywhere(value: Any) -> Any:
    """A copy of a document in which every object has all private keys too, and every person a private address."""
    if isinstance(value, list):
        return [everywhere(each) for each in value]
    if not isinstance(value, dict):
        return value
    copy = {key: everywhere(each) for key, each in value.items()}
    copy |= {key: each for key, each in PRIVATE.items() if key not in copy}
    if copy.get("@type") in ("Person", "Organization") and "email" not in value:
        copy["email"] = f"{SECRET}@example.org"
    return copy


def guarded(value: dict[str, Any]) -> dict[str, Any]:
    """The same with the steward, whose address is public, left as it was."""
    dirty: dict[str, Any] = everywhere(value)
    dirty["data_steward"] = value["data_steward"]
    return dirty


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_private_or_foreign_key_changes_nothing(function: str) -> None:
    make = getattr(graphs, function)
    clean = make(published(), SITE)
    dirty = make(guarded(published()), SITE)
    assert SECRET not in text(dirty, "nquads").decode()
    assert set(dirty) == set(clean)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_keys_of_a_whole_complete_metadata_file_that_are_private_stay_so(function: str) -> None:
    value = records.full("complete_metadata")
    value["dataset"] |= {key: each for key, each in PRIVATE.items() if not key.startswith("@")}
    for person in (value["project"].get("principal_investigator", {}), *value["experiment"].get("experimenters", ())):
        person["email"] = f"{SECRET}@example.org"
    written = text(getattr(graphs, function)(value, SITE), "nquads").decode()
    assert SECRET not in written
    assert "system:trigger" not in written


@pytest.mark.parametrize("processor", ["pyld", "rdflib"])
@pytest.mark.parametrize("reading", [*contexts.VOCABULARIES, contexts.RECORD])
def test_a_strangers_program_reads_no_private_key_either(reading: str, processor: str) -> None:
    """The keys our schemas know are mapped to nothing, so that no processor makes anything of them."""
    value = published()
    value |= {key: each for key, each in PRIVATE.items() if key in contexts.read(reading)["@context"]}
    assert any(key in value for key in ("ethics_approvals", "data_retention_schedule"))
    found = PROCESSORS[processor](value, reading)
    assert not [line for line in found if SECRET in line]


def test_only_the_stewards_address_is_there() -> None:
    value = published()
    addresses = {q.object.value for q in graphs.record_quads(value, SITE) if "mailto:" in str(q.object)}
    assert addresses == {f"mailto:{value['data_steward']['email']}"}


def test_a_foreign_key_with_a_typed_node_under_it_is_why_keys_are_stripped() -> None:
    """Oxigraph would say that the person exists: the reason why the service never hands it a key that is no term."""
    value = {"@context": {"name": "http://xmlns.com/foaf/0.1/name", "P": "http://xmlns.com/foaf/0.1/Person"}}
    value |= {"@id": "urn:x", "foreign": {"@id": "urn:secret", "@type": "P", "name": "x"}}  # type: ignore[dict-item]
    import json

    assert "urn:secret" in str(list(ox.parse(json.dumps(value), format=ox.RdfFormat.JSON_LD)))
