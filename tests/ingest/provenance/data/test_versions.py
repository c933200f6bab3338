"""Versions of a data file: which there were, where their bytes are, and back to a chosen place."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from ingest.errors import StoreError
from ingest.provenance.data import versions
from ingest.provenance.data.plans import read_all
from ingest.provenance.data.project import DataError
from ingest.provenance.data.settings import Mode
from ingest.provenance.data.versions import OccupiedError
from ingest.rows import Stamp
from tests.ingest.provenance.data.conftest import DATASET, Lab
from tests.ingest.provenance.data.test_fixity import freely

A = f"{DATASET}/a.csv"


def two_versions(lab: Lab) -> tuple[bytes, bytes]:
    """The texts of the .dvc file that names the first and the second version of a file."""
    texts = []
    path = lab.root / (f"{DATASET}.dvc" if lab.mode is Mode.FOLDER else f"{A}.dvc")
    for data in (b"first", b"second"):
        lab.fill({"a.csv": data, "b": b"b"})
        lab.catch_up()
        lab.commit()
        texts.append(path.read_bytes())
    return texts[0], texts[1]


def version(lab: Lab, text: bytes) -> versions.DataVersion:
    cache = lab.tracker.project.cache()
    if lab.mode is Mode.FOLDER:
        found = versions.version_inside(text, DATASET, A, cache)
    else:
        found = versions.version_beside(text, A, cache)
    assert found is not None
    return found


def test_an_old_version_comes_back_to_a_chosen_place(lab: Lab, tmp_path: Path) -> None:
    first, _ = two_versions(lab)
    old, cache = version(lab, first), lab.tracker.project.cache()
    assert (old.size, old.cached) == (5, True)
    versions.restore(cache, old.md5, tmp_path / "back.csv", freely)
    assert (tmp_path / "back.csv").read_bytes() == b"first"
    assert (lab.root / A).read_bytes() == b"second"
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []


def test_nothing_is_restored_over_what_is_there_unless_a_person_agreed_to_just_that(by_file: Lab) -> None:
    first, _ = two_versions(by_file)
    cache, there = by_file.tracker.project.cache(), by_file.root / A
    there.write_bytes(b"third, in no cache")
    with pytest.raises(OccupiedError, match="is there already") as refused:
        versions.restore(cache, version(by_file, first).md5, there, freely)
    there.write_bytes(b"third, after the question")
    with pytest.raises(OccupiedError, match="changed since it was looked at"):
        versions.restore(cache, version(by_file, first).md5, there, freely, over=refused.value.stamp)
    assert there.read_bytes() == b"third, after the question"
    versions.restore(cache, version(by_file, first).md5, there, freely, over=Stamp.of(there.stat()))
    assert there.read_bytes() == b"first"
    assert b"third, after the question" in {p.read_bytes() for p in Path(cache.objects).glob("*/*")}


def test_a_damaged_or_missing_object_is_not_restored(by_file: Lab, tmp_path: Path) -> None:
    first, _ = two_versions(by_file)
    cache, md5 = by_file.tracker.project.cache(), version(by_file, first).md5
    Path(cache.path_of(md5)).chmod(0o644)
    Path(cache.path_of(md5)).write_bytes(b"wrong")
    with pytest.raises(DataError, match="damaged"):
        versions.restore(cache, md5, tmp_path / "back", freely)
    Path(cache.path_of(md5)).unlink()
    with pytest.raises(DataError, match="does not hold"):
        versions.restore(cache, md5, tmp_path / "back", freely)
    assert not (tmp_path / "back").exists()


def test_bytes_of_another_checksum_are_not_given_out(lab: Lab, tmp_path: Path) -> None:
    first, _ = two_versions(lab)
    lab.fill({"x.zarr/.zgroup": b"{}"})
    lab.catch_up()
    cache, md5 = lab.tracker.project.cache(), version(lab, first).md5
    folders = [p.parent.name + p.name for p in Path(cache.objects).glob("*/*.dir")]
    assert folders
    assert versions.sha256_of(cache, md5, freely) == hashlib.sha256(b"first").hexdigest()
    for wrong in (md5, *folders):
        with pytest.raises(DataError, match="has the SHA-256"):
            versions.restore(cache, wrong, tmp_path / "back", freely, sha256=hashlib.sha256(b"other").hexdigest())
        assert [p for p in tmp_path.iterdir() if p.name == "back" or p.name.endswith(".tmp")] == []
    versions.restore(cache, md5, tmp_path / "back", freely, sha256=hashlib.sha256(b"first").hexdigest())
    assert (tmp_path / "back").read_bytes() == b"first"


def test_where_a_file_has_one_name_only_it_is_restored_all_the_same(
    by_file: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*names: object, **folders: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))  # as vfat has it

    first, _ = two_versions(by_file)
    cache, md5 = by_file.tracker.project.cache(), version(by_file, first).md5
    monkeypatch.setattr(os, "link", refused)
    versions.restore(cache, md5, tmp_path / "back", freely)
    assert (tmp_path / "back").read_bytes() == b"first"
    (tmp_path / "back").write_bytes(b"mine")
    with pytest.raises(OccupiedError, match="is there already"):
        versions.restore(cache, md5, tmp_path / "back", freely)
    assert (tmp_path / "back").read_bytes() == b"mine"
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(StoreError):
        versions.restore(cache, md5, tmp_path / "other", freely)
    assert not (tmp_path / "other").exists()


def test_a_zarr_store_comes_back_whole(by_file: Lab, tmp_path: Path) -> None:
    by_file.fill({"x.zarr/.zgroup": b"{}", "x.zarr/a/b/0": b"chunk"})
    by_file.catch_up()
    pointer = read_all(by_file.root, [f"{DATASET}/x.zarr"])[f"{DATASET}/x.zarr"]
    versions.restore(by_file.tracker.project.cache(), pointer.md5, tmp_path / "back.zarr", freely)
    assert by_file.contents(tmp_path / "back.zarr") == {".zgroup": b"{}", "a/b/0": b"chunk"}


def test_a_listing_that_leaves_its_folder_is_refused(by_file: Lab, tmp_path: Path) -> None:
    by_file.fill({"a": b"1"})
    by_file.catch_up()
    cache = by_file.tracker.project.cache()
    md5 = read_all(by_file.root, [f"{DATASET}/a"])[f"{DATASET}/a"].md5
    with cache.filling() as filling:
        filling.put(b'[{"md5": "%s", "relpath": "../../evil"}]' % md5.encode(), "f" * 32 + ".dir")
        filling.land()
    with pytest.raises(DataError, match="outside its folder"):
        versions.restore(cache, "f" * 32 + ".dir", tmp_path / "x", freely)
    assert not list(tmp_path.rglob("evil"))


def test_what_only_a_remote_holds_is_fetched_by_its_commit(by_file: Lab, tmp_path: Path) -> None:
    first, _ = two_versions(by_file)
    commit = by_file.git("rev-parse", "HEAD~1").strip()
    # Added later than the commit, whose own settings know of no remote.
    by_file.dvc("remote", "add", "-q", "-d", "shelf", str(tmp_path / "shelf"))
    shutil.copytree(by_file.root / ".dvc/cache/files", tmp_path / "shelf/files")
    shutil.rmtree(by_file.root / ".dvc/cache")
    cache, old = by_file.tracker.project.cache(), version(by_file, first)
    assert not old.cached
    versions.fetch(by_file.root, cache, A, old, commit, "shelf")
    versions.restore(cache, old.md5, tmp_path / "back", freely)
    assert (tmp_path / "back").read_bytes() == b"first"
    with pytest.raises(DataError, match="not to be had"):
        versions.fetch(by_file.root, cache, "p_A/set/never", old, commit, "shelf")
