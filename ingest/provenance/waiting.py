"""What waits on ``refs/fairfolder/pending``: commits made while HEAD was busy, read back to be made again elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.provenance import ours
from ingest.provenance.building import Step
from ingest.provenance.repository import Heads, Repository, changes_of, damaged

_AUTHOR = re.compile(r"author (?P<who>.*>) (?P<moment>\d+) [+-]\d{4}")


def waiting(repository: Repository, heads: Heads) -> list[str]:
    """The commits that wait, oldest first."""
    if not heads.pending:
        return []
    beyond = [f"^{heads.base}"] if heads.base else []
    out = repository.run("rev-list", "--reverse", "--first-parent", heads.pending, *beyond, "--").out
    return out.decode().split()


def waiting_steps(repository: Repository, heads: Heads) -> list[Step]:
    """Each of them as a step: the same author, moment, message and changes."""
    commits = waiting(repository, heads)
    steps = []
    raw = raw_objects(repository, commits)
    for commit, found, text in zip(commits, changes_of(repository, commits), raw, strict=True):
        changes = {path: oid or None for path, (_, oid) in found.items() if ours.is_ours(path, repository.layout)}
        head, _, message = text.decode("utf-8", "replace").partition("\n\n")
        match = _AUTHOR.search(head)
        if match is None:
            raise damaged(repository, f"the commit {commit} names no author")
        steps.append(Step(match["who"], int(match["moment"]), message, changes))
    return steps


def raw_objects(repository: Repository, names: Sequence[str]) -> list[bytes]:
    """The content of each object.

    Raises:
        DamagedError: naming one that is not there.
    """
    found = []
    for name, raw in zip(names, raw_objects_there(repository, names), strict=True):
        if raw is None:
            raise damaged(repository, f"the object {name} is not there")
        found.append(raw)
    return found


def raw_objects_there(repository: Repository, names: Sequence[str]) -> list[bytes | None]:
    """The content of each object; None for one that is not there."""
    if not names:
        return []
    out = repository.run(
        "cat-file", "--batch=%(objectname) %(objectsize)", data="".join(f"{n}\n" for n in names).encode()
    ).out
    found: list[bytes | None] = []
    at = 0
    for _ in names:
        end = out.index(b"\n", at)
        size = out[at:end].rpartition(b" ")[2]
        if not size.isdigit():
            found.append(None)
            at = end + 1
            continue
        found.append(out[end + 1 : end + 1 + int(size)])
        at = end + 1 + int(size) + 1
    return found
