"""Whatever addresses the documents of a published dataset name, no page and no format of the service calls anybody."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, PROJECT, Ready
from tests.catalog.publishing.test_page import browser

pytestmark = pytest.mark.django_db

REMOTE = "http://169.254.169.254/latest/c.jsonld"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address somebody asked the network for."""
    asked: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> Any:
        asked.append(arguments)
        raise OSError("no network here")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


def test_nothing_is_fetched_for_any_page_or_format(ready: Ready, called: list[Any]) -> None:
    """What stands in documents by an editor's hand, in the service's own way: described, indexed, published, shown."""
    ready.publish()
    for path in (ADMINISTRATIVE, PROJECT, f"{FOLDER}/.metadata/dataset_structural.json"):
        value = ready.described.read(path)
        part = {"@context": REMOTE, "@id": REMOTE, "label": "L", "url": REMOTE}
        ready.described.write(path, {**value, "@context": [value["@context"], REMOTE], "documentation": [part]})
    schemas = ready.root / ".template_schemas"
    schemas.mkdir()
    own = {"$id": "https://uni.example/s/1", "properties": {"bay": {"$ref": REMOTE}}, "$schema": REMOTE}
    (schemas / "dataset_administrative.json").write_text(json.dumps(own))
    ready.described.describe()
    curie, anybody, dataset = browser("curie", "curator"), Client(), f"/datasets/{ready.identifier}"
    inside = [reverse(name, args=[ready.identifier]) for name in ("dataset", "publish")]
    inside += [reverse("edit", args=["dataset", ready.identifier]), reverse("status")]
    assert [curie.get(address).status_code for address in inside] == [200] * len(inside)
    formats = ("", ".jsonld", ".ttl", ".rdf", ".nq", ".json", ".prov.ttl", ".schemaorg.jsonld", ".datacite.json")
    assert [anybody.get(dataset + suffix).status_code for suffix in formats] == [200] * len(formats)
    assert called == []


def test_a_call_would_be_seen(called: list[Any]) -> None:
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("169.254.169.254", 80))
    assert called
