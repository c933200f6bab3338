"""What a stranger is told who meets nothing: one sentence, and the way to what is public; programs get text."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from tests.catalog.public.shown import Shown

BASE = "http://127.0.0.1:8000"
NOTHING = "00000000-0000-4000-8000-000000000000"
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    "address",
    [f"/datasets/{NOTHING}", f"/id/file/{NOTHING}", f"/id/run/{NOTHING}", "/nothing/at/all", f"/id/what/{NOTHING}"],
)
def test_a_stranger_who_finds_nothing_is_led_to_the_catalog(shown: Shown, client: Client, address: str) -> None:
    answer = client.get(address, headers=PAGE)
    assert answer.status_code == 404
    html = answer.content.decode()
    assert f'href="{BASE}/datasets/"' in html
    assert 'role="search" action="/datasets/"' in html
    assert "To the projects" not in html
    assert "list of projects" not in html
    text = client.get(address, headers={"accept": "*/*"})
    assert (text.status_code, text["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert text.content.decode().startswith("There is nothing here. No ")
    assert f"All public datasets: {BASE}/datasets/" in text.content.decode()


def test_a_restricted_file_says_whom_to_ask_and_leads_to_its_dataset(shown: Shown, client: Client) -> None:
    shown.restrict("restricted")
    [path, *_] = shown.ids
    for headers, kind in ((PAGE, "text/html"), ({"accept": "*/*"}, "text/plain")):
        answer = client.get(shown.file(path), headers=headers)
        assert answer.status_code == 403
        assert answer["Content-Type"].startswith(kind)
        assert f"{BASE}{shown.page}" in answer.content.decode()
        assert "data@example.org" in answer.content.decode()


def test_whoever_is_signed_in_is_led_to_the_projects(shown: Shown, client: Client, django_user_model: object) -> None:
    client.force_login(django_user_model.objects.create_user("reader"))  # type: ignore[attr-defined]
    assert "To the projects" in client.get("/nothing/at/all", headers=PAGE).content.decode()


def test_before_anything_is_public_nothing_leads_to_a_catalog(unpublished: Shown, client: Client) -> None:
    assert "/datasets/" not in client.get("/nothing/at/all", headers=PAGE).content.decode()
    assert client.get("/datasets/").status_code == 302


@pytest.mark.parametrize("address", ["/id/dataset/{}", "/id/record/{}", "/datasets/{}?_mediatype=image/png"])
def test_a_program_that_accepts_nothing_of_it_gets_a_list_in_text(shown: Shown, client: Client, address: str) -> None:
    answer = client.get(address.format(shown.identifier), headers={"accept": "image/png"})
    assert (answer.status_code, answer["Content-Type"]) == (406, "text/plain; charset=utf-8")
    lines = answer.content.decode().splitlines()
    page = f"{BASE}{shown.page}"
    assert f"text/html {page}" in lines
    assert f'text/turtle; profile="http://data.europa.eu/r5r/" {page}.ttl' in lines
    assert f"application/x-bibtex {page}.bib" in lines
    assert f'<{page}.ttl>; rel="alternate"; type="text/turtle"' in answer["Link"]
    assert "Accept" in answer["Vary"]


def test_a_browser_that_asks_for_a_profile_there_is_not_gets_a_page(shown: Shown, client: Client) -> None:
    answer = client.get(f"{shown.page}?_profile=nonsense", headers=PAGE)
    assert (answer.status_code, answer["Content-Type"]) == (406, "text/html; charset=utf-8")


def test_every_public_page_leads_to_sparql_where_it_is_answered(
    shown: Shown, client: Client, settings: Settings
) -> None:
    pages = (shown.page, "/nothing", "/terms", f"{shown.page}?_profile=nonsense")
    for is_on in (True, False):
        settings.FAIRFOLDER_SPARQL = is_on
        for address in pages:
            assert ('href="/sparql"' in client.get(address, headers=PAGE).content.decode()) is is_on, address
