"""Deciding which folder is which: pure, so every case is a table."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ingest.places import Decision, FolderFound, Verdict, decide
from ingest.rows import PlaceRow

A, B = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000"
SECOND = 1_000_000_000


def found(path: str, identifier: str = "", ino: int = 0, age: int = 0, **more: object) -> FolderFound:
    kind = "dataset" if "/" in path else "project"
    return FolderFound(kind, path, 1, ino or abs(hash(path)), identifier, age_ns=age, **more)  # type: ignore[arg-type]


def known(path: str, identifier: str, ino: int, *, gone: bool = False) -> PlaceRow:
    return PlaceRow(ino, "dataset" if "/" in path else "project", path, 1, ino, identifier, gone)


def verdicts(decisions: list[Decision]) -> dict[str, tuple[Verdict, str]]:
    return {d.path: (d.verdict, d.identifier) for d in decisions}


def test_a_folder_without_documents_is_new() -> None:
    assert verdicts(decide([found("p_X/d")], [], {})) == {"p_X/d": (Verdict.NEW, "")}


def test_a_folder_with_documents_nobody_remembers_is_adopted() -> None:
    assert verdicts(decide([found("p_X/d", A)], [], {})) == {"p_X/d": (Verdict.ADOPTED, A)}


def test_a_folder_as_before_is_the_same() -> None:
    assert verdicts(decide([found("p_X/d", A, 5)], [known("p_X/d", A, 5)], {})) == {"p_X/d": (Verdict.SAME, A)}


def test_a_folder_at_another_path_has_moved() -> None:
    assert verdicts(decide([found("p_X/e", A, 5)], [known("p_X/d", A, 5)], {})) == {"p_X/e": (Verdict.MOVED, A)}
    assert verdicts(decide([found("p_X/e", A)], [], {A: "p_X/d"})) == {"p_X/e": (Verdict.MOVED, A)}


def test_a_missing_folder_that_is_back_has_returned() -> None:
    assert verdicts(decide([found("p_X/d", A, 9)], [known("p_X/d", A, 5, gone=True)], {})) == {
        "p_X/d": (Verdict.RETURNED, A)
    }


def test_a_folder_that_is_not_there_is_gone_once_and_only_when_it_was_looked_for() -> None:
    assert verdicts(decide([], [known("p_X/d", A, 5)], {})) == {"p_X/d": (Verdict.GONE, A)}
    assert decide([], [known("p_X/d", A, 5, gone=True)], {}) == []
    assert decide([], [known("p_X/d", A, 5)], {}, in_scope=["p_Y"]) == []


def test_a_folder_whose_documents_were_deleted_gets_its_identity_back() -> None:
    assert verdicts(decide([found("p_X/d", ino=5)], [known("p_X/d", A, 5)], {})) == {"p_X/d": (Verdict.REMADE, A)}
    incomplete = found("p_X/d", A, 5, incomplete=True)
    assert verdicts(decide([incomplete], [known("p_X/d", A, 5)], {})) == {"p_X/d": (Verdict.REMADE, A)}


def test_another_folder_under_an_old_name_is_new() -> None:
    decided = decide([found("p_X/d", ino=6)], [known("p_X/d", A, 5)], {})
    assert [(d.verdict, d.identifier) for d in decided] == [(Verdict.NEW, ""), (Verdict.GONE, A)]


def test_of_two_claims_the_inode_last_seen_decides_first() -> None:
    folders = [found("p_X/d", A, 7), found("p_X/e", A, 5)]
    assert verdicts(decide(folders, [known("p_X/d", A, 5)], {A: "p_X/d"})) == {
        "p_X/e": (Verdict.MOVED, A),
        "p_X/d": (Verdict.COPIED, ""),
    }


def test_of_two_claims_the_registrys_path_decides_second() -> None:
    folders = [found("p_X/e", A, 7, age=0), found("p_X/d", A, 8, age=9 * SECOND)]
    assert verdicts(decide(folders, [], {A: "p_X/d"})) == {
        "p_X/d": (Verdict.ADOPTED, A),
        "p_X/e": (Verdict.COPIED, ""),
    }


def test_of_two_claims_age_decides_last() -> None:
    folders = [found("p_X/e", A, 7, age=9 * SECOND), found("p_X/f", A, 8, age=0)]
    assert verdicts(decide(folders, [], {A: "p_X/d"})) == {
        "p_X/f": (Verdict.MOVED, A),
        "p_X/e": (Verdict.COPIED, ""),
    }


def test_when_nothing_decides_a_person_is_asked_about_both() -> None:
    folders = [found("p_X/e", A, 7, age=5), found("p_X/f", A, 8, age=0)]
    decided = decide(folders, [known("p_X/d", A, 5)], {A: "p_X/d"})
    assert verdicts(decided) == {"p_X/e": (Verdict.ASK, A), "p_X/f": (Verdict.ASK, A)}
    assert all("'p_X/e' and 'p_X/f' hold the same identifier" in d.reason for d in decided)


def test_a_copy_says_whose() -> None:
    (copied,) = [d for d in decide([found("p_X/d", A, 5), found("p_X/e", A, 6)], [known("p_X/d", A, 5)], {})
                 if d.verdict is Verdict.COPIED]  # fmt: skip
    assert copied.reason == A


def test_an_identifier_edited_by_hand_is_broken_not_a_new_identity() -> None:
    decided = decide([found("p_X/d", B, 5)], [known("p_X/d", A, 5)], {})
    assert verdicts(decided) == {"p_X/d": (Verdict.BROKEN, A)}
    assert f"from {A} to {B}" in decided[0].reason


def test_a_folder_that_cannot_be_read_is_broken_and_keeps_its_identity() -> None:
    decided = decide([found("p_X/d", broken="unreadable")], [known("p_X/d", A, 5)], {})
    assert verdicts(decided) == {"p_X/d": (Verdict.BROKEN, A)}


PATHS = st.sampled_from(["p_X/a", "p_X/b", "p_Y/a", "p_Y/b"])
FOLDERS = st.lists(
    st.builds(
        found,
        PATHS,
        st.sampled_from(["", A, B]),
        st.integers(1, 4),
        st.sampled_from([0, 9 * SECOND]),
        broken=st.sampled_from(["", "", "broken"]),
    ).map(lambda f: FolderFound(f.kind, f.path, 1, f.ino, "", broken=f.broken) if f.broken else f),
    unique_by=lambda f: f.path,
)
KNOWN = st.lists(
    st.builds(known, PATHS, st.sampled_from([A, B]), st.integers(1, 4), gone=st.booleans()),
    unique_by=lambda p: p.identifier,
)


@given(FOLDERS, KNOWN, st.dictionaries(st.sampled_from([A, B]), PATHS), st.randoms())
def test_whatever_is_found_each_folder_gets_one_verdict_and_no_identity_two_owners(
    folders: list[FolderFound], places: list[PlaceRow], registered: dict[str, str], random_: random.Random
) -> None:
    decided = decide(folders, places, registered)
    there = [d for d in decided if d.verdict is not Verdict.GONE]
    assert sorted(d.path for d in there) == sorted(f.path for f in folders)
    owners = [d.identifier for d in there if d.identifier and d.verdict not in (Verdict.ASK, Verdict.BROKEN)]
    assert len(owners) == len(set(owners))
    gone = {d.identifier for d in decided if d.verdict is Verdict.GONE}
    assert not gone & {d.identifier for d in there}
    shuffled = random_.sample(folders, len(folders))
    order = {d.path: d.verdict for d in decide(shuffled, places, registered) if d.verdict is not Verdict.GONE}
    if all(f.age_ns == 0 or f.ino for f in folders):
        assert order == {d.path: d.verdict for d in there}
