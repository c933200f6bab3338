"""Tracked in bulk, accepted by the real DVC and Git from outside."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.provenance.data import comparing, pointers, program
from ingest.provenance.data.keeping import CHANGED
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.data.tracking import Tracker
from tests.ingest.provenance.data.conftest import DATASET, Lab, described

FILES = {"a.csv": b"1,2\n", "empty": b"", "sub/deep/b.bin": bytes(range(256)) * 9000, "sub/twin": b"1,2\n"}
ODD = [
    "-rf",
    "--upload-pack=touch pwned",
    "a\nb",
    "tab\there",
    "x..y",
    "two ",
    "ü😀",
    'q"u\\e',
    "#a: [b]",
    "null",
    "1e3",
]


def test_dvc_and_git_agree_with_what_was_tracked(lab: Lab) -> None:
    lab.fill(FILES)
    changed = lab.catch_up()
    assert lab.up_to_date()
    assert all(path.is_file() for path in changed)
    lab.commit()
    assert lab.git("status", "--porcelain") == ""
    tracked = lab.git("ls-files", "-z").split("\0")
    assert not set(lab.paths()) & set(tracked)
    assert {os.path.relpath(path, lab.root) for path in changed} <= set(tracked)


def test_checkout_brings_deleted_bytes_back(lab: Lab) -> None:
    lab.fill(FILES)
    lab.catch_up()
    before = lab.contents()
    for path in lab.paths():
        (lab.root / path).unlink()
    lab.dvc("checkout", "-q")
    assert lab.contents() == before
    assert lab.up_to_date()


def test_a_second_look_finds_nothing_to_do(lab: Lab) -> None:
    lab.fill(FILES)
    lab.catch_up()
    assert lab.catch_up() == []


def test_a_file_keeps_its_inode_its_mode_and_its_one_name(lab: Lab) -> None:
    lab.fill(FILES)
    (lab.root / DATASET / "a.csv").chmod(0o640)
    before = {path: os.lstat(lab.root / path) for path in lab.paths()}
    lab.catch_up()
    for path, info in before.items():
        now = os.lstat(lab.root / path)
        assert (now.st_ino, now.st_mode, now.st_nlink, now.st_mtime_ns, now.st_ctime_ns) == (
            info.st_ino, info.st_mode, 1, info.st_mtime_ns, info.st_ctime_ns,
        )  # fmt: skip


def test_without_the_checksum_of_the_first_read_the_bytes_are_read_once_more(lab: Lab) -> None:
    lab.fill(FILES)
    kept = lab.tracker.keep(lab.described(md5=False))
    assert [one.reason for one in kept] == [""] * len(FILES)
    lab.tracker.write(DATASET, kept)
    assert lab.up_to_date()


def test_a_changed_a_moved_and_a_removed_file(lab: Lab) -> None:
    lab.fill(FILES)
    lab.catch_up()
    where = lab.root / DATASET
    (where / "a.csv").write_bytes(b"3,4\n")
    (where / "elsewhere").mkdir()
    (where / "sub/deep/b.bin").rename(where / "elsewhere/c.bin")
    (where / "empty").unlink()
    kept = lab.tracker.keep([described(lab.root, f"{DATASET}/a.csv")])
    moved = {f"{DATASET}/sub/deep/b.bin": f"{DATASET}/elsewhere/c.bin"}
    lab.tracker.write(DATASET, kept, [f"{DATASET}/empty"], moved)
    assert lab.up_to_date()
    behind = lab.tracker.compare(DATASET, lab.described())
    assert (behind.missing, behind.gone) == ([], [])
    if lab.mode is Mode.FILE:
        assert not (where / "empty.dvc").exists()
        assert not (where / "sub/deep/b.bin.dvc").exists()


def test_names_that_are_no_words(lab: Lab) -> None:
    lab.fill({name: name.encode() for name in ODD})
    lab.catch_up()
    assert lab.tracker.untracked == {}
    assert lab.up_to_date()
    before = lab.contents()
    for name in ODD:
        (lab.root / DATASET / name).unlink()
    lab.dvc("checkout", "-q")
    assert lab.contents() == before
    assert not list(lab.root.glob("**/pwned"))


def test_names_that_dvc_cannot_take_are_told_and_not_tracked(by_file: Lab) -> None:
    by_file.fill({"good": b"1", "n" * 255: b"2", "n" * 251: b"3", "dvc.lock": b"4"})
    Path(os.fsdecode(os.fsencode(by_file.root / DATASET) + b"/\xff\xfe.bin")).write_bytes(b"5")
    by_file.catch_up()
    told = {os.fsencode(path.removeprefix(f"{DATASET}/")): why for path, why in by_file.tracker.untracked.items()}
    assert set(told) == {b"n" * 255, b"\xff\xfe.bin", b"dvc.lock"}
    assert "UTF-8" in told[b"\xff\xfe.bin"]
    assert "shorten" in told[b"n" * 255]
    assert (by_file.root / DATASET / ("n" * 251 + ".dvc")).is_file()


def test_a_zarr_store_is_one_object(lab: Lab) -> None:
    lab.fill({"x.zarr/.zgroup": b"{}", "x.zarr/a/.zarray": b"{}", "x.zarr/a/0.0": b"chunk", "y.txt": b"y"})
    lab.catch_up()
    assert lab.tracker.untracked == {}
    assert lab.up_to_date()
    assert lab.catch_up() == []
    before = lab.contents()
    shutil.rmtree(lab.root / DATASET / "x.zarr")
    lab.dvc("checkout", "-q")
    assert lab.contents() == before
    shutil.rmtree(lab.root / DATASET / "x.zarr")
    lab.catch_up()
    assert lab.up_to_date()


def test_a_file_that_may_be_run_comes_back_so(by_file: Lab) -> None:
    by_file.fill({"run.sh": b"#!/bin/sh\n"})
    script = by_file.root / DATASET / "run.sh"
    script.chmod(0o755)
    by_file.catch_up()
    script.unlink()
    by_file.dvc("checkout", "-q")
    assert script.stat().st_mode & stat.S_IXUSR


def test_recorded_without_bytes(root: Path) -> None:
    lab = Lab(root, Mode.RECORD)
    lab.fill(FILES)
    lab.catch_up()
    assert lab.up_to_date()
    assert not (root / ".dvc/cache/files").exists()
    (root / DATASET / "a.csv").write_bytes(b"other")
    assert "modified" in lab.dvc("status")


def test_off_writes_nothing(root: Path) -> None:
    lab = Lab(root, Mode.OFF)
    lab.fill(FILES)
    assert lab.catch_up() == []
    assert not (root / ".dvc").exists()
    assert not lab.tracker.wants_md5


def test_another_mode_takes_over(root: Path) -> None:
    lab = Lab(root, Mode.FILE)
    lab.fill(FILES)
    lab.catch_up()
    for mode in (Mode.FOLDER, Mode.RECORD, Mode.FILE, Mode.FOLDER):
        lab.tracker = Tracker(root, DataSettings(mode))
        lab.catch_up()
        assert lab.up_to_date(), mode
        assert (root / f"{DATASET}.dvc").exists() == (mode is Mode.FOLDER)
        assert (root / DATASET / "a.csv.dvc").exists() == (mode is not Mode.FOLDER)


def test_each_dataset_may_have_its_own_mode(root: Path) -> None:
    settings = DataSettings(Mode.FILE, (("p_A/many", Mode.FOLDER), ("p_B/*", Mode.OFF)))
    lab = Lab(root)
    lab.tracker = Tracker(root, settings)
    for dataset in ("p_A/many", "p_A/few", "p_B/none"):
        lab.fill({"a": dataset.encode()}, dataset)
        lab.catch_up(dataset)
    assert sorted(str(p.relative_to(root)) for p in root.glob("p_*/**/*.dvc")) == ["p_A/few/a.dvc", "p_A/many.dvc"]
    assert lab.up_to_date()


def test_a_file_that_is_not_as_described_is_left_for_later(lab: Lab) -> None:
    lab.fill(FILES)
    file = described(lab.root, f"{DATASET}/a.csv")
    (lab.root / DATASET / "a.csv").write_bytes(b"1,2,3\n")
    [kept] = lab.tracker.keep([file])
    assert kept.reason == CHANGED
    assert lab.tracker.write(DATASET, [kept]) == [lab.root / p for p in (".dvc/config", ".dvc/.gitignore")] + (
        [lab.root / ".dvcignore"] if lab.mode is Mode.FOLDER else []
    )


def test_other_bytes_under_the_same_stamp_are_never_named_by_the_recorded_checksum(by_file: Lab) -> None:
    by_file.fill(FILES)
    for md5 in (True, False):
        file = described(by_file.root, f"{DATASET}/a.csv", md5=md5)
        [kept] = by_file.tracker.keep([file._replace(sha256="0" * 64, md5="0" * 32 if md5 else "")])
        assert "damaged" in kept.reason
    assert [p for p in (by_file.root / ".dvc/cache").rglob("*") if p.is_file()] == []


def test_a_site_with_its_own_cache_directory(root: Path, tmp_path: Path) -> None:
    lab = Lab(root)
    lab.dvc("init", "-q")
    lab.dvc("cache", "dir", str(tmp_path / "shared cache"))
    lab.fill(FILES)
    lab.catch_up()
    assert not (root / ".dvc/cache").exists()
    assert (tmp_path / "shared cache/files/md5").is_dir()
    assert lab.up_to_date()
    assert not lab.tracker.project.is_ours()


def test_a_person_s_commit_with_dvc_itself_is_taken_over(by_file: Lab) -> None:
    by_file.fill({"a b.csv": b"1"})
    by_file.catch_up()
    (by_file.root / DATASET / "a b.csv").write_bytes(b"22")
    by_file.dvc("commit", "-q", "-f", f"{DATASET}/a b.csv.dvc")
    by_file.catch_up()
    assert by_file.tracker.untracked == {}
    assert by_file.up_to_date()


def test_a_users_own_gitignore_is_left_alone(by_file: Lab) -> None:
    by_file.fill({"a": b"1", ".gitignore": b"*.log\n"})
    by_file.catch_up()
    assert (by_file.root / DATASET / ".gitignore").read_bytes() == b"*.log\n"
    assert by_file.up_to_date()


@pytest.mark.parametrize("name", ODD)
def test_a_pointer_reads_as_it_was_written(name: str) -> None:
    for pointer in (
        pointers.Pointer(name, "0" * 32, 5, "a" * 64),
        pointers.Pointer(name, "0" * 32 + ".dir", 5, "a" * 64, 3, cached=False, executable=True),
    ):
        assert pointers.read(pointers.text(pointer), name) == pointer
        assert pointers.read(pointers.text(pointer), name + "x") is None


def test_the_cache_of_a_project_that_says_nothing_of_it_is_where_dvc_has_it(
    by_file: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [n for n in os.environ if n.startswith(("DVC_", "XDG_CONFIG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CI", "true")
    asked: list[Sequence[str]] = []
    run = program.run
    monkeypatch.setattr(program, "run", lambda root, words, seconds: asked.append(words) or run(root, words, seconds))
    by_file.fill({"a": b"1"})
    by_file.catch_up()
    assert asked == []
    assert by_file.tracker.project.cache().folder == by_file.root / by_file.dvc("cache", "dir").strip()
    by_file.dvc("cache", "dir", "--global", str(tmp_path / "everybody's"))
    assert Tracker(by_file.root, DataSettings(Mode.FILE)).project.cache().folder == tmp_path / "everybody's"
    assert asked == [["cache", "dir"]]


def test_what_a_pass_wrote_it_does_not_read_again(by_file: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    texts = comparing.texts
    monkeypatch.setattr(comparing, "texts", lambda root, paths: texts(root, read.extend(p := list(paths)) or p))
    by_file.fill({"old": b"1"})
    by_file.catch_up()
    by_file.fill({"new": b"2"})
    kept = by_file.tracker.keep([described(by_file.root, f"{DATASET}/new")])
    by_file.tracker.write(DATASET, kept)
    behind = by_file.tracker.compare(DATASET, by_file.described())
    assert (behind.missing, behind.gone, behind.standing) == ([], [], (f"{DATASET}/old",))
    assert read == [f"{DATASET}/old.dvc"]
    assert by_file.tracker.compare(DATASET, by_file.described()).standing == (f"{DATASET}/new", f"{DATASET}/old")
