"""A person's own repository: their branch, their staged and unstaged work, their settings and folders stay theirs.

FA-38: staged work, a missing .git; FA-40: a bare repository in a dataset.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ingest.errors import SettingError
from ingest.provenance import landing
from ingest.provenance.building import Step
from ingest.provenance.landing import Landing, MovedError
from ingest.provenance.locks import ForeignLocks
from ingest.provenance.notes import Notes
from ingest.provenance.repository import look, open_repository
from ingest.provenance.settings import GitSettings
from tests.ingest.provenance.kept import Kept, stamped

pytestmark = pytest.mark.timeout(120)


def test_a_dirty_tree_with_staged_work_is_left_as_it_is(kept: Kept) -> None:
    kept.adopt()
    kept.put("notes.txt", "notes\nmore\n")
    kept.put("staged.txt", "staged\n")
    kept.put("both.txt", "one\n")
    kept.git("add", "staged.txt", "both.txt")
    kept.put("both.txt", "two\n")
    kept.git("add", "--intent-to-add", "notes.txt")
    before = kept.status()
    kept.save(1)
    kept.save(2)
    assert kept.status() == before == ["AM both.txt", " M notes.txt", "A  staged.txt"]
    assert kept.git("diff", "--cached", "--name-only").split() == ["both.txt", "staged.txt"]
    assert kept.git("show", ":both.txt") == "one\n"
    assert kept.changed("HEAD") == [f"M {kept.document()}"]
    assert kept.git("symbolic-ref", "HEAD").strip() == "refs/heads/trunk"
    kept.git("commit", "-q", "-m", "Mine")
    assert kept.changed("HEAD") == ["A both.txt", "A staged.txt"]
    kept.assert_sound()


def test_an_unborn_branch_and_no_user_name(kept: Kept) -> None:
    kept.adopt(commit=False)
    kept.put("staged.txt", "staged\n")
    kept.git("add", "staged.txt")
    kept.save(1)
    assert kept.subjects() == ["Change the title"]
    assert kept.status() == ["A  staged.txt"]
    assert kept.git("symbolic-ref", "HEAD").strip() == "refs/heads/trunk"


def test_a_policy_of_signed_commits_without_a_key_stops_nothing(kept: Kept) -> None:
    kept.adopt()
    for name, value in (("commit.gpgSign", "true"), ("gpg.program", "/nowhere"), ("tag.gpgSign", "true")):
        kept.git("config", name, value)
    assert kept.save(1)
    assert kept.recorder.state().trouble == ""


@pytest.mark.parametrize("attributes", ["", "* text=auto eol=crlf\n", "*.json text eol=crlf\n"])
@pytest.mark.parametrize("autocrlf", ["true", "input", "false"])
def test_line_endings_are_kept_byte_for_byte(kept: Kept, attributes: str, autocrlf: str) -> None:
    kept.adopt()
    kept.git("config", "core.autocrlf", autocrlf)
    if attributes:
        kept.put(".gitattributes", attributes.replace("\n", "\r\n" if autocrlf == "true" else "\n"))
        kept.git("add", ".gitattributes")
        kept.git("commit", "-q", "-m", "Attributes")
    kept.save("one\ntwo")
    texts = {"runs/a.json": "{\n}\n", "runs/b.json": "{\r\n}\r\n", "runs/c.json": "{\r\n}\n"}
    for name, text in texts.items():
        kept.put(f"p_x/d/.metadata/{name}", text)
    kept.recorder.catch_up()
    assert kept.status() == []
    for name, text in texts.items():
        assert kept.blob(f"p_x/d/.metadata/{name}") == text.encode()
        kept.path(f"p_x/d/.metadata/{name}").unlink()
    kept.git("checkout", "-q", "--", "p_x")
    assert [kept.path(f"p_x/d/.metadata/{n}").read_bytes() for n in texts] == [t.encode() for t in texts.values()]


def test_a_nested_repository_and_a_bare_one_in_a_dataset(kept: Kept) -> None:
    kept.save(1)
    kept.git("init", "-q", cwd=kept.path("p_x/d"))
    kept.git("init", "-q", "--bare", str(kept.path("p_x/d/code.git")))
    kept.path("p_x/bare").mkdir()
    kept.git("init", "-q", "--bare", cwd=kept.path("p_x/bare"))
    kept.save(2)
    kept.save(3, dataset="p_x/bare")
    assert kept.changed("HEAD~1") == [f"M {kept.document()}"]
    assert kept.changed("HEAD") == [f"A {kept.document('p_x/bare')}"]
    assert kept.status() == []


def test_a_submodule_inside_a_dataset_is_no_obstacle(kept: Kept) -> None:
    kept.adopt()
    kept.save(1)
    submodule(kept, "p_x/d/code")
    kept.save(2)
    assert kept.changed() == [f"M {kept.document()}"]
    assert kept.status() == []


def submodule(kept: Kept, place: str) -> None:
    """A person's own submodule at a place."""
    other = kept.folder / "other"
    other.mkdir()
    kept.git("init", "-q", "-b", "main", cwd=other)
    (other / "code.py").write_text("pass\n")
    kept.git("add", "code.py", cwd=other)
    kept.git("commit", "-q", "-m", "Code", cwd=other)
    kept.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "-f", str(other), place)
    kept.git("commit", "-q", "-m", "A submodule")


