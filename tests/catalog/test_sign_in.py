"""Signing in: how often one may fail, what a failure tells, what a session is worth."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client, RequestFactory
from pytest_django import Settings

from catalog import accounts, attempts
from tests.catalog.hostile import Page, see
from tests.catalog.service import CHECKOUT, Service

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a long enough password"
REAL_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]


@pytest.fixture
def ada(django_user_model: Any) -> User:
    user: User = django_user_model.objects.create_user("ada", password=PASSWORD)
    return user


@pytest.fixture
def few(settings: Settings) -> int:
    """A limit that is reached quickly."""
    settings.AXES_FAILURE_LIMIT = 3
    return 3


def sign_in(name: str = "ada", password: str = "wrong", client: Client | None = None, **more: Any) -> Any:
    return (client or Client()).post("/login/", {"username": name, "password": password}, **more)


def pass_minutes(minutes: float) -> None:
    """The same as waiting."""
    for each in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=each.pk).update(attempt_time=each.attempt_time - timedelta(minutes=minutes))


# --- how often one may fail -------------------------------------------------------------------------------------


def test_a_name_that_failed_too_often_must_wait_and_is_told_how_long(ada: User, few: int) -> None:
    assert [sign_in().status_code for _ in range(few - 1)] == [200] * (few - 1)
    refused = sign_in()
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    words = Page(refused.content.decode()).words
    assert "Too many failed sign-ins" in words
    assert "Try again in 15 minutes" in words
    assert sign_in(password=PASSWORD).status_code == 429
    pass_minutes(10)
    assert "Try again in 5 minutes" in Page(sign_in().content.decode()).words
    pass_minutes(5.1)
    assert sign_in(password=PASSWORD).status_code == 302


def test_going_on_to_try_does_not_make_the_wait_longer(ada: User, few: int) -> None:
    for _ in range(few):
        sign_in()
    pass_minutes(14)
    assert [sign_in().status_code for _ in range(5)] == [429] * 5
    pass_minutes(1.1)
    assert sign_in(password=PASSWORD).status_code == 302


def test_another_browser_or_address_is_no_way_round_for_a_name(ada: User, few: int) -> None:
    for number in range(few):
        sign_in(REMOTE_ADDR=f"192.0.2.{number}", HTTP_USER_AGENT=f"browser {number}")
    assert sign_in(password=PASSWORD, REMOTE_ADDR="198.51.100.7", HTTP_USER_AGENT="fresh").status_code == 429


def test_the_name_is_counted_as_it_is_understood(ada: User, few: int) -> None:
    for name in (" ada", "ada ", "ａｄａ"):
        sign_in(name)
    assert sign_in(password=PASSWORD).status_code == 429


def test_an_address_that_tries_many_names_must_wait_while_others_get_in(ada: User, few: int) -> None:
    for number in range(few * attempts.SHARED_BY):
        sign_in(f"name{number}", REMOTE_ADDR="192.0.2.9")
    assert sign_in(password=PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 429
    assert sign_in(password=PASSWORD, REMOTE_ADDR="192.0.2.10").status_code == 302


def test_a_success_in_between_does_not_start_the_count_anew(ada: User, few: int) -> None:
    accounts.add("eve")
    for number in range(few * attempts.SHARED_BY):
        sign_in(f"name{number}", REMOTE_ADDR="192.0.2.9")
        if number % 5 == 0:
            sign_in(password=PASSWORD, REMOTE_ADDR="192.0.2.9")
    assert sign_in(password=PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 429


def test_who_got_in_has_all_tries_again(ada: User, few: int) -> None:
    for _ in range(3):
        assert [sign_in().status_code for _ in range(few - 1)] == [200] * (few - 1)
        assert sign_in(password=PASSWORD).status_code == 302


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_every_door_is_the_same_one(ada: User, few: int, door: str) -> None:
    client = Client()
    for _ in range(few):
        client.post(door, {"username": "ada", "password": "wrong"}, follow=True)
        sign_in(client=client)
    assert sign_in(password=PASSWORD).status_code == 429
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/login/?next=/admin/"


def test_a_new_password_or_being_enabled_ends_the_wait(ada: User, few: int) -> None:
    for _ in range(few):
        sign_in()
    accounts.allow("ada", allowed=True)
    assert sign_in(password=PASSWORD).status_code == 302
    for _ in range(few):
        sign_in()
    assert sign_in(password=accounts.renew("ada").password).status_code == 302


def test_no_password_and_no_token_is_kept_of_a_failure(ada: User) -> None:
    sign_in(password="nearly my password", HTTP_REFERER="/x")
    kept = str(list(AccessAttempt.objects.values()))
    assert "nearly" not in kept
    assert "csrfmiddlewaretoken=" not in kept.replace("csrfmiddlewaretoken=*", "")


# --- where a request comes from ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "found"),
    [
        (0, "", "192.0.2.1", "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.9", "192.0.2.1", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "192.0.2.1", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.2", "192.0.2.1", "203.0.113.9"),
        (2, "10.0.0.2", "192.0.2.1", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1", "192.0.2.1"),
        (1, "", "192.0.2.1", "192.0.2.1"),
        (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (0, "", "::ffff:192.0.2.7", "192.0.2.7"),
        (0, "", "", None),
    ],
)
def test_only_what_our_own_proxies_saw_is_believed(
    settings: Settings, proxies: int, forwarded: str, remote: str, found: str | None
) -> None:
    settings.FAIRFOLDER_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert attempts.address(request) == found


def test_a_forged_forwarded_address_is_no_way_round(ada: User, few: int) -> None:
    for number in range(few * attempts.SHARED_BY):
        sign_in(f"name{number}", REMOTE_ADDR="192.0.2.9", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    spoofed = sign_in(password=PASSWORD, REMOTE_ADDR="192.0.2.9", HTTP_X_FORWARDED_FOR="203.0.113.250")
    assert spoofed.status_code == 429


# --- what a failure tells ---------------------------------------------------------------------------------------


def test_an_account_that_is_not_there_is_told_of_in_the_same_words(ada: User, few: int) -> None:
    User.objects.create_user("closed", password=PASSWORD, is_active=False)
    told: dict[str, list[tuple[int, str]]] = {}
    for name in ("ada", "closed", "nobody"):
        answers = [sign_in(name, "wrong", REMOTE_ADDR=f"192.0.2.{len(name)}") for _ in range(few + 1)]
        blurred = [re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in answers]
        told[name] = [(answer.status_code, text) for answer, text in zip(answers, blurred, strict=True)]
    assert told["ada"] == told["nobody"] == told["closed"]
    right = sign_in("closed", PASSWORD, REMOTE_ADDR="198.51.100.1")
    assert right.status_code == 429


def test_an_account_that_is_not_there_takes_as_long(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed once, which is nearly all that signing in takes, whoever asks."""
    settings.PASSWORD_HASHERS = REAL_HASHERS
    hashed: list[int] = []
    true_encode = PBKDF2PasswordHasher.encode

    def encode(hasher: PBKDF2PasswordHasher, password: str, salt: str, iterations: int | None = None) -> str:
        hashed.append(iterations or hasher.iterations)
        return true_encode(hasher, password, salt, 1)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    settings.AXES_FAILURE_LIMIT = 1_000
    User.objects.create_user("ada", password=PASSWORD)
    User.objects.create_user("closed", password=PASSWORD, is_active=False)
    unusable = User.objects.create_user("unusable")
    unusable.set_unusable_password()
    unusable.save()
    spent = {}
    for name in ("ada", "nobody", "closed", "unusable"):
        hashed.clear()
        assert sign_in(name).status_code == 200
        spent[name] = sum(hashed)
    assert spent == dict.fromkeys(spent, PBKDF2PasswordHasher.iterations)


