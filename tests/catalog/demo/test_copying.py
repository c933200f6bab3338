"""The demonstration's files: found without importing, laid down all at once, never over anything."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from catalog.demo.collections import CLIMATE, COLLECTIONS, PENGUINS, Collection, Selection
from catalog.demo.copying import Copy, DemoError, copies, lay_down, package_folder


def everything() -> list[Copy]:
    return [copy for collection in COLLECTIONS for copy in copies(collection, collection.folder)]


def digests(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_copies_are_the_files_of_the_packages_byte_for_byte(tmp_path: Path) -> None:
    project = tmp_path / "p_demo"
    lay_down(everything(), project)
    assert digests(project) == {c.target: hashlib.sha256(c.source.read_bytes()).hexdigest() for c in everything()}
    assert [p.name for p in tmp_path.iterdir()] == ["p_demo"]


def test_it_is_small_and_of_several_formats() -> None:
    files = everything()
    assert 15 <= len(files) <= 40
    assert sum(c.source.stat().st_size for c in files) < 10_000_000
    assert len({Path(c.target).suffix for c in files}) >= 7


def test_no_file_of_the_model_output_is_under_a_non_commercial_licence() -> None:
    for copy in copies(CLIMATE, "x"):
        with h5py.File(copy.source) as header:
            licence = header.attrs["license"].decode()
        assert "Attribution ShareAlike 4.0" in licence, copy.source
        assert "NonCommercial" not in licence


def test_finding_the_files_imports_none_of_the_packages() -> None:
    program = (
        "import sys; from catalog.demo.collections import COLLECTIONS; from catalog.demo.copying import copies\n"
        "assert [c for o in COLLECTIONS for c in copies(o, o.folder)]\n"
        "print(sorted({o.package for o in COLLECTIONS} & set(sys.modules)), 'numpy' in sys.modules)"
    )
    checkout = Path(__file__).resolve().parents[3]
    run = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=True)
    assert run.stdout == "[] False\n"


@pytest.mark.parametrize("what", ["a file", "a folder", "a link"])
def test_a_project_that_is_there_is_left_as_it_is(tmp_path: Path, what: str) -> None:
    project = tmp_path / "p_demo"
    if what == "a file":
        project.write_text("mine")
    elif what == "a folder":
        project.mkdir()
        (project / "mine.csv").write_text("a,b\n")
    else:
        project.symlink_to(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DemoError, match="p_demo is there already"):
        lay_down(everything(), project)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_project_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "p_demo").mkdir()
    lay_down(everything(), tmp_path / "p_demo")
    assert len(digests(tmp_path / "p_demo")) == len(everything())


def test_what_a_killed_call_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".p_demo.part" / "old").mkdir(parents=True)
    lay_down(everything(), tmp_path / "p_demo")
    assert len(digests(tmp_path)) == len(everything())


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = Copy(tmp_path / "gone.csv", "penguins/gone.csv")
    with pytest.raises(DemoError, match=r"cannot be written to .*p_demo: No such file"):
        lay_down([*everything()[:2], bad], tmp_path / "p_demo")
    assert os.listdir(tmp_path) == []


def test_a_package_that_is_missing_is_named_with_the_mend() -> None:
    missing = dataclasses.replace(PENGUINS, package="no_such_package_here", distribution="no-such-package-here")
    with pytest.raises(DemoError, match=r"no-such-package-here, .* is not installed; run `make setup`"):
        package_folder(missing)


def test_a_package_without_the_file_is_named_with_the_mend() -> None:
    changed: Collection = dataclasses.replace(PENGUINS, selections=(Selection("data/seals*.csv"),))
    with pytest.raises(DemoError, match=r"palmerpenguins [\d.]+ has no file data/seals\*.csv; run `make setup`"):
        list(copies(changed, "x"))
