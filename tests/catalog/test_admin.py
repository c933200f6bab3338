"""The admin: the index is only looked at, accounts are managed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from catalog import index
from catalog.models import File
from tests.catalog.tree import Tree, entry

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = ("project", "dataset", "file", "document", "instrument", "run", "changelog")


@pytest.fixture
def filled(tree: Tree) -> Tree:
    tree.project("p_Alpha", 1, project_title="Alpha")
    tree.dataset("p_Alpha/plate", [entry(f"f{n}.csv") for n in range(3)], 2)
    index.refresh(tree.documents())
    return tree


def test_every_index_table_and_what_curators_work_with_is_there() -> None:
    registered = {model._meta.model_name for model in admin.site._registry if model._meta.app_label == "catalog"}
    assert registered == {*MODELS, "review", "bulkchange"}


@pytest.mark.parametrize("model", MODELS)
def test_nothing_of_the_index_can_be_changed_even_by_an_admin(curator: Client, filled: Tree, model: str) -> None:
    base = f"/admin/catalog/{model}/"
    listed = curator.get(base)
    assert listed.status_code == 200
    assert b"Fairfolder" in listed.content
    assert b"/add/" not in listed.content.split(b'id="content"')[1]
    assert curator.get(f"{base}add/").status_code == 403
    assert curator.post(f"{base}add/", {}).status_code == 403
    before = index.snapshot()
    curator.post(base, {"action": "delete_selected", "_selected_action": "1", "post": "yes"})
    curator.post(f"{base}1/delete/", {"post": "yes"})
    curator.post(f"{base}1/change/", {"title": "changed", "path": "changed"})
    assert index.snapshot() == before


def test_a_file_is_shown_with_its_whole_entry(curator: Client, filled: Tree) -> None:
    row = File.objects.get(path="f1.csv")
    html = curator.get(f"/admin/catalog/file/{row.pk}/change/").content.decode()
    assert row.checksum in html
    assert "x-fmt/18" in html
    assert f"/files/{row.identifier}/" in curator.get("/admin/catalog/file/").content.decode()


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/admin/catalog/file/?q=f2.csv", True),
        ("/admin/catalog/file/?q=nothing", False),
        ("/admin/catalog/file/?state__exact=missing", False),
        ("/admin/catalog/file/?format=CSV", True),
        ("/admin/catalog/dataset/?state=present&q=plate", True),
        ("/admin/catalog/project/?status=complete", False),
        ("/admin/catalog/document/?problem__isempty=0", False),
        ("/admin/catalog/changelog/?kind=dataset", True),
    ],
)
def test_lists_are_searched_and_filtered(curator: Client, filled: Tree, address: str, found: bool) -> None:
    answer = curator.get(address, follow=True)
    assert answer.status_code == 200
    assert (b'class="field-' in answer.content) is found


def test_accounts_are_managed_here_with_their_passwords(curator: Client, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("ada")
    assert curator.get(f"/admin/auth/user/{user.pk}/password/").status_code == 200
    new = {"usable_password": "true", "password1": "a fine new password", "password2": "a fine new password"}
    assert curator.post(f"/admin/auth/user/{user.pk}/password/", new).status_code == 302
    user.refresh_from_db()
    assert user.check_password("a fine new password")


def test_a_new_account_has_the_role_that_somebody_chose(curator: Client, django_user_model: Any) -> None:
    page = curator.get("/admin/auth/user/add/").content.decode()
    roles = re.search(r'<select name="role".*?</select>', page, re.S)
    assert roles is not None
    chosen = re.findall(r'<option value="([^"]*)" selected', roles[0])
    assert chosen in ([], [""]), "nothing is chosen that nobody chose"
    words = "a fine new password"
    new = {"username": "ada", "usable_password": "true", "password1": words, "password2": words}
    refused = curator.post("/admin/auth/user/add/", new)
    assert "Choose a role" in refused.content.decode()
    assert not django_user_model.objects.filter(username="ada").exists()
    assert curator.post("/admin/auth/user/add/", {**new, "role": "member"}).status_code == 302
    assert django_user_model.objects.get(username="ada").profile.role == "member"


def test_a_reader_without_rights_does_not_get_in(reader: Client) -> None:
    answer = reader.get("/admin/")
    assert (answer.status_code, b"This page is not open to you" in answer.content) == (403, True)
