"""A history made by hand: plain git in a watched folder, with the authors and trailers that the recorder writes."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pytest_django import Settings

from catalog import index
from ingest.provenance.settings import GitSettings
from tests.catalog.tree import Tree, entry

START = 1_790_000_000  # seconds since 1970; each commit is a minute after the one before


@dataclass
class Past:
    """The repository of a root."""

    root: Path
    made: int = 0

    def git(self, *arguments: str, data: bytes = b"", **environment: str) -> str:
        own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        own |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", **environment}
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, env=own, input=data, capture_output=True, check=True).stdout.decode().strip()

    def begin(self) -> Past:
        self.git("init", "-q", "-b", "main")
        return self

    def commit(self, subject: str = "Change", by: str = "ada", **trailers: str) -> str:
        """Everything as it stands becomes one version; answers its commit."""
        name, address = {
            "": ("Fairfolder", "service@fairfolder.invalid"),
            "filesystem": ("Changed on disk", "filesystem@fairfolder.invalid"),
        }.get(by, (by, f"{by}@users.fairfolder.invalid"))
        date = f"{START + 60 * self.made} +0000"
        self.made += 1
        who = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": address, "GIT_AUTHOR_DATE": date}
        who |= {"GIT_COMMITTER_NAME": "Fairfolder", "GIT_COMMITTER_EMAIL": "service@fairfolder.invalid"}
        lines = "\n".join(f"{key}: {value}" for key, value in trailers.items())
        self.git("add", "-A", "-f", ":(glob)**/.metadata/**", "--", **who)
        self.git("commit", "-q", "--allow-empty", "-m", f"{subject}\n\n{lines}", **who, GIT_COMMITTER_DATE=date)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def past(tree: Tree, settings: Settings) -> Past:
    """A project and a dataset of which the first version is recorded, as everything that comes is."""
    settings.ENGINE = replace(settings.ENGINE, git=GitSettings())
    tree.project(project_title="Alpha")
    tree.dataset(entries=[entry("a.csv"), entry("b.csv")], dataset_title="One", keywords=["salt", "heat"])
    index.refresh(tree.documents())
    past = Past(tree.root).begin()
    past.commit("Describe the new dataset plate_1", by="", Trigger="1")
    return past
