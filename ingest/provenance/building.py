"""Commits made beside everything the user has: not through the index, not through filters, and looked at before use."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.provenance import ours
from ingest.provenance.actions import SERVICE
from ingest.provenance.git import GitError
from ingest.provenance.repository import Changes, Repository, changes_of, damaged, is_damage

_LARGE = 2_000_000
# fast-import takes a compressor of 268 kB for each text: given back to the system each time, that is half of its time.
_KEEPS_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "67108864", "MALLOC_TOP_PAD_": "16777216",
}  # fmt: skip

# The next content of a path: bytes, the id of a blob that is there already, or None when it is gone.
Content = bytes | str | None


@dataclass(frozen=True)
class Step:
    """One commit to be made: ``author`` is ``Name <address>``, ``moment`` seconds since 1970, changes by path."""

    author: str
    moment: int
    message: str
    changes: Mapping[str, Content]

    def of(self, changes: Mapping[str, Content]) -> Step:
        """The same with other changes."""
        return replace(self, changes=changes)


class BeyondError(GitError):
    """Recording some paths would take away what the user's own history has in their way; ``paths`` names them."""

    def __init__(self, paths: frozenset[str], ways: frozenset[str]) -> None:
        listed = ", ".join(sorted(ways)[:3])
        super().__init__(
            f"The history of the user cannot hold {listed}: a submodule, a link, a file or a refused name."
        )
        self.paths = paths


def build(
    repository: Repository, tip: str, steps: Sequence[Step], signing_key: Path | None = None, *, apart: bool = False
) -> list[str]:
    """A chain of commits on top of ``tip`` ("": a first one), one per step, each verified; their ids.

    Args:
        apart: whether they are not for the user's history, so that names git refuses there may stand in them.

    Only the private reference ``…/next`` points to them so far.

    Raises:
        BeyondError: when paths cannot stand in this history.
        GitError: when git failed, or did not make what it was told to.
    """
    refused = frozenset(p for step in steps for p in step.changes if ours.is_refused_by_git(p))
    if refused and not apart:
        raise BeyondError(refused, refused)
    stream = b"".join(_stream(repository, tip, steps))
    # A pack is split into single objects when it has few; not when they are large: that packs them a second time.
    options = ("-c", "fastimport.unpackLimit=1") if len(stream) > _LARGE else ()
    # No text as the difference from the one before it: they are of one moment, not versions of each other.
    answer = repository.run(
        "fast-import", "--quiet", "--force", "--done", "--date-format=raw", "--depth=0",
        data=stream, check=False, writing=True, before=options, env=_KEEPS_MEMORY,
    )  # fmt: skip
    if answer.status != 0:
        raise _failed(repository, answer.words)
    commits = answer.out.decode().split()
    if len(commits) != len(steps):
        raise GitError(f"git fast-import made {len(commits)} commits of {len(steps)}: {answer.words}.")
    for found, step in zip(changes_of(repository, commits), steps, strict=True):
        _verify(repository, found, step)
    return commits if signing_key is None else _signed(repository, tip, commits, steps, signing_key)


def _failed(repository: Repository, words: str) -> GitError:
    for name in re.findall(r"fast_import_crash_\d+", words):  # it leaves a report that nobody reads
        (repository.git_dir / name).unlink(missing_ok=True)
    if is_damage(words) or "not a valid" in words:
        return damaged(repository, words)
    said = next((line for line in words.splitlines() if line.startswith(("fatal:", "error:"))), words.strip())
    return GitError(f"git fast-import failed: {said}", words)


def _stream(repository: Repository, tip: str, steps: Sequence[Step]) -> list[bytes]:
    """``git-fast-import(1)``: every blob inline, the id of every commit asked for."""
    pieces: list[bytes] = []
    if not tip:  # else the commit would go on top of what the reference had
        pieces.append(b"reset %s/next\n\n" % repository.refs.encode())
    for number, step in enumerate(steps, 1):
        text = step.message.encode("utf-8", "replace")
        pieces.append(
            b"commit %s/next\nmark :%d\nauthor %s %d +0000\ncommitter %s %d +0000\ndata %d\n%s\n"
            % (repository.refs.encode(), number, step.author.encode("utf-8", "replace"), step.moment,
               SERVICE.encode(), step.moment, len(text), text)
        )  # fmt: skip
        if number == 1 and tip:
            pieces.append(b"from %s\n" % tip.encode())
        for path, content in step.changes.items():
            pieces.extend(_change(path, content))
    pieces.extend(b"get-mark :%d\n" % number for number in range(1, len(steps) + 1))
    pieces.append(b"done\n")
    return pieces


def _change(path: str, content: Content) -> list[bytes]:
    name = _quoted(path)
    if content is None:
        return [b"D %s\n" % name]
    if isinstance(content, str):
        return [b"M 100644 %s %s\n" % (content.encode(), name)]
    return [b"M 100644 inline %s\ndata %d\n" % (name, len(content)), content, b"\n"]


def _quoted(path: str) -> bytes:
    raw = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%s"' % raw


def expected(repository: Repository, changes: Mapping[str, Content]) -> dict[str, str]:
    """Path → blob id ("": gone) as the commit must have it."""
    return {p: ours.blob_id(repository.algorithm, c) if isinstance(c, bytes) else c or "" for p, c in changes.items()}


def _verify(repository: Repository, found: Changes, step: Step) -> None:
    """A commit holds what it was to hold; some paths may have been so before (a replayed commit may be all so)."""
    wanted = expected(repository, step.changes)
    strange = frozenset(found.keys() - wanted.keys())
    if strange:
        beyond = frozenset(p for p in wanted if any(p.startswith(f"{s}/") or s.startswith(f"{p}/") for s in strange))
        if beyond:
            raise BeyondError(beyond, strange)
        raise GitError(f"git changed {sorted(strange)[:3]!r}, which it was not told to.")
    wrong = [p for p, (mode, oid) in found.items() if oid != wanted[p] or (oid and mode != "100644")]
    if wrong:
        raise GitError(f"git recorded something else for {sorted(wrong)[:3]!r} than what stands there.")


def _signed(repository: Repository, tip: str, commits: Sequence[str], steps: Sequence[Step], key: Path) -> list[str]:
    """The same commits with the site's signature: fast-import cannot sign."""
    signed: list[str] = []
    for commit, step in zip(commits, steps, strict=True):
        parent = [*(signed[-1:] or ([tip] if tip else []))]
        name, _, address = step.author.rpartition(" <")
        moment = f"{step.moment} +0000"
        env = {
            "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": address.rstrip(">"), "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
        }  # fmt: skip
        options = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}", "-c", "i18n.commitEncoding=UTF-8")
        arguments = ["commit-tree", "-S", *(f"-p{p}" for p in parent), "-F", "-", f"{commit}^{{tree}}"]
        text = step.message.encode("utf-8", "replace")
        answer = repository.run(*arguments, data=text, env=env, before=options, writing=True)
        signed.append(answer.out.decode().strip())
    return signed