def test_a_dataset_that_is_a_submodule_is_recorded_apart_and_stays_a_submodule(kept: Kept) -> None:
    kept.adopt()
    submodule(kept, "p_x/d")
    head = kept.git("rev-parse", "HEAD")
    kept.save(1)
    kept.save(2, by="bob")
    kept.save(3, dataset="p_x/other")
    assert kept.subjects() == ["Notes", "A submodule", "Change the title"]
    assert kept.git("rev-parse", "HEAD~1") == head
    assert kept.log("%an", "refs/fairfolder/apart") == ["bob", "alice"]
    assert kept.blob(kept.document(), "refs/fairfolder/apart") == stamped(2, "bob").encode()
    assert kept.git("ls-tree", "HEAD", "p_x/d").startswith("160000 commit")
    assert kept.recorder.state().apart == 1
    assert kept.recorder.catch_up() == 0
    kept.path(kept.document()).unlink()
    kept.recorder.catch_up()
    assert kept.recorder.state().apart == 0
    kept.git("fsck")


def test_a_link_and_a_file_in_the_way_are_not_taken_out_of_the_history(kept: Kept) -> None:
    kept.adopt()
    kept.put("p_x", "a file once\n")
    os.symlink("notes.txt", kept.path("p_link"))
    kept.git("add", "-f", "p_x", "p_link")
    kept.git("commit", "-q", "-m", "In the way")
    kept.path("p_x").unlink()
    kept.path("p_link").unlink()
    kept.save(1)
    kept.save(2, dataset="p_link/d")
    assert kept.subjects() == ["Notes", "In the way"]
    assert kept.recorder.state().apart == 2


def test_a_folder_that_became_a_link_leads_nowhere(kept: Kept) -> None:
    kept.save(1)
    elsewhere = kept.folder / "elsewhere"
    os.rename(kept.path("p_x/d/.metadata"), elsewhere)
    (elsewhere / "dataset_administrative.json").write_text("secret")
    os.symlink(elsewhere, kept.path("p_x/d/.metadata"))
    kept.recorder.catch_up()
    assert kept.changed() == [f"D {kept.document()}"]
    assert "secret" not in kept.git("log", "-p", "--all")


