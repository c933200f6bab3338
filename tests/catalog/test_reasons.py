"""Why somebody changed a record: asked in its form, kept in the history, and never left behind on the way there."""

from __future__ import annotations

import pytest
from django.test import Client

from ingest.documents import ADMINISTRATIVE
from tests.catalog.forms import Form, form_of, open_form
from tests.catalog.hostile import see
from tests.catalog.recorded import Past
from tests.catalog.test_form_concurrency import merge_form
from tests.catalog.test_history import DATASET, LIST
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db(transaction=True)


def reasons(past: Past) -> list[str]:
    """The reasons of all commits, the newest first; "" where none was given."""
    told = past.git("log", "--format=%(trailers:key=Reason,valueonly,separator=%x20)|")
    return [line.rstrip("|") for line in told.splitlines()]


def test_a_reason_is_kept_with_the_save_it_was_given_for(curator: Client, tree: Tree, past: Past) -> None:
    form = open_form(curator, "dataset", DATASET)
    assert form.sent["reason"] == ""
    again = form.press("save", **{"/dataset_title": "Two", "reason": " The first was a working title \n"})
    assert reasons(past) == ["The first was a working title", ""]
    assert past.git("log", "-1", "--format=%an %(trailers:key=Trigger,valueonly)").strip() == "curator form"
    assert "Why: The first was a working title" in see(curator, LIST).words
    assert again.sent["reason"] == ""
    again.press("save", **{"/dataset_title": "Three"})
    assert reasons(past)[0] == ""
    open_form(curator, "dataset", DATASET).press("save", **{"/dataset_title": "Four", "reason": "x" * 900})
    assert reasons(past)[0] == "x" * 300


def test_what_is_saved_in_part_takes_its_reason_along(curator: Client, tree: Tree, past: Past) -> None:
    form = open_form(curator, "dataset", DATASET).press("add:/creators")
    wrong = {"/creators/0/name": "J. Carberry", "/creators/0/orcid": "0000-0002-1825-0098"}
    kept = form.press("save", **{"/dataset_title": "Two", **wrong, "reason": "Because"})
    assert reasons(past)[0] == "Because"
    assert "Saved, except 1 field." in kept.text
    assert kept.sent["reason"] == ""


def test_a_reason_waits_with_what_is_not_saved(curator: Client, tree: Tree, past: Past) -> None:
    form = open_form(curator, "dataset", DATASET)
    more = form.press("add:/creators", reason="Because")
    assert more.sent["reason"] == "Because"
    assert len(reasons(past)) == 1


def test_a_reason_comes_through_two_versions(curator: Client, tree: Tree, past: Past) -> None:
    first, second = (open_form(curator, "dataset", DATASET) for _ in range(2))
    first.press("save", **{"/dataset_title": "Theirs"})
    conflict = second.press("save", **{"/dataset_title": "Mine", "reason": "Mine is better"})
    assert conflict.response.status_code == 412
    merge_form(conflict).press("merge", **{"choice-0": "mine"})
    assert reasons(past)[0] == "Mine is better"
    assert tree.document("p_Alpha/plate_1", ADMINISTRATIVE).read_text().count("Mine") == 1


def test_a_reason_alone_changes_nothing(curator: Client, tree: Tree, past: Past) -> None:
    done: Form = open_form(curator, "dataset", DATASET).press("save", reason="Nothing really")
    assert "Nothing had changed" in done.text
    assert len(reasons(past)) == 1
    assert form_of(curator, done.address, done.response).sent["reason"] == ""
