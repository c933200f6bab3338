"""A file of a complete run is ``changed`` while its bytes are not those its complete metadata file names."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from random import Random

import pytest

from ingest.documents import EXPERIMENT
from tests.ingest.test_complete import FIRST, D, begin, change, finish, run_path
from tests.ingest.watched import Watched

CONTENTS = ("as it was completed\n", "something else\n", "a third text\n")
FILES = ("a.txt", "plate/b.txt")


@pytest.fixture
def completed(watched: Watched) -> Watched:
    """Two files of one complete run; the first one was another before the run was complete."""
    watched.put(f"{D}/a.txt", CONTENTS[1])
    watched.put(f"{D}/plate/b.txt", CONTENTS[0])
    watched.reconcile()
    watched.put(f"{D}/a.txt", CONTENTS[0])
    watched.reconcile()
    begin(watched)
    finish(watched)
    return watched


def state(watched: Watched, name: str = "a.txt") -> str:
    return watched.states(D)[name]


def becomes(watched: Watched, content: str, name: str = "a.txt") -> str:
    watched.put(f"{D}/{name}", content)
    watched.reconcile()
    return state(watched, name)


def test_a_file_whose_bytes_are_put_back_is_present_again(completed: Watched) -> None:
    assert becomes(completed, CONTENTS[2]) == "changed"
    assert becomes(completed, CONTENTS[0]) == "present"
    entry = completed.entries(D)["a.txt"]
    assert len(entry["previous_checksums"]) == 3
    assert completed.check() == []
    assert finish(completed).revision == 1, "nothing of it is outdated"


def test_bytes_it_had_before_it_was_complete_are_other_bytes(completed: Watched) -> None:
    assert becomes(completed, CONTENTS[2]) == "changed"
    assert becomes(completed, CONTENTS[1]) == "changed"


def test_a_file_that_goes_while_it_is_changed_and_returns_is_still_changed(completed: Watched) -> None:
    assert becomes(completed, CONTENTS[2]) == "changed"
    aside = completed.root / "aside"
    os.rename(completed.root / D / "a.txt", aside)
    completed.reconcile()
    assert state(completed) == "missing"
    os.rename(aside, completed.root / D / "a.txt")
    completed.reconcile()
    assert state(completed) == "changed", "back by its inode, unread"
    completed.remove(f"{D}/a.txt")
    completed.reconcile()
    assert becomes(completed, CONTENTS[0]) == "present", "back by its bytes"


def test_the_newest_revision_says_which_bytes_are_meant(completed: Watched) -> None:
    run = completed.root / run_path() / "experiment_contextual.json"
    assert becomes(completed, CONTENTS[2]) == "changed"
    change(completed, run, EXPERIMENT, notes="Lane 3.")
    assert finish(completed).revision == 2
    assert state(completed) == "present"
    assert becomes(completed, CONTENTS[0]) == "changed"
    assert becomes(completed, CONTENTS[2]) == "present"


def test_a_complete_metadata_file_that_was_edited_vouches_for_nothing(completed: Watched) -> None:
    assert becomes(completed, CONTENTS[2]) == "changed"
    path = completed.root / run_path() / FIRST
    path.write_bytes(path.read_bytes().replace(b"Heat shock", b"Heat sh0ck"))
    assert becomes(completed, CONTENTS[0]) == "changed"


def test_an_entry_left_as_changed_by_an_older_version_is_mended_when_its_file_is_read(completed: Watched) -> None:
    assert becomes(completed, CONTENTS[2]) == "changed"
    path = completed.root / run_path() / FIRST
    kept = path.read_bytes()
    path.unlink()
    assert becomes(completed, CONTENTS[0]) == "changed", "nothing says which bytes are meant"
    path.write_bytes(kept)
    os.utime(completed.root / D / "a.txt", (1_000_000_000, 1_000_000_000))
    completed.reconcile()
    assert state(completed) == "present"


def test_whatever_happens_to_the_files_their_states_say_what_is_there(
    completed: Watched, rng: Random, count: Callable[[int, int], int]
) -> None:
    there = dict.fromkeys(FILES, CONTENTS[0])
    for _ in range(count(40, 2_000)):
        name = rng.choice(FILES)
        match rng.choice(["write", "write", "write", "remove", "touch", "lose"]):
            case "write":
                there[name] = rng.choice(CONTENTS)
                completed.put(f"{D}/{name}", there[name])
            case "remove" if name in there:
                del there[name]
                completed.remove(f"{D}/{name}")
            case "touch" if name in there:
                moment = rng.randrange(1_000_000_000, 1_700_000_000)
                os.utime(completed.root / D / name, (moment, moment))
            case "lose":
                completed.lose_state()
        if rng.random() < 0.8:
            completed.reconcile()
            assert completed.states(D) == {
                each: "missing" if each not in there else "present" if there[each] == CONTENTS[0] else "changed"
                for each in FILES
            }


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"structure": {"file_descriptions": [{"file_identifier": "x"}]}}'])
def test_a_manifest_led_to_what_is_no_complete_metadata_trusts_none_of_it(completed: Watched, text: bytes) -> None:
    manifest = completed.root / D / ".metadata" / "dataset_structural.json"
    (name,) = {run["complete_metadata"] for run in json.loads(manifest.read_bytes())["runs"]}
    whole = completed.root / D / name
    old = hashlib.sha256(whole.read_bytes()).hexdigest()
    whole.write_bytes(text)
    manifest.write_text(manifest.read_text().replace(old, hashlib.sha256(text).hexdigest()))
    assert becomes(completed, CONTENTS[2]) == "changed"
    assert becomes(completed, CONTENTS[0]) == "changed", "nobody knows any more which bytes count"
