"""The index after folders came, went and moved: real passes of the engine, and what each leaves behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pytest_django import Settings

from catalog import index, queries
from catalog.index import refreshing
from catalog.models import Dataset, Document, File, Project, Rebuild
from ingest import documents
from ingest.errors import FairfolderError, FrozenError
from ingest.reconcile import reconcile
from ingest.seen import state_folder
from ingest.workspace import open_workspace
from tests.catalog.tree import Tree, entry

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Lab:
    """A watched folder that the engine describes and the index follows."""

    root: Path
    settings: Settings
    told: list[Path] = field(default_factory=list)

    def put(self, path: str, content: str = "x,y\n1,2\n") -> Path:
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(content)
        return full

    def reconcile(self, *folders: str, accept_deletions: bool = False) -> None:
        """One pass; `folders` are those whose coming, going or moving is told as well."""
        with open_workspace(self.root, self.settings.ENGINE) as workspace:
            reconcile(workspace, wait=False, on_recorded=self._tell, accept_deletions=accept_deletions)
        index.refresh([self.root / folder for folder in folders])

    def _tell(self, paths: Sequence[Path]) -> None:
        self.told += paths
        index.refresh(paths)

    def paths(self) -> list[str]:
        return sorted(Document.objects.exclude(kind=documents.REGISTRY).values_list("path", flat=True))


@pytest.fixture
def lab(tree: Tree, settings: Settings) -> Lab:
    """Two projects, three datasets, described and indexed; files count as at rest at once."""
    settings.ENGINE = replace(settings.ENGINE, settle_seconds=0.0)
    lab = Lab(tree.root, settings)
    for path in ("p_Alpha/one/a.csv", "p_Alpha/one/b.csv", "p_Alpha/two/c.csv", "p_Beta/three/d.csv"):
        lab.put(path)
    lab.reconcile()
    assert Dataset.objects.count() == 3
    return lab


def assert_equal_to_rebuild() -> None:
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live


def test_a_renamed_dataset_keeps_its_rows_under_the_new_name(lab: Lab) -> None:
    (lab.root / "p_Alpha/one").rename(lab.root / "p_Alpha/uno")
    lab.reconcile("p_Alpha/one", "p_Alpha/uno")
    assert "p_Alpha/uno/.metadata/dataset_structural.json" in lab.paths()
    assert not [path for path in lab.paths() if path.startswith("p_Alpha/one/")]
    assert Dataset.objects.get(path="p_Alpha/uno").files.count() == 2
    assert_equal_to_rebuild()


def test_a_renamed_project_takes_all_its_datasets_along(lab: Lab) -> None:
    (lab.root / "p_Alpha").rename(lab.root / "p_Omega")
    lab.reconcile("p_Alpha", "p_Omega")
    assert Project.objects.get(path="p_Omega").document is not None
    assert sorted(Dataset.objects.values_list("path", flat=True)) == ["p_Beta/three", "p_Omega/one", "p_Omega/two"]
    assert File.objects.count() == 4
    assert_equal_to_rebuild()


def test_a_dataset_moved_to_another_project_belongs_to_that(lab: Lab) -> None:
    (lab.root / "p_Alpha/one").rename(lab.root / "p_Beta/one")
    lab.reconcile("p_Alpha/one", "p_Beta/one")
    moved = Dataset.objects.get(path="p_Beta/one")
    assert moved.project_identifier == Project.objects.get(path="p_Beta").identifier
    assert_equal_to_rebuild()


def test_a_deleted_dataset_and_its_return_are_both_followed(lab: Lab, tmp_path: Path) -> None:
    shutil.copytree(lab.root / "p_Alpha/two", tmp_path / "kept")
    shutil.rmtree(lab.root / "p_Alpha/two")
    lab.reconcile("p_Alpha/two", accept_deletions=True)
    assert not [path for path in lab.paths() if path.startswith("p_Alpha/two/")]
    assert_equal_to_rebuild()
    shutil.copytree(tmp_path / "kept", lab.root / "p_Alpha/two")
    lab.reconcile("p_Alpha/two")
    assert Dataset.objects.get(path="p_Alpha/two").files.count() == 1
    assert_equal_to_rebuild()


@pytest.mark.parametrize("name", ["dataset_administrative.json", "dataset_structural.json"])
def test_a_document_broken_by_hand_is_shown_as_broken(lab: Lab, name: str) -> None:
    here = lab.root / "p_Alpha/one/.metadata" / name
    here.write_text("{ broken")
    lab.reconcile(f"p_Alpha/one/.metadata/{name}")
    assert "is not valid JSON" in Document.objects.get(path=f"p_Alpha/one/.metadata/{name}").problem
    assert_equal_to_rebuild()


def test_a_folder_means_what_is_on_disk_below_it_though_no_row_is(tree: Tree) -> None:
    tree.project("p_Alpha")
    tree.dataset("p_Alpha/one", [entry("a.csv")])
    odd = os.fsdecode(b"p_Alpha/100%\xff")
    tree.dataset(odd, [entry("b.csv")])
    index.refresh([tree.root / "p_Alpha"])
    assert Dataset.objects.count() == 2
    assert Project.objects.get(path="p_Alpha").document is not None
    assert not Document.objects.filter(kind=documents.REGISTRY).exists()
    index.refresh([tree.root / ".metadata"])
    assert Document.objects.filter(kind=documents.REGISTRY).count() == 3
    shutil.rmtree(tree.root / "p_Alpha")
    index.refresh([tree.root / "p_Alpha"])
    assert not Document.objects.exclude(kind=documents.REGISTRY).exists()
    assert_equal_to_rebuild()


def test_folders_that_differ_in_letter_case_are_two(tree: Tree) -> None:
    tree.dataset("p_X/d", [entry("a.csv")])
    tree.dataset("p_x/d", [entry("b.csv")])
    index.refresh(tree.documents())
    shutil.rmtree(tree.root / "p_X")
    index.refresh([tree.root / "p_X"])
    assert [row.path.split("/")[0] for row in Document.objects.exclude(kind=documents.REGISTRY)] == ["p_x", "p_x"]


def test_a_broken_document_is_shown_with_its_own_folder_alone(tree: Tree) -> None:
    for folder in ("p_X", "p_x"):
        tree.project(folder)
    odd = os.fsdecode(b"p_x/d\xff")
    tree.dataset(odd)
    tree.document(odd, documents.ADMINISTRATIVE).write_text("{ broken")
    documents.project_document(tree.root, "p_x").write_text("{ broken")
    tree.dataset("p_X/d")
    tree.document("p_X/d", documents.ADMINISTRATIVE).write_text("{ broken")
    index.refresh(tree.documents())
    found = {row.path: [each.path for each in queries.broken_below(row)] for row in Project.objects.all()}
    assert found == {
        "p_X": ["p_X/d/.metadata/dataset_administrative.json"],
        "p_x": ["p_x/.metadata/project_descriptive.json", "p_x/d%FF/.metadata/dataset_administrative.json"],
    }


def test_a_whole_root_is_compared_by_stat_and_only_changes_are_read(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    true_read = refreshing.read
    monkeypatch.setattr(refreshing, "read", lambda place, kind: read.append(place.relative) or true_read(place, kind))
    index.refresh([lab.root])
    assert read == []
    (lab.root / "p_Beta/.metadata/project_descriptive.json").write_text("{ broken")
    shutil.rmtree(lab.root / "p_Alpha/two")
    index.refresh([lab.root])
    assert sorted(read) == [
        "p_Alpha/two/.metadata/dataset_administrative.json",
        "p_Alpha/two/.metadata/dataset_structural.json",
        "p_Beta/.metadata/project_descriptive.json",
    ]
    assert_equal_to_rebuild()


def unmount(lab: Lab) -> Path:
    away = lab.root.with_name("unmounted")
    lab.root.rename(away)
    lab.root.mkdir()
    return away


@pytest.mark.parametrize("engine_has_looked", [False, True])
def test_an_empty_mount_point_keeps_the_rows_until_the_disk_is_back(lab: Lab, engine_has_looked: bool) -> None:
    before = index.snapshot()
    away = unmount(lab)
    if engine_has_looked:
        lab.reconcile()
    assert index.catch_up() == 0
    index.refresh([lab.root])
    with pytest.raises(FrozenError, match="is empty, although"):
        index.rebuild()
    assert index.snapshot() == before
    lab.root.rmdir()
    away.rename(lab.root)
    lab.reconcile()
    assert index.catch_up() == 0
    assert index.snapshot() == before
    assert_equal_to_rebuild()


def test_an_empty_folder_of_which_the_engine_knows_nothing_keeps_its_rows(tree: Tree) -> None:
    tree.dataset("p_Alpha/one", [entry("a.csv")])
    index.refresh(tree.documents())
    tree.root.rename(tree.root.with_name("unmounted"))
    tree.root.mkdir()
    assert index.catch_up() == 0
    assert Dataset.objects.count() == 1


@pytest.mark.parametrize("alarm", ["frozen", "mass_loss"])
def test_a_freeze_of_the_engine_holds_the_index_too_and_its_end_lets_it_catch_up(lab: Lab, alarm: str) -> None:
    with open_workspace(lab.root, lab.settings.ENGINE) as workspace:
        workspace.seen.put(alarm, "Most files vanished at once.")
    shutil.rmtree(lab.root / "p_Alpha")
    before = index.snapshot()
    assert index.catch_up() == 0
    with pytest.raises(FrozenError, match="Most files vanished"):
        index.rebuild()
    assert index.snapshot() == before
    with open_workspace(lab.root, lab.settings.ENGINE) as workspace:
        workspace.seen.put(alarm, "")
    index.refresh([lab.root])
    assert not [path for path in lab.paths() if path.startswith("p_Alpha/")]


def test_a_root_whose_folders_were_all_rightly_deleted_can_be_rebuilt(lab: Lab) -> None:
    for name in ("p_Alpha", "p_Beta"):
        shutil.rmtree(lab.root / name)
    lab.reconcile("p_Alpha", "p_Beta", accept_deletions=True)
    assert set(Dataset.objects.values_list("state", flat=True)) == {"missing"}
    assert_equal_to_rebuild()


def test_one_unreadable_root_holds_up_no_other(lab: Lab, tmp_path: Path, settings: Settings) -> None:
    other = Tree(tmp_path / "other")
    other.dataset("p_Other/d", [entry("x")])
    damaged = state_folder(settings.ENGINE.state_dir, lab.root) / "seen.sqlite"
    damaged.rename(damaged.with_suffix(".kept"))
    damaged.mkdir()
    settings.MONITOR_PATHS = (lab.root, other.root)
    with pytest.raises(FairfolderError, match="cannot be used"):
        index.catch_up()
    assert Dataset.objects.filter(path="p_Other/d").exists()
    assert Dataset.objects.count() == 4


def test_an_index_can_follow_while_the_engine_sets_its_state_up(tree: Tree, settings: Settings) -> None:
    state = state_folder(settings.ENGINE.state_dir, tree.root)
    state.mkdir(parents=True)
    (state / "seen.sqlite").touch()
    tree.dataset("p_Alpha/one", [entry("a.csv")])
    assert index.catch_up() == 3


def test_catching_up_leaves_the_note_of_a_rebuild_that_goes_on(tree: Tree) -> None:
    tree.dataset("p_Alpha/one", [entry("a.csv")])
    noted: list[bool] = []

    def another_process(done: int) -> None:
        index.catch_up()
        noted.append(Rebuild.objects.exists())

    index.rebuild(another_process)
    assert noted == [True]
    assert not Rebuild.objects.exists()


def test_a_transaction_takes_no_more_than_its_share_of_bytes(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    true_refresh = refreshing._refresh
    monkeypatch.setattr(refreshing, "BATCH_BYTES", 5_000)
    monkeypatch.setattr(refreshing, "_refresh", lambda places: taken.append(len(places)) or true_refresh(places))
    for number in range(4):
        tree.dataset(f"p_Alpha/d{number}", [entry(f"f{i}") for i in range(20)])
    index.refresh([path for path in tree.documents() if path.stem == documents.STRUCTURAL])
    assert taken == [1, 1, 1, 1]
    assert File.objects.count() == 80
