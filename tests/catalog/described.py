"""A watched folder that the engine itself described, indexed, with settle time nought."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from catalog import engine, index
from catalog.models import Dataset, Project
from ingest.reconcile import reconcile
from ingest.workspace import open_workspace


@dataclass(frozen=True)
class Described:
    """The root, and what one does to it."""

    root: Path
    settings: Settings

    def put(self, path: str, content: str | bytes = "a,b\n1,2\n") -> Path:
        """A data file, made by its researcher."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def describe(self) -> None:
        """One pass of the engine, and the index after it."""
        with open_workspace(self.root, self.settings.ENGINE) as workspace:
            report = reconcile(workspace)
        assert not report.alarms, report.alarms
        index.catch_up()

    def project(self, folder: str = "p_Alpha") -> Project:
        return Project.objects.get(path=folder)

    def dataset(self, path: str = "p_Alpha/ds") -> Dataset:
        return Dataset.objects.get(path=path)

    def read(self, path: str) -> dict[str, Any]:
        value: dict[str, Any] = orjson.loads((self.root / path).read_bytes())
        return value

    def write(self, path: str, value: dict[str, Any]) -> None:
        """What an editor does: another file takes the document's place."""
        file = self.root / path
        draft = file.with_name(f"{file.name}.tmp~")
        draft.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))
        draft.replace(file)


@pytest.fixture
def described(tmp_path: Path, settings: Settings) -> Described:
    """An empty watched folder that the settings name, with a state folder beside it."""
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "state").mkdir()
    settings.MONITOR_PATHS = (root,)
    settings.FAIRFOLDER_STATE_DIR = tmp_path / "state"
    settings.ENGINE = replace(settings.ENGINE, state_dir=tmp_path / "state", settle_seconds=0.0)
    engine.schemas.cache_clear()
    return Described(root, settings)
