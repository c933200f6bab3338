"""How the history of a root stands, for the status: read anew each time, changing nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.documents import shell_word
from ingest.layout import METADATA
from ingest.provenance import comparing, ours
from ingest.provenance.credentials import withheld
from ingest.provenance.notes import Notes
from ingest.provenance.proving import left_behind
from ingest.provenance.repository import Heads, Repository, look, open_repository
from ingest.provenance.troubles import TROUBLES, in_words
from ingest.provenance.waiting import waiting

REBASING = "a rebase is in progress"
_DOCUMENTS = (METADATA, f":(glob)**/{METADATA}/**")
_NAMED = 3


@dataclass(frozen=True)
class RecorderState:
    """What status tells: ``trouble`` is what went wrong last and still is, ``lock`` what was met last, in words.

    ``notice`` says what a person who works in the repository should know: changes of ours on another branch, or in the
    way of a rebase.
    """

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
    notice: str = ""


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
            pending=len(waiting(repository, heads)), busy=heads.busy, notice=_notice(repository, heads, notes),
        )  # fmt: skip
    except TROUBLES as error:
        return replace(told, trouble=in_words(root, error))


def _notice(repository: Repository, heads: Heads, notes: Notes) -> str:
    if heads.busy == REBASING:
        return _in_the_way(repository)
    return _on_another_branch(repository, heads, notes) if heads.branch and not heads.busy else ""


def _on_another_branch(repository: Repository, heads: Heads, notes: Notes) -> str:
    """That HEAD was switched to a branch which lacks records: those of its folders are as it has them, or made anew."""
    behind = left_behind(repository, notes, heads)
    if not behind:
        return ""
    other, here = (shell_word(name.removeprefix("refs/heads/")) for name in (behind[0], heads.branch))
    git = f"git -C {shell_word(str(repository.root))}"
    return (
        f"HEAD is on the branch {here}, while changes were last recorded on {other}: what is recorded from now on goes "
        f"to {here} alone, and records that it lacks are made anew. Go back with: {git} switch {other}, or bring both "
        f"together with: {git} merge {other}; a branch that is given up is forgotten with: {git} branch -D {other}."
    )


def _in_the_way(repository: Repository) -> str:
    """That documents were changed while a rebase stopped: git does not go on while it sees them as unstaged changes."""
    out = repository.run("diff-files", "-z", "--no-ext-diff").out.split(b"\0")
    staged = {os.fsdecode(path): head.split(b" ")[2].decode() for head, path in zip(out[0::2], out[1::2], strict=False)}
    texts = ours.texts(repository.root, [path for path in staged if ours.is_ours(path, repository.layout)])
    changed = [p for p, text in texts if text is None or ours.blob_id(repository.algorithm, text) != staged[p]]
    if not changed:
        return ""
    git = f"git -C {shell_word(str(repository.root))}"
    named = " ".join(shell_word(path) for path in (changed if len(changed) <= _NAMED else _DOCUMENTS))
    one = len(changed) == 1
    return (
        f"{len(changed):,} document{' was' if one else 's were'} changed while the rebase waits; git does not go on "
        f"before {'it is' if one else 'they are'} staged: {git} add -u -- {named}, then: {git} rebase --continue."
    )
