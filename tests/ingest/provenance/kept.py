"""A root whose documents a recorder keeps, and what git itself says of it, run from outside with nothing of ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.provenance.actions import Action
from ingest.provenance.recorder import Recorder
from ingest.provenance.settings import GitSettings

ADMINISTRATIVE = "dataset_administrative.json"


@dataclass
class Kept:
    """``folder`` holds the root ``data``, the ``state`` folder and the account's ``home``."""

    folder: Path

    def __post_init__(self) -> None:
        self.root = self.folder / "data"
        (self.root / ".metadata" / "registry").mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        self.recorder = self.another()

    def another(self, **settings: Any) -> Recorder:
        """A second recorder of the same root, as another process has it."""
        return Recorder(self.root, self.state, GitSettings(**settings))

    # --- the witness ----------------------------------------------------------------------------------------

    def git(self, *arguments: str, check: bool = True, data: bytes = b"", cwd: Path | None = None) -> str:
        """Git as a person runs it."""
        env = {"HOME": str(self.folder / "home"), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1",
               "GIT_AUTHOR_NAME": "Rosa", "GIT_AUTHOR_EMAIL": "rosa@example.org", "GIT_COMMITTER_NAME": "Rosa",
               "GIT_COMMITTER_EMAIL": "rosa@example.org", "GIT_EDITOR": "true"}  # fmt: skip
        done = subprocess.run(["git", *arguments], cwd=cwd or self.root, env=env, capture_output=True, input=data)
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode(errors='replace')}")
        return os.fsdecode(done.stdout)

    def log(self, form: str, *arguments: str) -> list[str]:
        """One text per commit, newest first."""
        return self.git("log", "-z", f"--format={form}", *arguments).rstrip("\0").split("\0")

    def subjects(self, *arguments: str) -> list[str]:
        """The subjects, oldest first."""
        return self.log("%s", *arguments)[::-1]

    def status(self) -> list[str]:
        """What ``git status`` has to say."""
        return [line for line in self.git("status", "--porcelain", "-z", "--untracked-files=all").split("\0") if line]

    def changed(self, commit: str = "HEAD") -> list[str]:
        """The paths a commit changed, with how."""
        out = self.git(
            "diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", "-m", "--first-parent", commit
        )
        fields = out.split("\0")[:-1]
        return [f"{how} {path}" for how, path in zip(fields[0::2], fields[1::2], strict=True)]

    def blob(self, path: str, revision: str = "HEAD") -> bytes:
        """The bytes of a path in a commit."""
        return os.fsencode(self.git("cat-file", "blob", f"{revision}:{path}"))

    def assert_sound(self) -> None:
        """Nothing broken, nothing of ours unrecorded, no lock left."""
        self.git("fsck", "--strict")
        git_dir = Path(self.git("rev-parse", "--absolute-git-dir").rstrip("\n"))
        assert [p.name for p in git_dir.rglob("*.lock")] == []

    # --- actions --------------------------------------------------------------------------------------------

    def path(self, relative: str) -> Path:
        return self.root / relative

    def put(self, relative: str, text: str | bytes) -> Path:
        """A file, written past everyone."""
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def document(self, dataset: str = "p_x/d", name: str = ADMINISTRATIVE) -> str:
        return f"{dataset}/.metadata/{name}"

    def save(
        self, value: Any, *, by: str = "alice", subject: str = "Change the title", dataset: str = "p_x/d",
        names: Sequence[str] = (ADMINISTRATIVE,), recorder: Recorder | None = None, **more: Any,
    ) -> str:  # fmt: skip
        """One action as the store does it: begin, write, record."""
        recorder = recorder or self.recorder
        action = Action(by, subject, project=dataset.partition("/")[0], dataset=dataset, **more)
        paths = [self.root / self.document(dataset, name) for name in names]
        recorder.begin(paths, action)
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(stamped(value, by))
        return recorder.record(paths, action)

    def adopt(self, *, commit: bool = True) -> None:
        """A person's own repository at the root, with one commit of a file of theirs."""
        self.git("init", "-q", "-b", "trunk")
        if commit:
            self.put("notes.txt", "notes\n")
            self.git("add", "notes.txt")
            self.git("commit", "-q", "-m", "Notes")


def stamped(value: Any, by: str = "alice", date: str = "2026-03-01T10:00:00Z") -> str:
    """A document's text with an audit stamp."""
    return json.dumps({"value": value, "last_modified_by": by, "last_modified_date": date})
