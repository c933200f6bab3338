"""Proof that nothing recorded was rewritten: the heads we left must still be in the history, whole and signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.documents import now
from ingest.provenance import signing
from ingest.provenance.notes import Notes
from ingest.provenance.repository import Heads, Repository, batch_check

_HEAD = "head of "
_LANDED = "landed"  # the branch the newest of our commits is on
_LOST = "lost "  # and the commit: where a branch had been left that had been rewritten when we came to it again
_BEGAN = "heads since"  # the moment from when on heads are remembered


@dataclass(frozen=True)
class Proof:
    """What was looked at, and a sentence for everything that is not as it was left; none: nothing was rewritten.

    ``began`` is the moment from when on we remember where we left the branches, "" where that is not known; ``signed``
    says how many commits bear the good signature of the site's key.
    """

    head: str
    commits: int
    problems: tuple[str, ...]
    began: str = ""
    signed: int = 0


def remember_head(repository: Repository, notes: Notes, branch: str, commit: str, before: str) -> None:
    """Keep, outside the repository, where we left a branch; that it was rewritten since stays known.

    Args:
        before: where the branch stood when we added ``commit`` to it.
    """
    said = notes.read()
    left = said.get(f"{_HEAD}{branch}", "")
    if left and left != before and _lost(repository, branch, left):
        notes.write(**{f"{_LOST}{left}": branch})
    began = {} if _heads(said) else {_BEGAN: now()}
    notes.write(**{f"{_HEAD}{branch}": commit, _LANDED: branch, **began})


def left_behind(repository: Repository, notes: Notes, heads: Heads) -> list[str]:
    """The branches with commits of ours that the branch HEAD is on lacks, and the one our newest commit is on.

    The branch HEAD is on is none of them; one that is not there any more was given up, and is none either.
    """
    said = notes.read()
    left = _heads(said)
    stands = _standing(repository, left)
    return [
        name
        for name in left
        if stands[name] and name != heads.branch
        and (name == said.get(_LANDED) or not _holds(repository, heads.commit, left[name]))
    ]  # fmt: skip


def accept(repository: Repository, heads: Heads, notes: Notes) -> None:
    """Take the history as it is now: whoever may do so rewrote it on purpose.

    What was rewritten is forgotten, each head we left is where its branch stands now, and the branch HEAD is on is
    remembered even where nothing was.
    """
    said = notes.read()
    left = _heads(said)
    new = {name: "" for name in said if name.startswith(_LOST)}
    for branch, oid in _standing(repository, left).items():
        if _lost(repository, branch, left[branch]):
            left[branch] = new[f"{_HEAD}{branch}"] = oid
    if not any(left.values()) and heads.branch and heads.commit:
        new |= {f"{_HEAD}{heads.branch}": heads.commit, _LANDED: heads.branch, _BEGAN: now()}
    notes.write(**new)
    signing.accept(repository, heads, notes, heads_left(notes))


def forget(notes: Notes) -> None:
    """There is no history any more, and that is meant to be."""
    notes.write(**{name: "" for name in notes.read() if name.startswith((_HEAD, _LOST)) or name == _BEGAN})


def heads_left(notes: Notes) -> list[str]:
    """The commits we left branches at."""
    return list(_heads(notes.read()).values())


def prove(
    repository: Repository, heads: Heads, notes: Notes, signing_key: Path | None = None, since: str = ""
) -> Proof:
    """Whether every head we left is still part of the history, every object whole, and our commits signed.

    Reads the whole repository: minutes for a large one.

    Args:
        since: the id of a commit that must be part of the history too.

    Raises:
        GitError: when it cannot be read at all.
    """
    said = notes.read()
    left = _heads(said)
    problems = _nothing_remembered(repository) if not left and not since else []
    for branch, commit in left.items():
        problems += _lost(repository, branch, commit)
    for name in sorted(said):
        if name.startswith(_LOST):
            problems += _rewritten(said[name], name.removeprefix(_LOST))
    checked = repository.run("fsck", "--full", "--no-dangling", "--no-progress", check=False)
    if checked.status != 0:
        problems.append(f"Objects are damaged or missing: {'; '.join(checked.words.splitlines()[:5])}.")
    signed, unsigned = (0, []) if signing_key is None else signing.look_through(repository, heads, notes, signing_key)
    if since and not any(_holds(repository, tip, since) for tip in (heads.tip, heads.apart)):
        unsigned.append(f"The history was rewritten: {since} is no longer part of it.")
    count = int(repository.run("rev-list", "--count", heads.commit).out) if heads.commit else 0
    return Proof(heads.commit, count, (*problems, *unsigned), said.get(_BEGAN, "") if left else "", signed)


def _heads(said: dict[str, str]) -> dict[str, str]:
    """Branch → the commit we left it at."""
    return {name.removeprefix(_HEAD): said[name] for name in sorted(said) if name.startswith(_HEAD)}


def _standing(repository: Repository, branches: dict[str, str]) -> dict[str, str]:
    """Branch → where it stands now, "" for one that is gone."""
    names = list(branches)
    return dict(zip(names, (oid for oid, _ in batch_check(repository, names)), strict=True))


def _holds(repository: Repository, commit: str, earlier: str) -> bool:
    asked = ("merge-base", "--is-ancestor", "--end-of-options", earlier, commit)
    return bool(commit) and repository.run(*asked, check=False).status == 0


def _lost(repository: Repository, branch: str, commit: str) -> list[str]:
    """What became of a commit we left a branch at, if anything; one that was merged or renamed is in another branch."""
    if _holds(repository, branch, commit):
        return []
    ((stands, _),) = batch_check(repository, [branch])
    if stands:
        return _rewritten(branch, commit)
    if _holds(repository, "HEAD", commit) or _is_in_a_branch(repository, commit):
        return []
    return [f"{_short(branch)} was deleted: {commit}, recorded there by the service, is part of no other branch."]


def _is_in_a_branch(repository: Repository, commit: str) -> bool:
    asked = (f"--contains={commit}", "--count=1", "--format=%(refname)", "refs/heads")
    return bool(repository.run("for-each-ref", *asked, check=False).out.strip())


def _rewritten(branch: str, commit: str) -> list[str]:
    return [f"{_short(branch)} was rewritten: {commit}, recorded there by the service, is no longer part of it."]


def _short(branch: str) -> str:
    return branch.removeprefix("refs/heads/")


def _nothing_remembered(repository: Repository) -> list[str]:
    return [
        f"The service remembers no commit of {repository.root} to compare with: its state folder was lost, or is "
        "another one. Compare with a commit that was written down elsewhere, with: verify --history --since COMMIT; or "
        "take the history as it is now, with: verify --history --accept."
    ]
