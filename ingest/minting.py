"""Identities of the things inside a document: minted once, when the thing is first stored, and never changed.

A person is its ORCID and an organization its ROR if it has one at that moment, else a ``urn:uuid:``. Only people,
organizations and the dataset's own variables have an identity of their own; a value inside them (a checksum, a
measure) is the owner's IRI with a fragment, and stores none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.documents import new_identifier

# Key → the type of what stands there (alone or in a list); "" where it may be a person or an organization.
_TYPED: Mapping[str, str] = {
    "principal_investigator": "Person",
    "experimenters": "Person",
    "publisher": "Organization",
    "institution": "Organization",
    "laboratory": "Organization",
    "funder": "Organization",
    "affiliations": "Organization",
    "owners": "Organization",
    "manufacturers": "Organization",
    "variables": "Variable",
    "creators": "",
    "data_steward": "",
    "rights_holder": "",
    "access_contact": "",
    "agent": "",
}
_PERSONS_OWN = ("orcid", "given_name", "family_name", "affiliations")


def with_identities(value: dict[str, Any]) -> dict[str, Any]:
    """The document with an ``@id`` (and ``@type`` where it is certain) in each person, organization and variable.

    Entries of a manifest are left alone: their identities are the trigger's.
    """
    return {key: value[key] if key == "file_descriptions" else _within(key, value[key]) for key in value}


def _within(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_within(key, each) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {k: _within(k, v) for k, v in value.items()}
    if key not in _TYPED or not inner:
        return inner
    type_ = inner.get("@type") or _TYPED[key] or told_by_keys(inner)
    identity = inner.get("@id") or _identity(inner, type_)
    return {"@id": identity, **({"@type": type_} if type_ else {}), **inner}


def told_by_keys(agent: Mapping[str, Any]) -> str:
    """Whether an agent is a person or an organization, as far as its keys tell; nothing is guessed from a name."""
    told = ["Organization"] if "ror" in agent else []
    if any(key in agent for key in _PERSONS_OWN):
        told.append("Person")
    return told[0] if len(told) == 1 else ""  # what has the marks of both is neither until someone says so


def _identity(thing: Mapping[str, Any], type_: str) -> str:
    known = thing.get("orcid") if type_ == "Person" else thing.get("ror") if type_ == "Organization" else None
    return known if isinstance(known, str) and known else f"urn:uuid:{new_identifier()}"
