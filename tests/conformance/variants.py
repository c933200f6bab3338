"""The example of tests/catalog/publishing, and what may be different about a published record."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from catalog.publishing.record import compose
from tests.catalog.graph.graphs import SITE
from tests.catalog.publishing import example
from tests.conformance.generated import renamed

Value = dict[str, Any]
OTHER = "3f1f6f0e-0000-4b8e-9d53-2a1c7e5f9b11"
_OPTIONAL = (
    "alternative_titles", "contributors", "rights_holder", "resource_type", "resource_type_general", "license_title",
    "rights_statement", "access_conditions", "access_contact", "subjects", "languages", "spatial_coverage",
    "temporal_coverage", "funding", "conforms_to", "methods", "provenance_statement", "version_notes",
    "dataset_version", "preservation_location", "documentation", "recommended_citation", "related_identifiers",
    "additional_properties", "ethics_approvals", "consent_framework", "sensitivity", "anonymization_method",
)  # fmt: skip


def composed(
    of_dataset: Callable[[Value], object] = lambda value: None,
    of_entry: Callable[[Value], object] = lambda value: None,
    **limits: int,
) -> Value:
    """The example with changes to its administrative record and to its registry entry, as publishing composes it."""
    objects, entry = copy.deepcopy(example.objects()), copy.deepcopy(example.entry())
    for each in objects:
        of_dataset(each["dataset"])
    of_entry(entry)
    found = compose(entry, objects[0]["dataset"], objects, example.NOW, **limits)
    assert found is not None
    return found.value


def _withdrawn(entry: Value) -> None:
    entry["publication"] |= {"state": "withdrawn", "withdrawal_reason": "The wrong plate was imaged."}
    entry["publication"]["withdrawn_date"] = "2026-11-25T09:00:00Z"


def _without(*keys: str) -> Callable[[Value], object]:
    return lambda value: [value.pop(key, None) for key in keys]


def _related(value: Value) -> None:
    other = f"{SITE.base_url}/id/dataset/{OTHER}"
    value["related_identifiers"].append(
        {"identifier": other, "scheme": "URL", "iri": other, "relation": "IsVersionOf", "resource_type": "Dataset"}
    )


def _places(value: Value) -> None:
    value["spatial_coverage"] = [
        {"iri": "https://sws.geonames.org/4326850/", "place_name": "New England"},
        {"place_name": "Over the date line", "west": 179.0, "south": -18.0, "east": -179.5, "north": -16.0},
    ]


VARIANTS: dict[str, Callable[[], Value]] = {
    "rich": composed,
    "restricted": lambda: composed(lambda value: value.update(access_level="restricted")),
    "embargoed": lambda: composed(
        lambda value: value.update(access_level="embargoed", embargo_end_date="2999-01-01")
    ),
    "withdrawn": lambda: composed(of_entry=_withdrawn),
    "confidential": lambda: composed(lambda value: value.update(access_level="confidential")),
    "minimal": lambda: composed(_without(*_OPTIONAL)),
    "no funding": lambda: composed(_without("funding")),
    "no doi": lambda: composed(of_entry=lambda entry: entry["publication"].pop("doi")),
    "many files": lambda: composed(files_in_record=2),
    "places": lambda: composed(_places),
    "another version of ours": lambda: composed(_related),
    "in German": lambda: composed(lambda value: value.update(metadata_language="de", languages=["en", "tlh"])),
    "a licence of its own": lambda: composed(
        lambda value: value.update(license="https://example.org/licence", license_title="Our licence")
    ),
    "a licence not in the list": lambda: composed(lambda value: value.update(license="LicenseRef-ours")),
    "a steward who is a person": lambda: composed(
        lambda value: value.update(data_steward={**example.OKAFOR, "email": "okafor@example.org"})
    ),
    "one person, many parts": lambda: composed(
        lambda value: value.update(publisher=example.GROUP, rights_holder=example.CARBERRY, creators=[example.GROUP])
    ),
}  # fmt: skip


def whole() -> list[Value]:
    """All of them as the records of one catalog; the record that one of them is related to is there."""
    made = [make() for make in VARIANTS.values()]
    numbered = [renamed(each, f"3f1f6f0e-{number:04d}-4b8e-9d53-2a1c7e5f9b10") for number, each in enumerate(made)]
    return [*numbered, renamed(composed(), OTHER)]
