"""FA-32, its third point: killed after the commit, before or within the rows of the index; the next one mends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalog.service import CHECKOUT, Service

_KILLED = """
import os, signal, sys
import django
django.setup()
from catalog.index import refreshing
def end(*words, **more):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(refreshing, sys.argv[1], end)
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "reconcile"])
"""
_ROWS = """
import django, json
django.setup()
from catalog import index
print(json.dumps(index.snapshot(), default=str, sort_keys=True))
"""


def in_process(service: Service, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = service.environment(DJANGO_SETTINGS_MODULE="catalog.settings", PYTHONPATH=str(CHECKOUT))
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment,
        cwd=service.base,
        capture_output=True,
        text=True,
        timeout=300,
    )


def commits(root: Path) -> list[str]:
    said = subprocess.run(["git", "log", "--format=%s"], cwd=root, capture_output=True, text=True, check=True)
    return said.stdout.splitlines()


@pytest.mark.parametrize("point", ["_refresh", "_derive"])
def test_a_pass_killed_before_or_within_the_index_is_completed_by_the_next_command(
    service: Service, point: str
) -> None:
    service.settings["FAIRFOLDER_GIT"] = "on"
    folder = service.root / "p_Rye" / "leaves"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("a,b\n1,2\n")
    assert service.run("reconcile").code == 0
    (folder / "b.csv").write_text("a,b\n3,4\n")
    before = commits(service.root)
    killed = in_process(service, _KILLED, point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    recorded = commits(service.root)
    assert len(recorded) == len(before) + 1, "the change itself is recorded once"
    assert "b.csv" not in in_process(service, _ROWS).stdout
    assert service.run("reconcile").code == 0
    assert commits(service.root) == recorded
    completed = in_process(service, _ROWS).stdout
    assert {each["path"] for each in json.loads(completed)["File"]} == {"a.csv", "b.csv"}
    assert service.run("reindex").code == 0
    assert in_process(service, _ROWS).stdout == completed
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=service.root, capture_output=True, text=True, check=True
    )
    assert status.stdout == "", os.listdir(service.root)
