"""What a person asks: what is there, what waits, what failed; and why is this path not described?"""

from __future__ import annotations

import json
import os

import pytest

from ingest.errors import LayoutError
from tests.ingest.watched import Watched

D = "p_Barley/leaves"


def test_the_status_of_a_root_nobody_looked_at(watched: Watched) -> None:
    told = watched.status()
    assert (told.mode, told.running, told.backlog, told.last_reconcile) == ("stopped", False, 0, None)
    assert set(told.counts.values()) == {0}
    assert told.healthy
    assert not watched.state.exists()


def test_the_status_after_a_pass(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.put("p_Barley/stray.txt")
    os.mkfifo(watched.root / D / "pipe")
    os.symlink("a.txt", watched.root / D / "link")
    watched.reconcile()
    told = watched.status()
    counts = {word: n for word, n in told.counts.items() if n}
    assert counts == {"described": 1, "stray": 1, "special": 1, "link": 1}
    assert told.last_reconcile is not None
    assert told.last_reconcile["described"] == 1
    assert (told.problems, told.alarms, told.healthy) == ([], [], True)
    assert json.loads(json.dumps(told.as_json()))["root"] == str(watched.root)


def test_a_paused_root_reads_nothing_and_says_so(watched: Watched) -> None:
    with watched.workspace() as ws:
        ws.pause(True)
        assert ws.paused
    assert watched.status().paused
    with watched.workspace() as ws:
        ws.pause(False)
    assert not watched.status().paused


@pytest.mark.parametrize(
    ("path", "condition", "words"),
    [
        ("", "unknown", "Name a path inside the watched folder."),
        ("a\0b", "unknown", "Name a path inside the watched folder."),
        (".", "folder", "This is the watched folder itself."),
        ("notes/x.txt", "outside", "data files live in p_<Project>/<dataset>/…"),
        ("p_Barley", "described", "its identifier is"),
        (D, "described", "its identifier is"),
        (f"{D}/a.txt", "described", "It is described in its dataset's manifest."),
        (f"{D}/sub", "folder", "This is a folder inside a dataset"),
        (f"{D}/gone.txt", "missing", "It was described and is missing now; its entry is kept."),
        (f"{D}/never.txt", "unknown", "There is no such file"),
        (f"{D}/new.txt", "unknown", "It has not been seen yet"),
        (f"{D}/.hidden/x", "ignored", "'.hidden' is hidden"),
        (f"{D}/big.part", "ignored", "'big.part' is a temporary name"),
        (f"{D}/.metadata/dataset_structural.json", "metadata", "metadata is not described again"),
        ("p_Barley/stray.txt", "stray", "belongs to no dataset; move it into one"),
        ("p_Rye/x/y.txt", "unknown", "has not been seen yet"),
        (f"{D}/left/out.bin", "ignored", ".fairfolderignore"),
        (f"{D}/" + "x" * 300, "unknown", "There is no such file"),
        (f"{D}/a.txt/below", "unknown", "There is no such file"),
    ],
)
def test_why_is_this_path_not_described(watched: Watched, path: str, condition: str, words: str) -> None:
    for name in ("a.txt", "sub/b.txt", "gone.txt", ".hidden/x", "big.part", "left/out.bin"):
        watched.put(f"{D}/{name}")
    watched.put(f"{D}/.fairfolderignore", "left/\n")
    watched.put("p_Barley/stray.txt")
    watched.put("notes/x.txt")
    watched.reconcile()
    watched.remove(f"{D}/gone.txt")
    watched.reconcile()
    watched.put(f"{D}/new.txt")
    told = watched.explain(path)
    assert told.condition == condition, told
    assert words in told.sentence
    json.dumps(told.as_json())


def test_an_absolute_path_is_understood_and_one_outside_refused(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    assert watched.explain(str(watched.root / D / "a.txt")).condition == "described"
    for path in ("/etc/passwd", "../state", f"{D}/../../../x"):
        with pytest.raises(LayoutError, match="is not inside the watched folder"):
            watched.explain(path)


def test_a_file_that_went_away_while_it_waited_is_told_no_more(watched: Watched) -> None:
    watched.settle_seconds = 60.0
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    assert watched.status().counts["pending"] == 1
    assert watched.status().healthy, "waiting is no fault"
    watched.remove(f"{D}/a.txt")
    watched.reconcile()
    assert watched.status().counts["pending"] == 0
    assert watched.entries(D) == {}


def test_a_trouble_goes_with_the_folder_it_was_about(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    (watched.root / D / ".metadata" / "dataset_structural.json").write_text("{")
    (watched.root / "p_Barley" / ".metadata" / "project_descriptive.json").write_text("{")
    watched.reconcile()
    assert watched.problems()
    watched.remove("p_Barley")
    watched.reconcile(accept_deletions=True)
    assert watched.problems() == {}
