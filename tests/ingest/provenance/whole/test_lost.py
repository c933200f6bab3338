"""What was lost beside the data (a history, a cache) is noticed by the next whole pass, and mended."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest import file_versions, root_guard
from ingest.provenance.actions import Action
from ingest.provenance.data import cache, keeping, whole
from ingest.provenance.data.settings import Mode
from ingest.provenance.recorder import Recorder
from ingest.provenance.settings import GitSettings
from ingest.reconcile import reconcile
from ingest.workspace import open_workspace
from tests.ingest.provenance.historic import Historic

D, OTHER = "p_Barley/leaves", "p_Rye/roots"


@pytest.fixture(params=[Mode.FILE, Mode.FOLDER], ids=["file by file", "whole folder"])
def kept(request: pytest.FixtureRequest, historic: Historic) -> Historic:
    """Two datasets of two projects, whose versions are kept."""
    historic.mode = request.param
    historic.put(f"{D}/a.txt", "a\n")
    historic.put(f"{D}/plate/b.txt", "b\n")
    historic.put(f"{OTHER}/c.txt", "c\n")
    return historic


def ours(historic: Historic) -> set[str]:
    """What stands on disk to be in the history."""
    found = (p.relative_to(historic.root).as_posix() for p in historic.root.rglob("*") if p.is_file())
    return {p for p in found if p.startswith("p_") and p.endswith((".dvc", ".gitignore"))}


def recorded(historic: Historic) -> set[str]:
    return set(historic.git("ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0"))


def test_what_was_described_while_no_history_was_kept_is_in_it_once_it_is(kept: Historic) -> None:
    with open_workspace(kept.root, kept.settings(git=GitSettings(enabled=False))) as ws:
        reconcile(ws)
    assert ours(kept)
    kept.reconcile()
    assert ours(kept) <= recorded(kept)
    subjects = [c.subject for c in kept.commits() if any(path.endswith(".dvc") for path in c.paths)]
    assert subjects == ["Keep versions of files that the history did not have"]
    kept.assert_sound()


def test_a_history_that_was_moved_away_begins_anew_with_all_of_it(kept: Historic) -> None:
    kept.reconcile()
    (kept.root / ".git").rename(kept.state / "old.git")
    kept.reconcile()
    assert ours(kept) <= recorded(kept)
    kept.assert_sound()


def test_a_dataset_that_comes_back_has_its_versions_in_the_history_again(kept: Historic) -> None:
    kept.reconcile()
    aside = kept.state / "aside"
    (kept.root / D).rename(aside)
    kept.reconcile(accept_deletions=True)
    assert not any(path.startswith(D) for path in recorded(kept))
    aside.rename(kept.root / D)
    kept.reconcile()
    assert len([path for path in ours(kept) if path.startswith(D)]) >= 2
    assert ours(kept) <= recorded(kept)
    kept.assert_sound()


def test_a_pass_over_versions_that_are_all_recorded_makes_no_commit(kept: Historic) -> None:
    kept.reconcile()
    before = len(kept.commits())
    assert kept.reconcile().versions_kept == 0
    assert len(kept.commits()) == before


def test_a_cache_that_was_lost_is_filled_again_from_the_files_that_are_there(kept: Historic) -> None:
    kept.reconcile()
    objects = kept.root / ".dvc" / "cache" / "files"
    before = {p.relative_to(objects): p.read_bytes() for p in objects.rglob("*") if p.is_file()}
    shutil.rmtree(objects)
    assert kept.reconcile().versions_kept == 3
    assert {p.relative_to(objects): p.read_bytes() for p in objects.rglob("*") if p.is_file()} == before
    assert kept.reconcile().versions_kept == 0
    kept.assert_sound()


def test_one_object_that_was_lost_or_cut_short_is_kept_again(kept: Historic) -> None:
    kept.reconcile()
    objects = [p for p in (kept.root / ".dvc/cache/files/md5").rglob("*") if p.is_file()]
    lost, short = sorted(p for p in objects if p.read_bytes() in (b"a\n", b"b\n"))
    text = short.read_bytes()
    lost.unlink()
    short.chmod(0o644)
    short.write_bytes(b"")
    assert kept.reconcile().versions_kept == 2
    assert lost.exists()
    assert short.read_bytes() == text


def test_many_versions_are_kept_in_portions_between_which_others_get_their_turn(
    historic: Historic, monkeypatch: pytest.MonkeyPatch
) -> None:
    historic.mode = Mode.OFF
    for number in range(7):
        historic.put(f"{D}/{number}.txt", f"{number}\n")
    historic.reconcile()
    monkeypatch.setattr(file_versions, "_AT_ONCE", 3)
    held: list[int] = []
    begin = Recorder.begin

    def counted(recorder: Recorder, paths: Sequence[Path], action: Action, *rest: object, **more: object) -> None:
        held.append(len(paths))
        begin(recorder, paths, action, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Recorder, "begin", counted)
    historic.mode = Mode.FILE
    assert historic.reconcile().versions_kept == 7
    assert held == [3, 3, 1]
    subjects = [c.subject for c in historic.commits() if any(path.endswith(".dvc") for path in c.paths)]
    assert subjects == ["Keep 3 versions of files in leaves"] * 2 + ["Keep 1 version of files in leaves"]
    historic.assert_sound()


# --- pointers beside a dataset's folder ---------------------------------------------------------------------------


@pytest.fixture
def as_a_whole(historic: Historic) -> Historic:
    historic.mode = Mode.FOLDER
    historic.put(f"{D}/a.txt", "a\n")
    historic.put("p_Barley/roots/b.txt", "b\n")
    historic.reconcile()
    return historic


def test_the_pointer_to_a_whole_dataset_goes_where_its_folder_goes_and_nothing_is_read_again(
    as_a_whole: Historic, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(as_a_whole.commits())
    pointer = (as_a_whole.root / f"{D}.dvc").read_text()
    as_a_whole.move(D, "p_Rye/stems")

    def no_reading(*_: object) -> None:
        raise AssertionError("its bytes are kept already")

    for place in (keeping, cache, whole):
        monkeypatch.setattr(place, "checksums", no_reading)
    report = as_a_whole.reconcile()
    assert (report.versions_kept, report.findings) == (0, [])
    assert ours(as_a_whole) == {
        "p_Rye/stems.dvc", "p_Rye/stems/.gitignore", "p_Barley/roots.dvc", "p_Barley/roots/.gitignore"
    }  # fmt: skip
    assert (as_a_whole.root / "p_Rye/stems.dvc").read_text() == pointer.replace('"leaves"', '"stems"')
    followed = next(c for c in as_a_whole.commits()[before:] if f"{D}.dvc" in c.paths)
    assert (followed.paths[f"{D}.dvc"], followed.paths["p_Rye/stems.dvc"]) == ("D", "A")
    assert followed.subject == "Follow 1 dataset to another project"
    assert "up to date" in as_a_whole.dvc("status")
    as_a_whole.assert_sound()


def test_two_whole_datasets_that_change_names_have_each_its_own_pointer(as_a_whole: Historic) -> None:
    as_a_whole.move(D, "p_Barley/aside")
    as_a_whole.move("p_Barley/roots", D)
    as_a_whole.move("p_Barley/aside", "p_Barley/roots")
    as_a_whole.reconcile()
    assert "up to date" in as_a_whole.dvc("status")
    as_a_whole.assert_sound()


def test_the_pointer_to_a_whole_dataset_that_is_gone_goes_in_the_same_commit(as_a_whole: Historic) -> None:
    before = len(as_a_whole.commits())
    as_a_whole.remove(D)
    as_a_whole.reconcile(accept_deletions=True)
    (gone,) = as_a_whole.commits()[before:]
    assert (gone.subject, gone.paths[f"{D}.dvc"]) == ("Mark leaves as missing", "D")
    assert not (as_a_whole.root / f"{D}.dvc").exists()
    as_a_whole.dvc("checkout")
    assert not (as_a_whole.root / D).exists()
    as_a_whole.assert_sound()


def test_a_pointer_left_behind_by_a_dataset_that_is_gone_is_swept(as_a_whole: Historic) -> None:
    left = (as_a_whole.root / f"{D}.dvc").read_text()
    as_a_whole.remove(D)
    as_a_whole.reconcile(accept_deletions=True)
    as_a_whole.put(f"{D}.dvc", left)
    theirs = as_a_whole.put("p_Barley/theirs.dvc", "outs:\n- path: theirs\n")
    before = len(as_a_whole.commits())
    as_a_whole.reconcile()
    assert not (as_a_whole.root / f"{D}.dvc").exists()
    assert theirs.exists()
    assert as_a_whole.commits()[-1].subject == "Let go of the versions of 1 dataset that is gone"
    assert as_a_whole.git("show", f"HEAD~1:{D}.dvc") == left
    assert len(as_a_whole.commits()) == before + 2


def test_the_pointer_to_a_dataset_that_may_only_be_unmounted_stays(
    as_a_whole: Historic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root_guard, "_MANY", 1)
    for name in ("roots", "leaves"):
        (as_a_whole.root / "p_Barley" / name).rename(as_a_whole.state / f"{name} aside")
    assert as_a_whole.reconcile().alarms
    assert (as_a_whole.root / f"{D}.dvc").exists()
