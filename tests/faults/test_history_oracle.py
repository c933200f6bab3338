"""What the oracle says of histories and versions is checked too: every planted defect is found, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.provenance.data.settings import Mode
from tests.faults.history_oracle import dvc_disagrees, history_violations, version_violations
from tests.faults.oracle import violations
from tests.ingest.provenance.historic import Historic

D = "p_Barley/leaves"
SURE = f"{D}/.metadata/dataset_administrative.json"


@pytest.fixture(scope="module", params=[Mode.FILE, Mode.FOLDER])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Historic:
    """Described once for all tests of this module."""
    folder = tmp_path_factory.mktemp("original")
    (folder / "data").mkdir()
    (folder / "state").mkdir()
    historic = Historic(folder / "data", folder / "state", mode=request.param)
    for name in ("a.txt", "sub/b.csv", "new\nline", "\udcff.txt"):
        historic.put(f"{D}/{name}", name.encode("utf-8", "surrogateescape"))
    historic.put("p_Barley/roots/d.txt")
    historic.reconcile()
    historic.remove(f"{D}/sub/b.csv")
    historic.put("notes.txt", "a person's\n")
    historic.reconcile()
    return historic


@pytest.fixture
def planted(original: Historic, tmp_path: Path) -> Historic:
    """A copy to be damaged; its state stays where it was, and says of no file that it is not described."""
    shutil.copytree(original.root, tmp_path / "data", symlinks=True)
    shutil.copytree(original.state, tmp_path / "state")
    return Historic(tmp_path / "data", tmp_path / "state", mode=original.mode)


def test_a_history_at_rest_is_consistent(planted: Historic) -> None:
    assert violations(planted.root, planted.state) == []
    assert dvc_disagrees(planted.root) == ""


def rosa(historic: Historic, *words: str) -> str:
    """A person's git."""
    return historic.git("-c", "user.name=Rosa", "-c", "user.email=rosa@example.org", *words)


def commit_as_the_service(historic: Historic, *paths: str) -> None:
    historic.git("add", "-f", "--", *paths)
    who = ("-c", "user.name=Fairfolder", "-c", "user.email=service@fairfolder.invalid")
    historic.git(*who, "commit", "-q", "-m", "Describe")


def objects(historic: Historic, place: str) -> list[Path]:
    return sorted(p for p in (historic.root / place).glob("??/*") if p.is_file())


def overwrite(path: Path, text: bytes) -> None:
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(text)
    path.chmod(mode)


def pointer(historic: Historic) -> Path:
    return historic.root / (f"{D}.dvc" if historic.mode is Mode.FOLDER else f"{D}/a.txt.dvc")


def twice(historic: Historic) -> None:
    """A version that was there already, once more."""
    text = historic.git("show", f"HEAD~1:{D}/.metadata/dataset_structural.json")
    (historic.root / D / ".metadata/dataset_structural.json").write_text(text)
    commit_as_the_service(historic, f"{D}/.metadata/dataset_structural.json")


HISTORY: dict[str, Callable[[Historic], object]] = {
    "a lock of the index": lambda h: (h.root / ".git/index.lock").touch(),
    "a lock of a reference": lambda h: (h.root / ".git/refs/heads/main.lock").touch(),
    "an index on its way": lambda h: (h.root / ".git/fairfolder/index.new").touch(),
    "an object that is broken": lambda h: overwrite(objects(h, ".git/objects")[0], b"broken"),
    "an object that is gone": lambda h: objects(h, ".git/objects")[0].unlink(),
    "a document that is not recorded as it stands": lambda h: (h.root / SURE).write_text(
        (h.root / SURE).read_text() + " "
    ),
    "a document that is not recorded at all": lambda h: h.put(".run_templates/new.json", "{}"),
    "a local schema that is not recorded": lambda h: h.put("p_Barley/.template_schemas/x.json", "{}"),
    "a recorded document that is gone": lambda h: (h.root / SURE).unlink(),
    "an index that did not learn": lambda h: h.git("update-index", "--force-remove", "--", SURE),
    "a commit of ours with data": lambda h: commit_as_the_service(h, "notes.txt", f"{D}/a.txt"),
    "a commit of ours with nothing": lambda h: h.git(
        "-c", "user.name=x", "-c", "user.email=service@fairfolder.invalid", "commit", "-q", "--allow-empty", "-m", "x"
    ),
    "a version committed twice": twice,
    "actions that wait for nothing": lambda h: h.git("update-ref", "refs/fairfolder/pending", "HEAD"),
}

VERSIONS: dict[str, Callable[[Historic], object]] = {
    "an object with other bytes": lambda h: overwrite(objects(h, ".dvc/cache/files/md5")[0], b"other"),
    "an object that can be written": lambda h: objects(h, ".dvc/cache/files/md5")[0].chmod(0o644),
    "objects that are gone": lambda h: shutil.rmtree(h.root / ".dvc/cache/files"),
    "half an object": lambda h: h.put(".dvc/cache/fairfolder/1234/1", b"half"),
    "half a pointer on its way": lambda h: h.put(".dvc/tmp/fairfolder/1234/1", b"half"),
    "a pointer cut short": lambda h: pointer(h).write_bytes(pointer(h).read_bytes().replace(b"  size:", b" size")),
    "a pointer to another name": lambda h: pointer(h).write_bytes(
        pointer(h).read_bytes().replace(b"  path: ", b'  path: "x" #')
    ),
    "a pointer to what is not kept": lambda h: pointer(h).write_bytes(
        pointer(h).read_bytes().replace(b"- md5: ", b"- md5: 00")
    ),
    "a version that is not the file's": lambda h: h.put(f"{D}/a.txt", b"other"),
    "a file without a version": lambda h: h.put(f"{D}/new.txt", b"new"),
    "a version without a file": lambda h: h.remove(f"{D}/a.txt"),
    "a lock of DVC": lambda h: (h.root / ".dvc/tmp/updater.lock").touch(),
}


@pytest.mark.parametrize("word", HISTORY)
def test_a_planted_defect_of_the_history_is_found(planted: Historic, word: str) -> None:
    HISTORY[word](planted)
    assert history_violations(planted.root) != []


@pytest.mark.parametrize("word", VERSIONS)
def test_a_planted_defect_of_the_versions_is_found(planted: Historic, word: str) -> None:
    VERSIONS[word](planted)
    assert version_violations(planted.root, {f"{D}/\\xff.txt"}) != []


def test_what_a_person_does_in_the_repository_is_no_defect(planted: Historic) -> None:
    planted.put("code/run.py", "pass\n")
    rosa(planted, "add", "code", "notes.txt")
    rosa(planted, "commit", "-q", "-m", "Code")
    planted.put("code/run.py", "print()\n")
    planted.put("notes.txt", "staged\n")
    rosa(planted, "add", "notes.txt")
    (planted.root / f"{D}/mine").mkdir()
    subprocess.run(["git", "init", "-q", planted.root / D / "mine"], check=True)
    os.mkdir(planted.root / ".git/hooks")
    assert violations(planted.root, planted.state) == []


def test_the_oracle_tells_the_trees_versions_apart(planted: Historic) -> None:
    """What DVC itself says when a file was changed behind everyone's back."""
    planted.put(f"{D}/a.txt", b"other")
    assert "a.txt" in dvc_disagrees(planted.root) or D.rpartition("/")[2] in dvc_disagrees(planted.root)
    assert json.loads(planted.git("show", f"HEAD:{SURE}"))
