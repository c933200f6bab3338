"""The dump of everything public, where one record of it cannot be drawn."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.test import Client

from catalog.formats import dumping
from catalog.graph import quads
from catalog.models import Published
from catalog.publishing.site import site
from tests.catalog.publishing.ready import Ready

pytestmark = pytest.mark.django_db


def test_a_record_that_cannot_be_drawn_keeps_no_other_from_the_dump(
    ready: Ready, client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ready.publish()
    bad = "00000000-0000-4000-8000-000000000000"
    other = Published.objects.get()
    other.pk, other.identifier, other.etag = None, bad, "bad"
    other.value = {**row.value, "@id": f"urn:uuid:{bad}"}
    other.save(force_insert=True)
    draw = quads.record_quads

    def drawn(value: Any, site: Any) -> Any:
        if bad in value["@id"]:
            raise ValueError("No scheme found in an absolute IRI")
        return draw(value, site)

    monkeypatch.setattr(quads, "record_quads", drawn)
    dumping.build(site())
    answer: Any = client.get("/dumps/catalog.nq.gz")
    content = gzip.decompress(b"".join(answer.streaming_content)).decode()
    assert row.identifier in content
    assert bad not in content
    assert f"{bad} is left out of the dump" in caplog.text


def test_a_dump_whose_list_is_lost_is_made_anew(ready: Ready, client: Client) -> None:
    row = ready.publish()
    dumping.build(site())
    (listed,) = dumping.folder().glob(f"*{dumping.RECORDS}")
    listed.write_bytes(b"")
    assert client.get("/dumps/catalog.nq.gz").status_code == 503
    dumping.build(site())
    answer: Any = client.get("/dumps/catalog.nq.gz")
    assert row.identifier in gzip.decompress(b"".join(answer.streaming_content)).decode()
