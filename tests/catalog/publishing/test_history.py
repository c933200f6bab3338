"""Publishing and withdrawing are told in a dataset's history: who, when and what, in words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from catalog.editing import targets
from catalog.history.acts import acts
from catalog.history.telling import told
from catalog.history.who import told_as
from catalog.rights import Rights
from ingest.provenance.settings import GitSettings
from tests.catalog.described import Described
from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, Ready
from tests.catalog.publishing.ready import ready as make_ready
from tests.catalog.publishing.test_page import browser, text

pytestmark = pytest.mark.django_db

WORDS = [
    "Published, version 2 (spring)",
    "Published again, version 1",
    "Withdrawn: A wrong plate <b>.",
    "Published, version 1",
]


@pytest.fixture
def acted(described: Described, settings: Any) -> Ready:
    """Published, withdrawn, published again, and changed and published as its second version."""
    settings.ENGINE = replace(settings.ENGINE, git=GitSettings())
    ready = make_ready(described)
    ready.publish()
    ready.withdraw("A wrong plate <b>.")
    ready.publish(by="rosa")
    ready.change(ADMINISTRATIVE, dataset_version="spring")
    ready.finalise("first")
    ready.publish()
    return ready


def test_acts_are_told_in_words_the_newest_first(acted: Ready) -> None:
    found = acts(acted.root, acted.identifier)
    assert [each.words for each in found] == WORDS
    assert [each.version.by for each in found] == ["curie", "rosa", "curie", "curie"]
    assert [each.words for each in acts(acted.root, acted.identifier, 2)] == WORDS[:2]
    assert acts(acted.root, "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10") == []


def test_the_history_page_and_its_prov_tell_them(acted: Ready) -> None:
    curie = browser("viewer", "viewer")
    page = curie.get(reverse("history", args=["dataset", acted.identifier]))
    assert page.content.count(b"versions-list") == 2  # both tables are cards on a phone
    told = text(page)
    assert [told.index(words) for words in WORDS] == sorted(told.index(words) for words in WORDS)
    assert b"plate <b>" not in page.content
    assert "Published and withdrawn" not in text(curie.get(reverse("history", args=["files", acted.identifier])))
    graph = curie.get(reverse("trail", args=["dataset", acted.identifier])).json()["@graph"]
    found = {each["rdfs:label"]: each for each in graph if each.get("prov:used") == {"@id": graph[0]["@id"]}}
    assert list(found) == WORDS
    agents = {each["@id"] for each in graph if "foaf:name" in each}
    for each in found.values():
        assert each["@type"] == "prov:Activity"
        assert each["prov:wasAssociatedWith"]["@id"] in agents
        assert re.fullmatch(r"swh:1:rev:[0-9a-f]{40}", each["dct:identifier"])


@pytest.mark.parametrize("path", [FOLDER, ADMINISTRATIVE])
def test_the_command_tells_them(acted: Ready, capsys: pytest.CaptureFixture[str], path: str) -> None:
    call_command("history", str(acted.root / path), "--limit", "100")
    lines = capsys.readouterr().out.splitlines()
    moments = [line.split()[1] for line in lines if not line.startswith(" ")]
    assert moments == sorted(moments, reverse=True)
    for words in WORDS:
        assert sum(line.endswith(f": {words}") for line in lines) == 1
    call_command("history", str(acted.root / path), "--json")
    value = json.loads(capsys.readouterr().out)
    assert [each["words"] for each in value["publication"]] == WORDS


def test_what_led_to_it_has_words(acted: Ready) -> None:
    assert told_as("publish") == "publishing or withdrawing it"
    target = targets.find("dataset", acted.identifier)
    assert target is not None
    version = replace(acts(acted.root, acted.identifier)[0].version, names=("p_Other", "p_Alpha"))
    (seen,) = told(Rights(), target, [version])
    assert seen.subject == "A dataset was published or withdrawn"
