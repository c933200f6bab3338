"""Which fields a complete record must have, as it stands."""

from __future__ import annotations

from typing import Any

import pytest

from ingest import blanks
from ingest.completeness import asked, fields_of
from ingest.documents import ADMINISTRATIVE
from ingest.schema import SchemaSet

ALWAYS = {
    "metadata_language",  # the template has it already
    "dataset_title",
    "dataset_abstract",
    "creators",
    "data_steward",
    "publisher",
    "license",
    "access_level",
    "keywords",
    "data_retention_schedule",
}
UUID = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ({}, set()),
        ({"dataset_title": "Heat shock", "keywords": ["heat"]}, set()),
        ({"access_level": "embargoed"}, {"embargo_end_date"}),
        ({"access_level": "embargoed", "embargo_end_date": "2027-01-01"}, {"embargo_end_date"}),
        ({"sensitivity": "personal"}, {"ethics_approvals", "consent_framework", "anonymization_method"}),
    ],
)
def test_what_is_asked_follows_from_the_choices_and_not_from_what_is_filled_in(
    said: dict[str, Any], more: set[str]
) -> None:
    record = {**blanks.administrative_template(UUID, UUID, "en", None), **said}
    assert asked(SchemaSet(), ADMINISTRATIVE, record) == ALWAYS | more


def test_places_deep_in_a_field_count_once_for_it() -> None:
    assert fields_of(["/creators/0/name", "/creators/1", "/a~1b/0", ""]) == {"creators", "a/b"}
