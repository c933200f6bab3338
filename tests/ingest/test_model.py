"""Anything researchers do, in any order, with the state lost in between: the manifests against a model of their own.

The model knows nothing of inodes, rows or schemas: a file is an object that is made, changed, renamed and removed, and
an entry is what was true of a path at the last pass. From these two it says which identity stands where.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.faults.oracle import violations
from tests.ingest.watched import Watched

NAMES = st.sampled_from(["a.txt", "b.csv", "s/a.txt", "s/c.json", "s/t/d"])
CHOICE = st.integers(0, 1_000)


@dataclass(eq=False)
class File:
    """One file through its life; ``version`` is a new object whenever its bytes change."""

    content: bytes
    version: object = field(default_factory=object)


@dataclass
class Entry:
    """What the last pass left of a path: an identity (its own object), and the file it saw, if it can remember it."""

    identity: object
    content: bytes
    version: object | None
    missing: bool = False
    by_bytes: bool = False


@dataclass(eq=False)
class Dataset:
    """A dataset folder; it keeps its identity wherever it moves."""

    path: str
    files: dict[str, File] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


class Model(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="fairfolder-model-")
        root = Path(self.folder.name) / "data"
        root.mkdir()
        self.watched = Watched(root, Path(self.folder.name) / "state")
        for project in ("p_a", "p_b"):
            self.watched.folder(project)
        self.datasets: list[Dataset] = []
        self.departed: list[Dataset] = []  # deleted since the last pass
        self.known: dict[object, str] = {}
        self.numbers = itertools.count()
        self.lost = False

    def teardown(self) -> None:
        self.reconcile()
        self.folder.cleanup()

    def some(self, choice: int) -> Dataset:
        return self.datasets[choice % len(self.datasets)]

    def some_file(self, choice: int) -> tuple[Dataset, str] | None:
        everything = [(d, name) for d in self.datasets for name in sorted(d.files)]
        return everything[choice % len(everything)] if everything else None

    def new_path(self, choice: int) -> str:
        return f"p_{'ab'[choice % 2]}/d{next(self.numbers)}"

    # --- what happens --------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.datasets) < 5)
    @rule(choice=CHOICE)
    def make_dataset(self, choice: int) -> None:
        dataset = Dataset(self.new_path(choice))
        self.watched.folder(dataset.path)
        self.datasets.append(dataset)

    @precondition(lambda self: self.datasets)
    @rule(choice=CHOICE, name=NAMES)
    def write(self, choice: int, name: str) -> None:
        """A new file, or new bytes (of another length) in an old one."""
        dataset = self.some(choice)
        content = f"content {next(self.numbers)}".ljust(30 + next(self.numbers)).encode()
        self.watched.put(f"{dataset.path}/{name}", content)
        dataset.files[name] = File(content)

    @rule(choice=CHOICE)
    def delete(self, choice: int) -> None:
        if (chosen := self.some_file(choice)) is not None:
            dataset, name = chosen
            self.watched.remove(f"{dataset.path}/{name}")
            del dataset.files[name]

    @rule(choice=CHOICE, other=CHOICE, name=NAMES)
    def rename(self, choice: int, other: int, name: str) -> None:
        """Within a dataset or into another one, over what may be there."""
        if (chosen := self.some_file(choice)) is not None:
            dataset, old = chosen
            target = self.some(other)
            if (dataset, old) != (target, name):
                self.watched.move(f"{dataset.path}/{old}", f"{target.path}/{name}")
                target.files[name] = dataset.files.pop(old)

    @precondition(lambda self: self.datasets)
    @rule(choice=CHOICE, where=CHOICE)
    def move_dataset(self, choice: int, where: int) -> None:
        dataset, path = self.some(choice), self.new_path(where)
        self.watched.move(dataset.path, path)
        dataset.path = path

    @precondition(lambda self: 0 < len(self.datasets) < 5)
    @rule(choice=CHOICE, where=CHOICE)
    def copy_dataset(self, choice: int, where: int) -> None:
        """With its metadata, between two passes, so that nobody has to ask which is the original."""
        self.reconcile()
        dataset, path = self.some(choice), self.new_path(where)
        self.watched.copy(dataset.path, path)
        files = {name: File(file.content) for name, file in dataset.files.items()}
        entries = {name: Entry(object(), f.content, f.version) for name, f in files.items()}
        self.datasets.append(Dataset(path, files, entries))
        self.reconcile()

    @precondition(lambda self: self.datasets)
    @rule(choice=CHOICE)
    def delete_dataset(self, choice: int) -> None:
        dataset = self.some(choice)
        self.watched.remove(dataset.path)
        self.datasets.remove(dataset)
        dataset.files = {}
        self.departed.append(dataset)

    @rule()
    def lose_state(self) -> None:
        self.watched.lose_state()
        self.lost = True

    # --- what must be true ----------------------------------------------------------------------------------------

    @rule()
    def reconcile(self) -> None:
        report = self.watched.reconcile()
        assert (report.alarms, report.findings, report.pending) == ([], [], 0)
        self.expect()
        self.lost = False
        assert violations(self.watched.root, self.watched.state) == []
        assert self.watched.problems() == {}
        self.same(object(), None)
        for dataset in self.datasets:
            self.same(dataset, self.watched.administrative(dataset.path)["dataset_identifier"])
            found = self.watched.entries(dataset.path)
            states = {name: entry["state"] for name, entry in found.items()}
            assert states == {n: "missing" if e.missing else "present" for n, e in dataset.entries.items()}
            for name, entry in dataset.entries.items():
                self.same(entry.identity, found[name]["file_identifier"])

    def same(self, thing: object, identifier: str | None) -> None:
        """The identity of a thing is what it was before, and nobody else's."""
        if identifier is not None:
            assert self.known.setdefault(thing, identifier) == identifier
            assert len(set(self.known.values())) == len(self.known)

    def expect(self) -> None:
        """The entries as this pass must leave them."""
        claimed: set[int] = set()
        after = {dataset: dict(self.expected_of(dataset, claimed)) for dataset in self.datasets}
        for dataset in self.datasets:
            for name, entry in dataset.entries.items():
                if name not in after[dataset] and id(entry) not in claimed:
                    entry.by_bytes = entry.by_bytes or self.lost
                    entry.version = None if self.lost else entry.version
                    entry.missing = True
                    after[dataset][name] = entry
        for dataset in self.datasets:
            dataset.entries = after[dataset]
        self.departed = []

    def expected_of(self, dataset: Dataset, claimed: set[int]) -> Iterator[tuple[str, Entry]]:
        for name, file in dataset.files.items():
            here = dataset.entries.get(name)
            source = here if here is not None else self.origin(dataset, file, claimed)
            if source is not None and source is not here:
                claimed.add(id(source))
            identity = source.identity if source is not None else object()
            yield name, Entry(identity, file.content, file.version)

    def origin(self, dataset: Dataset, file: File, claimed: set[int]) -> Entry | None:
        """The entry of a file that is not where it was: by what the state remembers of it, or by its bytes."""
        found = []
        for other in (*self.datasets, *self.departed):
            for name, entry in other.entries.items():
                if name in other.files or id(entry) in claimed:
                    continue
                remembered = not self.lost and entry.version is file.version
                alike = entry.content == file.content and other is dataset
                if remembered or (alike and (entry.by_bytes or (self.lost and not entry.missing))):
                    found.append((entry.missing, other is not dataset, len(found), entry))
        return min(found)[-1] if found else None


def test_manifests_say_what_a_model_says(count: Callable[[int, int], int]) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Model,
        settings=settings(
            max_examples=count(12, 2_000),
            derandomize=count(1, 0) == 1,  # the gate repeats itself; the campaign looks for what is new
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
