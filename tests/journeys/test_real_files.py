"""A stranger's first hour: start the service, copy real scientific files in while it runs, find each one described."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.running import Running
from tests.watching.conftest import described, entries, wait_for

# Packages that ship real files of their fields, and which of them are taken.
SOURCES = {
    "pydicom": ("data/test_files/CT_small.dcm", "data/test_files/MR_small.dcm", "data/test_files/rtplan.dcm"),
    "nibabel": ("tests/data/anatomical.nii", "tests/data/example4d.nii.gz", "tests/data/*.mgz"),
    "astropy": ("io/fits/tests/data/*.fits", "io/votable/tests/data/*.xml", "io/ascii/tests/data/*.csv"),
    "h5py": ("tests/data_files/*.h5",),
    "skimage": ("data/*.png", "data/*.jpg", "data/*.gif", "data/*.tif", "data/*.npy"),
    "Bio": ("Align/substitution_matrices/data/BLOSUM*",),
    "scipy": ("io/tests/data/*.nc", "io/tests/data/*.wav"),
}
EXPECTED = {
    "CT_small.dcm": "application/dicom",
    "anatomical.nii": "nifti",
    "tb.fits": "fits",
}


def real_files() -> dict[str, list[Path]]:
    found = {}
    for package, patterns in SOURCES.items():
        spec = importlib.util.find_spec(package)
        assert spec is not None, f"the test-only package {package} is not installed"
        assert spec.submodule_search_locations
        home = Path(spec.submodule_search_locations[0])
        paths = sorted({p for pattern in patterns for p in home.glob(pattern) if p.is_file()})
        assert paths, f"{package} ships none of {patterns}"
        found[package] = paths
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("journey")
    root = folder / "a watched folder"
    root.mkdir()
    service = Running(root, folder / "state", folder / "log")
    service.start()
    service.sign_in()
    yield service
    service.end()


@pytest.fixture(scope="module")
def copied(running: Running) -> set[str]:
    """The names of the files copied in while the service runs."""
    names = set()
    for package, paths in real_files().items():
        folder = running.root / "p_RealFiles" / package
        folder.mkdir(parents=True)
        for path in paths:
            shutil.copy(path, folder / path.name)
            names.add(f"p_RealFiles/{package}/{path.name}")
    wait_for(lambda: set(described(running.root)) == names, "all real files", 120, running.log)
    return names


def test_every_real_file_is_described_with_the_checksum_sha256sum_gives(running: Running, copied: set[str]) -> None:
    listing = subprocess.run(["sha256sum", "--", *sorted(copied)], cwd=running.root, capture_output=True, check=True)
    sums = {line[66:]: line[:64] for line in listing.stdout.decode().splitlines()}
    assert described(running.root) == sums
    for name, entry in entries(running.root).items():
        assert entry["size_bytes"] == (running.root / name).stat().st_size
        assert entry["mime_type"]
        assert entry["extraction"]


def test_the_kinds_of_the_files_are_told_from_their_content(running: Running, copied: set[str]) -> None:
    by_name = {name.rpartition("/")[2]: entry for name, entry in entries(running.root).items()}
    for name, word in EXPECTED.items():
        assert word in str(by_name[name]["mime_type"]).lower() + str(by_name[name]["format"]).lower()
    assert by_name["CT_small.dcm"]["dimensions"]
    assert by_name["anatomical.nii"]["dimensions"]
    unknown = [n for n, e in by_name.items() if e["mime_type"] == "application/octet-stream"]
    assert len(unknown) <= len(by_name) // 20, unknown


def test_no_patient_is_named(running: Running, copied: set[str]) -> None:
    import pydicom

    for name in sorted(n for n in copied if n.endswith(".dcm")):
        header = pydicom.dcmread(running.root / name, stop_before_pixels=True)
        text = json.dumps(entries(running.root)[name])
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "ReferringPhysicianName"):
            value = str(header.get(keyword, ""))
            assert len(value) < 4 or value not in text, f"{name} gives away {keyword}"


def test_all_metadata_passes_check(running: Running, copied: set[str]) -> None:
    answer = running.manage("check", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    value = json.loads(answer.stdout)
    assert "findings" in json.dumps(value)


def test_every_file_is_visible_on_the_page_of_its_dataset(running: Running, copied: set[str]) -> None:
    projects = running.get("/")
    assert "p_RealFiles" in projects
    project = re.search(r'href="(/projects/[0-9a-f-]{36}/)"', projects)
    assert project
    assert len(_datasets(running, project[1])) == len(SOURCES)
    wait_for(lambda: not _not_shown(running, project[1], copied), "every file on its page", 30, running.log)
    assert _not_shown(running, project[1], copied) == []


def _datasets(running: Running, project: str) -> list[str]:
    return sorted(set(re.findall(r'href="(/datasets/[0-9a-f-]{36}/)"', running.get(project))))


def _not_shown(running: Running, project: str, names: set[str]) -> list[str]:
    shown = "".join(_all_pages(running, f"{page}files/") for page in _datasets(running, project))
    return sorted(name for name in names if html.escape(name.rpartition("/")[2]) not in shown)


def _all_pages(running: Running, path: str) -> str:
    """A dataset's file table, all its pages."""
    page = text = running.get(path)
    for _ in range(50):
        following = re.search(r'href="([^"]+)"[^>]*rel="next"|rel="next"[^>]*href="([^"]+)"', page)
        if following is None:
            break
        target = html.unescape(following[1] or following[2])
        page = running.get(target if target.startswith("/") else path.partition("?")[0] + target)
        text += page
    return text


def test_a_files_own_page_shows_its_checksum(running: Running, copied: set[str]) -> None:
    entry = next(e for n, e in entries(running.root).items() if n.endswith("CT_small.dcm"))
    page = running.get(f"/files/{entry['file_identifier']}/")
    assert str(entry["checksum"]["value"]) in page  # type: ignore[index]
    assert "CT_small.dcm" in page


def test_ctrl_c_ends_everything_and_leaves_nobody_behind(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    service = Running(root, tmp_path / "state", tmp_path / "log")
    service.start()
    assert service.process is not None
    group = service.process.pid
    assert service.interrupt() in (0, 130)
    assert "Traceback" not in service.said()
    left = subprocess.run(["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True).stdout.split()
    assert not [pid for pid in left if os.path.exists(f"/proc/{pid}")]
