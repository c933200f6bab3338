"""The profile page: everyone's own, kept in canonical form, refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog import index
from catalog.models import Membership, Profile
from catalog.models.people import Role
from tests.catalog.hostile import CORPUS, Page, see
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db

FULL = {
    "name": "  Josiah   Carberry ",
    "given_name": "Josiah",
    "family_name": "Carberry",
    "orcid": "orcid.org/0000 0002 1825 0097",
    "email": "Josiah <J.Carberry@Brown.edu>",
    "affiliation": "Brown University",
    "affiliation_ror": "05GQ02987",
}
KEPT = {
    "name": "Josiah Carberry",
    "given_name": "Josiah",
    "family_name": "Carberry",
    "orcid": "https://orcid.org/0000-0002-1825-0097",
    "email": "J.Carberry@brown.edu",
    "affiliation": "Brown University",
    "affiliation_ror": "https://ror.org/05gq02987",
}


def kept(name: str = "reader") -> dict[str, Any]:
    return Profile.objects.filter(user__username=name).values(*KEPT).get()


def test_what_is_typed_in_any_form_is_kept_in_the_schemas_form_and_told(reader: Client) -> None:
    response = reader.post(reverse("profile"), FULL, follow=True)
    assert response.redirect_chain == [(reverse("profile"), 302)]
    assert kept() == KEPT
    page = Page(response.content.decode())
    assert page.wrong == []
    assert "Your profile is saved." in page.words
    assert 'value="https://orcid.org/0000-0002-1825-0097"' in response.content.decode()


def test_every_page_leads_to_it_by_the_user_name(reader: Client, tree: Tree) -> None:
    html = reader.get(reverse("projects")).content.decode()
    assert f'href="{reverse("profile")}"' in html
    see(reader, reverse("profile"))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("orcid", "0000-0002-1825-0098", "after its first 15 digits it should end in 7, not in 8."),
        ("affiliation_ror", "05gq02986", "after its first 7 characters it should end in 87, not in 86."),
        ("email", "josiah", "is no e-mail address: it needs one @ with something on both sides"),
        ("email", "a@b", "is no e-mail address: it should look like name@example.org."),
        ("name", "x" * 201, "Name has 201 characters; it may have at most 200."),
        ("affiliation", "", "The ROR is given, but not the affiliation it belongs to: add its name."),
    ],
)
def test_what_cannot_be_right_is_told_beside_what_was_typed_and_nothing_is_saved(
    reader: Client, field: str, typed: str, sentence: str
) -> None:
    response = reader.post(reverse("profile"), {**FULL, field: typed})
    page = Page(response.content.decode())
    assert response.status_code == 422
    assert page.wrong == []
    assert sentence in page.words
    assert f'id="{field}-error"' in response.content.decode()
    assert f'value="{typed}"' in response.content.decode()
    assert not Profile.objects.filter(user__username="reader").exists()


def test_empty_answers_are_fine(reader: Client) -> None:
    reader.post(reverse("profile"), FULL)
    assert reader.post(reverse("profile"), {}).status_code == 302
    assert kept() == dict.fromkeys(KEPT, "")


def test_nobody_changes_their_role_or_somebody_else(reader: Client) -> None:
    other = User.objects.create_user("other")
    Profile.objects.create(user=other, name="Other", role=Role.MEMBER)
    own = User.objects.get(username="reader")
    Profile.objects.create(user=own, role=Role.MEMBER)
    sneaky = {"role": "curator", "user": str(other.pk), "id": str(other.pk), "is_staff": "on", "username": "other"}
    assert reader.post(reverse("profile"), {**FULL, **sneaky}).status_code == 302
    own.refresh_from_db()
    assert (own.profile.role, own.is_staff, own.profile.name) == (Role.MEMBER, False, "Josiah Carberry")
    assert kept("other")["name"] == "Other"


def test_role_and_projects_are_said_in_words(client: Client, tree: Tree) -> None:
    alpha = tree.project(project_title="Heat shock")
    index.refresh(tree.documents())
    user = User.objects.create_user("jo")
    Profile.objects.create(user=user, role=Role.MEMBER)
    client.force_login(user)
    assert "You were added to no project by name." in see(client, reverse("profile")).words
    Membership.objects.create(user=user, project_identifier=alpha, role="researcher")
    words = see(client, reverse("profile")).words
    assert "member: only the projects they are added to" in words
    assert "Heat shock researcher: sees and changes the project, its datasets and runs" in words


def test_an_administrator_is_called_one(curator: Client) -> None:
    assert "administrator: sees and changes every record" in see(curator, reverse("profile")).words


def test_strangers_sign_in_first_and_other_methods_are_refused(client: Client, reader: Client) -> None:
    assert Client().get(reverse("profile")).status_code == 302
    assert reader.put(reverse("profile")).status_code == 405


@pytest.mark.parametrize("text", CORPUS)
def test_hostile_answers_stay_text(reader: Client, text: str) -> None:
    response = reader.post(reverse("profile"), dict.fromkeys(FULL, text))
    assert response.status_code == 422
    assert Page(response.content.decode()).wrong == []
    reader.post(reverse("profile"), {"name": text[:200], "affiliation": text[:300]})
    see(reader, reverse("profile"))
    see(reader, reverse("projects"))
