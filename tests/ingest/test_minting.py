"""Identities inside documents: minted at the first write, kept at every later one."""

from __future__ import annotations

from typing import Any

from ingest.documents import ADMINISTRATIVE, dataset_document
from ingest.minting import with_identities
from tests.ingest.watched import Watched

ORCID = "https://orcid.org/0000-0002-1825-0097"
ROR = "https://ror.org/05gq02987"


def test_a_person_with_an_orcid_is_its_orcid_and_an_organization_its_ror() -> None:
    value = with_identities({"creators": [{"name": "J. Carberry", "orcid": ORCID}, {"name": "Brown", "ror": ROR}]})
    assert value["creators"] == [
        {"@id": ORCID, "@type": "Person", "name": "J. Carberry", "orcid": ORCID},
        {"@id": ROR, "@type": "Organization", "name": "Brown", "ror": ROR},
    ]


def test_nothing_is_guessed_from_a_name_alone() -> None:
    (agent,) = with_identities({"creators": [{"name": "Arabidopsis Consortium"}]})["creators"]
    assert agent["@id"].startswith("urn:uuid:")
    assert "@type" not in agent


def test_what_has_the_marks_of_a_person_and_of_an_organization_is_made_neither() -> None:
    for marks in ({"orcid": ORCID, "ror": ROR}, {"given_name": "A", "ror": ROR}):
        (agent,) = with_identities({"creators": [{"name": "A", **marks}]})["creators"]
        assert agent["@id"].startswith("urn:uuid:")
        assert "@type" not in agent
    said = {"@type": "Person", "name": "A", "orcid": ORCID, "ror": ROR}
    (chosen,) = with_identities({"creators": [said]})["creators"]
    assert (chosen["@id"], chosen["@type"]) == (ORCID, "Person")


def test_an_identity_stays_when_an_orcid_comes_later() -> None:
    first = with_identities({"principal_investigator": {"name": "A"}})["principal_investigator"]
    later = with_identities({"principal_investigator": {**first, "orcid": ORCID}})["principal_investigator"]
    assert later["@id"] == first["@id"]


def test_affiliations_inside_people_and_agents_inside_contributions_have_one_too() -> None:
    value = with_identities(
        {"contributors": [{"agent": {"name": "A", "affiliations": [{"name": "U"}]}, "role": "DataCurator"}]}
    )
    (contribution,) = value["contributors"]
    assert "@id" not in contribution
    assert contribution["agent"]["@type"] == "Person"
    assert contribution["agent"]["affiliations"][0]["@type"] == "Organization"


def test_values_and_manifest_entries_are_left_alone() -> None:
    entries = [{"path": "a", "variables": [{"name": "x"}]}]
    value = with_identities({"file_descriptions": entries, "data_retention_schedule": {"period": "P10Y"}})
    assert value == {"file_descriptions": entries, "data_retention_schedule": {"period": "P10Y"}}


def test_the_store_mints_once(watched: Watched) -> None:
    watched.put("p_A/d/x.txt")
    watched.reconcile()
    path = dataset_document(watched.root, "p_A/d", ADMINISTRATIVE)

    def title(text: str) -> Any:
        return lambda old: {
            **(old or {}),
            "dataset_title": text,
            "creators": (old or {}).get("creators") or [{"name": "A"}],
        }

    with watched.workspace() as ws:
        ws.store.change(path, ADMINISTRATIVE, title("one"), by="anna")
        first = watched.administrative("p_A/d")["creators"]
        ws.store.change(path, ADMINISTRATIVE, title("two"), by="anna")
    assert first[0]["@id"].startswith("urn:uuid:")
    assert watched.administrative("p_A/d")["creators"] == first
    assert watched.check() == []
