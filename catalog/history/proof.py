"""Whether the history of a root is what was recorded: nothing rewritten, nothing damaged, signed where it is to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import engine, words
from catalog.history import past
from ingest.errors import printable
from ingest.provenance.repository import is_revision


@dataclass(frozen=True)
class Proven:
    """What was looked at in one root; no ``problems``: nothing was rewritten.

    ``began`` is the moment from when on we remember; ``signed`` counts the signed commits, None where none are to be.
    """

    root: str
    head: str
    commits: int
    problems: tuple[str, ...]
    began: str
    signed: int | None

    @property
    def lines(self) -> list[str]:
        """In words."""
        if not self.head:
            return [*self.problems, f"{self.root}: no history is there"]
        signed = "" if self.signed is None else f", {words.count(self.signed)} of ours signed"
        summary = f"{self.root}: {words.count(self.commits)} commits up to {self.head}{signed}"
        since = f" since {self.began}, from when on the service remembers it" if self.began else ""
        return [*self.problems, f"{summary}; {'not as recorded' if self.problems else f'nothing was rewritten{since}'}"]

    def as_json(self) -> dict[str, Any]:
        return {
            "root": self.root, "head": self.head, "commits": self.commits, "problems": list(self.problems),
            "began": self.began, "signed": self.signed,
        }  # fmt: skip


def proven(root: Path, since: str = "") -> Proven:
    """The proof for one root; ``since`` is a commit somebody wrote down that must still be part of the history.

    Raises:
        RevisionError: when ``since`` is no commit's id.
        GitError: when the repository cannot be read at all.
    """
    if since and not is_revision(since):
        raise past.RevisionError(f"--since is {since!r}, which is no commit; name one by its id, such as 3f2a1b9c.")
    recorder = engine.recorder(root)
    found = recorder.prove(since)
    signed = None if recorder.settings.signing_key is None else found.signed
    return Proven(printable(str(root)), found.head, found.commits, found.problems, found.began, signed)
