"""Tokens on the profile: made, seen once, used, revoked; only for whose tokens may ask anything."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from catalog import tokens
from catalog.models import Token
from catalog.models.people import Profile, Role
from ingest.errors import SettingError

pytestmark = pytest.mark.django_db


def account(name: str, role: str, *, administers: bool = False) -> tuple[User, Client]:
    user = User.objects.create_user(name, password="x", is_superuser=administers)
    Profile.objects.update_or_create(user=user, defaults={"role": role})
    client = Client()
    client.force_login(user)
    return user, client


@pytest.fixture
def curator() -> tuple[User, Client]:
    return account("cora", Role.CURATOR)


@pytest.mark.parametrize(
    ("role", "administers", "status"),
    [(Role.CURATOR, False, 200), (Role.MEMBER, True, 200), (Role.VIEWER, False, 404), (Role.MEMBER, False, 404)],
)
def test_only_those_whose_tokens_may_ask_have_the_page(role: str, administers: bool, status: int) -> None:
    _, client = account("anna", role, administers=administers)
    assert client.get("/profile/tokens/").status_code == status
    assert client.post("/profile/tokens/", {"do": "make", "name": "x"}).status_code == status
    assert Token.objects.exists() == (status == 200)
    assert ("/profile/tokens/" in client.get("/profile/").content.decode()) == (status == 200)
    assert Client().get("/profile/tokens/").status_code == 302


def test_a_token_is_shown_once_works_and_is_revoked(curator: tuple[User, Client]) -> None:
    user, client = curator
    made = client.post("/profile/tokens/", {"do": "make", "name": "my <b>notebook</b>"}).content.decode()
    [token] = re.findall(r"ff_[\w-]{40,}", made)
    assert "<b>notebook" not in made
    later = client.get("/profile/tokens/").content.decode()
    assert token not in later
    assert "never" in later
    assert tokens.account_of(token) == user
    assert "never" not in client.get("/profile/tokens/").content.decode()
    assert client.post("/profile/tokens/", {"do": "revoke", "name": "my <b>notebook</b>"}).status_code == 302
    assert tokens.account_of(token) is None


def test_what_is_wrong_with_a_name_is_said(curator: tuple[User, Client]) -> None:
    _, client = curator
    client.post("/profile/tokens/", {"do": "make", "name": "one"})
    for name, words in (("one", "already"), ("", "1 to 100"), ("x" * 101, "1 to 100")):
        answer = client.post("/profile/tokens/", {"do": "make", "name": name})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert client.post("/profile/tokens/", {"do": "revoke", "name": "none"}).status_code == 422


def test_nobody_revokes_the_token_of_another(curator: tuple[User, Client]) -> None:
    _, client = curator
    other, _ = account("carl", Role.CURATOR)
    token = tokens.make("carl", "his")
    assert client.post("/profile/tokens/", {"do": "revoke", "name": "his"}).status_code == 422
    assert tokens.account_of(token) == other
    assert "his" not in re.findall(r"<th scope=\"row\">(.*?)</th>", client.get("/profile/tokens/").content.decode())


def test_the_last_use_is_noted_once_a_minute(curator: tuple[User, Client]) -> None:
    token = tokens.make("cora", "often")
    long_ago = timezone.now() - timedelta(days=2)
    for used, is_noted in ((None, True), (long_ago, True), (timezone.now() - timedelta(seconds=1), False)):
        Token.objects.update(used=used)
        tokens.account_of(token)
        found = Token.objects.get().used
        assert (found != used) is is_noted


def test_a_use_that_cannot_be_noted_is_answered_all_the_same(
    curator: tuple[User, Client], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = tokens.make("cora", "often")

    def full(*_: object, **__: object) -> int:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(QuerySet, "update", full)
    assert tokens.account_of(token) == curator[0]
    assert "database or disk is full" in caplog.text


def test_a_name_is_given_once(curator: tuple[User, Client]) -> None:
    tokens.make("cora", "often")
    with pytest.raises(SettingError, match="has a token 'often' already"):
        tokens.make("cora", "often")
    assert Token.objects.count() == 1


def test_spaces_around_a_name_are_no_part_of_it(curator: tuple[User, Client]) -> None:
    user, _ = curator
    tokens.make(user.get_username(), " notebook ")
    assert list(tokens.of_account(user).values_list("name", flat=True)) == ["notebook"]
    tokens.remove(user.get_username(), "notebook")
