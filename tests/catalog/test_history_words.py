"""Differences in words: rows compared with the rows they were, long texts around what changed, files by name."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from catalog.editing import fields
from catalog.history import manifests
from catalog.history.differences import Words, differences
from ingest.documents import ADMINISTRATIVE
from ingest.merging import paired
from ingest.schema import SchemaSet
from tests.catalog.tree import entry

ADA, BOB = {"@type": "Person", "name": "Ada", "orcid": "x"}, {"@type": "Person", "name": "Bob"}


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    words = Words(fields.tree(SchemaSet(), ADMINISTRATIVE), {"associated_project_identifier": "Project"})
    return [(each.place, each.before, each.after) for each in differences(words, old, new)]


def test_rows_are_compared_with_the_rows_they_were() -> None:
    found = told({"creators": [ADA, BOB]}, {"creators": [{**BOB, "email": "b@x"}, {**ADA, "name": "Ada L."}]})
    assert found == [
        ("Creators, entry 1, E-mail", "nothing", "b@x"),
        ("Creators, entry 2, Name", "Ada", "Ada L."),
        ("Creators", "the same entries", "the same entries in another order"),
    ]
    assert told({"creators": [ADA, BOB]}, {"creators": [BOB]}) == [
        ("Creators, entry 1", "Name: Ada; ORCID: x", "nothing")
    ]
    assert paired(["a", "b", "c"], ["c", "d", "a"]) == [(2, 0), (None, 1), (0, 2), (1, None)]


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        (1, "1", "1 (number)", "1 (text)"),
        (1, True, "1", "yes"),
        (None, "", "null", "empty text"),
        ([], {}, "empty list", "empty group"),
        ("x" * 5_000, "x" * 4_999 + "y", f"… {'x' * 61}", f"… {'x' * 60}y"),
        ("", "y" * 300, "empty text", "y" * 300),
    ],
)
def test_two_values_that_differ_never_look_alike(old: Any, new: Any, before: str, after: str) -> None:
    assert told({"odd_key": old}, {"odd_key": new}) == [("Odd key", before, after)]


def test_of_a_long_list_only_what_came_and_went_is_told() -> None:
    old = [f"word {number}" for number in range(30)]
    assert told({"keywords": old}, {"keywords": [*old[1:], "new"]}) == [
        ("Keywords", "30 entries, among them: word 0", "30 entries, among them: new")
    ]
    ((_, before, after),) = told({"keywords": old}, {"keywords": old[::-1]})
    assert (before, after) == ("the same entries", "the same entries in another order")


def test_stamps_are_no_difference_and_system_fields_have_their_titles() -> None:
    assert told({"last_modified_by": "a", "@id": "x"}, {"last_modified_by": "b", "@id": "x"}) == []
    assert told({"associated_project_identifier": "a"}, {}) == [("Project", "a", "nothing")]


def test_an_identity_the_store_gave_is_no_change_of_what_somebody_wrote() -> None:
    minted = {"@id": "urn:uuid:1", **ADA}
    for old, new in (
        ({"creators": [{"name": "Ada", "orcid": "x"}]}, {"creators": [minted]}),
        ({"creators": [minted]}, {"creators": [{**minted, "@id": "urn:uuid:2"}]}),
        (
            {"publisher": {"name": "U"}},
            {"publisher": {"@id": "https://ror.org/1", "@type": "Organization", "name": "U"}},
        ),
    ):
        assert told(old, new) == []
        assert told(new, old) == []
    assert told({"creators": [ADA]}, {"creators": [{**minted, "name": "Ada L."}]}) == [
        ("Creators, entry 1, Name", "Ada", "Ada L.")
    ]
    kind = {"creators": [{"@type": "Organization", "name": "Ada"}]}
    assert told({"creators": [{"@type": "Person", "name": "Ada"}]}, kind) != []


def lines(*entries: dict[str, Any]) -> list[bytes]:
    return [orjson.dumps(each) for each in entries]


def test_files_are_counted_and_the_first_named() -> None:
    old = [entry(f"f{number:03}.csv") for number in range(128)]
    new = [{**each, "number_of_records": 7} if number < 3 else each for number, each in enumerate(old)]
    found = manifests.files(lines(*old), lines(*new))
    assert found.sentence == "128 files described: 3 changed"
    assert [each.path for each in found.named] == ["f000.csv", "f001.csv", "f002.csv"]
    assert found.named[0].words == "is described otherwise (number of records)"
    many = manifests.files(lines(), lines(*old))
    assert (many.sentence, len(many.named), many.left_out) == ("128 files described: 128 added", 50, 78)


def test_what_became_of_a_file_is_told_in_words() -> None:
    was = entry("a.csv")
    cases = (
        ({"path": "b/a.csv"}, "was moved from a.csv"),
        ({"state": "missing", "missing_since": "x"}, "is missing"),
        ({"data_object_version": "V2", "run_id": "x"}, "became version 2, as part of a complete run"),
        ({"modified_utc": "x"}, "was looked at again"),
        ({"size_bytes": 5, "checksum": {"value": "x"}}, "has other content (4.10 kB before, 5 B now)"),
    )
    for change, words in cases:
        (named,) = manifests.files(lines(was), lines({**was, **change})).named
        assert named.words == words
    assert manifests.files([b"{broken", b"[1]", b"3"], []).removed == 3
