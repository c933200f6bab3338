"""FA-25: what somebody plants in a dataset for DVC to find is reported, and nothing of it is followed or run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.provenance.data.keeping import NESTED
from tests.ingest.provenance.data.conftest import DATASET, Lab

OUTSIDE = "outs:\n- md5: {md5}\n  size: 1\n  hash: md5\n  path: ../../../outside.txt\n"
PIPELINE = "stages:\n  evil:\n    cmd: touch pwned\n    outs:\n    - made.txt\n"
CONFIG = "[core]\n    remote = evil\n['remote \"evil\"']\n    url = ssh://-oProxyCommand=touch${IFS}pwned/x\n"
BROKEN = "outs: [broken\n"


def plant(lab: Lab) -> dict[str, bytes]:
    planted = {
        "out.txt.dvc": OUTSIDE.format(md5="0" * 32),
        "broken.dvc": BROKEN,
        "dvc.yaml": PIPELINE,
        "dvc.lock": "schema: '2.0'\n",
        "nested/.dvc/config": CONFIG,
    }
    lab.fill({name: text.encode() for name, text in planted.items()})
    return {f"{DATASET}/{name}": text.encode() for name, text in planted.items()}


def test_planted_files_are_reported_hidden_from_dvc_and_left_as_they_are(by_file: Lab, tmp_path: Path) -> None:
    by_file.fill({"good": b"1", "out.txt": b"2", "nested/inner": b"3"})
    planted = plant(by_file)
    by_file.catch_up()
    assert set(by_file.tracker.foreign[DATASET]) == {
        *(path for path in planted if "nested" not in path),
        f"{DATASET}/nested/.dvc",
    }
    assert by_file.tracker.untracked == {
        f"{DATASET}/dvc.lock": "DVC takes a file named dvc.lock for its own; rename it to have its versions kept",
        f"{DATASET}/nested/inner": NESTED,
        f"{DATASET}/out.txt": "out.txt.dvc was written or changed by somebody else and is left as it is; "
        "remove it to have it written anew",
    }
    assert {path: (by_file.root / path).read_bytes() for path in planted} == planted
    assert by_file.up_to_date()  # the real DVC works on, although one of the files is no YAML
    by_file.dvc("remote", "add", "-q", "shelf", str(tmp_path / "shelf"))
    by_file.dvc("push", "-q", "-r", "shelf")
    assert not list(tmp_path.rglob("pwned*"))
    assert not (tmp_path / "outside.txt").exists()
    (by_file.root / DATASET / "broken.dvc").unlink()
    by_file.fill({"more": b"4"})
    by_file.catch_up()
    assert "broken" not in (by_file.root / ".dvcignore").read_text()
    assert by_file.up_to_date()


def test_a_link_in_the_place_of_a_pointer_is_not_followed(by_file: Lab, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"precious")
    by_file.fill({"a": b"1"})
    (by_file.root / DATASET / "a.dvc").symlink_to(target)
    by_file.catch_up()
    assert target.read_bytes() == b"precious"
    assert (by_file.root / DATASET / "a.dvc").is_symlink()
    assert "left as it is" in by_file.tracker.untracked[f"{DATASET}/a"]


def test_a_planted_pointer_in_our_own_form_is_corrected_from_the_bytes(by_file: Lab) -> None:
    by_file.fill({"a": b"1"})
    by_file.catch_up()
    pointer = by_file.root / DATASET / "a.dvc"
    right = pointer.read_bytes()
    wrong = right.decode().replace("sha256: ", "sha256: 0000", 1)
    lines = [line[: len("    sha256: ") + 64] if "sha256" in line else line for line in wrong.split("\n")]
    pointer.write_text("\n".join(lines))
    by_file.fill({"gone": b"2"})
    pointer.with_name("nothing.dvc").write_bytes(right.replace(b'"a"', b'"nothing"'))
    by_file.catch_up()
    assert pointer.read_bytes() == right
    assert not pointer.with_name("nothing.dvc").exists()


def test_a_project_of_somebody_elses_keeps_its_own_pointers(by_file: Lab) -> None:
    by_file.dvc("init", "-q")
    by_file.fill({"theirs.csv": b"1", "ours.csv": b"2"})
    by_file.dvc("add", "-q", f"{DATASET}/theirs.csv")
    before = (by_file.root / DATASET / "theirs.csv.dvc").read_bytes()
    by_file.catch_up()
    assert (by_file.root / DATASET / "theirs.csv.dvc").read_bytes() == before
    assert "theirs.csv.dvc" not in (by_file.root / ".dvcignore").read_text()
    assert by_file.up_to_date()
    assert f"{DATASET}/theirs.csv" in by_file.dvc("list", ".", "--dvc-only", "-R")


@pytest.mark.parametrize("place", [".dvc", ".dvcignore"])
def test_a_link_in_the_place_of_dvcs_own_is_refused(by_file: Lab, tmp_path: Path, place: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir() if place == ".dvc" else elsewhere.write_bytes(b"")
    (by_file.root / place).symlink_to(elsewhere)
    by_file.fill({"a": b"1", "dvc.yaml": PIPELINE.encode()})
    if place == ".dvc":
        [kept, _] = by_file.tracker.keep(by_file.described() * 2)
        assert "not a folder" in kept.reason
        assert list(elsewhere.iterdir()) == []
    else:
        by_file.catch_up()
        assert elsewhere.read_bytes() == b""