def test_a_linked_work_tree(kept: Kept, tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    kept.git("init", "-q", "-b", "main", cwd=main)
    kept.git("commit", "-q", "--allow-empty", "-m", "First", cwd=main)
    kept.path(".metadata/registry").rmdir()
    kept.path(".metadata").rmdir()
    kept.git("worktree", "add", "-q", "-b", "side", str(kept.root), cwd=main)
    kept.path(".metadata/registry").mkdir(parents=True)
    assert kept.save(1)
    kept.git("checkout", "-q", "--detach")
    assert kept.save(2)
    assert kept.recorder.state().pending == 1
    assert kept.git("for-each-ref", "refs/fairfolder", cwd=main) == ""
    kept.git("checkout", "-q", "side")
    assert kept.recorder.catch_up() == 1
    assert kept.subjects() == ["First", "Change the title", "Change the title"]
    assert kept.log("%s", "main") == ["First"]
    assert kept.status() == []


def test_a_repository_above_the_root_is_never_adopted(kept: Kept) -> None:
    kept.git("init", "-q", cwd=kept.folder)
    kept.save(1)
    assert kept.path(".git").is_dir()
    kept.path(".git/HEAD").write_text("rubbish")  # not a repository any more, so that git looks further up
    assert kept.another().catch_up() == 0
    assert kept.another().state().trouble
    assert kept.git("rev-parse", "-q", "--verify", "HEAD", cwd=kept.folder, check=False) == ""
    assert not (kept.folder / ".git" / "fairfolder").exists()


def test_a_repository_that_was_taken_away_is_made_again_with_everything(kept: Kept) -> None:
    kept.save(1)
    kept.save(2, dataset="p_x/other")
    subprocess.run(["rm", "-rf", kept.path(".git")], check=True)
    kept.save(3)
    assert kept.recorder.catch_up() == 1
    assert kept.git("ls-files").split() == [kept.document(), kept.document("p_x/other")]
    assert kept.status() == []


def test_a_person_commits_at_the_same_time(kept: Kept) -> None:
    kept.adopt()
    person = subprocess.Popen(
        ["sh", "-c", "for i in $(seq 30); do git commit -q --allow-empty -m \"Mine $i\" || exit 1; done"],
        cwd=kept.root, env={**os.environ, "GIT_AUTHOR_NAME": "R", "GIT_AUTHOR_EMAIL": "r@x", "GIT_COMMITTER_NAME": "R",
                            "GIT_COMMITTER_EMAIL": "r@x"}, stderr=subprocess.PIPE,
    )  # fmt: skip
    saves = 0
    while person.poll() is None:
        kept.save(saves, subject=f"Save {saves}")
        saves += 1
    person.communicate()
    kept.recorder.catch_up()
    subjects = kept.subjects()
    assert [s for s in subjects if s.startswith("Save")] == [f"Save {n}" for n in range(saves)]
    mine = [s for s in subjects if s.startswith("Mine")]
    assert mine == [f"Mine {n}" for n in range(1, len(mine) + 1)]
    assert kept.status() == []
    kept.assert_sound()


def test_a_person_who_commits_all_the_time_keeps_nobody_waiting(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.adopt()
    kept.save(0, subject="Save 0")
    tried: list[int] = []

    def faster(*_: object) -> None:
        tried.append(1)
        kept.git("commit", "-q", "--allow-empty", "-m", f"Mine {len(tried)}")
        raise MovedError("HEAD moved meanwhile.")

    with monkeypatch.context() as patch:
        patch.setattr(Landing, "_onto_branch", faster)
        assert kept.save(1, subject="Save 1")
        assert len(tried) == 3
        assert kept.recorder.state().pending == 1
        assert kept.recorder.state().trouble == ""
    kept.put(kept.document(), stamped(2, "bob"))
    with monkeypatch.context() as patch:
        patch.setattr(landing, "_PATIENT_SECONDS", 0.0)
        assert kept.recorder.catch_up() == 1
    assert kept.recorder.state().pending == 1
    assert kept.recorder.catch_up() == 1
    assert [s for s in kept.subjects() if "Mine" not in s] == [
        "Notes", "Save 0", "Save 1", "Record changes made on disk",
    ]  # fmt: skip
    assert kept.recorder.catch_up() == 0
    assert kept.status() == []
    kept.assert_sound()


def test_a_person_changes_branch_at_the_same_time(kept: Kept) -> None:
    kept.adopt()
    repository = open_repository(kept.root)
    assert repository is not None
    heads = look(repository)
    kept.git("checkout", "-q", "-b", "other")
    repository.own.mkdir()
    landing = Landing(repository, ForeignLocks(1, 10), Notes(kept.state / "notes.json"))
    with pytest.raises(MovedError):
        landing.land(heads, [Step("A <a@x>", 1, "Late\n", {kept.document(): b"{}"})])
    assert kept.log("%s", "trunk", "other") == ["Notes"]
    assert kept.status() == []


def test_a_group_that_works_together_can_use_a_repository_we_made(kept: Kept) -> None:
    kept.root.chmod(0o2775)
    kept.save(1)
    assert kept.git("config", "core.sharedRepository").strip() in ("1", "group")


@pytest.mark.parametrize("remote", ["--upload-pack=x", "ext::sh -c x", "a b", "../x", "https://x/y"])
def test_only_the_name_of_a_remote_is_one(remote: str) -> None:
    with pytest.raises(SettingError, match="FAIRFOLDER_GIT_REMOTE"):
        GitSettings(remote=remote)
