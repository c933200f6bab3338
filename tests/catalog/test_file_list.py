"""The list of a dataset's files: complete while paging, in every order, and no dearer with 100,000 of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog import index
from tests.catalog.hostile import see
from tests.catalog.tree import Tree, entry

pytestmark = pytest.mark.django_db(transaction=True)


def walk(client: Client, address: str, way: str) -> Iterator[tuple[str, list[str]]]:
    while True:
        html = client.get(address).content.decode()
        yield address, re.findall(r'href="/files/([0-9a-f-]{36})/"', html)
        link = re.search(rf'rel="{way}" href="([^"]+)"', html)
        if link is None:
            return
        address = address.split("?")[0] + unescape(link[1])


@pytest.mark.parametrize("sort", ["path", "type", "size", "modified"])
@pytest.mark.parametrize("order", ["", "down"])
def test_paging_shows_each_file_once_in_order_and_back(reader: Client, tree: Tree, sort: str, order: str) -> None:
    kinds = ("text/csv", "image/tiff", "x/y")
    entries = [
        entry(
            f"d{n % 7}/f{n}",
            n % 11 + 1,
            kinds[n % 3],
            modified_utc=None if n % 13 == 0 else f"2026-01-{n % 9 + 1:02}T00:00:00Z",
        )
        for n in range(321)
    ]
    number = tree.dataset(entries=entries)
    index.refresh(tree.documents())
    pages = list(walk(reader, f"/datasets/{number}/files/?sort={sort}&order={order}", "next"))
    shown = [each for _, files in pages for each in files]
    assert len(shown) == len(set(shown)) == 321
    keys = {each["file_identifier"]: each for each in entries}
    column = {"path": "path", "type": "mime_type", "size": "size_bytes", "modified": "modified_utc"}[sort]
    values = [keys[each][column] or "" for each in shown]
    if sort == "type":
        values = [keys[each]["format"]["name"] for each in shown]
    assert values == sorted(values, reverse=bool(order))
    back = list(walk(reader, pages[-1][0], "prev"))
    assert [files for _, files in reversed(back)] == [files for _, files in pages]


def test_filters_hold_while_paging(reader: Client, tree: Tree) -> None:
    entries = [
        entry(f"{'keep' if n % 2 else 'drop'}_{n}.csv", n, state="missing" if n % 3 else "present") for n in range(700)
    ]
    number = tree.dataset(entries=entries)
    index.refresh(tree.documents())
    question = "name=KEEP&state=missing&type=CSV&sort=size&order=down"
    shown = [each for _, files in walk(reader, f"/datasets/{number}/files/?{question}", "next") for each in files]
    wanted = [e["file_identifier"] for e in reversed(entries) if "keep" in e["path"] and e["state"] == "missing"]
    assert shown == wanted
    assert "No file fits" in see(reader, f"/datasets/{number}/files/?name=%25").words


def test_a_hundred_thousand_files_cost_no_more_questions_than_one(
    reader: Client, tree: Tree, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    number = tree.dataset(entries=[entry(f"plate{n // 1000}/w{n:06}.csv", n) for n in range(100_000)])
    index.refresh(tree.documents())
    for question in ("", "?sort=size&order=down", "?name=w099999", "?sort=modified"):
        with django_assert_max_num_queries(10):  # two of them: who asks, and what they may see
            page = see(reader, f"/datasets/{number}/files/{question}")
        assert len(page.words) < 50_000
    assert "1–100 of 100,000 files" in see(reader, f"/datasets/{number}/files/").words
    # Who asks and what they may see, the record, its review, first files and runs, what its charts and picture show.
    with django_assert_max_num_queries(21):
        see(reader, f"/datasets/{number}/")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("sort=colour", "sort is 'colour'; it must be one of path, type, size, modified."),
        ("state=gone", "state is 'gone'; it must be one of present, missing, changed."),
        ("at=nonsense", "The page marker 'nonsense' is not one of ours"),
        ("at=WzEsZmFsc2Vd", "is not one of ours"),
        ("at=" + "A" * 3_000, "is not one of ours"),
        ("sort=size&at=WzEsZmFsc2UsIngiLCJhIiwxXQ", "is not one of ours"),
        ("at=W10", "is not one of ours"),
        ("at=e30", "is not one of ours"),
        ("at=%00", "is not one of ours"),
    ],
)
def test_a_question_that_cannot_be_asked_is_answered_in_a_sentence(
    reader: Client, tree: Tree, question: str, sentence: str
) -> None:
    number = tree.dataset(entries=[entry("a.csv")])
    index.refresh(tree.documents())
    assert sentence in see(reader, f"/datasets/{number}/files/?{question}", 400).words
