"""Proof that nothing recorded was rewritten: the head we left last must still be in the history, whole and signed."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ingest.provenance.notes import Notes
from ingest.provenance.repository import Heads, Repository, batch_check

_HEAD = "head of "
_LANDED = "landed"  # the branch the newest of our commits is on
_LOST = "lost "  # and the commit: where a branch had been left that had been rewritten when we came to it again


@dataclass(frozen=True)
class Proof:
    """What was looked at, and a sentence for everything that is not as it was left; none: nothing was rewritten."""

    head: str
    commits: int
    problems: tuple[str, ...]


def remember_head(repository: Repository, notes: Notes, branch: str, commit: str, before: str) -> None:
    """Keep, outside the repository, where we left a branch; that it was rewritten since stays known.

    Args:
        before: where the branch stood when we added ``commit`` to it.
    """
    left = notes.read().get(f"{_HEAD}{branch}", "")
    if left and left != before and _lost(repository, branch, left):
        notes.write(**{f"{_LOST}{left}": branch})
    notes.write(**{f"{_HEAD}{branch}": commit, _LANDED: branch})


def left_behind(repository: Repository, notes: Notes, heads: Heads) -> list[str]:
    """The branches with commits of ours that the branch HEAD is on lacks, and the one our newest commit is on.

    The branch HEAD is on is none of them; one that is not there any more was given up, and is none either.
    """
    said = notes.read()
    names = [name.removeprefix(_HEAD) for name in sorted(said) if name.startswith(_HEAD)]
    stands = dict(zip(names, (oid for oid, _ in batch_check(repository, names)), strict=True))
    return [
        name
        for name in names
        if stands[name] and name != heads.branch
        and (name == said.get(_LANDED) or not _holds(repository, heads.commit, said[f"{_HEAD}{name}"]))
    ]  # fmt: skip


def _holds(repository: Repository, commit: str, earlier: str) -> bool:
    asked = ("merge-base", "--is-ancestor", earlier, commit)
    return bool(commit) and repository.run(*asked, check=False).status == 0


def accept(notes: Notes) -> None:
    """Forget what was rewritten: whoever may do so did it on purpose."""
    notes.write(**{name: "" for name in notes.read() if name.startswith(_LOST)})


def heads_left(notes: Notes) -> list[str]:
    """The commits we left branches at."""
    return [commit for name, commit in sorted(notes.read().items()) if name.startswith(_HEAD)]


def prove(repository: Repository, heads: Heads, notes: Notes, signing_key: Path | None = None) -> Proof:
    """Whether every head we left is still part of the history, every object whole, and our commits signed.

    Reads the whole repository: minutes for a large one.

    Raises:
        GitError: when it cannot be read at all.
    """
    problems = []
    for name, commit in sorted(notes.read().items()):
        if name.startswith(_HEAD):
            problems += _lost(repository, name.removeprefix(_HEAD), commit)
        elif name.startswith(_LOST):
            problems += _lost(repository, commit, name.removeprefix(_LOST))  # here the branch is what is noted
    checked = repository.run("fsck", "--full", "--no-dangling", "--no-progress", check=False)
    if checked.status != 0:
        problems.append(f"Objects are damaged or missing: {'; '.join(checked.words.splitlines()[:5])}.")
    if signing_key is not None and heads.commit:
        problems += _unsigned(repository, heads, signing_key)
    count = int(repository.run("rev-list", "--count", heads.commit).out) if heads.commit else 0
    return Proof(heads.commit, count, tuple(problems))


def _lost(repository: Repository, branch: str, commit: str) -> list[str]:
    short = branch.removeprefix("refs/heads/")
    answer = repository.run("merge-base", "--is-ancestor", commit, branch, check=False)
    if answer.status == 0:
        return []
    return [f"{short} was rewritten: {commit}, recorded there by the service, is no longer part of it."]


def _unsigned(repository: Repository, heads: Heads, key: Path) -> list[str]:
    """Commits of ours without a good signature of the site's key."""
    public = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
    with tempfile.TemporaryDirectory() as folder:
        signers = Path(folder) / "signers"
        signers.write_text(f'* namespaces="git" {public.read_text()}')
        options = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}")
        form = "--format=%G? %H"
        out = repository.run("log", form, "--committer=service@fairfolder.invalid", heads.commit, before=options).out
    return [
        f"The commit {line[2:]} is not signed with {public.name}."
        for line in os.fsdecode(out).splitlines()
        if not line.startswith("G ")
    ]
