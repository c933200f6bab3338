"""The lists forms show while someone types."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog import index
from catalog.models import Membership, Profile
from catalog.models.people import Role
from ingest import documents
from tests.catalog.hostile import CORPUS, Page
from tests.catalog.tree import Tree, entry

pytestmark = pytest.mark.django_db


def ask(client: Client, kind: str, q: str = "", **more: str) -> Page:
    """The fragment for a question, which must be whole and harmless."""
    response = client.get(reverse("suggest", args=[kind]), {"q": q, **more})
    assert response.status_code == 200
    page = Page(response.content.decode())
    assert page.wrong == []
    return page


@pytest.fixture
def member(client: Client, django_user_model: Any) -> Any:
    """A browser of someone who belongs to nothing yet."""
    user = django_user_model.objects.create_user("member")
    Profile.objects.create(user=user, role=Role.MEMBER)
    client.force_login(user)
    return client, user


@pytest.mark.parametrize(
    ("kind", "q", "found"),
    [
        ("licences", "cc0", "CC0 – Creative Commons Zero v1.0 Universal"),
        ("languages", "germ", "German (Deutsch)"),
        ("units", "micrometre", "micrometer"),
    ],
)
def test_values_are_found_by_code_and_by_name(reader: Client, kind: str, q: str, found: str) -> None:
    assert found in ask(reader, kind, q).words


def test_without_a_question_come_the_first_fifty(reader: Client) -> None:
    for kind in ("licences", "languages", "units"):
        html = reader.get(reverse("suggest", args=[kind])).content.decode()
        assert html.count("<option ") == 50


def test_for_a_field_they_are_buttons_that_take_the_value(reader: Client) -> None:
    response = reader.get(reverse("suggest", args=["licences"]), {"q": "CC-BY-4.0", "for": "/license"})
    html = response.content.decode()
    assert '<button type="submit" class="quiet" name="do" value="take:/license=CC-BY-4.0">' in html
    assert "if they name you." in html
    assert Page(html).wrong == []
    assert "type it in full" in ask(reader, "licences", "nothing of the kind", **{"for": "/license"}).words


def test_people_and_organizations_are_those_of_records_one_may_see(member: Any, tree: Tree) -> None:
    client, user = member
    alpha = tree.project(
        principal_investigator={"@type": "Person", "name": "Ada Okafor"},
        institution={"@type": "Organization", "name": "Brown University"},
    )
    tree.project("p_Beta", 3, principal_investigator={"@type": "Person", "name": "Hidden Hand"})
    index.refresh(tree.documents())
    assert ask(client, "people").words == ""
    Membership.objects.create(user=user, project_identifier=alpha, role="viewer")
    assert ask(client, "people").words == "Ada Okafor"
    assert ask(client, "organizations").words == "Brown University"
    assert ask(client, "agents").words == "Ada Okafor Brown University"
    assert ask(client, "people", "hidden").words == ""


def test_files_are_those_of_a_dataset_one_may_see(member: Any, tree: Tree) -> None:
    client, user = member
    project = tree.project()
    number = tree.dataset(entries=[entry("a/one.csv")])
    index.refresh(tree.documents())
    assert ask(client, "files", dataset=number).words == ""
    Membership.objects.create(user=user, project_identifier=project, role="viewer")
    assert ask(client, "files", dataset=number).words == "a/one.csv"
    assert ask(client, "files", dataset="../x\0").words == ""


def test_hostile_names_and_questions_stay_text(reader: Client, tree: Tree) -> None:
    people = [{"@type": "Person", "name": each, "email": each} for each in CORPUS]
    organizations = [{"agent": {"@type": "Organization", "name": each}, "role": "Sponsor"} for each in CORPUS]
    tree.project(contributors=organizations)
    tree.dataset(creators=people, entries=[entry("<img src=x onerror=alert(1)>\u202e.csv")])
    index.refresh(tree.documents())
    number = documents.read_document(tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE)).value[
        "dataset_identifier"
    ]
    for for_ in ("", "/creators/0"):
        for kind in ("people", "organizations", "agents"):
            assert "alert(1)" in ask(reader, kind, **{"for": for_}).words
        ask(reader, "files", dataset=number, **{"for": for_})
    for text in CORPUS:
        for kind in ("people", "units", "licences", "languages", "instruments"):
            ask(reader, kind, text, **{"for": text})


def test_an_unknown_kind_is_not_found_and_strangers_sign_in_first(reader: Client) -> None:
    assert reader.get(reverse("suggest", args=["colours"])).status_code == 404
    assert reader.post(reverse("suggest", args=["units"])).status_code == 405
    assert Client().get(reverse("suggest", args=["units"])).status_code == 302


def test_an_answer_takes_little_work(reader: Client) -> None:
    """50 ms on a machine that does nothing else; what a slow one needs is not ten times as much."""
    for kind in ("people", "organizations", "licences", "languages", "units", "instruments"):
        reader.get(reverse("suggest", args=[kind]), {"q": "a"})
        took = []
        for q in ("a", "met", "", "creative commons", "zzz"):
            started = time.process_time()
            reader.get(reverse("suggest", args=[kind]), {"q": q})
            took.append(time.process_time() - started)
        assert min(took) < 0.5, kind
