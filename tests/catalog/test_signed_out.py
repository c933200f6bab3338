"""A form sent by someone who was signed out meanwhile: nothing is written, and who opened it finds what was typed."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client

from catalog import accounts, index
from catalog.editing import signed_out
from catalog.models import UnsavedForm
from ingest import documents
from tests.catalog.forms import Form, form_of
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db(transaction=True)
TYPED = {"/project_title": "Typed by Rosa", "/keywords": "a\r\nb"}


@pytest.fixture
def project(tree: Tree) -> str:
    number = tree.project()
    index.rebuild()
    return number


class Browser(Client):
    """A browser that sends the token of each form, as the page had it when it was opened."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True)

    def sign_in(self, name: str, password: str, page: Any = None) -> Any:
        """Through the sign-in page, which may be the one just met."""
        page = page or self.get("/login/")
        text = page.content.decode()
        sent = {"csrfmiddlewaretoken": token(text), "username": name, "password": password}
        wanted = re.search(r'name="next" value="([^"]*)"', text)
        assert wanted is not None
        return self.post("/login/", {**sent, "next": wanted[1]}, follow=True)

    def sign_out(self) -> None:
        answer = self.post("/logout/", {"csrfmiddlewaretoken": token(self.get("/").content.decode())})
        assert answer.status_code == 302


def token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def opened(browser: Client, address: str) -> Form:
    """The form of a page, its token with it."""
    form = form_of(browser, address, browser.get(address))
    form.sent["csrfmiddlewaretoken"] = token(form.text)
    return form


@pytest.fixture
def passwords() -> dict[str, str]:
    return {name: accounts.add(name, "curator").password for name in ("rosa", "sam")}


def written(tree: Tree) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(documents.project_document(tree.root, "p_Alpha").read_bytes())
    return value


def words(page: Any) -> str:
    return re.sub(r"<[^>]*>", "", page.content.decode())


@pytest.mark.parametrize("start", ["/edit/project", "/admin/catalog/project/project"], ids=["outside", "in the admin"])
def test_what_was_typed_is_there_after_signing_in_again(
    tree: Tree, project: str, passwords: dict[str, str], start: str
) -> None:
    rosa = Browser()
    rosa.sign_in("rosa", passwords["rosa"])
    form = opened(rosa, f"{start}/{project}/")
    before = written(tree)
    rosa.sign_out()
    door = form.press("save", **TYPED).response
    assert "You are signed out, so nothing was saved. What you typed is kept for rosa" in words(door)
    assert written(tree) == before
    again = form_of(rosa, form.address, rosa.sign_in("rosa", passwords["rosa"], door))
    assert {name: again.sent[name] for name in TYPED} == TYPED
    assert "These are your unsaved changes. Save them to keep them." in again.text
    assert "Not saved yet" in again.text
    assert written(tree) == before
    again.sent["csrfmiddlewaretoken"] = token(again.text)
    assert "Saved." in again.press("save").text
    assert written(tree)["project_title"] == TYPED["/project_title"]
    assert UnsavedForm.objects.count() == 0


def test_who_signs_in_instead_is_given_nothing_of_it(project: str, passwords: dict[str, str]) -> None:
    browser = Browser()
    browser.sign_in("rosa", passwords["rosa"])
    form = opened(browser, f"/edit/project/{project}/")
    browser.sign_out()
    door = form.press("save", **TYPED).response
    page = browser.sign_in("sam", passwords["sam"], door)
    assert page.status_code == 200
    assert "Typed by Rosa" not in page.content.decode()
    assert "unsaved changes" not in page.content.decode()
    assert [row.user.username for row in UnsavedForm.objects.all()] == ["rosa"]


def test_a_tab_of_an_earlier_sign_in_loses_nothing(tree: Tree, project: str, passwords: dict[str, str]) -> None:
    rosa = Browser()
    rosa.sign_in("rosa", passwords["rosa"])
    form = opened(rosa, f"/edit/project/{project}/")
    before = written(tree)
    rosa.sign_out()
    rosa.sign_in("rosa", passwords["rosa"])
    kept = rosa.post(f"{form.address}keep", {**form.sent, "/project_title": "Half"})
    assert (kept.status_code, bool(kept.json()["kept"])) == (200, True)
    again = form.press("complete", **TYPED)
    assert "You signed in again after this form was opened, so it was not saved yet." in words(again.response)
    assert {name: again.sent[name] for name in TYPED} == TYPED
    assert written(tree) == before


