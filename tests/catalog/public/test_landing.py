"""The landing page: for strangers, whole, and harmless whatever a record says."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.test import Client

from catalog.pages import values
from tests.catalog.public.shown import Shown


def test_a_stranger_reads_the_page_without_signing_in(shown: Shown, client: Client) -> None:
    answer = client.get(shown.page)
    assert answer.status_code == 200
    html = answer.content.decode()
    for words in (
        "Images and cell counts of heat-shocked seedlings, replicate 1",
        "Confocal images of Arabidopsis",
        'href="https://orcid.org/0000-0002-1825-0097"',
        "Creative Commons Attribution 4.0 International",
        "Anyone may download the files.",
        "Carberry J, Okafor A (2026)",
        "counts.csv",
        "Research Data Desk",
        "Heat shock response in plants",
        "Cells under heat",
    ):
        assert words in html, words
    assert "set-cookie" not in {name.lower() for name in answer.headers}


def test_the_page_holds_schema_org_that_says_what_the_format_says(shown: Shown, client: Client) -> None:
    html = client.get(shown.page).content.decode()
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    embedded = json.loads(block)
    whole = json.loads(client.get(f"{shown.page}.schemaorg.jsonld").content)
    assert embedded == whole


def test_every_format_is_answered(shown: Shown, client: Client) -> None:
    from catalog.formats.table import FORMATS

    for each in FORMATS:
        answer = client.get(f"{shown.page}.{each.suffix}")
        assert answer.status_code == 200, each.name
        assert answer["Content-Type"] == each.content_type
        assert len(answer.content) > 100


@pytest.mark.parametrize("level", ["restricted", "embargoed"])
def test_what_is_not_open_says_whom_to_ask(shown: Shown, client: Client, level: str) -> None:
    shown.restrict(level, embargo_end_date="2027-06-01") if level == "embargoed" else shown.restrict(level)
    html = client.get(shown.page).content.decode()
    assert "data@example.org" in html
    assert not re.search(r'href="[^"]*/id/file/', html)
    assert "contentUrl" not in html


def test_a_word_of_a_list_is_shown_as_people_write_it() -> None:
    [fact] = values.facts({"run_type": "wet_lab"}, {})
    assert fact.node == values.Text("wet lab")


def test_where_the_page_is_shared_it_is_shown_by_its_title_and_summary(shown: Shown, client: Client) -> None:
    """Open Graph, escaped like everything else."""
    title = 'Cells "under" <heat> & light'
    shown.publish(dataset_title=title, dataset_abstract=f"{title}, as counted in images of seedlings after a shock.")
    html = client.get(shown.page).content.decode()
    told = {name: unescape(text) for name, text in re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', html)}
    assert told["type"] == "website"
    assert told["title"] == title
    assert told["description"].startswith(title)
    assert told["url"] == f"http://127.0.0.1:8000{shown.page}"
    assert told["site_name"]
