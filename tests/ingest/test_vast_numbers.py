"""A file system whose inodes are beyond 2⁶³, which no SQLite integer can hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.ingest.watched import Watched

D = "p_Barley/leaves"


class _Vast:
    """What ``stat`` says, with a vast inode."""

    def __init__(self, info: os.stat_result) -> None:
        self._info = info

    @property
    def st_ino(self) -> int:
        return self._info.st_ino + 2**63

    def __getattr__(self, name: str) -> Any:
        return getattr(self._info, name)


class _Entry:
    """What ``scandir`` gives, with a vast inode."""

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self._entry = entry

    def stat(self, *, follow_symlinks: bool = True) -> _Vast:
        return _Vast(self._entry.stat(follow_symlinks=follow_symlinks))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)


@pytest.fixture
def vast(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Watched:
    def of(ask: Callable[..., os.stat_result]) -> Callable[..., _Vast]:
        return lambda *args, **more: _Vast(ask(*args, **more))

    listing = os.scandir

    class Entries:
        """As ``scandir`` answers: an iterator that is a context too."""

        def __init__(self, path: Any = ".") -> None:
            self._found = listing(path)

        def __iter__(self) -> Entries:
            return self

        def __next__(self) -> _Entry:
            return _Entry(next(self._found))

        def __enter__(self) -> Entries:
            return self

        def __exit__(self, *_: object) -> None:
            self._found.close()

    for name in ("stat", "lstat", "fstat"):
        monkeypatch.setattr(os, name, of(getattr(os, name)))
    monkeypatch.setattr(os, "scandir", Entries)
    return watched


def test_files_are_described_and_an_edited_document_counts(vast: Watched) -> None:
    vast.put(f"{D}/a.txt")
    vast.reconcile()
    vast.edit(f"{D}/.metadata/dataset_administrative.json", lambda v: v.update(dataset_title="Leaves"))
    report = vast.reconcile()
    assert (report.findings, report.unchanged, vast.problems()) == ([], 1, {})
    assert vast.check() == []


def test_a_project_renamed_outside_the_scheme_is_found_there(vast: Watched) -> None:
    vast.put(f"{D}/a.txt")
    vast.reconcile()
    vast.move("p_Barley", "Barley")
    vast.reconcile()
    (project,) = vast.registered("p_Barley")
    assert "'Barley', outside the naming scheme" in project["state_reason"]


def test_another_number_of_the_device_alone_is_no_other_disk(vast: Watched) -> None:
    vast.put(f"{D}/a.txt")
    vast.reconcile()
    with vast.workspace() as ws:
        now = ws.seen.get("root_device")
        ws.seen.put("root_device", now + 1)
        ws.seen.renumber_device(now, now + 1)
    report = vast.reconcile()
    assert (report.alarms, report.described, report.unchanged) == ([], 0, 1)


def test_an_unchanged_manifest_is_trusted(vast: Watched) -> None:
    """Then only the entries of what changed are read and checked, not all."""
    for number in range(3):
        vast.put(f"{D}/{number}.txt", f"{number}")
    vast.reconcile()
    path = vast.root / D / ".metadata" / "dataset_structural.json"
    info, text = os.stat(path), path.read_bytes()
    # Of the same length and time: whoever reads the whole of it finds that it is not valid.
    path.write_bytes(text.replace(b'"state":"present"', b'"state":"presemt"', 1))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    with vast.workspace() as ws:
        known = ws.seen.document(f"{D}/.metadata/dataset_structural.json")
        assert known is not None
        ctime = os.stat(path).st_ctime_ns
        ws.seen.put_document(f"{D}/.metadata/dataset_structural.json", known[0]._replace(ctime_ns=ctime), *known[1:])
    vast.put(f"{D}/2.txt", "changed")
    assert vast.reconcile().findings == []
