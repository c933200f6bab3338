"""Who is named for what nobody announced: never the author of the last save, when somebody only moved a folder."""

from __future__ import annotations

import json
import os

from ingest.provenance.authorship import came_from_elsewhere
from ingest.provenance.comparing import Difference
from ingest.provenance.repository import look, open_repository
from tests.ingest.provenance.kept import Kept, stamped

ON_DISK = "Changed on disk <filesystem@fairfolder.invalid>"
STAMPED = "2026-03-01"  # the day of every save here, as its document says


def newest(kept: Kept) -> tuple[str, str, str]:
    """Author, subject and day of the newest commit."""
    author, subject, day = kept.log("%an <%ae>%x01%s%x01%as", "-1")[0].split("\x01")
    return author, subject, day


def move(kept: Kept) -> None:
    kept.path("p_x/e").parent.mkdir(exist_ok=True)
    os.rename(kept.path("p_x/d"), kept.path("p_x/e"))


def test_a_folder_that_was_moved_was_moved_by_who_moved_it_and_now(kept: Kept) -> None:
    kept.save(1)
    kept.save(2, by="ben")
    move(kept)
    kept.recorder.catch_up()
    assert newest(kept)[:2] == (ON_DISK, "Record changes made on disk")
    assert newest(kept)[2] != STAMPED
    both = [line for commit in ("HEAD", "HEAD^") for line in kept.changed(commit)]
    assert sorted(both) == [f"A {kept.document('p_x/e')}", f"D {kept.document()}"]
    assert kept.log("%an", "-2") == ["Changed on disk"] * 2


def test_and_so_it_was_when_its_old_place_was_recorded_as_gone_before(kept: Kept) -> None:
    kept.save(1)
    move(kept)
    kept.recorder.catch_up([kept.path(kept.document())])
    assert kept.changed() == [f"D {kept.document()}"]
    kept.recorder.catch_up()
    assert kept.changed() == [f"A {kept.document('p_x/e')}"]
    assert newest(kept)[0] == ON_DISK


def test_an_older_text_put_back_was_put_there_by_somebody_else(kept: Kept) -> None:
    kept.save(1)
    kept.put(kept.document(), stamped("older", "carl", "2019-01-01T00:00:00Z"))
    kept.recorder.catch_up()
    assert newest(kept)[0] == ON_DISK


def test_a_save_that_was_not_recorded_is_still_that_of_who_made_it(kept: Kept) -> None:
    kept.save(1)
    kept.put(kept.document("p_x/new"), stamped("new", "carl"))
    kept.put(kept.document(), stamped(2, "dora", "2026-04-01T10:00:00Z"))
    kept.recorder.catch_up()
    assert sorted(kept.log("%an", "-2")) == ["carl", "dora"]


def test_a_text_that_git_holds_and_no_commit_has_is_none_that_was_moved(kept: Kept) -> None:
    kept.save(1)
    text = stamped("half", "carl")
    oid = kept.git("hash-object", "-w", "--stdin", data=text.encode()).strip()
    repository = open_repository(kept.root)
    assert repository is not None
    found = [Difference(kept.document("p_x/new"), text.encode(), "", apart=False)]
    assert kept.git("cat-file", "-t", oid).strip() == "blob"
    assert came_from_elsewhere(repository, look(repository), found) == frozenset()
    kept.put(kept.document("p_x/new"), text)
    kept.recorder.catch_up()
    assert newest(kept)[0].startswith("carl ")
    assert json.loads(kept.blob(kept.document("p_x/new")))["value"] == "half"
