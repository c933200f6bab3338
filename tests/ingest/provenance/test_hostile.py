"""FA-40: whatever a repository's configuration, hooks and attributes or our environment name, nothing is executed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.provenance.recorder import Recorder
from ingest.provenance.repository import open_repository
from tests.ingest.provenance.kept import Kept

pytestmark = pytest.mark.timeout(180)

CHECKOUT = Path(__file__).resolve().parents[3]
HOOKS = [
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update",
    "proc-receive", "post-receive", "post-update", "reference-transaction", "push-to-checkout", "pre-auto-gc",
    "post-rewrite", "sendemail-validate", "fsmonitor-watchman", "post-index-change",
]  # fmt: skip


class Traps:
    """Programs that leave a mark when they are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "traps"
        self.marks = folder / "marks"
        self.folder.mkdir()
        self.marks.mkdir()

    def trap(self, name: str, then: str = "cat") -> str:
        """A program that says it was run, and then does what a filter would."""
        program = self.folder / name
        program.write_text(f"#!/bin/sh\ntouch '{self.marks}/{name}'\n{then}\n")
        program.chmod(0o755)
        return str(program)

    def sprung(self) -> list[str]:
        return sorted(os.listdir(self.marks))


@pytest.fixture
def traps(tmp_path: Path) -> Traps:
    return Traps(tmp_path)


