"""Names that are options, patterns and paths, and what is planted in a dataset: through description, commit and DVC.

FA-25 and FA-40, of the whole chain.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ingest.provenance.data.settings import Mode
from tests.faults.history_oracle import dvc_disagrees, history_violations
from tests.faults.oracle import everything, violations
from tests.faults.processes import CHECKOUT, environment
from tests.ingest.provenance.historic import Historic
from tests.ingest.provenance.whole.chain import command

pytestmark = pytest.mark.timeout(600)

NAMES = [
    b"-n", b"--upload-pack=touch x", b"--output=pwned", b"--", b":(exclude)*", b":!*", b":/", b"*", b"[a-z]", b"a\nb",
    b"..x", b"x..", b"...", b"HEAD", b"@{0}", b"a:b", b"$(touch pwned)", b"`touch pwned`", b"|touch pwned", b"!x",
    b"#x",
    b" lead", b"trail ", b"\xff\xfe invalid", b"caf\xc3\xa9", b"cafe\xcc\x81", b"back\\slash", b'"q"', b"%s",
    b"x.dvc.txt", b"y: [z", b"- a", b"path: b", b"\xe2\x80\xaegnp", b"data 3\nM 100644 inline x\n", b"x" * 251,
]  # fmt: skip
LONGEST = b"y" * 255  # no name for a .dvc file is left beside it


def passed(historic: Historic, folder: Path, dataset: str | None = None) -> None:
    """A pass, and a save, in a process of its own that begins in ``folder``."""
    words = command(historic, dataset or "none", range(1 if dataset else 0))
    env = {**environment(historic), "PYTHONPATH": str(CHECKOUT)}
    run = subprocess.run(words, cwd=folder, env=env, capture_output=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    assert b"passed 0 0" in run.stdout, run.stdout


@pytest.mark.parametrize("mode", [Mode.FILE, Mode.FOLDER])
def test_no_name_is_taken_for_anything_else(historic: Historic, mode: Mode, tmp_path: Path) -> None:
    historic.mode = mode
    for name in map(os.fsdecode, NAMES):
        historic.put(f"p_Names/plain/{name}", f"{name!r}\n")
        historic.put(f"p_Names/plain/in/{name}/x", "x\n")
    for name in map(os.fsdecode, NAMES[:20]):
        if not name.startswith("."):
            historic.put(f"p_Names/{name}/a", f"{name!r}\n")
    historic.put(f"p_Names/plain/{os.fsdecode(LONGEST)}", "long\n")
    before = everything(historic.root)
    passed(historic, tmp_path)
    passed(historic, tmp_path, f"p_Names/{os.fsdecode(NAMES[1])}")
    for name in map(os.fsdecode, NAMES[:20]):
        historic.put(f"p_Names/plain/{name}", f"{name!r} changed\n")
    changed = everything(historic.root)
    passed(historic, tmp_path)
    assert everything(historic.root) == changed
    assert changed.keys() == before.keys()
    assert violations(historic.root, historic.state) == []
    assert dvc_disagrees(historic.root) == ""
    untold = historic.status().versions["untracked"]
    assert all("xfe invalid" in path or "yyy" in path or ".." in path for path in untold), untold
    assert [p for p in tmp_path.rglob("*pwned") if p.name == "pwned"] == []
    assert not (tmp_path / "x").exists()
    trailers = historic.git("log", "--format=%(trailers:key=Trigger,valueonly)")
    assert set(trailers.split()) <= {"0", "1", "2", "form"}


# --- what is planted in a dataset ----------------------------------------------------------------------------------


def trap(folder: Path, name: str) -> str:
    """A program that leaves a mark when it is run."""
    program = folder / f"trap-{name}"
    program.write_text(f"#!/bin/sh\ntouch '{folder}/sprung-{name}'\ncat\n")
    program.chmod(0o755)
    return str(program)


def hostile(historic: Historic, place: str, tmp_path: Path) -> None:
    """A repository and a DVC project whose every setting names a program, and a bare repository."""
    folder = historic.root / place
    for inner, bare in (("", False), ("bare", True)):
        (folder / inner).mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", *(["--bare"] if bare else []), folder / inner], check=True)
        config = folder / inner / ("config" if bare else ".git/config")
        for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "diff.external", "filter.trap.clean",
                     "filter.trap.process", "core.askPass", "credential.helper", "alias.cat-file"):  # fmt: skip
            subprocess.run(["git", "config", "-f", config, name, trap(tmp_path, name)], check=True)
        hooks = config.parent / "hooks"
        hooks.mkdir(exist_ok=True)
        for hook in ("post-index-change", "reference-transaction", "post-commit", "pre-commit"):
            (hooks / hook).write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung-{hook}'\n")
            (hooks / hook).chmod(0o755)
    historic.put(f"{place}/.gitattributes", "* filter=trap diff=trap\n")
    historic.put(
        f"{place}/.dvc/config",
        f"[core]\n    remote = evil\n    autostage = true\n['remote \"evil\"']\n    url = {tmp_path}/sprung-remote\n"
        f"[cache]\n    dir = {tmp_path}/sprung-cache\n",
    )
    historic.put(f"{place}/dvc.yaml", f"stages:\n  evil:\n    cmd: touch {tmp_path}/sprung-stage\n    outs: [made]\n")
    historic.put(f"{place}/escape.dvc", f"outs:\n- md5: {'0' * 32}\n  path: ../../../sprung\n")


@pytest.mark.parametrize("mode", [Mode.FILE, Mode.FOLDER, Mode.RECORD])
def test_nothing_planted_in_a_dataset_is_executed(historic: Historic, mode: Mode, tmp_path: Path) -> None:
    historic.mode = mode
    historic.put("p_Evil/d/a.txt", "a\n")
    historic.put("p_Evil/good/b.txt", "b\n")
    hostile(historic, "p_Evil/d", tmp_path)
    hostile(historic, "p_Evil/good/inner", tmp_path)
    historic.put("p_Evil/good/inner/c.txt", "c\n")
    before = everything(historic.root)
    passed(historic, historic.root / "p_Evil/d")  # even where the service stands in it
    historic.put("p_Evil/d/a.txt", "changed\n")
    historic.put("p_Evil/good/new.txt", "new\n")
    passed(historic, historic.root / "p_Evil/d", "p_Evil/d")
    after = everything(historic.root)
    assert [p.name for p in tmp_path.rglob("sprung*")] == []
    assert {p: v for p, v in after.items() if p in before and not p.endswith("a.txt")} == {
        p: v for p, v in before.items() if not p.endswith("a.txt")
    }
    assert history_violations(historic.root) == []
    assert historic.administrative("p_Evil/d")["title"] == "Save 0"
    assert "p_Evil/d/.metadata/dataset_structural.json" in historic.git("ls-tree", "-r", "--name-only", "HEAD")


def test_a_persons_repository_keeps_all_that_is_theirs(historic: Historic, tmp_path: Path) -> None:
    """Dirty, with staged work and hooks, a nested repository as a dataset, and another as a submodule."""
    root = historic.root
    who = ("-c", "user.name=Rosa", "-c", "user.email=rosa@example.org", "-c", "protocol.file.allow=always")
    historic.git("init", "-q", "-b", "trunk")
    for name in ("notes.txt", "analysis.py", "p_Barley/leaves/tracked.csv"):
        historic.put(name, "one\n")
    historic.git("add", ".")
    historic.git(*who, "commit", "-q", "-m", "Mine")
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["git", "init", "-q", other], check=True)
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "x"], cwd=other, check=True)
    historic.git(*who, "submodule", "add", "-q", str(other), "p_Barley/submodule")
    historic.git(*who, "commit", "-q", "-m", "A submodule")
    subprocess.run(["git", "clone", "-q", other, root / "p_Barley/nested"], check=True)
    historic.put("notes.txt", "staged\n")
    historic.git("add", "notes.txt")
    historic.put("notes.txt", "staged, then changed\n")
    historic.put("analysis.py", "changed\n")
    historic.put("p_Barley/leaves/tracked.csv", "changed\n")
    hooks = root / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung-{hook}'\nexit 1\n")
        (hooks / hook).chmod(0o755)
    staged, unstaged = differences(historic)
    for place in ("leaves", "nested", "submodule"):
        historic.put(f"p_Barley/{place}/data.txt", f"{place}\n")
    for path in tmp_path.glob("sprung*"):
        path.unlink()
    passed(historic, tmp_path)
    passed(historic, tmp_path, "p_Barley/nested")
    passed(historic, tmp_path, "p_Barley/submodule")
    assert [p.name for p in tmp_path.glob("sprung*")] == []
    assert differences(historic) == (staged, unstaged)
    assert historic.git("ls-tree", "HEAD", "p_Barley/submodule").startswith("160000 commit")
    apart = historic.git("log", "-1", "--format=%an %s", "refs/fairfolder/apart")
    assert apart == "user0 Change the description of dataset submodule\n"
    assert history_violations(root) == []
    assert historic.git("show", "HEAD:notes.txt") == "one\n"
    authors = historic.git("log", "--format=%an", "--", "p_Barley/nested/.metadata").split()
    assert authors == ["user0", "Fairfolder", "Fairfolder"]


def differences(historic: Historic) -> tuple[str, str]:
    """What a person has staged, and what they have changed since."""
    diff = ("-c", "core.hooksPath=/dev/null", "diff")
    theirs = ("notes.txt", "analysis.py", "p_Barley/leaves")
    return historic.git(*diff, "--cached"), historic.git(*diff, "--", *theirs)
