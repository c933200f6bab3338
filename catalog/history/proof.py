"""Whether the history of a root is what was recorded: nothing rewritten, nothing damaged, signed where it is to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import engine, words
from catalog.history import past, whereabouts
from ingest.errors import printable
from ingest.provenance.repository import is_revision


@dataclass(frozen=True)
class Proven:
    """What was looked at in one root; no ``problems``: nothing was rewritten."""

    root: str
    head: str
    commits: int
    problems: tuple[str, ...]
    signed: bool

    @property
    def lines(self) -> list[str]:
        """In words."""
        if not self.head:
            return [*self.problems, f"{self.root}: no history is there"]
        signed = ", all of ours signed" if self.signed and not self.problems else ""
        summary = f"{self.root}: {words.count(self.commits)} commits up to {self.head}{signed}"
        return [*self.problems, f"{summary}; {'not as recorded' if self.problems else 'nothing was rewritten'}"]

    def as_json(self) -> dict[str, Any]:
        return {"root": self.root, "head": self.head, "commits": self.commits, "problems": list(self.problems)}


def proven(root: Path, since: str = "") -> Proven:
    """The proof for one root; ``since`` is a commit somebody wrote down that must still be part of the history.

    Raises:
        RevisionError: when ``since`` is no commit's id.
        GitError: when the repository cannot be read at all.
    """
    if since and not is_revision(since):
        raise past.RevisionError(f"--since is {since!r}, which is no commit; name one by its id, such as 3f2a1b9c.")
    recorder = engine.recorder(root)
    found, opened = recorder.prove(), whereabouts.repository(root)
    problems = found.problems
    if since and (opened is None or not whereabouts.is_recorded(opened, since)):
        problems = (*problems, f"The history was rewritten: {since} is no longer part of it.")
    signed = recorder.settings.signing_key is not None
    return Proven(printable(str(root)), found.head, found.commits, problems, signed)
