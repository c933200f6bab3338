"""How the history of a root stands, for the status: read anew each time, changing nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ingest.provenance import comparing
from ingest.provenance.credentials import withheld
from ingest.provenance.notes import Notes
from ingest.provenance.repository import look, open_repository
from ingest.provenance.troubles import TROUBLES, in_words
from ingest.provenance.waiting import waiting


@dataclass(frozen=True)
class RecorderState:
    """What status tells: ``trouble`` is what went wrong last and still is, ``lock`` what was met last, in words."""

    enabled: bool
    there: bool = False
    branch: str = ""
    head: str = ""
    pending: int = 0
    busy: str = ""
    apart: int = 0
    lock: str = ""
    trouble: str = ""
    push: str = ""


def state_of(root: Path, notes: Notes) -> RecorderState:
    """How it stands, with what the recorder last said in whatever process."""
    said = notes.read()
    trouble = " ".join(filter(None, (said.get("trouble", ""), withheld(root))))
    told = RecorderState(True, lock=said.get("lock", ""), trouble=trouble, push=said.get("push", ""))
    try:
        repository = open_repository(root, make=False)
        if repository is None:
            return told
        heads = look(repository)
        apart = comparing.count(repository, heads.apart)
        return replace(
            told, there=True, branch=heads.branch.removeprefix("refs/heads/"), head=heads.commit, apart=apart,
            pending=len(waiting(repository, heads)), busy=heads.busy,
        )  # fmt: skip
    except TROUBLES as error:
        return replace(told, trouble=in_words(root, error))
