"""What a record means: the JSON-LD contexts, one per kind of document and one per vocabulary, and our own vocabulary.

Data with a loader, nothing else. Records name theirs (``https://w3id.org/fairfolder/contexts/<kind>/1.0.0.jsonld``);
it is read from here, nothing ever fetches it. :mod:`catalog.graph` reads records by them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

BASE = "https://w3id.org/fairfolder/contexts/"
VERSION = "1.0.0"
TERMS = "https://w3id.org/fairfolder/terms#"
"""The namespace of our own vocabulary, ``contexts/terms.ttl``."""

KINDS = (
    "project_descriptive",
    "dataset_administrative",
    "dataset_structural",
    "instrument_technical",
    "experiment_contextual",
    "complete_metadata",
)
"""The documents on disk; an entry of a manifest is read by ``dataset_structural``, and a registry entry by none."""

VOCABULARIES = ("dcat", "schemaorg", "prov")
"""Other readings of a complete metadata file and of the published document."""

RECORD = "record"
"""The published document in its own keys: what of ``complete_metadata`` is public, and what the registry adds."""

_NAMES = (*KINDS, *VOCABULARIES, RECORD)


def names() -> tuple[str, ...]:
    """Every packaged context."""
    return _NAMES


def iri(name: str) -> str:
    """The address of a context.

    Raises:
        KeyError: for a name that is not in :func:`names`.
    """
    if name not in _NAMES:
        raise KeyError(name)
    return f"{BASE}{name}/{VERSION}.jsonld"


def name_of(address: str) -> str:
    """The name of the packaged context with this address; "" for any other address."""
    name = address.removeprefix(BASE).removesuffix(f"/{VERSION}.jsonld")
    return name if name in _NAMES and address == iri(name) else ""


@cache
def text(name: str) -> str:
    """The packaged file as it is, UTF-8.

    Raises:
        KeyError: for a name that is not in :func:`names`.
    """
    if name not in _NAMES:
        raise KeyError(name)
    return files(__package__).joinpath(f"{name}.jsonld").read_text(encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """A fresh copy of the packaged document ``{"@context": …}``, the caller's to change.

    Raises:
        KeyError: for a name that is not in :func:`names`.
    """
    document: dict[str, Any] = json.loads(text(name))
    return document


@cache
def vocabulary() -> str:
    """Our own vocabulary as it is: Turtle, UTF-8."""
    return files(__package__).joinpath("terms.ttl").read_text(encoding="utf-8")
