"""The public names of things. Pure.

A document on disk names its things ``urn:uuid:<uuid>``; in public they are ``<base>/id/<kind>/<uuid>``. What has a name
of the world's own (an ORCID, a ROR, a DOI) keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DATASET, PROJECT, RUN, FILE = "dataset", "project", "run", "file"
INSTRUMENT, DATA_OBJECT, AGENT, RECORD, VARIABLE = "instrument", "dataobject", "agent", "record", "variable"

KINDS: Mapping[str, str] = {
    "Dataset": DATASET,
    "Project": PROJECT,
    "Run": RUN,
    "File": FILE,
    "Instrument": INSTRUMENT,
    "DataObject": DATA_OBJECT,
    "Person": AGENT,
    "Organization": AGENT,
    "Variable": VARIABLE,
}
"""The kind in a public IRI, by the ``@type`` of what it names."""

_NAMED_BY_KEY = {"previous_version": DATASET, "landing_page": INSTRUMENT}
_URN = re.compile(r"urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})((?:#.*)?)", re.DOTALL)


def public_iri(base: str, kind: str, uuid: str) -> str:
    """The public IRI of one thing; ``base`` is the catalog's address without a slash at its end."""
    return f"{base}/id/{kind}/{uuid}"


def catalog_iri(base: str) -> str:
    """The catalog's own IRI."""
    return f"{base}/id/catalog"


def uuid_of(iri: str) -> str:
    """The UUID in a ``urn:uuid:`` IRI, with or without a fragment; "" in any other."""
    found = _URN.fullmatch(iri)
    return found[1] if found else ""


def public_name(base: str, kind: str, iri: str) -> str:
    """What a thing of this kind with the stored IRI ``iri`` is called in public; a fragment stays."""
    found = _URN.fullmatch(iri)
    return public_iri(base, kind, found[1]) + found[2] if found else iri


def with_public_iris(value: Any, base: str) -> Any:
    """A copy of a document, or of a part of one, in which every ``@id`` is a public one, by the ``@type`` beside it.

    IRIs that stand in other places are those of what their key tells: an earlier version is a dataset's, the page of an
    instrument that has none of its own is its IRI.
    """
    if isinstance(value, list):
        return [with_public_iris(each, base) for each in value]
    if not isinstance(value, dict):
        return value
    kind = KINDS.get(str(value.get("@type")), "")
    copy = {key: with_public_iris(each, base) for key, each in value.items()}
    if kind and isinstance(copy.get("@id"), str):
        copy["@id"] = public_name(base, kind, copy["@id"])
    for key, named in _NAMED_BY_KEY.items():
        if isinstance(copy.get(key), str):
            copy[key] = public_name(base, named, copy[key])
    return copy
