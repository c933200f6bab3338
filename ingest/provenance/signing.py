"""From where on commits of ours are to be signed with the site's key, and whether they are.

Signing is switched on when a history is years old, and keys are exchanged: what was recorded before cannot be signed
any more. So the memory in the state folder holds the present key and the commits that stood before its first one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ingest.provenance.git import GitError
from ingest.provenance.notes import Notes
from ingest.provenance.repository import Heads, Repository, batch_check

_WITH, _AFTER = "signed with", "signed after"
_NONE = "-"  # the first commit of all is to be signed already
_NAMED = 10
_COMMITTER = "--committer=service@fairfolder.invalid"


def remember(notes: Notes, key: Path | None, before: Sequence[str]) -> None:
    """A commit was signed with a key: it counts from here on, if it is another one than until now.

    Args:
        before: the commits the branches stood at before it, "" for none.
    """
    if key is None:
        return
    name = _name(key)
    if notes.read().get(_WITH) != name:
        _put(notes, name, before)


def accept(repository: Repository, heads: Heads, notes: Notes, left: Sequence[str]) -> None:
    """What is unsigned now is meant to be."""
    said = notes.read()
    if _WITH in said:
        _put(notes, said[_WITH], [*said.get(_AFTER, "").split(), heads.commit, *left])


def _put(notes: Notes, name: str, before: Sequence[str]) -> None:
    commits = dict.fromkeys(each for each in before if each and each != _NONE)
    notes.write(**{_WITH: name, _AFTER: " ".join(commits) or _NONE})


def look_through(repository: Repository, heads: Heads, notes: Notes, key: Path) -> tuple[int, list[str]]:
    """How many commits of ours are signed with the key, and a sentence for each that should be and is not.

    Where nobody remembers from where on, it is from the first one that is: none before the service signs one.

    Raises:
        GitError: when the history cannot be read.
    """
    if not heads.commit:
        return 0, []
    said = notes.read()
    known = said.get(_WITH) == _name(key)
    before = [each for each in said.get(_AFTER, "").split() if each != _NONE] if known else []
    there = [oid for oid, _ in batch_check(repository, before) if oid]
    found = _verdicts(repository, heads.commit, there, key)
    if not known:
        first = next((at for at, (good, _) in enumerate(found) if good), len(found))
        found = found[first:]
    unsigned = [commit for good, commit in found if not good]
    name = _public(key).name
    told = [f"The commit {commit} is not signed with {name}." for commit in unsigned[:_NAMED]]
    if more := len(unsigned) - _NAMED:
        told += [f"{more:,} more commit{' is' if more == 1 else 's are'} not signed with {name}."] if more > 0 else []
    return len(found) - len(unsigned), told


def _verdicts(repository: Repository, commit: str, before: Sequence[str], key: Path) -> list[tuple[bool, str]]:
    """Of every commit of ours, the oldest first, whether it has a good signature of the key."""
    public = _public(key)
    try:
        signer = public.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "no text"
        raise GitError(f"FAIRFOLDER_GIT_SIGNING_KEY is {str(key)!r}, whose public half {public} is needed to look at "
                       f"signatures and cannot be read ({why}); put it there.") from error  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        signers = Path(folder) / "signers"
        signers.write_text(f'* namespaces="git" {signer}')
        options = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}")
        asked = ("--reverse", "--topo-order", "--format=%G? %H", _COMMITTER, commit, *(f"^{each}" for each in before))
        out = repository.run("log", *asked, "--", before=options).out
    return [(line.startswith("G "), line[2:]) for line in os.fsdecode(out).splitlines()]


def _public(key: Path) -> Path:
    return key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")


def _name(key: Path) -> str:
    """What tells one key from another, whatever its comment says; where its public half is not at hand, its place."""
    try:
        words = _public(key).read_text().split()
    except (OSError, UnicodeDecodeError):
        words = []
    return hashlib.sha256((words[1] if len(words) > 1 else str(key)).encode()).hexdigest()
