"""What lists, counts, suggestions and answers tell: of what one may see everything, of the rest nothing."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from catalog import accounts, index
from ingest import documents
from tests.catalog.everyone import World
from tests.catalog.hostile import see
from tests.catalog.tree import identifier

pytestmark = pytest.mark.django_db(transaction=True)


def _without_tokens(answer: HttpResponse) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())


def test_lists_and_counts_hold_what_one_may_see(world: World) -> None:
    for who, ours, theirs in (("researcher", "Alpha", "Beta"), ("outsider", "Beta", "Alpha")):
        client = world.people[who]
        for address in ("/", "/?name=secret", "/?state=present"):
            words = see(client, address).words
            assert (f"{ours}-secret" in words, f"{theirs}-secret" in words, "1 project" in words) == (True, False, True)
        assert "No project fits" in see(client, f"/?name={theirs}").words
    assert "2 projects" in see(world.people["viewer"], "/").words


def test_a_member_of_no_project_is_told_so(world: World) -> None:
    accounts.add("newcomer", "member")
    client = Client()
    client.force_login(accounts.named("newcomer"))
    words = see(client, "/").words
    assert "You belong to no project yet" in words
    assert "Nothing is described yet" not in words


def test_the_status_page_is_for_those_who_see_all(world: World) -> None:
    assert "Status" not in see(world.people["researcher"], "/").words.split("Projects", 2)[1].split("Why")[0]
    words = see(world.people["researcher"], "/status/", 403).words
    assert "those who see every project" in words
    assert "Beta" not in words
    see(world.people["viewer"], "/status/")


@pytest.mark.parametrize(
    "name",
    [
        "plate/Beta.csv",
        "plate",
        "plate/.metadata/dataset_structural.json",
        "",
        ".metadata",
        "x/../plate",
        "plate/nothing",
    ],
)
def test_why_tells_nothing_of_a_project_that_one_may_not_see(world: World, name: str) -> None:
    (world.tree.root / "p_Beta" / "plate" / "Beta.csv").write_text("x")
    told = {}
    for folder in ("p_Beta", "p_Nowhere"):
        for before in ("", f"{world.tree.root}/", "data/", "file://" + f"{world.tree.root}/"):
            path = f"{before}{folder}/{name}"
            answer = world.people["researcher"].get("/why/", {"path": path})
            told[folder, before] = (answer.status_code, _without_tokens(answer).replace(folder, "…"))
    for (folder, before), answer in told.items():
        assert answer == told["p_Nowhere", before], (folder, before)
    assert "in your projects" in told["p_Beta", ""][1]


def test_why_tells_everything_of_a_project_that_one_may_see(world: World) -> None:
    mine, theirs = "/why/?path=p_Alpha/plate", "/why/?path=p_Beta/plate"
    assert "in your projects" not in see(world.people["researcher"], mine).words
    assert "in your projects" not in see(world.people["viewer"], theirs).words
    assert "in your projects" in see(world.people["researcher"], "/why/?path=p_Alpha/../p_Beta/plate").words


def test_nothing_of_another_project_is_suggested_or_listed_with_an_instrument(world: World) -> None:
    investigator = {"@type": "Person", "name": "Beatrice Secret"}
    path = documents.project_document(world.tree.root, "p_Beta")
    world.tree.edit(path, {"principal_investigator": investigator})
    shared = identifier("instrument", "Alpha")
    run = documents.run_document(world.tree.root, "p_Beta/plate", "run_1")
    world.tree.edit(run, {"instruments_used": [shared], "experiment_name": "Beta-secret run"})
    index.refresh([path, run])
    for who, told_ in (("researcher", False), ("outsider", True), ("viewer", True)):
        client = world.people[who]
        assert ("Beatrice" in client.get("/suggest/people/?q=b").content.decode()) is told_
        assert ("Beta-secret run" in client.get(f"/instruments/{shared}/").content.decode()) is told_
