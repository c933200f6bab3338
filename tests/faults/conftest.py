"""A watched folder of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.watched import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """An empty watched folder with a state folder beside it; files count as at rest at once."""
    root = tmp_path / "data"
    root.mkdir()
    return Watched(root, tmp_path / "state")
