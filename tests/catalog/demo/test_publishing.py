"""The demonstration in public: what a newcomer finds in the catalog, as strangers see it."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Published
from ingest.publication import PUBLISHED, WITHDRAWN
from tests.catalog.demo.shown import publish_demo
from tests.catalog.described import Described

pytestmark = pytest.mark.django_db


def test_there_is_a_dataset_of_each_kind(described: Described, client: Client) -> None:
    identifiers = publish_demo(described)
    rows = [Published.objects.get(identifier=each) for each in identifiers]
    assert [(row.state, row.access_level) for row in rows] == [
        (PUBLISHED, "public"),
        (PUBLISHED, "restricted"),
        (PUBLISHED, "embargoed"),
        (WITHDRAWN, "public"),
    ]
    whole = rows[0].value
    assert [each["file_count"] for each in sorted(whole["data_objects"], key=lambda each: each["file_count"])] == [3, 4]
    people = [each for part in whole["data_objects"] for each in part["experiment"]["experimenters"]]
    assert {bool(each.get("orcid")) for each in people} == {True, False}
    for row in rows:
        assert row.title in client.get(f"/datasets/{row.identifier}").content.decode()
    [file] = [each for each in whole["file_descriptions"] if each["path"].endswith("_198001-198412.nc")]
    answer = client.get(f"/id/file/{file['file_identifier']}")
    assert (answer.status_code, answer["Content-Length"]) == (200, str(file["size_bytes"]))
