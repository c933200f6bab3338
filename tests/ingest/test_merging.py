"""Two changes of one document: disjoint ones never conflict, nothing of either side is lost."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest.merging import ABSENT, merge, resolve, same

leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0]) | st.text("ab", max_size=2)
keys = st.sampled_from(["name", "email", "@id", "orcid", "x", "rows", "unknown"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
documents = st.dictionaries(keys, values, max_size=5)


@given(documents, documents)
def test_where_one_side_did_nothing_the_other_stands(base: dict[str, Any], other: dict[str, Any]) -> None:
    assert same(merge(base, base, other).value, other)
    assert same(merge(base, other, base).value, other)
    assert same(merge(base, other, copy.deepcopy(other)).value, other)
    assert merge(base, base, other).conflicts == merge(base, other, base).conflicts == ()


@given(documents, documents, documents)
def test_each_decision_gives_a_side_in_full(base: Any, mine: Any, theirs: Any) -> None:
    merged = merge(base, mine, theirs)
    for conflict in merged.conflicts:
        assert not same(conflict.mine, conflict.theirs)
        assert not same(conflict.base, conflict.mine)
        assert not same(conflict.base, conflict.theirs)
    count = len(merged.conflicts)
    for decision in ([True] * count, [False] * count):
        assert isinstance(resolve(merged, decision), dict)


@given(documents, st.dictionaries(keys, values, max_size=3), st.dictionaries(keys, values, max_size=3), st.data())
def test_disjoint_changes_never_conflict(base: Any, mine: Any, theirs: Any, data: st.DataObject) -> None:
    own = {key: value for key, value in mine.items() if data.draw(st.booleans())}
    other = {key: value for key, value in theirs.items() if key not in own}
    merged = merge(base, {**base, **own}, {**base, **other})
    assert merged.conflicts == ()
    assert same(merged.value, {**base, **own, **other})


identified = st.fixed_dictionaries({"@id": st.uuids().map(str), "n": st.integers(0, 9)})


@given(st.lists(identified, min_size=1, max_size=6), st.data())
def test_rows_are_followed_by_their_identity(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    mine = data.draw(st.permutations(rows))
    edited = data.draw(st.integers(0, len(rows) - 1))
    theirs = [{**row, "more": "theirs"} if place == edited else row for place, row in enumerate(rows)]
    merged = merge({"creators": rows}, {"creators": list(mine)}, {"creators": theirs})
    wanted = [{**row, "more": "theirs"} if row["@id"] == rows[edited]["@id"] else row for row in mine]
    assert merged.conflicts == ()
    assert merged.value == {"creators": wanted}


@given(st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=6), st.data())
def test_words_added_and_removed_on_both_sides_all_count(words: list[str], data: st.DataObject) -> None:
    mine = [word for word in words if data.draw(st.booleans())] + ["mine"]
    theirs = [word for word in words if data.draw(st.booleans())] + ["theirs"]
    merged = merge(words, mine, theirs)
    kept = {word for word in words if word in mine and word in theirs}
    assert merged.conflicts == ()
    assert sorted(merged.value) == sorted([*kept, "mine", "theirs"])


def test_what_both_changed_differently_is_asked_and_lost_by_neither() -> None:
    base = {"title": "A", "people": [{"@id": "1", "name": "x"}, {"@id": "2", "name": "y"}], "gone": 1, "kept": [1, {}]}
    mine = {"title": "B", "people": [{"@id": "2", "name": "z"}, {"name": "new"}], "gone": 2, "kept": [1, {}]}
    theirs = {"title": "C", "people": [{"@id": "1", "name": "xx"}, {"@id": "2", "name": "y"}], "kept": [1, {}]}
    merged = merge(base, mine, theirs)
    told = {conflict.pointer: (conflict.base, conflict.mine, conflict.theirs) for conflict in merged.conflicts}
    assert told == {
        "/title": ("A", "B", "C"),
        "/people/0": ({"@id": "1", "name": "x"}, ABSENT, {"@id": "1", "name": "xx"}),
        "/gone": (1, 2, ABSENT),
    }
    order = [conflict.pointer for conflict in merged.conflicts]
    all_mine = resolve(merged, [True] * 3)
    assert same(all_mine, mine)
    mixed = resolve(merged, [pointer == "/people/0" for pointer in order])
    assert mixed == {"title": "C", "people": [{"@id": "2", "name": "z"}, {"name": "new"}], "kept": [1, {}]}


def test_a_row_that_only_its_place_tells_is_never_made_of_two_others() -> None:
    a, b, c = ({"title": title, "award_number": number} for title, number in (("A", "1"), ("B", "2"), ("C", "3")))
    noted = {**a, "award_title": "note on A"}
    merged = merge([a, b], [b, c], [noted, b])
    assert [(each.base, each.mine, each.theirs) for each in merged.conflicts] == [(a, c, noted)]
    assert resolve(merged, [True]) == [b, c]
    assert resolve(merged, [False]) == [b, noted]
    x, y = {"m": "x", "v": 1}, {"m": "y", "v": 1}
    merged = merge([x, y], [{**x, "v": 5}, y], [{"m": "q", "v": 1}])
    assert [(each.base, each.mine, each.theirs) for each in merged.conflicts] == [
        (x, {**x, "v": 5}, {"m": "q", "v": 1})
    ]


def test_a_row_that_only_its_place_tells_is_changed_by_one_side_without_a_question() -> None:
    x, y = {"m": "x", "v": 1}, {"m": "y", "v": 2}
    merged = merge([x, y], [{**x, "v": 5}, y], [x, {**y, "v": 6}])
    assert merged.conflicts == ()
    assert merged.value == [{**x, "v": 5}, {**y, "v": 6}]


def test_the_same_person_added_by_both_is_one() -> None:
    orcid = "https://orcid.org/0000-0002-1825-0097"
    mine, theirs = {"name": "J", "orcid": orcid}, {"name": "J", "email": "j@x", "orcid": orcid}
    merged = merge({}, {"creators": [mine]}, {"creators": [theirs]})
    assert merged.conflicts == ()
    assert merged.value == {"creators": [theirs]}


def test_numbers_and_yes_no_are_told_apart() -> None:
    assert not same(1, True)
    assert not same(1, 1.0)
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert merge({"a": 1}, {"a": True}, {"a": 1}).value["a"] is True


def test_long_lists_are_merged_in_a_moment() -> None:
    base = [f"plate{n}/a.tif" for n in range(20_000)]
    mine = [f"plate{n}/b.tif" for n in range(20_000)]
    merged = merge(base, mine, [*base, "late.tif"])
    assert merged.conflicts == ()
    assert sorted(merged.value) == sorted([*mine, "late.tif"])
    rows = [{"term": f"t{n}", "scheme": "x"} for n in range(3_000)]
    fewer = [{**row, "scheme": "y"} for row in rows[1:]]
    assert len(merge(rows, fewer, [*rows, {"term": "new"}]).value) >= 3_000
