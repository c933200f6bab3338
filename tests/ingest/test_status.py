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
        ("''", "unknown", "Name a path inside the watched folder."),
        ("file://{root}/a%00b", "unknown", "Name a path inside the watched folder."),
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
        ("p_Oats", "unknown", "This project folder has not been seen yet"),
        ("p_Oats/x/y.txt", "unknown", "This dataset folder has not been seen yet"),
        (f"{D}/left/out.bin", "ignored", f"by the rule 'left/' in line 2 of {D}/.fairfolderignore."),
        (f"{D}/b.tmp", "ignored", "by the rule '*.tmp' in line 3 of .fairfolderignore."),
        (f"{D}/{'x' * 300}", "unknown", f"the nearest folder that exists is '{{root}}/{D}'."),
        (f"{D}/a.txt/below", "unknown", f"the nearest folder that exists is '{{root}}/{D}'."),
        ("p_Rye/x/y.txt", "unknown", "There is no such file or folder; the nearest folder that exists is '{root}'."),
        ("p_Rye", "unknown", "the nearest folder that exists is '{root}'."),
        ("p_Barley/other", "unknown", "the nearest folder that exists is '{root}/p_Barley'."),
        ("notes/y.txt", "unknown", "the nearest folder that exists is '{root}/notes'."),
        (f"{D}/.hidden/y", "unknown", f"the nearest folder that exists is '{{root}}/{D}/.hidden'."),
        (f"{D}/away.txt", "described", "in its dataset's manifest. It is not there now."),
    ],
)
def test_why_is_this_path_not_described(watched: Watched, path: str, condition: str, words: str) -> None:
    for name in ("a.txt", "sub/b.txt", "gone.txt", "away.txt", ".hidden/x", "big.part", "left/out.bin", "b.tmp"):
        watched.put(f"{D}/{name}")
    watched.put(".fairfolderignore", "# what programs leave\n\n*.tmp\n")
    watched.put(f"{D}/.fairfolderignore", "!\nleft/\n")  # the first line is no rule
    watched.put("p_Barley/stray.txt")
    watched.put("notes/x.txt")
    watched.reconcile()
    watched.remove(f"{D}/gone.txt")
    watched.reconcile()
    watched.put(f"{D}/new.txt")
    watched.put("p_Oats/x/y.txt")
    watched.remove(f"{D}/away.txt")
    told = watched.explain(path.replace("{root}", str(watched.root)))
    assert told.condition == condition, told
    assert words.replace("{root}", str(watched.root)) in told.sentence
    json.dumps(told.as_json())


@pytest.mark.parametrize(
    "asked",
    [
        "data/{D}/my scan.tif",
        "/x/../{root}/{D}/my scan.tif",
        "'{D}/my scan.tif'",
        '"{root}/{D}/my scan.tif"',
        " {D}/my scan.tif \n",
        "'data/{D}/my scan.tif'",
        "{D}/my scan.tif/",
        "file://{root}/{D}/my%20scan.tif",
        "file://localhost{root}/{D}/my%20scan.tif",
        "FILE:{root}/{D}/my scan.tif",
    ],
)
def test_a_path_is_understood_as_people_have_it(watched: Watched, asked: str) -> None:
    watched.put(f"{D}/my scan.tif")
    watched.reconcile()
    told = watched.explain(asked.replace("{D}", D).replace("{root}", str(watched.root)))
    assert (told.path, told.condition) == (f"{D}/my scan.tif", "described")


def test_a_name_that_looks_like_more_is_taken_as_it_is(watched: Watched) -> None:
    names = [f"{D}/'quoted'", f"{D}/trailing ", "'p_Barley'", "data/p_Barley/leaves/x.txt"]
    for name in names:
        watched.put(name) if "/" in name else watched.folder(name)
    watched.put(f"{D}/trailing")
    watched.reconcile()
    assert [watched.explain(name).path for name in names] == names


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("https://example.org/p_Barley/x", "'https://example.org/p_Barley/x' is an address and no path; name a path"),
        ("file://nas/share/p_Barley", "names a file of the machine 'nas'; name its path on this one."),
        ("file:///etc/passwd", "is not inside the watched folder"),
        ("'/etc/passwd'", "is not inside the watched folder"),
    ],
)
def test_an_address_of_something_else_is_refused_in_a_sentence(watched: Watched, path: str, words: str) -> None:
    with pytest.raises(LayoutError, match=words):
        watched.explain(path)


def test_of_a_watched_folder_that_is_gone_it_is_said_that_it_is(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    watched.root.rename(watched.root.with_name("aside"))
    assert "itself is not there now; its disk may be unmounted." in watched.explain(f"{D}/never.txt").sentence
    assert watched.explain(f"{D}/a.txt").sentence.endswith("It is not there now.")


def test_a_rule_that_was_taken_away_since_is_not_named(watched: Watched) -> None:
    watched.put(".fairfolderignore", "*.tmp\n")
    watched.put(f"{D}/a.tmp")
    watched.reconcile()
    watched.remove(".fairfolderignore")
    assert watched.explain(f"{D}/a.tmp").sentence == "It is not described: left out by .fairfolderignore."


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
