"""A watched folder whose history is kept by the whole engine, and what git and dvc say of it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.settings import GitSettings
from ingest.settings import EngineSettings
from tests.ingest.watched import Watched

DVC = Path(sys.executable).with_name("dvc")


@dataclass(frozen=True)
class Commit:
    """What git shows of a commit: ``trailers`` by their names, ``paths`` with how each changed."""

    subject: str
    author: str
    trailers: dict[str, str]
    paths: dict[str, str]


@dataclass
class Historic(Watched):
    """``mode`` says what is kept of the data files."""

    mode: Mode = Mode.OFF

    def settings(self, **more: Any) -> EngineSettings:
        return super().settings(**{"git": GitSettings(), "data": DataSettings(self.mode), **more})

    def git(self, *words: str) -> str:
        """Git as a person runs it."""
        env = {"HOME": str(self.state), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(["git", *words], cwd=self.root, env=env, capture_output=True, check=True)
        return os.fsdecode(done.stdout)

    def dvc(self, *words: str) -> str:
        """The real program, in the root."""
        env = {**os.environ, "DVC_NO_ANALYTICS": "1"}
        done = subprocess.run([DVC, *words], cwd=self.root, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commits(self) -> list[Commit]:
        """Every commit of HEAD, oldest first."""
        if not (self.root / ".git").exists():
            return []
        return [self._commit(each) for each in self.git("rev-list", "--reverse", "HEAD").split()]

    def _commit(self, commit: str) -> Commit:
        form = "%s%x00%an <%ae>%x00%(trailers:only,unfold)"
        subject, author, told = self.git("show", "-s", f"--format={form}", commit).split("\0")
        trailers = dict(line.split(": ", 1) for line in told.splitlines() if line)
        out = self.git("diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", "--no-renames", commit)
        fields = out.split("\0")[:-1]
        return Commit(subject, author, trailers, dict(zip(fields[1::2], fields[0::2], strict=True)))

    def assert_sound(self) -> None:
        """All that is ours is recorded, nothing is broken."""
        assert self.git("status", "--porcelain") == ""
        self.git("fsck", "--strict")
