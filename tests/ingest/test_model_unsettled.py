"""Looks at the wrong moment: a file that moved is who it was, however often nothing could be read meanwhile.

Unlike in :mod:`tests.ingest.test_model`, no path is used twice, so one sentence says it all: unchanged bytes keep their
identity, and no two files have one. What varies is the looking: before anything is at rest, at one dataset only, while
large files are being read beside, with the state just lost, with links where folders were, where inodes are not stable.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from ingest import sources
from ingest.readers import SlowReads
from ingest.reconcile import reconcile
from tests.faults.oracle import violations
from tests.ingest.watched import Watched

CHOICE = st.integers(0, 1_000)
RESTLESS = 3_600.0
LARGE = 200


@dataclass(eq=False)
class File:
    """``folder`` and ``name`` below its dataset; ``alone`` until there is a copy of it."""

    dataset: str
    folder: str
    name: str
    alone: bool = True
    identity: str = ""

    @property
    def inner(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def path(self) -> str:
        return f"{self.dataset}/{self.inner}"


class Unsettled(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.temporary = tempfile.TemporaryDirectory(prefix="fairfolder-unsettled-")
        self.outside = Path(self.temporary.name)
        (self.outside / "data").mkdir()
        self.watched = Watched(self.outside / "data", self.outside / "state")
        self.stop = threading.Event()
        self.slow = SlowReads(self.stop, lambda _: None, larger_than=LARGE)
        self.numbers = itertools.count()
        self.datasets: list[str] = []
        self.files: list[File] = []
        self.away: list[File] = []
        for project in "ab":
            self.watched.folder(f"p_{project}")
            self.datasets += [self.new_dataset(project), self.new_dataset(project)]

    def teardown(self) -> None:
        try:
            if self.is_away():
                self.come_back()
            self.look_well()
        finally:
            self.stop.set()
            self.slow.close()
            self.temporary.cleanup()

    def new_dataset(self, project: str) -> str:
        path = f"p_{project}/d{next(self.numbers)}"
        self.watched.folder(path)
        return path

    def dataset(self, choice: int) -> str:
        return self.datasets[choice % len(self.datasets)]

    def file(self, choice: int) -> File:
        return self.files[choice % len(self.files)]

    # --- what researchers do -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.datasets)
    @rule(choice=CHOICE, large=st.booleans(), inside=st.booleans())
    def make(self, choice: int, large: bool, inside: bool) -> None:
        number = next(self.numbers)
        file = File(self.dataset(choice), "s" if inside else "", f"f{number}.txt")
        self.watched.put(file.path, f"content {number}".ljust(LARGE * 2 + number if large else 30 + number))
        self.files.append(file)

    @precondition(lambda self: self.files and self.datasets)
    @rule(choice=CHOICE, where=CHOICE)
    def rename(self, choice: int, where: int) -> None:
        file, old = self.file(choice), self.file(choice).path
        file.dataset, file.folder, file.name = self.dataset(where), "", f"f{next(self.numbers)}.txt"
        self.watched.move(old, file.path)

    @precondition(lambda self: any(f.folder for f in self.files))
    @rule(choice=CHOICE, where=CHOICE, link=st.booleans())
    def move_folder(self, choice: int, where: int, link: bool) -> None:
        inside = [f for f in self.files if f.folder]
        one = inside[choice % len(inside)]
        dataset, folder, target, new = one.dataset, one.folder, self.dataset(where), f"s{next(self.numbers)}"
        self.watched.move(f"{dataset}/{folder}", f"{target}/{new}")
        if link:
            (self.watched.root / dataset / folder).symlink_to(self.watched.root / target / new)
        for file in inside:
            if (file.dataset, file.folder) == (dataset, folder):
                file.dataset, file.folder = target, new
        if link and folder == "s":  # no file can be made in it any more
            self.leave(dataset)

    def leave(self, dataset: str) -> None:
        if dataset in self.datasets:
            self.datasets.remove(dataset)
            self.datasets.append(self.new_dataset(dataset[2]))

    @precondition(lambda self: any(f.alone for f in self.files))
    @rule(choice=CHOICE)
    def copy_beside(self, choice: int) -> None:
        """As `cp -p`: which of the two is the one it was, may be told either way where inodes are not stable."""
        file = self.file(choice)
        copy = File(file.dataset, file.folder, f"f{next(self.numbers)}.txt", alone=False)
        shutil.copy2(self.watched.root / file.path, self.watched.root / copy.path)
        file.alone = False
        self.files.append(copy)

    @precondition(lambda self: len(self.datasets) > 1)
    @rule(choice=CHOICE)
    def delete_dataset(self, choice: int) -> None:
        gone = self.dataset(choice)
        self.watched.remove(gone)
        self.files = [f for f in self.files if f.dataset != gone]
        self.datasets.remove(gone)
        self.datasets.append(self.new_dataset(gone[2]))

    @precondition(lambda self: not self.is_away())
    @rule()
    def go_away(self) -> None:
        """A project is moved out of the watched folder, with a link to it left behind."""
        os.rename(self.watched.root / "p_a", self.outside / "p_a")
        (self.watched.root / "p_a").symlink_to(self.outside / "p_a")
        self.away = [f for f in self.files if f.dataset.startswith("p_a/")]
        self.files = [f for f in self.files if f not in self.away]
        self.datasets = [d for d in self.datasets if d.startswith("p_b/")] or [self.new_dataset("b")]

    def is_away(self) -> bool:
        return (self.watched.root / "p_a").is_symlink()

    @precondition(lambda self: self.is_away())
    @rule()
    def come_back(self) -> None:
        self.watched.remove("p_a")
        os.rename(self.outside / "p_a", self.watched.root / "p_a")
        self.files += self.away
        self.away = []
        self.datasets += sorted(str(d.relative_to(self.watched.root)) for d in (self.watched.root / "p_a").glob("d*"))

    # --- looks -------------------------------------------------------------------------------------------------------

    @rule()
    def glance(self) -> None:
        self.watched.reconcile(settle_seconds=RESTLESS)

    @precondition(lambda self: self.datasets)
    @rule(choice=CHOICE)
    def look_at_one(self, choice: int) -> None:
        with self.watched.workspace() as ws:
            reconcile(ws, only=[self.dataset(choice)], wait=False)

    @rule()
    def look_beside(self) -> None:
        with self.watched.workspace() as ws:
            reconcile(ws, wait=False, slow=self.slow)

    @rule(how=st.sampled_from(["glance", "look_beside", "look_well"]))
    def lose_state(self, how: str) -> None:
        self.look_well()
        self.watched.lose_state()
        getattr(self, how)()

    @rule()
    def look_well(self) -> None:
        for _ in range(3):
            report = self.watched.reconcile()
        assert (report.alarms, report.findings, report.pending, report.described) == ([], [], 0, 0)
        assert violations(self.watched.root, self.watched.state) == []
        assert self.watched.problems() == {}
        assert self.watched.check() == []
        entries = {dataset: self.watched.entries(dataset) for dataset in {f.dataset for f in self.files}}
        for file in self.files:
            entry = entries[file.dataset][file.inner]
            assert entry["state"] == "present"
            if file.identity and file.alone:
                assert entry["file_identifier"] == file.identity
            file.identity, file.alone = entry["file_identifier"], True
        assert len({f.identity for f in self.files}) == len(self.files)


@pytest.mark.parametrize("kind", ["ext4", "nfs4"])
def test_unchanged_bytes_keep_their_identity_whenever_somebody_looks(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Callable[[int, int], int]
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 0:9 / / rw - {kind} server:/x rw\n")
    monkeypatch.setattr(sources, "_MOUNTS", mounts)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Unsettled,
        settings=settings(
            max_examples=count(12, 2_000),
            derandomize=count(1, 0) == 1,  # the gate repeats itself; the campaign looks for what is new
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
