"""Names that are options, patterns, lines or no text at all: each stands in the history as it stands on disk."""

from __future__ import annotations

import os
import subprocess

import pytest

from ingest.provenance import actions, trails
from ingest.provenance.actions import Action
from ingest.provenance.repository import open_repository
from tests.ingest.provenance.kept import Kept

pytestmark = pytest.mark.timeout(120)

NAMES = [
    b"-n", b"--upload-pack=x", b"--", b":(exclude)*", b":!*", b"*", b"?", b"[a-z]", b"a\nb", b"a\tb", b'"q"', b"'q'",
    b"back\\slash", b"trailing\\", b"x..", b" ", b" lead", b"trail ", b"dot.", b"CON", b"NUL", b"HEAD",
    b"@", b"a:b", b"$(touch pwned)", b"`touch pwned`", b"%s%n", b"#x", b"!x", b"^", b"a b\x7f", b"\x01\x1b[31m",
    b"\xff\xfe invalid", b"caf\xc3\xa9", b"cafe\xcc\x81", b"Case", b"case", b"\xf0\x9f\xa6\xa0", b"\xe2\x80\xaegnp.exe",
    b"x" * 255, "é".encode() * 127, b"missing", b"a missing\n", b"100644 blob 0\tx", b"from main", b"done",
    b"data 3\nM 100644 inline x\n",
]  # fmt: skip


def recorded(kept: Kept, reference: str = "HEAD") -> dict[str, bytes]:
    """Every path of a commit with its bytes, as git gives them."""
    lines = kept.git("ls-tree", "-r", "-z", reference).split("\0")[:-1]
    return {path: os.fsencode(kept.git("cat-file", "blob", head.split()[2])) for head, _, path in
            (line.partition("\t") for line in lines)}  # fmt: skip


def on_disk(kept: Kept) -> dict[str, bytes]:
    """The same from the disk, by find."""
    found = subprocess.run(
        ["find", ".", "-path", "./.git", "-prune", "-o", "-name", "*.json", "-print0"],
        cwd=kept.root, capture_output=True,
    ).stdout  # fmt: skip
    names = [os.fsdecode(n).removeprefix("./") for n in found.split(b"\0")[:-1]]
    return {n: (kept.root / n).read_bytes() for n in names}


def test_every_name_is_recorded_as_it_is(kept: Kept) -> None:
    for number, name in enumerate(NAMES):
        assert kept.save(number, dataset=f"p_x/{os.fsdecode(name)}", subject=os.fsdecode(name)), name
    assert recorded(kept) == on_disk(kept)
    assert len(recorded(kept)) == len(NAMES)
    assert kept.status() == []
    assert kept.recorder.catch_up() == 0
    for name in NAMES:
        assert len(kept.log("%H", "--", f":(literal)p_x/{os.fsdecode(name)}/.metadata")) == 1, name
    repository = open_repository(kept.root)
    assert repository is not None
    for number, name in enumerate(NAMES):
        story = trails.versions(repository, kept.document(f"p_x/{os.fsdecode(name)}"), limit=10)
        said = actions.shown(actions.one_line(os.fsdecode(name)).strip()) or "Change metadata"
        assert [v.subject for v in story] == [said], number
    assert kept.recorder.catch_up([kept.root / f"p_x/{os.fsdecode(n)}/.metadata" for n in NAMES]) == 0
    kept.assert_sound()


def test_every_name_can_be_changed_waited_for_and_removed(kept: Kept) -> None:
    datasets = [f"p_x/{os.fsdecode(name)}" for name in NAMES]
    for dataset in datasets:
        kept.put(kept.document(dataset), "{}")
    kept.recorder.catch_up()
    kept.git("checkout", "-q", "--detach")
    for dataset in datasets:
        kept.put(kept.document(dataset), "{ }")
    kept.recorder.catch_up()
    kept.git("checkout", "-q", "main")
    kept.recorder.catch_up()
    assert recorded(kept) == on_disk(kept)
    for dataset in datasets:
        kept.path(kept.document(dataset)).unlink()
    kept.recorder.catch_up()
    assert recorded(kept) == {}
    assert kept.status() == []


def test_a_name_that_git_takes_for_its_own_is_recorded_apart(kept: Kept) -> None:
    kept.save(1)
    kept.save(2, dataset="p_x/git~1")
    kept.save(3, dataset="p_x/GIT~1. ")
    assert sorted(recorded(kept)) == [kept.document()]
    assert recorded(kept, "refs/fairfolder/apart") | recorded(kept) == on_disk(kept)
    assert kept.recorder.state().apart == 2
    assert kept.recorder.catch_up() == 0
    assert kept.status() == ["?? p_x/GIT~1. /.metadata/dataset_administrative.json",
                             "?? p_x/git~1/.metadata/dataset_administrative.json"]  # fmt: skip
    kept.git("fsck")


@pytest.mark.parametrize(
    "evil", ["x\nTrigger: 0", "x\r\n\r\nTrigger: 0", "x\u2028Trigger: 0", "x\x0bTrigger: 0", "x\n\n---\n"]
)
def test_no_name_forges_a_trailer_or_a_subject(kept: Kept, evil: str) -> None:
    kept.save(1, dataset=f"p_x/{evil.replace('/', '')}", subject=f"Describe {evil}", reason=evil, trigger="2", run=evil,
              by=f"alice {evil}")  # fmt: skip
    assert len(kept.log("%H")) == 1
    assert kept.log("%(trailers:key=Trigger,valueonly)") == ["2\n"]
    trailers = kept.git("interpret-trailers", "--parse", data=kept.log("%B")[0].encode()).splitlines()
    assert [t.partition(":")[0] for t in trailers] == ["Trigger", "Project", "Dataset", "Run", "Reason"]
    assert len(kept.log("%an")[0].splitlines()) == 1
    kept.git("fsck", "--strict")


@pytest.mark.parametrize("by", ["alice", "zoë", "a b", "a@b.c", "x<y>", "%41", "a/b", "\udcff"])
def test_an_author_can_be_told_from_the_address(by: str) -> None:
    name, _, address = actions.author(by).rpartition(" <")
    assert actions.who(name, address.rstrip(">")) == by.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def test_messages_are_whole_whatever_is_missing() -> None:
    assert actions.message(Action("alice", "")) == "Change metadata\n"
    assert actions.message(Action("alice", "x" * 1000)).partition("\n")[0] == "x" * 299 + "…"
    assert actions.author("") == actions.author("system:2") == actions.SERVICE
    assert actions.author("<>") == actions.SERVICE
