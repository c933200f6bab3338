"""A root with a recorder, and git from the outside as the witness."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.provenance.kept import Kept


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """An empty root without a repository; the account has no git configuration of its own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return Kept(tmp_path)