def set_traps(kept: Kept, traps: Traps) -> None:
    """Everything a repository can name to be executed."""
    kept.adopt()
    kept.git("remote", "add", "origin", f"ext::{traps.trap('ext')} %S")
    (kept.root / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in HOOKS:
        os.symlink(traps.trap(f"hook-{hook}"), kept.root / ".git" / "hooks" / hook)
    kept.put(".gitattributes", "* filter=trap diff=trap merge=trap\n**/.metadata/** filter=trap diff=trap\n")
    included = kept.put("included", f"[core]\n fsmonitor = {traps.trap('included-fsmonitor')}\n")
    settings = {
        "core.fsmonitor": "fsmonitor", "core.sshCommand": "ssh", "core.pager": "pager", "core.editor": "editor",
        "core.askPass": "askpass", "core.gitProxy": "proxy", "core.alternateRefsCommand": "alternate",
        "credential.helper": "credential", "diff.external": "external", "diff.trap.textconv": "textconv",
        "diff.trap.command": "diff", "filter.trap.clean": "clean", "filter.trap.smudge": "smudge",
        "filter.trap.process": "process", "gpg.program": "gpg", "gpg.ssh.program": "gpg-ssh",
        "gpg.ssh.defaultKeyCommand": "key-command", "merge.trap.driver": "merge", "sequence.editor": "sequence",
        "gc.recentObjectsHook": "gc", "remote.origin.uploadpack": "uploadpack",
        "remote.origin.receivepack": "receivepack", "interactive.diffFilter": "interactive", "pager.log": "pager-log",
        "trailer.Trigger.cmd": "trailer", "trailer.Trigger.command": "trailer-old", "core.hooksPath": "",
    }  # fmt: skip
    for name, trap in settings.items():
        kept.git("config", name, traps.trap(trap) if trap else str(kept.root / ".git" / "hooks"))
    for verb in ("fast-import", "update-index", "update-ref", "cat-file", "log", "rev-parse", "init", "diff-tree"):
        kept.git("config", f"alias.{verb}", f"!{traps.trap('alias-' + verb)}")
    for name, value in (("include.path", str(included)), ("log.showSignature", "true"), ("commit.gpgSign", "true"),
                        ("remote.origin.promisor", "true"), ("extensions.partialClone", "origin"),
                        ("core.repositoryFormatVersion", "1"), ("protocol.ext.allow", "always")):  # fmt: skip
        kept.git("config", name, value)


def everything(kept: Kept, recorder: Recorder) -> None:
    """One of everything a recorder does."""
    kept.save(1, recorder=recorder)
    kept.put(kept.document(), "by hand")
    recorder.catch_up()
    kept.root.joinpath(".git", "MERGE_HEAD").write_text("")
    kept.save(2, recorder=recorder)
    kept.root.joinpath(".git", "MERGE_HEAD").unlink()
    kept.save(3, recorder=recorder)
    recorder.state()
    recorder.tidy()


def test_the_traps_do_spring(kept: Kept, traps: Traps) -> None:
    kept.adopt()
    hook = kept.root / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    os.symlink(traps.trap("hook-post-commit"), hook)
    kept.git("commit", "-q", "--allow-empty", "-m", "Mine")
    assert traps.sprung() == ["hook-post-commit"]


def test_nothing_a_repository_names_is_executed(kept: Kept, traps: Traps) -> None:
    set_traps(kept, traps)
    everything(kept, kept.recorder)
    assert traps.sprung() == []
    assert kept.recorder.state().trouble == ""
    assert kept.recorder.state().pending == 0
    traps.marks.joinpath("x").touch()  # git from the outside springs some, which is the person's own affair
    assert kept.subjects()[1:] == [
        "Change the title", "Record changes made on disk", "Change the title", "Change the title",
    ]  # fmt: skip


def test_a_missing_object_is_fetched_from_nowhere(kept: Kept, traps: Traps) -> None:
    kept.adopt()
    kept.save(1)
    tree = kept.git("rev-parse", "HEAD:p_x").strip()
    set_promisor(kept, traps)
    (kept.root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert kept.save(2) == ""
    assert "damaged" in kept.recorder.state().trouble
    assert traps.sprung() == []


def test_what_is_read_is_fetched_from_nowhere(kept: Kept, traps: Traps) -> None:
    kept.save(1)
    set_promisor(kept, traps)
    repository = open_repository(kept.root)
    assert repository is not None
    missing = "12345678" * 5
    assert repository.run("cat-file", "-p", missing, check=False).status != 0
    assert traps.sprung() == []
    kept.git("cat-file", "-p", missing, check=False)
    assert traps.sprung() == ["ext"]  # the trap does spring


def set_promisor(kept: Kept, traps: Traps) -> None:
    kept.git("remote", "add", "origin", f"ext::{traps.trap('ext', 'exit 1')} %S")
    for name, value in (("remote.origin.promisor", "true"), ("extensions.partialClone", "origin"),
                        ("core.repositoryFormatVersion", "1"), ("protocol.ext.allow", "always"),
                        ("core.sshCommand", traps.trap("ssh"))):  # fmt: skip
        kept.git("config", name, value)


_CHILD = """
import sys
from pathlib import Path
from tests.ingest.provenance.kept import Kept
from tests.ingest.provenance.test_hostile import everything
kept = Kept(Path(sys.argv[1]))
everything(kept, kept.recorder)
assert kept.recorder.state().trouble == "", kept.recorder.state()
"""


def test_nothing_our_environment_names_is_used(kept: Kept, traps: Traps, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    kept.git("init", "-q", "-b", "main", str(elsewhere), cwd=tmp_path)
    kept.adopt()
    programs = tmp_path / "programs"
    programs.mkdir()
    for verb in ("fast-import", "update-index", "unpack-objects", "update-ref", "cat-file", "log"):
        os.symlink(traps.trap(f"exec-{verb}"), programs / f"git-{verb}")
    hostile = {
        "GIT_DIR": str(elsewhere / ".git"), "GIT_WORK_TREE": str(elsewhere), "GIT_INDEX_FILE": str(elsewhere / "i"),
        "GIT_OBJECT_DIRECTORY": str(elsewhere / "o"), "GIT_NAMESPACE": "other", "GIT_EXEC_PATH": str(programs),
        "GIT_SSH_COMMAND": traps.trap("ssh"), "GIT_EXTERNAL_DIFF": traps.trap("diff"), "GIT_PAGER": traps.trap("pager"),
        "GIT_EDITOR": traps.trap("editor"), "GIT_ASKPASS": traps.trap("askpass"), "GIT_PROXY_COMMAND": traps.trap("p"),
        "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": traps.trap("fsmonitor"),
        "GIT_CONFIG_KEY_1": "core.hooksPath", "GIT_CONFIG_VALUE_1": str(traps.folder),
        "GIT_TEMPLATE_DIR": str(programs),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={traps.trap('parameters')}'",
        "GIT_TRACE": str(traps.marks / "trace"),
        "GIT_TRACE2": str(traps.marks / "trace2"), "GIT_COMMITTER_NAME": "Mallory", "GIT_AUTHOR_DATE": "1",
        "GIT_PYTHON_GIT_EXECUTABLE": traps.trap("python-git"), "GIT_LITERAL_PATHSPECS": "0",
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(elsewhere), "GIT_REPLACE_REF_BASE": "refs/evil",
        "GIT_CEILING_DIRECTORIES": "/",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, tmp_path], cwd=CHECKOUT, env={**os.environ, **hostile}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    assert traps.sprung() == []
    assert kept.git("rev-list", "--all", cwd=elsewhere) == ""
    assert len(kept.log("%H")) == 5
    assert set(kept.log("%cn")) == {"Fairfolder", "Rosa"}


def test_a_repository_of_another_account_is_refused_with_the_command_that_allows_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository to another account")
    kept.adopt()
    os.chown(kept.root, 12345, 12345)
    os.chown(kept.root / ".git", 12345, 12345)
    assert kept.save(1) == ""
    words = kept.recorder.state().trouble
    assert f"git config --global --add safe.directory {kept.root}" in words
    kept.git("config", "--global", "--add", "safe.directory", str(kept.root))
    assert kept.recorder.catch_up() == 1
    assert kept.recorder.state().trouble == ""
