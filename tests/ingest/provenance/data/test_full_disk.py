"""FA-26: no room in the cache is told in words, touches nothing, and is over when there is room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import holds
from tests.faults.processes import CHECKOUT


@pytest.mark.skipif(holds("no-tmpfs"), reason="no tmpfs can be mounted here")
@pytest.mark.parametrize("mode", ["file", "folder"])
def test_no_room_in_the_cache(tmp_path: Path, mode: str) -> None:
    command = ["unshare", "-m", sys.executable, "-m", "tests.ingest.provenance.data.in_full_cache", mode, str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
