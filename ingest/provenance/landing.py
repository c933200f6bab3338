"""Commits brought to where they belong: the user's branch, the waiting line while HEAD is busy, or apart."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.provenance import building, ours, signing
from ingest.provenance.building import BeyondError, Step, build
from ingest.provenance.git import GitError
from ingest.provenance.locks import ForeignLocks, LiveLockError, index_lock
from ingest.provenance.notes import Notes
from ingest.provenance.proving import heads_left, remember_head
from ingest.provenance.repository import Heads, Repository, look
from ingest.provenance.waiting import raw_objects_there, waiting_steps

_log = logging.getLogger("fairfolder.provenance")

_EXISTS = "File exists"
_PATIENT_TIMES, _PATIENT_SECONDS = 3, 2.0
_MOVED = ("but expected", "reference already exists", "reference is missing", "unable to resolve reference")


class MovedError(GitError):
    """Someone else committed meanwhile: to be done again from the new tip."""


class Patience:
    """How long a commit is tried to be put on a branch that others move on all the time; then it waits in line."""

    def __init__(self) -> None:
        self._lost = 0
        self._until = time.monotonic() + _PATIENT_SECONDS

    def lost(self) -> None:
        """Somebody else was faster."""
        self._lost += 1

    def is_over(self) -> bool:
        """Whether it is not to be tried any more."""
        return self._lost >= _PATIENT_TIMES or time.monotonic() >= self._until


@dataclass(frozen=True)
class Landing:
    """How commits are brought into one repository, under our lock."""

    repository: Repository
    foreign: ForeignLocks
    notes: Notes
    signing_key: Path | None = None

    def land(self, heads: Heads, steps: Sequence[Step], *, waits: bool = False) -> str:
        """Commits, where they belong now; the id of the last.

        Args:
            waits: whether they are to wait in line in any case.

        Raises:
            MovedError: to be tried again from the new tip, by what is still to be recorded then.
            GitError, LiveLockError: when they cannot be made.
        """
        try:
            return self._land(heads, steps, waits)
        except BeyondError as error:
            beyond = error.paths
            _log.warning("%s Those are recorded on %s/apart.", error, self.repository.refs)
        inside, outside = _parted(steps, beyond)
        commit = ""
        for step in outside:
            commit = self.land_apart(look(self.repository), step)
        inside = [step for step in inside if step.changes]
        return self.land(look(self.repository), inside, waits=waits) if inside else commit

    def _land(self, heads: Heads, steps: Sequence[Step], waits: bool) -> str:
        commits = self._built(heads.tip, steps)
        if heads.busy or heads.pending or waits:
            return self._wait_in_line(heads, commits[-1])
        try:
            self._onto_branch(heads, commits[-1], steps, [])
        except LiveLockError as error:
            _log.warning("%s The commit waits on %s/pending.", error, self.repository.refs)
            return self._wait_in_line(heads, commits[-1])
        return commits[-1]

    def _built(self, tip: str, steps: Sequence[Step], *, apart: bool = False) -> list[str]:
        made: list[str] = []
        lock = self._lock_of(f"{self.repository.refs}/next")

        def attempt() -> bool:
            try:
                made.extend(build(self.repository, tip, steps, self.signing_key, apart=apart))
            except GitError as error:
                if _EXISTS in error.words:
                    return False
                raise
            return True

        self.foreign.wait_for(attempt, (lock,), self.repository)
        return made

    def land_apart(self, heads: Heads, step: Step) -> str:
        """One commit beside the user's history: documents that cannot stand in it."""
        (commit,) = self._built(heads.apart, [step], apart=True)
        self._move([(f"{self.repository.refs}/apart", commit, heads.apart)], "fairfolder: apart")
        return commit

    def _wait_in_line(self, heads: Heads, commit: str) -> str:
        refs = self.repository.refs
        moves = [(f"{refs}/pending", commit, heads.pending)]
        if not heads.pending and heads.commit:
            moves.append((f"{refs}/base", heads.commit, heads.base))
        self._move(moves, "fairfolder: pending")
        return commit

    # --- replaying ------------------------------------------------------------------------------------------

    def replay(self, heads: Heads) -> int:
        """Put what waited on the branch, one by one, as it was made; how many.

        Raises:
            MovedError, LiveLockError, GitError: nothing was replayed then.
        """
        steps, beyond = waiting_steps(self.repository, heads), []
        while True:
            try:
                commits = self._built(heads.commit, steps)
                break
            except BeyondError as error:
                steps, outside = _parted(steps, error.paths)
                beyond += outside
        refs = self.repository.refs
        done = [(f"{refs}/pending", "", heads.pending)] + ([(f"{refs}/base", "", heads.base)] if heads.base else [])
        self._onto_branch(heads, commits[-1], steps, done)
        for step in beyond:
            self.land_apart(look(self.repository), step)
        return len(steps)

    def may_replay(self, heads: Heads) -> bool:
        """Whether nobody holds what a replay needs; a stale lock is taken away."""
        folder = self.repository.git_dir
        locks = (folder / "index.lock", folder / "HEAD.lock", self._lock_of(heads.branch))
        return all(self.foreign.is_free(lock, self.repository) for lock in locks)

    # --- references and the index ---------------------------------------------------------------------------

    def _onto_branch(self, heads: Heads, commit: str, steps: Sequence[Step], more: list[tuple[str, str, str]]) -> None:
        """Move the branch and, because the user's index would else call our paths changed, those paths in it."""
        wanted: dict[str, str] = {}
        for step in steps:
            wanted |= building.expected(self.repository, step.changes)
        subject = steps[0].message.partition("\n")[0]
        reason = f"fairfolder: {subject if len(steps) == 1 else f'{len(steps)} actions'}"
        with index_lock(self.repository, self.foreign):
            now = look(self.repository)
            if (now.branch, now.commit, now.busy) != (heads.branch, heads.commit, heads.busy):
                raise MovedError("HEAD moved meanwhile.")
            ready = prepare_index(self.repository, wanted)
            self._move([(heads.branch, commit, heads.commit), *more], reason)
            if ready:
                os.replace(self.repository.own / "index.new", self.repository.git_dir / "index")
        signing.remember(self.notes, self.signing_key, [heads.commit, *heads_left(self.notes)])
        remember_head(self.repository, self.notes, heads.branch, commit, heads.commit)

    def refresh_index(self, heads: Heads, paths: Sequence[str] | None = None) -> None:
        """Bring the user's index to HEAD in those of our paths (None: all) that a crash kept it from learning.

        Raises:
            LiveLockError: when another git holds the index.
        """
        wanted = _behind(self.repository, heads, paths)
        if wanted:
            with index_lock(self.repository, self.foreign):
                if look(self.repository) == heads and prepare_index(self.repository, wanted):
                    os.replace(self.repository.own / "index.new", self.repository.git_dir / "index")

    def _move(self, moves: Sequence[tuple[str, str, str]], reason: str) -> None:
        """References from one commit to another ("": none), all or none of them.

        Raises:
            MovedError: when one is not where it was.
            LiveLockError: when another git holds one.
        """
        nothing = self.repository.nothing
        lines = [
            b"update %s\0%s\0%s\0" % (os.fsencode(ref), (new or nothing).encode(), (old or nothing).encode())
            for ref, new, old in moves
        ]

        def attempt() -> bool:
            answer = self.repository.run(
                "update-ref", "-m", reason, "--stdin", "-z", data=b"".join(lines), check=False, writing=True
            )
            if answer.status == 0:
                return True
            if _EXISTS in answer.words:
                return False
            if any(sign in answer.words for sign in _MOVED):
                raise MovedError(f"A reference moved meanwhile: {answer.words}", answer.words)
            raise GitError(f"git update-ref failed: {answer.words}", answer.words, answer.status)

        fixed = (self.repository.git_dir / "HEAD.lock", self.repository.common_dir / "packed-refs.lock")
        locks = [*(self._lock_of(ref) for ref, _, _ in moves), *fixed]
        self.foreign.wait_for(attempt, locks, self.repository)

    def _lock_of(self, ref: str) -> Path:
        folder = self.repository.git_dir if ref.startswith("refs/worktree/") else self.repository.common_dir
        return folder / f"{ref}.lock"


