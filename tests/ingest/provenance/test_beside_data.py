"""Files that people have too, ``.dvc`` and ``.gitignore``: ours are recorded, theirs are left to them."""

from __future__ import annotations

import pytest

from ingest.layout import Layout
from ingest.provenance import git
from ingest.provenance.actions import Action
from ingest.provenance.data import ignoring, pointers
from ingest.provenance.ours import is_ours
from tests.ingest.provenance.kept import Kept

pytestmark = pytest.mark.timeout(120)

THEIRS = b"outs:\n- md5: 0123456789abcdef0123456789abcdef\n  path: model\n"


def pointer(name: str, digit: str = "1") -> bytes:
    """A ``.dvc`` file of ours."""
    md5 = digit * 32
    return pointers.text(pointers.Pointer(name, md5, 3, digit * 64))


@pytest.mark.parametrize("path", ["p_x/d/.gitignore", "p_x/d.dvc", "p_x/d/a.csv.dvc", "p_x/d/deep/a.csv.dvc"])
def test_beside_data_there_may_be_files_of_ours(path: str) -> None:
    assert is_ours(path, Layout())


@pytest.mark.parametrize(
    "path",
    ["src/.gitignore", "src/model.dvc", "src/d/a.csv.dvc", "p_x/.gitignore", ".gitignore", "model.dvc",
     "p_x/d/deep/.gitignore", "p_x/.hidden.dvc", "p_/d/a.dvc", "p_x/.git/a.dvc"],
)  # fmt: skip
def test_elsewhere_they_are_other_peoples(path: str) -> None:
    assert not is_ours(path, Layout())


def test_the_layout_says_where_data_is() -> None:
    layout = Layout("project ", "set_")
    assert is_ours("project x/set_d/a.dvc", layout)
    assert is_ours("project x/set_d.dvc", layout)
    assert not is_ours("p_x/d/a.dvc", layout)
    assert not is_ours("project x/d/a.dvc", layout)


@pytest.mark.parametrize("folder", ["src", "p_x/d"])
def test_staged_work_of_a_person_stays_staged(kept: Kept, folder: str) -> None:
    kept.adopt()
    names = [f"{folder}/.gitignore", f"{folder}/model.dvc"]
    kept.put(names[0], "*.o\n")
    kept.put(names[1], THEIRS)
    kept.git("add", "-f", *names)
    kept.git("commit", "-q", "-m", "Mine")
    kept.save(1)
    kept.recorder.catch_up()
    kept.put(names[0], "*.o\nhalf done\n")
    kept.put(names[1], THEIRS + b"desc: half done\n")
    new = kept.put(f"{folder}/new.dvc", THEIRS)
    kept.git("add", "-f", *names, str(new))
    status, head = kept.status(), kept.git("rev-parse", "HEAD")
    assert kept.recorder.catch_up() == 0
    assert kept.recorder.catch_up([kept.path(name) for name in names]) == 0
    kept.recorder.begin([kept.path(folder) / "model.dvc"], Action("alice", "Anything"))
    kept.recorder.record([kept.path(folder) / "model.dvc"], Action("alice", "Anything"), [("p_x/d", "p_x/e")])
    assert kept.git("rev-parse", "HEAD") == head
    assert kept.status() == status
    assert kept.log("%an", "--", *names) == ["Rosa"]


def test_an_unstaged_file_of_a_person_goes_into_no_commit(kept: Kept) -> None:
    kept.save(1)
    mine = [kept.put("p_x/d/.gitignore", "*.tmp\n"), kept.put("p_x/d/model.dvc", THEIRS), kept.put("p_x/d.dvc", THEIRS)]
    assert kept.recorder.catch_up(mine) == 0
    assert kept.save(2, names=["dataset_administrative.json", "../model.dvc"]) != ""
    assert kept.changed() == [f"M {kept.document()}"]


def test_files_of_ours_that_are_untracked_are_caught_up_with(kept: Kept) -> None:
    kept.save(1)
    paths = [
        kept.put("p_x/d/.gitignore", ignoring.gitignore()), kept.put("p_x/d.dvc", pointer("d")),
        kept.put("p_x/d/a.csv.dvc", pointer("a.csv")), kept.put("p_x/d/deep/b.csv.dvc", pointer("b.csv")),
    ]  # fmt: skip
    assert kept.recorder.catch_up(paths) == 1
    assert kept.changed() == [
        "A p_x/d.dvc", "A p_x/d/.gitignore", "A p_x/d/a.csv.dvc", "A p_x/d/deep/b.csv.dvc",
    ]  # fmt: skip
    assert kept.log("%an|%(trailers:key=Dataset,valueonly,separator=)")[0] == "Fairfolder|p_x/d"
    assert kept.recorder.catch_up(paths) == 0


def test_a_file_of_ours_that_changed_or_went_is_recorded(kept: Kept) -> None:
    kept.save(1)
    paths = [kept.put(f"p_x/d/{n}.csv.dvc", pointer(f"{n}.csv")) for n in "abc"]
    kept.recorder.catch_up(paths)
    paths[0].write_bytes(pointer("a.csv", "2"))
    paths[1].unlink()
    paths[2].write_bytes(pointer("c.csv") + b"desc: a word by hand\n")
    kept.recorder.catch_up()
    assert sorted(kept.changed()) == ["D p_x/d/b.csv.dvc", "M p_x/d/a.csv.dvc", "M p_x/d/c.csv.dvc"]
    assert kept.status() == []


def test_very_many_untracked_files_take_few_commands(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(1)
    paths = [kept.put(f"p_x/d/{n}.csv.dvc", pointer(f"{n}.csv")) for n in range(2_000)]
    ran: list[str] = []
    run = git.run
    monkeypatch.setattr(git, "run", lambda arguments, **more: (ran.append(arguments[2]), run(arguments, **more))[1])
    assert kept.recorder.catch_up(paths) == 1
    assert len(ran) < 25
    ran.clear()
    assert kept.recorder.catch_up(paths) == 0
    assert len(ran) < 10