# --- what a session is worth ------------------------------------------------------------------------------------


def test_a_session_that_someone_planted_is_worth_nothing_after_signing_in(ada: User) -> None:
    client = Client()
    client.session.save()
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["fairfolder_session"] = session.session_key or ""
    sign_in(password=PASSWORD, client=client)
    assert client.cookies["fairfolder_session"].value != session.session_key
    victim = Client()
    victim.cookies["fairfolder_session"] = session.session_key or ""
    assert victim.get("/").status_code == 302


def test_signing_out_and_a_new_password_end_the_session(ada: User) -> None:
    client = Client()
    sign_in(password=PASSWORD, client=client)
    stolen = Client()
    stolen.cookies["fairfolder_session"] = client.cookies["fairfolder_session"].value
    assert stolen.get("/").status_code == 200
    client.post("/logout/")
    assert stolen.get("/").status_code == 302
    sign_in(password=PASSWORD, client=client)
    accounts.renew("ada")
    assert client.get("/").status_code == 302


def test_people_change_their_own_password_when_they_know_the_old_one(ada: User) -> None:
    client = Client()
    sign_in(password=PASSWORD, client=client)
    see(client, "/profile/password/")

    def change(old: str, new: str) -> Any:
        return client.post("/profile/password/", {"old_password": old, "new_password1": new, "new_password2": new})

    assert change("wrong", "another long password").status_code == 200
    User.objects.filter(pk=ada.pk).update(last_name="Lovelace")
    for weak in ("short", "12345678901", "password123", "Lovelace1"):
        assert change(PASSWORD, weak).status_code == 200, weak
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    assert change(PASSWORD, "another long password").status_code == 302
    ada.refresh_from_db()
    assert ada.check_password("another long password")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example"])
