"""Storage that is full, read-only or out of inodes: said in words, nothing half, and mended by itself.

FA-26 and FA-31.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import holds
from tests.faults import in_namespace, in_namespace_history
from tests.faults.processes import CHECKOUT


@pytest.mark.skipif(holds("no-tmpfs"), reason="no tmpfs can be mounted here")
@pytest.mark.parametrize("scenario", in_namespace.SCENARIOS)
def test_failing_storage(tmp_path: Path, scenario: str) -> None:
    play(in_namespace.__name__, scenario, tmp_path)


@pytest.mark.skipif(holds("no-tmpfs"), reason="no tmpfs can be mounted here")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("scenario", in_namespace_history.SCENARIOS)
def test_failing_storage_of_the_history(tmp_path: Path, scenario: str) -> None:
    play(in_namespace_history.__name__, scenario, tmp_path)


def play(module: str, scenario: str, folder: Path) -> None:
    """In a mount namespace of its own, which ends with it."""
    unshare = shutil.which("unshare") or "unshare"
    command = [unshare, "-m", sys.executable, "-m", module, scenario, str(folder)]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=360)
    assert run.returncode == 0, run.stdout + run.stderr
