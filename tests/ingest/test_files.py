"""What happens to files between two passes: the manifest says exactly that, and identities stay."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.errors import BusyError
from ingest.reconcile import reconcile
from tests.ingest.watched import Watched, standing_still

D = "p_Barley/leaves"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def same_but_for(entry: dict[str, object], *keys: str) -> dict[str, object]:
    return {k: v for k, v in entry.items() if k not in keys}


def test_two_files_of_one_name_in_two_subfolders_both_stay(watched: Watched) -> None:
    watched.put(f"{D}/plate1/well.txt", b"one\n")
    watched.put(f"{D}/plate2/well.txt", b"two\n")
    watched.reconcile()
    entries = watched.entries(D)
    assert {name: e["checksum"]["value"] for name, e in entries.items()} == {
        "plate1/well.txt": sha256(b"one\n"),
        "plate2/well.txt": sha256(b"two\n"),
    }
    assert len(set(watched.identifiers(D).values())) == 2


def test_a_second_pass_with_nothing_changed_writes_nothing(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.put("p_Barley/readme.txt")
    watched.reconcile()
    before = watched.metadata()
    report = watched.reconcile()
    assert (report.described, report.unchanged, report.bytes_read) == (0, 1, 0)
    assert watched.metadata() == before


def test_a_modified_file_keeps_its_identifier_and_its_former_checksum(watched: Watched) -> None:
    watched.put(f"{D}/a.txt", b"first\n")
    watched.reconcile()
    before = watched.entries(D)["a.txt"]
    watched.put(f"{D}/a.txt", b"second, longer\n")
    watched.reconcile()
    after = watched.entries(D)["a.txt"]
    assert after["checksum"]["value"] == sha256(b"second, longer\n")
    assert after["size_bytes"] == 15
    (previous,) = after["previous_checksums"]
    assert same_but_for(previous, "replaced_date") == before["checksum"]
    for key in ("file_identifier", "@id", "first_seen", "state", "data_object_version"):
        assert after[key] == before[key]
    assert watched.manifest(D)["total_size_bytes"] == 15
    assert watched.check() == []


def test_a_touched_file_with_the_same_bytes_has_no_former_checksum(watched: Watched) -> None:
    path = watched.put(f"{D}/a.txt", b"same\n")
    watched.reconcile()
    os.utime(path, (1_000_000_000, 1_000_000_000))
    watched.reconcile()
    entry = watched.entries(D)["a.txt"]
    assert "previous_checksums" not in entry
    assert entry["modified_utc"] == "2001-09-09T01:46:40Z"


def test_a_deleted_file_is_missing_and_comes_back_as_the_same(watched: Watched) -> None:
    watched.put(f"{D}/a.txt", b"a\n")
    watched.put(f"{D}/b.txt", b"bb\n")
    watched.reconcile()
    before = watched.entries(D)
    watched.remove(f"{D}/a.txt")
    report = watched.reconcile()
    assert report.missing == 1
    after = watched.entries(D)
    assert after["b.txt"] == before["b.txt"]
    assert same_but_for(after["a.txt"], "state", "missing_since") == same_but_for(before["a.txt"], "state")
    assert after["a.txt"]["state"] == "missing"
    header = watched.manifest(D)
    assert (header["file_count"], header["total_size_bytes"]) == (1, 3)
    watched.put(f"{D}/a.txt", b"a\n")
    watched.reconcile()
    back = watched.entries(D)["a.txt"]
    assert back["file_identifier"] == before["a.txt"]["file_identifier"]
    assert back["state"] == "present"
    assert "missing_since" not in back
    assert watched.manifest(D)["file_count"] == 2
    assert watched.check() == []


def test_a_missing_file_that_is_moved_back_is_present_again_unread(watched: Watched) -> None:
    watched.put(f"{D}/a.txt", b"a\n")
    watched.reconcile()
    before = watched.entries(D)["a.txt"]
    watched.move(f"{D}/a.txt", "elsewhere/a.txt")
    watched.reconcile()
    assert watched.states(D) == {"a.txt": "missing"}
    watched.move("elsewhere/a.txt", f"{D}/a.txt")
    report = watched.reconcile()
    assert report.bytes_read == 0
    assert same_but_for(watched.entries(D)["a.txt"], "metadata_changed_utc") == same_but_for(
        before, "metadata_changed_utc"
    )


def test_a_renamed_file_keeps_everything_but_its_name_and_is_not_read(watched: Watched) -> None:
    watched.put(f"{D}/a.txt", b"a\n")
    watched.reconcile()
    before = watched.entries(D)["a.txt"]
    watched.edit(f"{D}/.metadata/dataset_structural.json", lambda v: v["file_descriptions"][0].update(description="x"))
    watched.reconcile()
    watched.move(f"{D}/a.txt", f"{D}/deep/er/b.dat")
    report = watched.reconcile()
    assert (report.moved, report.described, report.missing, report.bytes_read) == (1, 0, 0, 0)
    entries = watched.entries(D)
    assert set(entries) == {"deep/er/b.dat"}
    after = entries["deep/er/b.dat"]
    assert (after["file_name"], after["extension"], after["description"]) == ("b.dat", "dat", "x")
    named = ("path", "file_name", "extension", "metadata_changed_utc", "description")
    assert same_but_for(after, *named) == same_but_for(before, *named)
    assert watched.check() == []


def test_a_renamed_folder_takes_its_files_along_unread(watched: Watched) -> None:
    for i in range(20):
        watched.put(f"{D}/plate/w{i:02}.txt", f"{i}\n")
    watched.reconcile()
    before = watched.identifiers(D)
    watched.move(f"{D}/plate", f"{D}/plate one")
    report = watched.reconcile()
    assert (report.moved, report.bytes_read) == (20, 0)
    assert watched.identifiers(D) == {name.replace("plate/", "plate one/"): i for name, i in before.items()}


def test_renaming_in_a_circle_keeps_one_entry_for_each_path(watched: Watched) -> None:
    for name in ("a", "b", "c"):
        watched.put(f"{D}/{name}", name * 3)
    watched.reconcile()
    before = set(watched.identifiers(D).values())
    watched.move(f"{D}/a", f"{D}/t")
    watched.move(f"{D}/b", f"{D}/a")
    watched.move(f"{D}/c", f"{D}/b")
    watched.move(f"{D}/t", f"{D}/c")
    watched.reconcile()
    entries = watched.entries(D)
    assert {n: e["checksum"]["value"] for n, e in entries.items()} == {
        "a": sha256(b"bbb"), "b": sha256(b"ccc"), "c": sha256(b"aaa")}  # fmt: skip
    assert {e["file_identifier"] for e in entries.values()} == before
    assert watched.check() == []


def test_a_file_replaced_with_the_same_size_and_mtime_is_noticed(watched: Watched) -> None:
    """FA-08: a new inode, or the change time of the old one, tells; no periodic re-read is needed for it."""
    path = watched.put(f"{D}/a.bin", b"AAAA")
    other = watched.put(f"{D}/b.bin", b"BBBB")
    watched.reconcile()
    identifiers = watched.identifiers(D)
    for one, content in ((path, b"aaaa"), (other, b"bbbb")):
        info = os.stat(one)
        if one == path:
            one.write_bytes(content)
        else:
            new = one.with_name("c.bin")
            new.write_bytes(content)
            new.replace(one)
        os.utime(one, ns=(info.st_atime_ns, info.st_mtime_ns))
    watched.reconcile()
    entries = watched.entries(D)
    assert entries["a.bin"]["checksum"]["value"] == sha256(b"aaaa")
    assert entries["b.bin"]["checksum"]["value"] == sha256(b"bbbb")
    assert watched.identifiers(D) == identifiers


def test_editors_and_transfer_tools_leave_only_the_final_name(watched: Watched) -> None:
    """FA-09: at every moment of an atomic save, and after it."""
    watched.put(f"{D}/table.csv", b"a,b\n1,2\n")
    watched.reconcile()
    identifier = watched.identifiers(D)["table.csv"]
    temporary = (
        ".table.csv.swp", ".table.csv.swx", "table.csv~", ".~lock.table.csv#", "~$table.csv", ".DS_Store",
        ".nfs00000000deadbeef", "big.bam.part", "big.bam.filepart", "big.bam.crdownload", ".big.bam.Xy12Zq",
        "Thumbs.db", ".goutputstream-ABC", "big.bam.dvc", ".gitignore",
    )  # fmt: skip
    for name in temporary:
        watched.put(f"{D}/{name}", b"temporary")
    watched.reconcile()
    assert set(watched.entries(D)) == {"table.csv"}
    watched.put(f"{D}/.table.csv.new", b"a,b\n3,4\n")
    watched.move(f"{D}/.table.csv.new", f"{D}/table.csv")
    watched.put(f"{D}/4913", b"")
    watched.remove(f"{D}/4913")
    watched.move(f"{D}/big.bam.part", f"{D}/big.bam")
    watched.reconcile()
    entries = watched.entries(D)
    assert set(entries) == {"table.csv", "big.bam"}
    assert entries["table.csv"]["file_identifier"] == identifier
    assert entries["table.csv"]["checksum"]["value"] == sha256(b"a,b\n3,4\n")


def test_a_file_that_was_changed_just_now_waits(watched: Watched) -> None:
    watched.settle_seconds = 300.0
    watched.put(f"{D}/a.txt", b"half")
    report = watched.reconcile()
    assert (report.described, report.pending) == (0, 1)
    assert watched.entries(D) == {}
    told = watched.explain(f"{D}/a.txt")
    assert told.condition == "pending"
    assert "300 s" in told.sentence
    watched.settle_seconds = 0.05
    time.sleep(0.1)
    watched.reconcile()
    assert set(watched.entries(D)) == {"a.txt"}


def test_reconcile_waits_in_bounded_rounds_for_what_is_coming_to_rest(watched: Watched) -> None:
    class Waits(threading.Event):
        """Notes how long somebody would wait, and waits no longer than the test has time."""

        def wait(self, timeout: float | None = None) -> bool:
            asked.append(timeout or 0.0)
            return super().wait(min(timeout or 0.0, 0.5))

    asked: list[float] = []
    watched.put(f"{D}/a.txt")
    with watched.workspace(settle_seconds=300.0) as ws:
        report = reconcile(ws, stop=Waits())
    assert (report.described, report.pending) == (0, 1)
    assert len(asked) == 2
    assert all(0 < seconds <= 301 for seconds in asked)
    with watched.workspace(settle_seconds=0.3) as ws:
        os.utime(watched.root / D / "a.txt")
        report = reconcile(ws)
    assert (report.described, report.pending) == (1, 0)
    asked.clear()
    with watched.workspace(settle_seconds=300.0) as ws:
        assert reconcile(ws, stop=Waits()).unchanged == 1
    assert asked == []


def test_a_file_that_never_rests_holds_up_nothing_else(watched: Watched) -> None:
    watched.put(f"{D}/quiet.txt", b"quiet")
    time.sleep(0.1)
    watched.settle_seconds = 0.05
    with open(watched.root / D / "log.txt", "ab") as handle:
        handle.write(b"line\n")
        handle.flush()
        with standing_still(os.fstat(handle.fileno()).st_ctime_ns):
            report = watched.reconcile()
        assert (report.described, report.pending) == (1, 1)
        assert set(watched.entries(D)) == {"quiet.txt"}


def test_a_missing_entry_is_forgotten_after_the_set_time(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.put(f"{D}/b.txt")
    watched.reconcile()
    watched.remove(f"{D}/a.txt")
    watched.reconcile()
    watched.reconcile()
    assert watched.states(D) == {"a.txt": "missing", "b.txt": "present"}
    report = watched.reconcile(forget_missing_days=0.0)
    assert report.forgotten == 1
    assert watched.states(D) == {"b.txt": "present"}
    assert watched.check() == []


def test_a_missing_entry_that_a_complete_record_names_is_never_forgotten(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.reconcile()

    def finalise(value: dict[str, list[dict[str, str]]]) -> None:
        value["file_descriptions"][0]["data_object_version"] = "V2"

    watched.edit(f"{D}/.metadata/dataset_structural.json", finalise)
    watched.reconcile()
    identifier = watched.identifiers(D)
    watched.remove(f"{D}/a.txt")
    watched.reconcile()
    watched.reconcile(forget_missing_days=0.0)
    assert watched.states(D) == {"a.txt": "missing"}
    watched.put(f"{D}/a.txt", b"other bytes")
    watched.reconcile()
    assert watched.identifiers(D) == identifier
    assert watched.states(D) == {"a.txt": "changed"}
    watched.reconcile()
    assert watched.problems() == {}


def test_hard_links_are_files_of_their_own(watched: Watched) -> None:
    path = watched.put(f"{D}/a.txt", b"shared\n")
    watched.reconcile()
    first = watched.identifiers(D)["a.txt"]
    os.link(path, watched.root / D / "b.txt")
    os.link(path, watched.folder("p_Barley/roots") / "c.txt")
    watched.reconcile()
    identifiers = {**watched.identifiers(D), **watched.identifiers("p_Barley/roots")}
    assert identifiers["a.txt"] == first
    assert len(set(identifiers.values())) == 3
    watched.remove(f"{D}/a.txt")
    watched.reconcile()
    assert watched.states(D) == {"a.txt": "missing", "b.txt": "present"}
    assert watched.identifiers(D)["b.txt"] == identifiers["b.txt"]
    assert watched.check() == []


def test_ignored_files_are_left_out_and_the_rule_is_named(watched: Watched) -> None:
    watched.put(".fairfolderignore", "*.tmp\n")
    watched.put("p_Barley/.fairfolderignore", "cache/\n!cache/keep.txt\n")
    watched.put(f"{D}/.fairfolderignore", "# words\n/raw/*.bin\n!important.tmp\n")
    for name in ("a.tmp", "important.tmp", "cache/x.txt", "raw/a.bin", "sub/raw/a.bin", "b.txt"):
        watched.put(f"{D}/{name}", name)
    watched.reconcile()
    assert set(watched.entries(D)) == {"important.tmp", "sub/raw/a.bin", "b.txt"}
    sentence = watched.explain(f"{D}/a.tmp").sentence
    assert sentence == "It is left out by the rule '*.tmp' in line 1 of .fairfolderignore."
    assert watched.explain(f"{D}/cache/x.txt").condition == "ignored"
    assert "p_Barley/.fairfolderignore" in watched.explain(f"{D}/cache/x.txt").sentence
    assert f"{D}/.fairfolderignore" in watched.explain(f"{D}/raw/a.bin").sentence
    assert watched.status().counts["ignored"] == 3


def test_a_described_file_that_becomes_ignored_is_missing_and_returns_as_itself(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    identifiers = watched.identifiers(D)
    watched.put(f"{D}/.fairfolderignore", "*.txt\n")
    watched.reconcile()
    watched.reconcile()
    assert watched.states(D) == {"a.txt": "missing"}
    watched.remove(f"{D}/.fairfolderignore")
    watched.reconcile()
    assert (watched.identifiers(D), watched.states(D)) == (identifiers, {"a.txt": "present"})


@pytest.mark.parametrize("text", ["!\n*.tmp\n", "\\\n*.tmp\n", "a\\\n*.tmp\n", "\0\n*.tmp\n", "\n" * 1000 + "*.tmp"])
def test_a_broken_ignore_rule_harms_no_other(watched: Watched, text: str) -> None:
    watched.put(f"{D}/.fairfolderignore", text)
    watched.put(f"{D}/a.txt")
    watched.put(f"{D}/a.tmp")
    watched.reconcile()
    assert set(watched.entries(D)) == {"a.txt"}


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda p: os.symlink("/etc/passwd", p)])
def test_an_ignore_file_that_is_no_file_leaves_nothing_out(watched: Watched, make: object) -> None:
    watched.put(f"{D}/a.txt")
    make(watched.root / D / ".fairfolderignore")  # type: ignore[operator]
    watched.reconcile()
    assert set(watched.entries(D)) == {"a.txt"}


def test_many_files_are_recorded_in_durable_cuts(watched: Watched) -> None:
    for i in range(5_100):
        watched.put(f"{D}/f{i:04}.txt", f"{i}\n")
    counts = []

    def recorded(paths: Sequence[Path]) -> None:
        if any(p.name == "dataset_structural.json" for p in paths):
            counts.append(watched.manifest(D)["file_count"])

    with watched.workspace() as ws:
        reconcile(ws, on_recorded=recorded)
    assert counts == [0, 5_000, 5_100]


def test_one_scan_at_a_time(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    with (
        watched.workspace() as one,
        watched.workspace() as other,
        one.scan_lock(),
        pytest.raises(BusyError, match=r"Another scan of .* is still running"),
    ):
        reconcile(other, lock_seconds=0.1)


def test_a_part_can_be_reconciled_alone(watched: Watched) -> None:
    for path in ("p_Barley/leaves/a.txt", "p_Barley/roots/b.txt", "p_Rye/leaves/c.txt"):
        watched.put(path)
    watched.reconcile("p_Barley/leaves/a.txt")
    assert sorted(e["path"] for e in watched.registry().values()) == ["p_Barley", "p_Barley/leaves"]
    watched.reconcile("p_Barley")
    assert sorted(e["path"] for e in watched.registry().values()) == [
        "p_Barley", "p_Barley/leaves", "p_Barley/roots"]  # fmt: skip
    watched.remove("p_Barley/leaves/a.txt")
    watched.remove("p_Barley/roots/b.txt")
    watched.reconcile("p_Barley/roots")
    assert watched.states("p_Barley/leaves") == {"a.txt": "present"}
    assert watched.states("p_Barley/roots") == {"b.txt": "missing"}
    watched.reconcile()
    assert watched.states("p_Barley/leaves") == {"a.txt": "missing"}
    assert len(watched.registered("p_Rye/leaves")) == 1