def test_a_foreign_host_name_is_refused(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    answer = Client().get("/login/", HTTP_HOST=host)
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()


# --- the settings of a public service ---------------------------------------------------------------------------


PUBLIC = {
    "FAIRFOLDER_HTTPS": "1",
    "FAIRFOLDER_SECRET_KEY": "".join(chr(33 + n) for n in range(64)),
    "FAIRFOLDER_ALLOWED_HOSTS": "data.example.org",
    "FAIRFOLDER_PROXIES": "1",
    "FAIRFOLDER_ADMIN_SECOND_FACTOR": "1",
}


def test_a_service_behind_https_has_nothing_that_django_advises_against(service: Service) -> None:
    checked = service.run("check", "--deploy", "--json", **PUBLIC)
    assert (checked.code, checked.value["settings"]) == (0, [])
    assert service.run("check", "--deploy").code == 1, "plain http is advised against"


def test_a_service_behind_https_says_so_to_browsers(service: Service) -> None:
    script = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from django.test import Client\n"
        "plain = Client().get('/login/', HTTP_HOST='data.example.org')\n"
        "safe = Client().get('/login/', HTTP_HOST='data.example.org', HTTP_X_FORWARDED_PROTO='https')\n"
        "cookie = safe.cookies['fairfolder_csrf']\n"
        "print(settings.DEBUG, plain.status_code, plain['Location'], safe['Strict-Transport-Security'],\n"
        "      cookie['secure'], cookie['httponly'], settings.SESSION_COOKIE_SECURE, safe['X-Frame-Options'])\n"
    )
    environment = service.environment(**PUBLIC, DJANGO_SETTINGS_MODULE="catalog.settings")
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    said = "False 301 https://data.example.org/login/ max-age=31536000 True True True DENY"
    assert done.stdout.strip() == said


def test_the_settings_as_they_come_have_no_fault() -> None:
    assert [message.id for message in run_checks() if not message.is_silenced()] == []


@pytest.mark.parametrize("wanting", ["FAIRFOLDER_SECRET_KEY", "FAIRFOLDER_ALLOWED_HOSTS"])
def test_an_address_that_others_reach_needs_a_key_and_names(service: Service, wanting: str) -> None:
    given = {"FAIRFOLDER_SECRET_KEY": "k" * 64, "FAIRFOLDER_ALLOWED_HOSTS": "data.example.org"}
    given.pop(wanting)
    answer = service.run("serve", "--host", "0.0.0.0", "--port", "8765", **given)
    assert (answer.code, answer.out, wanting in answer.err) == (2, "", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAIRFOLDER_PROXIES", "many"),
        ("FAIRFOLDER_PROXIES", "-1"),
        ("FAIRFOLDER_SIGN_IN_FAILURES", "0"),
        ("FAIRFOLDER_SIGN_IN_WAIT_MINUTES", "99999"),
        ("FAIRFOLDER_ADMIN_SECOND_FACTOR", "perhaps"),
    ],
)
def test_a_wrong_setting_of_the_sign_in_is_named(service: Service, name: str, value: str) -> None:
    answer = service.run("user", "list", **{name: value})
    assert (answer.code, name in answer.err, value in answer.err) == (2, True, True)
