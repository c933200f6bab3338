"""The second factor: set up, asked for, shown, lost; and what a password alone is not enough for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from catalog import accounts
from tests.catalog.hostile import see

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/profile/second-factor/"


@pytest.fixture
def ada(django_user_model: Any) -> User:
    user: User = django_user_model.objects.create_user("ada")
    return user


def code_of(user: User, *, later: int = 0) -> str:
    """What the app shows, now or so many steps later."""
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, later):06}"


def wait_for_codes() -> None:
    """The same as waiting until the throttle and the used step are over."""
    TOTPDevice.objects.update(last_t=-1, throttling_failure_timestamp=timezone.now() - timedelta(days=1))


@pytest.fixture
def grace() -> tuple[Client, User]:
    """An administrator who is signed in by password."""
    made = accounts.add("grace", "admin")
    client = Client()
    client.post("/login/", {"username": "grace", "password": made.password})
    return client, accounts.named("grace")


def set_up(client: Client, user: User) -> list[str]:
    """Sets a second factor up; answers the recovery codes."""
    client.post(PAGE, {"do": "begin"})
    answer = client.post(PAGE, {"do": "confirm", "code": code_of(user)})
    codes = re.findall(r"\b[a-z2-9]{5}-[a-z2-9]{5}\b", answer.content.decode())
    assert len(codes) == 10
    return codes


def again(user: User) -> Client:
    """Another browser of the same person, signed in by password only."""
    client = Client()
    client.force_login(user)
    wait_for_codes()
    return client


def test_the_admin_asks_for_no_second_factor_unless_told_to(grace: tuple[Client, User]) -> None:
    assert grace[0].get("/admin/").status_code == 200


def test_where_it_is_asked_for_the_admin_is_closed_until_one_is_shown(
    grace: tuple[Client, User], settings: Settings
) -> None:
    settings.FAIRFOLDER_ADMIN_SECOND_FACTOR = True
    client, user = grace
    assert client.get("/admin/auth/user/")["Location"] == f"{PAGE}?next=/admin/auth/user/"
    assert client.post("/admin/auth/user/add/", {"username": "x"}).status_code == 302
    assert client.get("/").status_code == 200
    assert "needs a second factor" in see(client, PAGE).words
    client.post(PAGE, {"do": "begin"})
    words = see(client, PAGE).words
    assert "otpauth://totp/Fairfolder" in words
    assert client.post(PAGE, {"do": "confirm", "code": "000000"}).status_code == 400
    assert client.get("/admin/").status_code == 302
    wait_for_codes()
    before = client.cookies["fairfolder_session"].value
    set_up(client, user)
    assert client.cookies["fairfolder_session"].value != before
    assert client.get("/admin/").status_code == 200
    assert "10 recovery codes are left" in see(client, PAGE).words


def test_who_set_one_up_is_asked_for_it_in_each_session(grace: tuple[Client, User]) -> None:
    set_up(*grace)
    fresh = again(grace[1])
    assert fresh.get("/admin/").status_code == 302
    answer = fresh.post(PAGE, {"do": "check", "code": code_of(grace[1]), "next": "/admin/auth/user/"})
    assert answer["Location"] == "/admin/auth/user/"
    assert fresh.get("/admin/").status_code == 200


def test_a_code_is_good_once_and_wrong_ones_are_slowed_down(grace: tuple[Client, User]) -> None:
    set_up(*grace)
    fresh, user = again(grace[1]), grace[1]
    code = code_of(user)
    assert fresh.post(PAGE, {"do": "check", "code": code}).status_code == 302
    assert again_with_code_used(user, code).status_code == 400
    wait_for_codes()
    other = Client()
    other.force_login(user)
    assert other.post(PAGE, {"do": "check", "code": "not a code"}).status_code == 400
    assert other.post(PAGE, {"do": "check", "code": "123456"}).status_code == 400
    hurried = other.post(PAGE, {"do": "check", "code": code_of(user)})
    assert (hurried.status_code, "wait" in hurried.content.decode()) == (400, True)
    assert other.get("/admin/").status_code == 302


def again_with_code_used(user: User, code: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(PAGE, {"do": "check", "code": code})


def test_recovery_codes_are_good_once_and_kept_as_hashes(grace: tuple[Client, User]) -> None:
    codes = set_up(*grace)
    kept = " ".join(StaticToken.objects.values_list("token", flat=True))
    assert [code for code in codes if code in kept or code.replace("-", "") in kept] == []
    fresh = again(grace[1])
    assert fresh.post(PAGE, {"do": "check", "code": f" {codes[0].upper()} "}).status_code == 302
    assert fresh.get("/admin/").status_code == 200
    assert again(grace[1]).post(PAGE, {"do": "check", "code": codes[0]}).status_code == 400
    new = fresh.post(PAGE, {"do": "renew"}).content.decode()
    assert codes[1] not in new
    assert fresh.get("/admin/").status_code == 200


def test_a_password_alone_changes_nothing_of_a_second_factor(grace: tuple[Client, User]) -> None:
    set_up(*grace)
    thief = again(grace[1])
    before = list(TOTPDevice.objects.values()) + list(StaticToken.objects.values())
    for do in ("begin", "renew", "off", "confirm"):
        thief.post(PAGE, {"do": do, "code": code_of(grace[1])})
    assert list(TOTPDevice.objects.values()) + list(StaticToken.objects.values()) == before
    assert "otpauth" not in see(thief, PAGE).words


def test_a_secret_that_was_begun_is_told_to_no_other_session(grace: tuple[Client, User]) -> None:
    client, user = grace
    thief = again(user)
    thief.post(PAGE, {"do": "begin"})
    known = TOTPDevice.objects.get(user=user).key
    thief.get(PAGE)
    client.post(PAGE, {"do": "begin"})
    assert TOTPDevice.objects.get(user=user).key != known
    assert "otpauth" not in see(thief, PAGE).words
    assert thief.post(PAGE, {"do": "confirm", "code": code_of(user)}).status_code == 400
    wait_for_codes()
    assert client.post(PAGE, {"do": "confirm", "code": code_of(user)}).status_code == 200
    assert list(TOTPDevice.objects.values_list("confirmed", flat=True)) == [True]


def test_it_is_taken_away_by_its_owner_or_by_the_command(grace: tuple[Client, User]) -> None:
    set_up(*grace)
    assert grace[0].post(PAGE, {"do": "off"}).status_code == 302
    assert (TOTPDevice.objects.count(), StaticToken.objects.count()) == (0, 0)
    assert grace[0].get("/admin/").status_code == 200


def test_the_code_of_another_person_is_no_way_in(grace: tuple[Client, User], ada: User) -> None:
    set_up(*grace)
    client = Client()
    client.force_login(ada)
    client.post(PAGE, {"do": "check", "code": code_of(grace[1])})
    device = TOTPDevice.objects.get(user=grace[1])
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session.save()
    assert "not set up" not in see(client, PAGE).words
    assert "you have shown it" not in see(client, PAGE).words


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_it_leads_to_no_foreign_site(grace: tuple[Client, User], target: str) -> None:
    set_up(*grace)
    answer = again(grace[1]).post(PAGE, {"do": "check", "code": code_of(grace[1]), "next": target})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
