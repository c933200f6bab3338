"""While HEAD is not to be moved, actions wait in line; then each is made as it was: order, author, date and message.

FA-38: a detached HEAD, a merge, a rebase.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ingest.provenance.kept import ADMINISTRATIVE, Kept, stamped

pytestmark = pytest.mark.timeout(120)


def conflict(kept: Kept) -> None:
    """Two branches that cannot be merged by themselves; on ``trunk``."""
    kept.adopt()
    kept.git("checkout", "-q", "-b", "side")
    kept.put("notes.txt", "side\n")
    kept.git("commit", "-q", "-am", "Side")
    kept.git("checkout", "-q", "trunk")
    kept.put("notes.txt", "trunk\n")
    kept.git("commit", "-q", "-am", "Trunk")


def resolve(kept: Kept) -> None:
    kept.put("notes.txt", "both\n")
    kept.git("add", "notes.txt")


def merging(kept: Kept) -> Callable[[], object]:
    conflict(kept)
    kept.git("merge", "side", check=False)
    return lambda: (resolve(kept), kept.git("commit", "-q", "--no-edit"))


def rebasing(kept: Kept) -> Callable[[], object]:
    conflict(kept)
    kept.git("rebase", "side", check=False)
    return lambda: (resolve(kept), kept.git("rebase", "--continue"))


def picking(kept: Kept) -> Callable[[], object]:
    conflict(kept)
    kept.git("cherry-pick", "side", check=False)
    return lambda: (resolve(kept), kept.git("cherry-pick", "--continue"))


def reverting(kept: Kept) -> Callable[[], object]:
    conflict(kept)
    kept.git("revert", "--no-edit", "HEAD~1", check=False)
    return lambda: kept.git("revert", "--abort")


def applying(kept: Kept) -> Callable[[], object]:
    conflict(kept)
    patch = kept.git("format-patch", "-1", "--stdout", "side")
    kept.git("am", "-3", check=False, data=patch.encode())
    return lambda: kept.git("am", "--abort")


def bisecting(kept: Kept) -> Callable[[], object]:
    conflict(kept)
    kept.git("bisect", "start")
    return lambda: kept.git("bisect", "reset")


def detached(kept: Kept) -> Callable[[], object]:
    conflict(kept)
    kept.git("checkout", "-q", "--detach")
    return lambda: kept.git("checkout", "-q", "trunk")


SITUATIONS = [merging, rebasing, picking, reverting, applying, bisecting, detached]
WORDS = ["merge", "rebase", "cherry-pick", "revert", "rebase", "bisection", "detached"]


@pytest.mark.parametrize(("situation", "words"), list(zip(SITUATIONS, WORDS, strict=True)))
def test_actions_wait_and_are_made_one_by_one(
    kept: Kept, situation: Callable[[Kept], Callable[[], object]], words: str
) -> None:
    end = situation(kept)
    head, status = kept.git("rev-parse", "HEAD"), kept.status()
    for number, by in enumerate(("alice", "bob", "system:2")):
        kept.save(
            number, by=by, subject=f"Save {number}", moment=f"2026-03-0{number + 1}T10:00:00Z", reason=f"r{number}"
        )
    kept.save("other", subject="Save other", dataset="p_x/other")
    assert kept.git("rev-parse", "HEAD") == head
    assert [s for s in kept.status() if ".metadata" not in s] == status
    state = kept.recorder.state()
    assert state.pending == 4
    assert words in state.busy
    assert kept.recorder.catch_up() == 0
    end()
    before = kept.git("rev-parse", "HEAD").strip()
    assert kept.another().catch_up() == 4
    assert kept.log("%an %aI %s %(trailers:key=Reason,valueonly,separator=)", f"{before}..HEAD")[::-1] == [
        "alice 2026-03-01T10:00:00+00:00 Save 0 r0",
        "bob 2026-03-02T10:00:00+00:00 Save 1 r1",
        "Fairfolder 2026-03-03T10:00:00+00:00 Save 2 r2",
        *kept.log("%an %aI Save other ", "-1"),
    ]
    assert [kept.blob(kept.document(), f"HEAD~{n}") for n in (3, 2, 1)] == [
        stamped(0, "alice").encode(), stamped(1, "bob").encode(), stamped(2, "system:2").encode(),
    ]  # fmt: skip
    assert kept.git("for-each-ref", "refs/fairfolder/pending", "refs/fairfolder/base") == ""
    assert kept.status() == []
    assert kept.recorder.state().pending == 0
    kept.assert_sound()


def test_the_next_action_replays_what_waited_before_it(kept: Kept) -> None:
    kept.adopt()
    kept.git("checkout", "-q", "--detach")
    kept.save(1, subject="Save 1")
    kept.git("checkout", "-q", "trunk")
    kept.save(2, subject="Save 2")
    assert kept.subjects() == ["Notes", "Save 1", "Save 2"]


def test_a_change_on_disk_while_actions_wait_waits_too(kept: Kept) -> None:
    kept.adopt()
    kept.save(0, subject="Save 0")
    kept.git("checkout", "-q", "--detach")
    kept.save(1, subject="Save 1")
    kept.put(kept.document(), stamped("by hand"))
    kept.save(2, subject="Save 2")
    assert kept.recorder.state().pending == 3
    kept.git("stash", "-q")  # a person puts our uncommitted files away
    kept.git("checkout", "-q", "trunk")
    kept.git("stash", "pop", "-q")
    kept.recorder.catch_up()
    assert kept.subjects() == ["Notes", "Save 0", "Save 1", "Record changes made on disk", "Save 2"]
    assert kept.status() == []


def test_what_a_person_committed_meanwhile_collapses_nothing(kept: Kept) -> None:
    kept.adopt()
    kept.git("checkout", "-q", "--detach")
    kept.save(1, subject="Save 1")
    kept.save(2, subject="Save 2")
    kept.git("checkout", "-q", "trunk")
    kept.git("add", ".")
    kept.git("commit", "-q", "-m", "Theirs")
    kept.recorder.catch_up()
    assert kept.subjects() == ["Notes", "Theirs", "Save 1", "Save 2"]
    assert kept.blob(kept.document()) == stamped(2).encode()
    assert kept.status() == []


def test_a_document_removed_while_waiting(kept: Kept) -> None:
    kept.adopt()
    kept.save(1, names=(ADMINISTRATIVE, "dataset_structural.json"))
    kept.git("checkout", "-q", "--detach")
    kept.path(kept.document()).unlink()
    kept.recorder.catch_up()
    kept.git("checkout", "-q", "trunk")
    kept.recorder.catch_up()
    assert kept.changed() == [f"D {kept.document()}"]
    assert kept.status() == []
