"""The watcher, as a process, against real folders: everything is described, whatever the events say."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.run_templates import templates
from ingest.runs import RunStart, start
from ingest.schema import SchemaSet
from ingest.store import Store
from tests.watching.conftest import Service, described, entries, on_disk, settled, wait_for


def write(path: Path, text: str = "content\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def wait_settled(service: Service, limit: float = 180.0) -> None:
    wait_for(lambda: settled(service.root), "every file to be described", limit, service.log)
    assert described(service.root) == on_disk(service.root)


def test_files_made_before_during_and_right_after_start_are_all_described(service: Service) -> None:
    write(service.root / "p_A/d/before.txt", "before")
    service.start()
    for i in range(200):
        write(service.root / f"p_A/d/during{i}.txt", f"during {i}")
        time.sleep(0.005)
    service.watching()
    write(service.root / "p_A/d/after.txt", "after")
    write(service.root / "p_B/e/new.txt", "new")
    wait_settled(service)
    assert len(described(service.root)) == 203


def test_a_file_written_slowly_is_described_once_with_its_final_checksum(service: Service) -> None:
    service.settle = 2.0
    service.start()
    service.watching()
    path = write(service.root / "p_A/d/slow.bin", "")
    with path.open("ab") as handle:
        for i in range(10):
            handle.write(b"%d" % i * 1000)
            handle.flush()
            time.sleep(1.0)
            assert "p_A/d/slow.bin" not in described(service.root)
    wait_settled(service)
    entry = entries(service.root)["p_A/d/slow.bin"]
    assert "previous_checksums" not in entry


def test_a_file_written_without_end_holds_nothing_else_up(service: Service) -> None:
    service.start()
    service.watching()
    endless = write(service.root / "p_A/d/endless.log", "")
    over = threading.Event()

    def go_on() -> None:
        with endless.open("a") as handle:
            count = 0
            while not over.is_set():
                handle.write("more\n")
                handle.flush()
                # The folder is never quiet either.
                count += 1
                write(service.root / f"p_A/d/noise/{count % 7}.txt", str(count))
                time.sleep(0.05)

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        time.sleep(1)
        write(service.root / "p_A/d/quiet.txt")
        wait_for(lambda: "p_A/d/quiet.txt" in described(service.root), "the quiet file", 180, service.log)
        assert "p_A/d/endless.log" not in described(service.root)
    finally:
        over.set()
        writer.join()
    wait_settled(service)


def test_a_burst_in_one_folder_and_in_nested_new_folders_loses_nothing(
    service: Service, count: Callable[[int, int], int]
) -> None:
    number = count(4_000, 50_000)
    service.start()
    service.watching()
    flat, nested = service.root / "p_A/flat", service.root / "p_A/nested"
    flat.mkdir(parents=True)
    for i in range(number):
        (flat / f"f{i:06}.txt").write_text(f"line {i}\n")
    folders = max(100, number // 50)
    for i in range(number):
        folder = nested / str(i % folders % 10) / str(i % folders)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{i}.txt").write_text(f"line {i}\n")
    wait_for(lambda: len(described(service.root)) == 2 * number, "the burst", 600, service.log)
    wait_settled(service)


def test_an_overflow_of_the_kernel_queue_loses_nothing(service: Service, count: Callable[[int, int], int]) -> None:
    number = count(12_000, 40_000)  # two events each; the queue holds 16,384
    service.start()
    service.watching()
    write(service.root / "p_A/d/first.txt")
    wait_settled(service)
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGSTOP)
    try:
        for i in range(number):
            write(service.root / f"p_A/d/sub{i % 50}/f{i}.txt", f"{i}\n")
    finally:
        os.kill(service.process.pid, signal.SIGCONT)
    wait_for(lambda: len(described(service.root)) == number + 1, "all files", 300, service.log)
    write(service.root / "p_A/d/sub0/later.txt")
    wait_for(lambda: "p_A/d/sub0/later.txt" in described(service.root), "a later file", 180, service.log)


def test_too_small_a_watch_limit_falls_back_to_polling_and_says_so(service: Service) -> None:
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode:
        pytest.skip("no user namespace here")
    for i in range(40):
        (service.root / f"p_A/d/sub{i}").mkdir(parents=True)
    # The limit of a user namespace of its own: the machine's stays as it is.
    limit = 'echo 20 > /proc/sys/user/max_inotify_watches && exec "$@"'
    service.wrapper = ("unshare", "-Ur", "sh", "-c", limit, "sh")
    service.env = {"FAIRFOLDER_POLL_SECONDS": "1"}
    service.start()
    service.watching()
    assert "max_user_watches" in service.said()
    write(service.root / "p_A/d/sub39/x.txt")
    wait_settled(service)


def test_polling_alone_describes_everything(service: Service) -> None:
    service.env = {"FAIRFOLDER_WATCH_MODE": "polling", "FAIRFOLDER_POLL_SECONDS": "0.5"}
    service.start()
    service.watching()
    assert "FAIRFOLDER_WATCH_MODE" in service.said()
    write(service.root / "p_A/d/x.txt")
    wait_settled(service)
    (service.root / "p_A/d/x.txt").rename(service.root / "p_A/d/y.txt")
    wait_settled(service)
    assert {e["state"] for e in entries(service.root).values()} == {"present"}


def test_deafness_is_noticed_and_cured(service: Service) -> None:
    service.canary = 1.0
    service.start()
    service.watching()
    write(service.root / "p_A/d/x.txt")
    wait_settled(service)
    # Another folder at the root's path: the old watch hears nothing of it.
    aside = service.root.with_name("aside")
    service.root.rename(aside)
    time.sleep(2)
    shutil.copytree(aside, service.root)
    write(service.root / "p_A/d/new.txt")
    wait_for(lambda: "p_A/d/new.txt" in described(service.root), "the file in the new root", 180, service.log)
    write(service.root / "p_A/d/newer.txt")
    wait_settled(service)


def test_a_root_that_vanishes_freezes_and_nothing_is_recorded_missing(service: Service) -> None:
    for i in range(150):
        write(service.root / f"p_A/d/f{i}.txt", str(i))
    service.start()
    wait_settled(service)
    before = entries(service.root)
    aside = service.root.with_name("aside")
    service.root.rename(aside)
    wait_for(lambda: "may be unmounted" in service.said(), "the alarm", 180, service.log)
    service.root.mkdir()  # the empty mount point
    time.sleep(8)
    assert not list(service.root.iterdir())
    service.root.rmdir()
    aside.rename(service.root)
    write(service.root / "p_A/d/back.txt")
    wait_settled(service)
    assert {k: v["file_identifier"] for k, v in entries(service.root).items() if k in before} == {
        k: v["file_identifier"] for k, v in before.items()
    }
    assert {e["state"] for e in entries(service.root).values()} == {"present"}


@pytest.mark.parametrize("way", ["cp", "tar", "unzip", "move in", "copy and rename"])
def test_every_way_of_bringing_a_folder_ends_in_the_same_state(service: Service, tmp_path: Path, way: str) -> None:
    source = tmp_path / "source"
    for i in range(300):
        write(source / f"sub{i % 9}/deep/f{i}.txt", f"{i}\n")
    service.start()
    service.watching()
    target = service.root / "p_A/d"
    target.mkdir(parents=True)
    _bring(way, source, target / "in", tmp_path)
    wait_settled(service)
    assert len(described(service.root)) == 300


def _bring(way: str, source: Path, target: Path, tmp_path: Path) -> None:
    if way == "cp":
        subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    elif way == "tar":
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            archive.add(source, "in")
        subprocess.run(["tar", "-xf", str(tmp_path / "a.tar"), "-C", str(target.parent)], check=True)
    elif way == "unzip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for path in source.rglob("*.txt"):
                archive.write(path, path.relative_to(source))
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            archive.extractall(target)
    elif way == "move in":
        source.rename(target)
    else:
        for path in source.rglob("*.txt"):
            final = target / path.relative_to(source)
            final.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, final.with_name(final.name + ".part"))
            final.with_name(final.name + ".part").rename(final)


def test_renames_of_files_folders_datasets_and_projects_keep_identities(service: Service) -> None:
    write(service.root / "p_A/d/sub/x.txt", "x")
    write(service.root / "p_A/d/y.txt", "y")
    service.start()
    wait_settled(service)
    before = {str(e["file_name"]): e["file_identifier"] for e in entries(service.root).values()}
    (service.root / "p_A/d/sub").rename(service.root / "p_A/d/other")
    wait_settled(service)
    (service.root / "p_A/d").rename(service.root / "p_A/e")
    wait_settled(service)
    (service.root / "p_A").rename(service.root / "p_B")
    wait_settled(service)
    after = entries(service.root)
    assert set(after) == {"p_B/e/other/x.txt", "p_B/e/y.txt"}
    assert {str(e["file_name"]): e["file_identifier"] for e in after.values()} == before


def test_a_second_watcher_of_one_root_is_refused_with_a_sentence(service: Service, tmp_path: Path) -> None:
    service.start()
    service.watching()
    assert service.process is not None
    pid = service.process.pid
    second = Service(service.root, service.state, tmp_path / "second")
    second.start()
    assert second.process is not None
    assert second.process.wait(120) != 0
    sentence = f"is being watched already, by process {pid}; let it go on, or stop it first (kill {pid})."
    assert sentence in second.said()
    service.kill()  # which leaves no lock behind
    second.start()
    wait_for(lambda: "Watching" in second.said(), "the second watcher", 180, second.log)
    assert second.stop() == 0


def test_a_document_edited_by_hand_reaches_the_catalog(service: Service) -> None:
    write(service.root / "p_A/d/x.txt")
    service.start()
    wait_settled(service)
    path = service.root / "p_A/d/.metadata/dataset_administrative.json"
    time.sleep(2)
    told = service.said().count(str(path))
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "dataset_title": "Named by hand"}))
    wait_for(lambda: service.said().count(str(path)) > told, "the edit to be told", 180, service.log)
    assert json.loads(path.read_text())["dataset_title"] == "Named by hand"


def test_a_run_completed_by_hand_gets_its_complete_metadata_file(service: Service) -> None:
    write(service.root / "p_A/d/x.txt")
    service.start()
    wait_settled(service)
    own = service.root / "p_A/d/.metadata"
    dataset = json.loads((own / "dataset_administrative.json").read_text())["dataset_identifier"]
    store = Store(service.root, SchemaSet(None))
    run = start(store, service.root, "p_A/d", dataset, RunStart("Heat shock", templates(service.root)[0]), "anna")
    value = json.loads(run.path.read_text())
    said = {
        "status": "complete",
        "run_type": "observation",
        "experiment_dates": {"start": "2026-01-12"},
        "experimenters": [{"name": "Anna Ek"}],
        "no_protocol_reason": "Exploratory.",
    }
    run.path.write_text(json.dumps({**value, **said}))
    complete = run.path.parent / "data_object_Heat-shock_v2_metadata.json"
    wait_for(complete.exists, "the complete metadata file", 180, service.log)
    wait_for(lambda: str(complete) in service.said(), "the catalog to be told", 180, service.log)
    assert json.loads(complete.read_text())["generated_by"] == "filesystem"
    assert {each["data_object_version"] for each in entries(service.root).values()} == {"V2"}


def test_killed_and_started_again_it_describes_everything_once(
    service: Service, count: Callable[[int, int], int], rng: object
) -> None:
    number, kills = 600, count(4, 100)
    for i in range(number):
        write(service.root / f"p_A/d{i % 5}/f{i}.txt", f"{i}\n")
    for i in range(kills):
        service.start()
        time.sleep(0.4 + rng.random() * 1.6)  # type: ignore[attr-defined]
        service.kill()
        write(service.root / f"p_A/d{i % 5}/more{i}.txt", f"{i}\n")
    service.start()
    wait_settled(service)
    identifiers = [str(e["file_identifier"]) for e in entries(service.root).values()]
    assert len(identifiers) == len(set(identifiers)) == number + kills
    assert not list(service.root.rglob("*.tmp"))


def test_a_large_file_keeps_nothing_else_waiting(service: Service) -> None:
    service.start()
    service.watching()
    large = service.root / "p_A/d/large.raw"
    large.parent.mkdir(parents=True)
    with large.open("wb") as handle:
        handle.truncate(4 << 40)  # sparse: to read it would take an hour, to write it takes nothing
    time.sleep(2.5)
    write(service.root / "p_B/e/small.txt")
    wait_for(lambda: "p_B/e/small.txt" in described(service.root), "the small file", 180, service.log)
    assert "p_A/d/large.raw" not in described(service.root)
    os.truncate(large, 1_000)
    wait_for(lambda: "p_A/d/large.raw" in described(service.root), "the large file", 180, service.log)
    assert entries(service.root)["p_A/d/large.raw"]["size_bytes"] == 1_000


def test_what_failed_is_tried_again_by_itself(service: Service) -> None:
    write(service.root / "p_A/d/x.txt")
    service.start()
    wait_settled(service)
    own = service.root / "p_A/d/.metadata"
    if subprocess.run(["chattr", "+i", str(own)], capture_output=True).returncode:
        pytest.skip("not root, or no attributes on this file system")
    try:
        write(service.root / "p_A/d/y.txt")
        time.sleep(4)
        assert "p_A/d/y.txt" not in described(service.root)
    finally:
        subprocess.run(["chattr", "-i", str(own)], check=True)  # tells no watcher anything
    wait_settled(service)
