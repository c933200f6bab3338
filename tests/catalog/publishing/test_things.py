"""Rows of what public records name: files are found by the run that made them, without reading all of the record's."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from catalog.models import PublishedThing
from catalog.pages.public import rows
from catalog.publishing.iris import FILE
from tests.catalog.publishing.ready import Ready

pytestmark = pytest.mark.django_db


def runs() -> dict[str, str]:
    return dict(PublishedThing.objects.filter(kind=FILE).values_list("identifier", "run"))


def test_files_are_found_by_their_run(ready: Ready) -> None:
    ready.publish()
    told = PublishedThing.objects.filter(kind=FILE)
    assert runs() == {each.identifier: each.value["run_id"] for each in told}
    row = rows.record(ready.identifier)
    assert row is not None
    (run,) = set(runs().values())
    assert [each["file_identifier"] for each in rows.files_of_run(row, run, 1, 10)] == list(
        told.order_by("position").values_list("identifier", flat=True)
    )[1:]
    assert rows.files_of_run(row, ready.identifier, 0, 10) == []
    asked = PublishedThing.objects.filter(record=row.identifier, kind=FILE, run=run).order_by("position")
    if connection.vendor == "sqlite":
        assert "published_thing_run" in asked.explain()


def test_what_was_published_before_is_found_so_too(ready: Ready) -> None:
    ready.publish()
    known = runs()
    PublishedThing.objects.update(run="")
    import_module("catalog.migrations.0013_published_thing_run").fill(apps, None)
    assert runs() == known
    assert not PublishedThing.objects.exclude(kind=FILE).exclude(run="").exists()