def test_a_tab_of_someone_else_is_kept_for_them(tree: Tree, project: str, passwords: dict[str, str]) -> None:
    browser = Browser()
    browser.sign_in("rosa", passwords["rosa"])
    form = opened(browser, f"/edit/project/{project}/")
    before = written(tree)
    browser.sign_out()
    browser.sign_in("sam", passwords["sam"])
    fresh = opened(browser, form.address).sent["csrfmiddlewaretoken"]
    for sent in (form.sent["csrfmiddlewaretoken"], fresh):
        answer = form.press("save", **{**TYPED, "csrfmiddlewaretoken": sent})
        assert "This form was opened by rosa, and you are signed in as sam." in words(answer.response)
        assert "Typed by Rosa" not in answer.text
    assert written(tree) == before
    assert [(row.user.username, row.posted["/project_title"]) for row in UnsavedForm.objects.all()] == [
        ("rosa", "Typed by Rosa")
    ]


def test_what_a_page_asks_in_the_background_tells_too(project: str, passwords: dict[str, str]) -> None:
    rosa = Browser()
    rosa.sign_in("rosa", passwords["rosa"])
    form = opened(rosa, f"/edit/project/{project}/")
    rosa.sign_out()
    for end, headers in (("keep", {}), ("check", {"HX-Request": "true"}), ("", {"HX-Request": "true"})):
        answer = rosa.post(form.address + end, {**form.sent, **TYPED, "do": "add:/funding"}, headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (401, "text/plain; charset=utf-8")
        assert "You are signed out" in answer.content.decode()
    assert [row.posted["/project_title"] for row in UnsavedForm.objects.all()] == ["Typed by Rosa"]
    found = rosa.get("/suggest/people/?q=a", headers={"HX-Request": "true"})
    assert (found.status_code, "You are signed out" in found.content.decode()) == (401, True)


def test_choosing_between_two_versions_keeps_what_was_typed(
    tree: Tree, project: str, passwords: dict[str, str]
) -> None:
    rosa = Browser()
    rosa.sign_in("rosa", passwords["rosa"])
    form = opened(rosa, f"/edit/project/{project}/")
    tree.edit(documents.project_document(tree.root, "p_Alpha"), {"project_title": "On disk"})
    page = form.press("save", **TYPED)
    sent = dict(re.findall(r'name="(csrfmiddlewaretoken|base|mine|holder|opening)" value="([^"]*)"', page.text))
    rosa.sign_out()
    door = page.post({**sent, "choice-0": "mine", "do": "merge"}).response
    again = form_of(rosa, form.address, rosa.sign_in("rosa", passwords["rosa"], door))
    assert again.sent["/project_title"] == "Typed by Rosa"
    assert written(tree)["project_title"] == "On disk"


def test_only_whom_a_form_was_given_to_keeps_something(
    project: str, passwords: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rosa = Browser()
    rosa.sign_in("rosa", passwords["rosa"])
    form = opened(rosa, f"/edit/project/{project}/")
    rosa.sign_out()

    def send(holder: str) -> Any:
        answer = rosa.post(form.address, {**form.sent, **TYPED, "holder": holder, "do": "save"})
        assert answer["Location"].startswith("/login/?next=")
        return UnsavedForm.objects.count()

    whole = form.sent["holder"]
    forged = signing.dumps([User.objects.get(username="sam").pk, "project", project, "x"], salt="another")
    assert [send(each) for each in ("", "x", whole[:-1], form.sent["base"], forged)] == [0] * 5
    User.objects.filter(username="rosa").update(is_active=False)
    assert send(whole) == 0, "nothing is kept for an account that is closed"
    User.objects.filter(username="rosa").update(is_active=True)
    accounts.set_role(User.objects.get(username="rosa"), "member")
    assert send(whole) == 0, "nor for one that may not change the record any more"
    accounts.set_role(User.objects.get(username="rosa"), "curator")
    monkeypatch.setattr(signed_out, "_LONGEST", signed_out._LONGEST * 0)
    assert send(whole) == 0, "nor for a form opened too long ago"
    monkeypatch.undo()
    assert send(whole) == 1


def test_a_post_that_is_no_form_of_ours_still_needs_its_token(project: str, passwords: dict[str, str]) -> None:
    rosa = Browser()
    rosa.sign_in("rosa", passwords["rosa"])
    assert rosa.post(f"/edit/project/{project}/", {"do": "save"}).status_code == 403
    assert rosa.post("/profile/", {"name": "x"}).status_code == 403
