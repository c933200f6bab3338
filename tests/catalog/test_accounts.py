"""Who says what others may: the people of a project, roles everywhere, and accounts in the admin."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import accounts, rights
from catalog.models.people import Membership, Profile
from tests.catalog.everyone import World
from tests.catalog.hostile import see
from tests.catalog.tree import identifier

pytestmark = pytest.mark.django_db(transaction=True)

# --- members ----------------------------------------------------------------------------------------------------


def _members(identifier_: str) -> list[tuple[str, str]]:
    rows = Membership.objects.filter(project_identifier=identifier_).order_by("user__username")
    return list(rows.values_list("user__username", "role"))


@pytest.mark.parametrize("who", ["curator", "administrator"])
def test_curators_add_change_and_remove_people(world: World, who: str) -> None:
    number = identifier("project", "p_Alpha")
    address, client = f"/projects/{number}/members/", world.people[who]
    answer = client.post(address, {"do": "add", "account": "outsider", "role": "viewer"}, follow=True)
    assert "outsider is viewer of this project now." in answer.content.decode()
    assert _members(number) == [("outsider", "viewer"), ("researcher", "researcher")]
    assert world.people["outsider"].get(f"/projects/{number}/").status_code == 200
    client.post(address, {"do": "set", "account": "outsider", "role": "researcher"})
    assert _members(number) == [("outsider", "researcher"), ("researcher", "researcher")]
    client.post(address, {"do": "remove", "account": "outsider"})
    assert _members(number) == [("researcher", "researcher")]
    assert world.people["outsider"].get(f"/projects/{number}/").status_code == 404


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({"do": "add", "account": "nobody", "role": "viewer"}, "nobody"),
        ({"do": "add", "account": "viewer", "role": "king"}, "king"),
        ({"do": "add", "account": "viewer"}, "role"),
        ({"do": "remove", "account": "viewer"}, "no part"),
        ({"do": "add", "account": "a\0b", "role": "viewer"}, "ab"),
        ({}, "no user"),
    ],
)
def test_a_change_of_members_that_cannot_be_is_told(world: World, posted: dict[str, str], told: str) -> None:
    number = identifier("project", "p_Alpha")
    answer = world.people["curator"].post(f"/projects/{number}/members/", posted)
    assert (answer.status_code, told in answer.content.decode()) == (400, True)
    assert _members(number) == [("researcher", "researcher")]


def test_others_see_the_names_only(world: World) -> None:
    Profile.objects.filter(user=world.users["researcher"]).update(name="Rosalind F.", email="r@example.org")
    address = f"/projects/{identifier('project', 'p_Alpha')}/members/"
    words = see(world.people["viewer"], address).words
    assert ("Rosalind F." in words, "r@example.org" in words, "researcher researcher" in words) == (True, False, False)
    assert world.people["viewer"].post(address, {"do": "remove", "account": "researcher"}).status_code == 403
    assert address in world.people["viewer"].get(address.removesuffix("members/")).content.decode()


def test_with_many_accounts_the_name_of_one_is_typed(world: World) -> None:
    number = identifier("project", "p_Alpha")
    address, client = f"/projects/{number}/members/", world.people["curator"]
    assert '<select id="account"' in client.get(address).content.decode()
    User.objects.bulk_create(User(username=f"person{n:03}") for n in range(201))
    html = client.get(address).content.decode()
    assert ('<select id="account"' in html, '<input type="text" id="account"' in html) == (False, True)
    assert "person100" not in html
    client.post(address, {"do": "add", "account": "person100", "role": "viewer"})
    assert _members(number) == [("person100", "viewer"), ("researcher", "researcher")]


# --- roles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "flags"),
    [
        ("member", (False, False)),
        ("viewer", (False, False)),
        ("curator", (True, False)),
        ("admin", (True, True)),
    ],
)
def test_the_role_decides_who_the_admin_lets_in(world: World, role: str, flags: tuple[bool, bool]) -> None:
    user = world.users["viewer"]
    accounts.set_role(user, role)
    fresh = accounts.named("viewer")
    assert ((fresh.is_staff, fresh.is_superuser), accounts.role_of(fresh)) == (flags, role)
    assert world.people["viewer"].get("/admin/").status_code == (200 if flags[0] else 403)


def test_accounts_from_before_there_were_roles_keep_what_they_could(world: World) -> None:
    User.objects.create_user("old_staff", is_staff=True)
    User.objects.create_user("old_reader")
    import_module("catalog.migrations.0004_staff_are_curators").give_roles(apps, None)
    assert [accounts.role_of(accounts.named(name)) for name in ("old_staff", "old_reader")] == ["curator", "viewer"]


def test_the_last_administrator_stays_one(world: World) -> None:
    with pytest.raises(accounts.AccountError, match="last administrator"):
        accounts.set_role(world.users["administrator"], "curator")
    address = f"/admin/auth/user/{world.users['administrator'].pk}/"
    client = world.people["administrator"]
    form = {"username": "administrator", "role": "viewer", "is_active": "on", **_no_parts()}
    assert "last administrator" in client.post(f"{address}change/", form).content.decode()
    assert client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": "1", "post": "yes"})
    assert accounts.role_of(accounts.named("administrator")) == "admin"


def _no_parts(**more: str) -> dict[str, str]:
    return {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0", **more}


def test_administrators_give_roles_and_parts_in_the_admin(world: World) -> None:
    client, project = world.people["administrator"], identifier("project", "p_Alpha")
    fresh = {"username": "grace", "usable_password": "true", "role": "curator"}
    fresh |= dict.fromkeys(("password1", "password2"), "a fine new password")
    assert client.post("/admin/auth/user/add/", fresh).status_code == 302
    grace = accounts.named("grace")
    assert (accounts.role_of(grace), grace.is_staff) == ("curator", True)
    part = {"memberships-0-project_identifier": project, "memberships-0-role": "viewer"}
    form = {
        "username": "grace",
        "role": "member",
        "is_active": "on",
        **_no_parts(**part),
        "memberships-TOTAL_FORMS": "1",
    }
    assert client.post(f"/admin/auth/user/{grace.pk}/change/", form).status_code == 302
    assert rights.of(accounts.named("grace")) == rights.Rights("member", False, {project: "viewer"})
    assert accounts.named("grace").is_staff is False


@pytest.mark.parametrize("name", ["system", "Filesystem", "fairfolder"])
def test_nobody_bears_the_name_of_what_no_person_did(world: World, name: str) -> None:
    with pytest.raises(accounts.AccountError, match="choose another"):
        accounts.add(name)
    fresh = {"username": name, "usable_password": "true", "role": "curator"}
    fresh |= dict.fromkeys(("password1", "password2"), "a fine new password")
    answer = world.people["administrator"].post("/admin/auth/user/add/", fresh)
    assert "what the history calls changes that no person made" in answer.content.decode()
    assert not User.objects.filter(username=name).exists()


def test_curators_see_the_index_and_no_accounts(world: World) -> None:
    html = world.people["curator"].get("/admin/").content.decode()
    assert "/admin/catalog/project/" in html
    assert "/admin/auth/" not in html
    assert world.people["curator"].get("/admin/auth/user/").status_code == 403
    assert world.people["curator"].get("/admin/auth/user/add/").status_code == 403
    asked = "/admin/autocomplete/?app_label=catalog&model_name=membership&field_name=user&term=a"
    assert world.people["curator"].get(asked).status_code == 403
    for model in ("user", "group", "totpdevice", "statictoken", "accessattempt"):
        assert f"/{model}/add/" not in world.people["administrator"].get("/admin/").content.decode() or model == "user"


def _asked(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def test_lists_of_accounts_ask_no_more_of_the_database_for_more_accounts(world: World) -> None:
    client, grace = world.people["administrator"], world.users["researcher"]
    addresses = ("/admin/auth/user/", f"/admin/auth/user/{grace.pk}/change/", "/admin/catalog/bulkchange/")
    for address in addresses:
        client.get(address)  # the first answer also asks for what Django keeps
    before = [_asked(client, address) for address in addresses]
    for n in range(20):
        accounts.add(f"person{n:02}", "viewer")
        accounts.join(grace, identifier("project", n), "viewer")
    assert [_asked(client, address) for address in addresses] == before
    assert "person01" not in client.get("/admin/catalog/bulkchange/").content.decode()
    with CaptureQueriesContext(connection) as caught:
        assert len(accounts.listed()) == 25
    assert len(caught) == 4