def _parted(steps: Sequence[Step], beyond: frozenset[str]) -> tuple[list[Step], list[Step]]:
    """The steps without some paths (maybe without any change then), and those of them that had any, with only those."""
    inside = [s.of({p: c for p, c in s.changes.items() if p not in beyond}) for s in steps]
    outside = [s.of({p: c for p, c in s.changes.items() if p in beyond}) for s in steps]
    return inside, [s for s in outside if s.changes]


def _behind(repository: Repository, heads: Heads, paths: Sequence[str] | None) -> dict[str, str]:
    """Path → blob in HEAD, of our paths whose entry in the index is another; those in a merge are left to the user."""
    if not heads.commit:
        return {}
    out = repository.run("diff-index", "--cached", "-z", "--no-renames", "--no-ext-diff", heads.commit, "--").out
    fields = out.split(b"\0")
    wanted, asked = {}, {}
    for head, raw in zip(fields[0::2], fields[1::2], strict=False):
        mode, _, oid, staged, status = head.decode().split(" ")
        path = os.fsdecode(raw)
        if ours.is_ours(path, repository.layout) and status != "U" and (paths is None or path in paths):
            wanted[path] = oid if mode == ":100644" else ""
            if ours.is_by_text(path):
                asked[path] = {oid, staged} - {repository.nothing}
    blobs = sorted(set().union(*asked.values()))
    texts = dict(zip(blobs, raw_objects_there(repository, blobs), strict=True))
    theirs = {p for p, ids in asked.items() if not any(ours.says_it_is_ours(p, texts[i]) for i in ids)}
    return {path: oid for path, oid in wanted.items() if path not in theirs}


def prepare_index(repository: Repository, wanted: Mapping[str, str]) -> bool:
    """The user's index with our paths as they are committed, ready beside it; False when git cannot do that."""
    new = repository.own / "index.new"
    new.unlink(missing_ok=True)
    with suppress(FileNotFoundError):  # no index yet: git makes one
        shutil.copy(repository.git_dir / "index", new)
    lines = [
        (b"100644 %s\t" % oid.encode() if oid else b"0 %s\t" % repository.nothing.encode()) + os.fsencode(path) + b"\0"
        for path, oid in wanted.items()
    ]
    answer = repository.run(
        "update-index", "-z", "--index-info", data=b"".join(lines), env={"GIT_INDEX_FILE": str(new)},
        check=False, writing=True,
    )  # fmt: skip
    if answer.status != 0:
        _log.warning("the index of %s does not take our paths: %s", repository.root, answer.words)
        new.unlink(missing_ok=True)
    return answer.status == 0
