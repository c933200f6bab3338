"""A watched folder of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.provenance.data.settings import Mode
from tests.ingest.provenance.historic import Historic
from tests.ingest.watched import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """An empty watched folder with a state folder beside it; files count as at rest at once."""
    root = tmp_path / "data"
    root.mkdir()
    return Watched(root, tmp_path / "state")


@pytest.fixture
def historic(tmp_path: Path) -> Historic:
    """The same whose history is kept by git, and the versions of whose files by DVC."""
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "state").mkdir()
    return Historic(root, tmp_path / "state", mode=Mode.FILE)
