"""Links, pipes, sockets, devices, what may not be read, what is empty and what is huge."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ingest.watched import Watched

D = "p_Barley/leaves"
PYTHON = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "python"


# What `head -c SIZE /dev/zero | openssl dgst -sha256` says.
ZEROS = {
    1024**3 + 7: "22acc689969abec437e98ef66882b4579f36d74c69d3faac8547e9510c19c4c2",
    10 * 1024**3 + 7: "3929c187179831a1ee7b83da7834e700adcce73ef0979fc20ef54a4ef09a219f",
}


def conditions(watched: Watched, dataset: str = D) -> dict[str, tuple[str, str]]:
    """Inner path → (condition, reason) of everything in a dataset that is not described."""
    with watched.workspace(read_only=True) as ws:
        place = ws.seen.place_at(dataset)
        assert place is not None
        rows = ws.seen.files(place.id, ws.seen.stamps(place.id))
    return {r.path: (r.condition.word, r.reason) for r in rows.values() if r.condition.word != "described"}


def test_links_are_recorded_and_never_followed(watched: Watched, tmp_path: Path) -> None:
    """FA-15."""
    secret = tmp_path / "secret.txt"
    secret.write_text("outside the watched folder\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.txt").write_text("b\n")
    watched.put(f"{D}/a.txt")
    watched.put("p_Barley/roots/c.txt")
    links = {
        "inside": "a.txt",
        "outside file": str(secret),
        "passwd": "/etc/passwd",
        "outside folder": str(tmp_path / "outside"),
        "parent": "..",
        "self": ".",
        "loop": "loop",
        "other dataset": "../roots",
        "dangling": "nowhere",
        "proc": "/proc/self/root",
        "zero": "/dev/zero",
    }
    for name, target in links.items():
        os.symlink(target, watched.root / D / name)
    report = watched.reconcile()
    assert report.findings == []
    assert set(watched.entries(D)) == {"a.txt"}
    assert conditions(watched) == dict.fromkeys(links, ("link", "a symbolic link: links are recorded, never followed"))
    assert watched.explain(f"{D}/passwd").condition == "link"
    assert watched.problems() == {}
    assert "outside the watched folder" not in "".join(map(repr, watched.metadata().values()))
    watched.remove(f"{D}/dangling")
    watched.reconcile()
    assert "dangling" not in conditions(watched)


def test_a_file_that_becomes_a_link_is_missing_and_comes_back_as_itself(watched: Watched) -> None:
    path = watched.put(f"{D}/a.txt", "a\n")
    watched.reconcile()
    identifiers = watched.identifiers(D)
    path.unlink()
    os.symlink("/etc/passwd", path)
    for _ in range(2):
        watched.reconcile()
        assert watched.states(D) == {"a.txt": "missing"}
        assert watched.explain(f"{D}/a.txt").condition == "link"
    path.unlink()
    watched.reconcile()
    assert watched.explain(f"{D}/a.txt").condition == "missing"
    watched.put(f"{D}/a.txt", "again\n")
    watched.reconcile()
    assert (watched.identifiers(D), watched.states(D)) == (identifiers, {"a.txt": "present"})
    watched.edit(f"{D}/.metadata/dataset_structural.json", lambda v: v.update(scope="one file"))
    watched.reconcile()
    assert watched.problems() == {}


def test_a_project_or_dataset_that_is_a_link_is_not_entered(watched: Watched, tmp_path: Path) -> None:
    watched.put(f"{D}/a.txt")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.txt").write_text("x")
    os.symlink(watched.root / D, watched.root / "p_Barley" / "linked")
    os.symlink(tmp_path / "elsewhere", watched.root / "p_Barley" / "outside")
    os.symlink("p_Barley", watched.root / "p_Linked")
    watched.reconcile()
    assert sorted(e["path"] for e in watched.registry().values()) == ["p_Barley", D]
    assert not (tmp_path / "elsewhere" / ".metadata").exists()
    for path in ("p_Linked", "p_Barley/linked", "p_Barley/outside"):
        assert watched.explain(path).condition == "link"


@pytest.mark.parametrize(
    ("target", "folder"), [("root", ".metadata"), ("project", "p_Barley/.metadata"), ("dataset", f"{D}/.metadata")]
)
def test_nothing_is_written_through_a_linked_metadata_folder(
    watched: Watched, tmp_path: Path, target: str, folder: str
) -> None:
    watched.put(f"{D}/a.txt")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.symlink(elsewhere, watched.root / folder)
    told = ""
    try:
        told = "".join(f.message for f in watched.reconcile().findings)
    except Exception as error:  # noqa: BLE001 - which one is asserted by its words
        told = str(error)
    assert list(elsewhere.iterdir()) == []
    assert "symbolic link" in told
    if target != "root":
        assert any("symbolic link" in reason for reason in watched.problems().values())
    os.unlink(watched.root / folder)
    watched.reconcile()
    assert set(watched.entries(D)) == {"a.txt"}
    assert watched.problems() == {}


def test_pipes_sockets_and_devices_are_told_and_never_opened(watched: Watched) -> None:
    """Opening the pipe would hang: this test ends because nothing does."""
    watched.put(f"{D}/a.txt")
    folder = watched.root / D
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(folder, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    watched.reconcile()
    assert set(watched.entries(D)) == {"a.txt"}
    assert conditions(watched) == {
        "pipe": ("special", "a named pipe, which has no content to describe"),
        "socket": ("special", "a socket, which has no content to describe"),
    }
    assert "a named pipe" in watched.explain(f"{D}/pipe").sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make device files")
def test_device_files_are_told_and_never_opened(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    os.mknod(watched.root / D / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    os.mknod(watched.root / D / "disk", stat.S_IFBLK | 0o666, os.makedev(7, 200))
    watched.reconcile()
    assert set(watched.entries(D)) == {"a.txt"}
    assert {name: word for name, (word, _) in conditions(watched).items()} == {"zero": "special", "disk": "special"}


def test_an_empty_file_and_an_empty_folder(watched: Watched) -> None:
    watched.put(f"{D}/empty.csv", b"")
    watched.folder(f"{D}/nothing in it")
    watched.reconcile()
    entry = watched.entries(D)["empty.csv"]
    assert entry["size_bytes"] == 0
    assert entry["checksum"]["value"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert watched.explain(f"{D}/nothing in it").condition == "folder"
    assert watched.check() == []


def test_a_sparse_file_of_many_gigabytes_is_read_once_with_little_memory(
    watched: Watched, count: Callable[[int, int], int]
) -> None:
    size = count(1, 10) * 1024**3 + 7
    path = watched.put(f"{D}/sparse.bin", b"")
    os.truncate(path, size)
    report = watched.reconcile()
    entry = watched.entries(D)["sparse.bin"]
    assert (entry["size_bytes"], entry["checksum"]["value"]) == (size, ZEROS[size])
    assert report.bytes_read == size


@pytest.mark.parametrize("seconds", [0, -1, -2_000_000_000, 4_102_444_800, 2**33])
def test_times_before_1970_and_far_from_now_are_recorded(watched: Watched, seconds: int) -> None:
    """FA-20: nothing is ordered by them, nothing waits for them."""
    path = watched.put(f"{D}/a.txt")
    os.utime(path, (seconds, seconds))
    watched.settle_seconds = 0.2
    time.sleep(0.3)
    report = watched.reconcile()
    assert (report.described, report.pending) == (1, 0)
    told = subprocess.run(["stat", "-c", "%Y", path], capture_output=True, check=True, text=True).stdout
    utc = ["date", "-u", "-d", f"@{told.strip()}", "+%Y-%m-%dT%H:%M:%SZ"]
    expected = subprocess.run(utc, capture_output=True, check=True, text=True).stdout.strip()
    assert watched.entries(D)["a.txt"]["modified_utc"] == expected
    assert watched.check() == []
    assert watched.reconcile().unchanged == 1


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no tmpfs at /dev/shm")
def test_a_time_no_calendar_can_write_harms_nothing(tmp_path: Path) -> None:
    """tmpfs keeps years far beyond 9999."""
    import shutil
    import tempfile

    root = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        watched = Watched(root, tmp_path / "state")
        for seconds in (2**40, -(2**40), 2**36):
            path = watched.put(f"{D}/{seconds}.txt")
            os.utime(path, (seconds, seconds))
        watched.put(f"{D}/now.txt")
        watched.reconcile()
        assert len(watched.entries(D)) == 4
        assert watched.check() == []
        assert watched.reconcile().unchanged == 4
    finally:
        shutil.rmtree(root)


# --- what may not be read: as root in a process without root's privilege over permissions ------------------------

WITHOUT_PRIVILEGE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]


def reconcile_without_privilege(watched: Watched) -> subprocess.CompletedProcess[str]:
    """``python -m ingest reconcile``, where rights hold for us too."""
    drop = WITHOUT_PRIVILEGE if os.geteuid() == 0 else []
    env = {**os.environ, "FAIRFOLDER_STATE_DIR": str(watched.state), "FAIRFOLDER_SETTLE_SECONDS": "0"}
    command = [*drop, sys.executable, "-m", "ingest", "reconcile", str(watched.root)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=PYTHON.parents[2], timeout=300)


def test_what_may_not_be_read_is_told_and_tried_again(watched: Watched) -> None:
    """FA-19."""
    closed = watched.put(f"{D}/closed.txt", "closed\n")
    watched.put(f"{D}/locked/inside.txt", "inside\n")
    watched.put(f"{D}/open.txt", "open\n")
    closed.chmod(0)
    (watched.root / D / "locked").chmod(0)
    run = reconcile_without_privilege(watched)
    assert run.returncode == 1, run.stderr
    assert set(watched.entries(D)) == {"open.txt"}
    told = conditions(watched)
    assert told["closed.txt"][0] == told["locked"][0] == "unreadable"
    assert "permission denied; grant it with: chmod u+r" in told["closed.txt"][1]
    assert "permission denied" in told["locked"][1]
    assert set(watched.problems()) == {f"{D}/closed.txt", f"{D}/locked"}
    assert watched.explain(f"{D}/closed.txt").condition == "unreadable"
    closed.chmod(0o644)
    (watched.root / D / "locked").chmod(0o755)
    assert reconcile_without_privilege(watched).returncode == 0
    assert set(watched.entries(D)) == {"closed.txt", "locked/inside.txt", "open.txt"}
    assert watched.problems() == {}


def test_what_cannot_be_listed_is_not_taken_for_deleted(watched: Watched) -> None:
    watched.put(f"{D}/plate/inside.txt", "inside\n")
    closed = watched.put(f"{D}/closed.txt", "closed\n")
    watched.reconcile()
    before = watched.entries(D)
    (watched.root / D / "plate").chmod(0)
    closed.chmod(0)
    assert reconcile_without_privilege(watched).returncode in (0, 1)
    assert watched.states(D) == {"closed.txt": "present", "plate/inside.txt": "present"}
    (watched.root / D / "plate").chmod(0o755)
    closed.chmod(0o644)
    (watched.root / D).chmod(0)
    reconcile_without_privilege(watched)
    (watched.root / D).chmod(0o755)
    assert watched.states(D) == {"closed.txt": "present", "plate/inside.txt": "present"}
    (watched.root / "p_Barley").chmod(0)
    reconcile_without_privilege(watched)
    (watched.root / "p_Barley").chmod(0o755)
    assert {e["state"] for e in watched.registry().values()} == {"present"}
    assert reconcile_without_privilege(watched).returncode == 0
    after = watched.entries(D)
    assert {n: e["file_identifier"] for n, e in after.items()} == {n: e["file_identifier"] for n, e in before.items()}
    assert watched.problems() == {}


@pytest.mark.parametrize("folder", ["", "p_Barley", D])
def test_a_read_only_metadata_folder_is_told_with_the_command_that_mends_it(watched: Watched, folder: str) -> None:
    watched.put(f"{D}/a.txt", "a\n")
    watched.reconcile()
    before = watched.metadata()
    watched.put(f"{D}/b.txt", "b\n")
    watched.edit("p_Barley/.metadata/project_descriptive.json", lambda v: v.update(project_title="Barley"))
    metadata = watched.root / folder / ".metadata"
    modes = {p: p.stat().st_mode for p in (metadata, *metadata.rglob("*")) if p.is_dir()}
    for path in modes:
        path.chmod(0o555)
    run = reconcile_without_privilege(watched)
    for path, mode in modes.items():
        path.chmod(stat.S_IMODE(mode))
    after = watched.metadata()
    own = str(Path(folder, ".metadata"))
    assert {k: v for k, v in after.items() if k.startswith(own)} == {
        k: v if "project_descriptive" not in k else after[k] for k, v in before.items() if k.startswith(own)
    }
    if folder != "p_Barley":  # nothing of the system's was to be written there
        assert run.returncode in (1, 2)
        assert "permission denied; grant it with: chmod u+rwx" in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert reconcile_without_privilege(watched).returncode == 0
    assert set(watched.entries(D)) == {"a.txt", "b.txt"}
    assert watched.problems() == {}


def test_a_new_dataset_that_may_not_be_written_waits_alone(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.put("p_Barley/closed/b.txt")
    (watched.root / "p_Barley" / "closed").chmod(0o555)
    run = reconcile_without_privilege(watched)
    assert run.returncode == 1
    assert "p_Barley/closed" in run.stdout
    assert set(watched.entries(D)) == {"a.txt"}
    assert "chmod u+rwx" in watched.problems()["p_Barley/closed"]
    (watched.root / "p_Barley" / "closed").chmod(0o755)
    assert reconcile_without_privilege(watched).returncode == 0
    assert set(watched.entries("p_Barley/closed")) == {"b.txt"}
    assert watched.problems() == {}


def test_metadata_takes_the_mode_of_its_folder(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    (watched.root / D).chmod(0o2770)
    watched.reconcile()
    folder = watched.root / D / ".metadata"
    assert stat.S_IMODE(folder.stat().st_mode) & 0o777 == 0o770
    for name in ("dataset_administrative.json", "dataset_structural.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o660
