"""A watched folder of its own for each test, whose history and versions the whole engine keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.provenance.data.settings import Mode
from tests.ingest.provenance.historic import Historic


@pytest.fixture
def historic(tmp_path: Path) -> Historic:
    """An empty one; versions are kept beside each file."""
    (tmp_path / "data").mkdir()
    (tmp_path / "state").mkdir()
    return Historic(tmp_path / "data", tmp_path / "state", mode=Mode.FILE)
