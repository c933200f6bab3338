"""`python -m ingest`: exit codes, one JSON object, one sentence for bad input and never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ingest.watched import Watched

D = "p_Barley/leaves"
CHECKOUT = Path(__file__).resolve().parents[2]


def ingest(watched: Watched, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    settings = {"FAIRFOLDER_STATE_DIR": str(watched.state), "FAIRFOLDER_SETTLE_SECONDS": "0", **env}
    command = [sys.executable, "-m", "ingest", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=300
    )


def test_reconcile_check_and_status_of_a_good_root(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    run = ingest(watched, "reconcile", str(watched.root))
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.strip().endswith("1 described, 0 unchanged, 0 moved, 0 missing, 0 waiting, 0 failed")
    run = ingest(watched, "check", str(watched.root), "--json")
    assert run.returncode == 0
    assert json.loads(run.stdout)["findings"] == []
    run = ingest(watched, "status", str(watched.root), "--json")
    assert run.returncode == 0
    assert json.loads(run.stdout)["counts"]["described"] == 1
    run = ingest(watched, "reconcile", str(watched.root), "--json")
    assert json.loads(run.stdout)["unchanged"] == 1
    run = ingest(watched, "status", str(watched.root))
    assert (run.returncode, run.stdout) == (0, "stopped: 1 described\n")


def test_findings_make_exit_code_1(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    watched.edit("p_Barley/.metadata/project_descriptive.json", lambda v: v.update(project_title=5))
    for command in ("reconcile", "check", "status"):
        run = ingest(watched, command, str(watched.root))
        assert run.returncode == 1, command
        assert "project_title" in run.stdout
        run = ingest(watched, command, str(watched.root), "--json")
        assert run.returncode == 1
        assert "project_title" in json.dumps(json.loads(run.stdout))


def test_an_alarm_makes_exit_code_1_and_can_be_lifted(watched: Watched) -> None:
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    watched.move("p_Barley", "../away")
    watched.remove(".metadata")
    run = ingest(watched, "reconcile", str(watched.root))
    assert run.returncode == 1
    assert "is empty, although 1 files are described in it" in run.stdout
    run = ingest(watched, "reconcile", str(watched.root), "--accept-deletions")
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "usage:"),
        (["describe", "."], "invalid choice"),
        (["reconcile"], "ROOT"),
        (["reconcile", "/nonexistent/folder"], "The folder '/nonexistent/folder' does not exist"),
        (["check", "/etc/passwd"], "'/etc/passwd' "),
        (["status", "a\nb"], "does not exist"),
        (["reconcile", ""], "folder"),
    ],
)
def test_wrong_usage_makes_exit_code_2_and_one_sentence(watched: Watched, arguments: list[str], told: str) -> None:
    run = ingest(watched, *arguments)
    assert run.returncode == 2
    assert told in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAIRFOLDER_SETTLE_SECONDS", "soon"),
        ("FAIRFOLDER_STATE_DIR", "/proc/nowhere"),
        ("FAIRFOLDER_STATE_DIR", "/etc/passwd"),
        ("FAIRFOLDER_READ_RATE", "fast"),
    ],
)
def test_a_wrong_setting_makes_exit_code_2_and_one_sentence(watched: Watched, name: str, value: str) -> None:
    run = ingest(watched, "reconcile", str(watched.root), **{name: value})
    assert run.returncode == 2
    assert name in run.stderr
    assert value in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


def test_names_that_are_no_text_can_be_printed(watched: Watched) -> None:
    folder = os.fsdecode(b"p_\xff/d\xfe")
    watched.put(f"{folder}/a.txt")
    watched.reconcile()
    (watched.root / folder / ".metadata" / "dataset_structural.json").write_text("{")
    for command in ("reconcile", "check", "status"):
        for more in ([], ["--json"]):
            run = ingest(watched, command, str(watched.root), *more, PYTHONUTF8="1")
            assert (run.returncode, "Traceback" in run.stderr) == (1, False), run.stderr
            assert "dataset_structural.json" in run.stdout


def _open_files(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):
            yield os.readlink(descriptor)


def test_ctrl_c_ends_a_pass_and_keeps_what_it_did(watched: Watched) -> None:
    import signal
    import time

    for i in range(3_000):
        watched.put(f"{D}/f{i:04}.txt", f"{i:09}\n")
    settings = {"FAIRFOLDER_STATE_DIR": str(watched.state), "FAIRFOLDER_SETTLE_SECONDS": "0",
                "FAIRFOLDER_READ_RATE": "1k"}  # fmt: skip
    command = [sys.executable, "-m", "ingest", "reconcile", str(watched.root)]
    with subprocess.Popen(command, cwd=CHECKOUT, env={**os.environ, **settings}, stderr=subprocess.PIPE) as process:
        opened: set[str] = set()
        while len(opened) < 600:  # all of them take half a minute
            assert process.poll() is None
            opened |= {link for link in _open_files(process.pid) if link.endswith(".txt")}
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=120)
    assert b"Traceback" not in stderr, stderr
    done = len(watched.entries(D))
    assert 0 < done < 3_000
    assert watched.check() == []
    report = watched.reconcile()
    assert (report.described, report.unchanged) == (3_000 - done, done)
