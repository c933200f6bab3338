"""Storage that is full, read-only or out of inodes: said in words, nothing half, and mended by itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import holds
from tests.faults.in_namespace import SCENARIOS
from tests.faults.processes import CHECKOUT


@pytest.mark.skipif(holds("no-tmpfs"), reason="no tmpfs can be mounted here")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_failing_storage(tmp_path: Path, scenario: str) -> None:
    unshare = shutil.which("unshare") or "unshare"
    command = [unshare, "-m", sys.executable, "-m", "tests.faults.in_namespace", scenario, str(tmp_path)]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
