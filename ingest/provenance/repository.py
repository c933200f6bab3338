"""The repository at a root: opened or made, looked at, and told what to leave alone."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest.documents import shell_word
from ingest.layout import Layout
from ingest.provenance import git
from ingest.provenance.git import Answer, GitError

_WORKING = {
    "MERGE_HEAD": "a merge is in progress",
    "rebase-merge": "a rebase is in progress",
    "rebase-apply": "a rebase is in progress",
    "CHERRY_PICK_HEAD": "a cherry-pick is in progress",
    "REVERT_HEAD": "a revert is in progress",
    "BISECT_LOG": "a bisection is in progress",
}
_DAMAGE = ("is corrupt", "unable to unpack", "Can't load tree", "bad object", "unable to read", "missing blob",
           "could not parse commit", "corrupt loose object")  # fmt: skip


_FEW_FOLDERS = 50
_FEW_PATHS = 20  # for each one asked for by its name, git reads every folder on the way anew


class DamagedError(GitError):
    """The repository cannot be read; a person has to look."""


@dataclass(frozen=True)
class Repository:
    """A repository whose work tree is ``root``, a root of this ``layout``.

    ``lock`` is the descriptor of our lock while we hold it.

    ``git_dir`` is the work tree's own folder, ``common_dir`` that of its references (another one in a linked work
    tree), ``refs`` where our own references stand: ``refs/fairfolder``, in a linked work tree its private ones.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    algorithm: str = "sha1"
    lock: int | None = None
    layout: Layout = field(default_factory=Layout)

    @property
    def refs(self) -> str:
        """The prefix of our own references."""
        return "refs/fairfolder" if self.git_dir == self.common_dir else "refs/worktree/fairfolder"

    @property
    def own(self) -> Path:
        """Our own folder in it."""
        return self.git_dir / "fairfolder"

    @property
    def nothing(self) -> str:
        """The object id that stands for none."""
        return "0" * (40 if self.algorithm == "sha1" else 64)

    def locked(self, fd: int) -> Repository:
        """The same, under our lock: every command inherits it, and so ends before anyone else begins."""
        return replace(self, lock=fd)

    def run(
        self,
        *arguments: str,
        data: bytes = b"",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        writing: bool = False,
        seconds: float | None = None,
        before: Sequence[str] = (),
    ) -> Answer:
        """A git command on this repository; ``before`` are more options of git itself.

        Raises:
            DamagedError, GitError: see :func:`ingest.provenance.git.run`.
        """
        place = (f"--git-dir={self.git_dir}", f"--work-tree={self.root}")
        own = {**({} if writing else {"GIT_OPTIONAL_LOCKS": "0"}), **(env or {})}
        keep = () if self.lock is None else (self.lock,)
        try:
            return git.run([*place, *before, *arguments], data=data, env=own, check=check, keep=keep, seconds=seconds)
        except GitError as error:
            if is_damage(error.words):
                raise damaged(self, error.words) from error
            raise


# --- opening ------------------------------------------------------------------------------------------------


def open_repository(root: Path, *, make: bool = True) -> Repository | None:
    """The repository of a root: the one that is there, else a new one; never one of a folder above.

    Returns None when there is none and ``make`` is not set.

    Raises:
        GitError: when git refuses it, with the command that mends that.
    """
    if not os.path.lexists(root / ".git"):
        if not make:
            return None
        _make(root)
    asked = ("--absolute-git-dir", "--git-common-dir", "--show-object-format")
    answer = git.run(
        ["-C", str(root), "rev-parse", *asked],
        env={"GIT_CEILING_DIRECTORIES": str(root.parent), "GIT_OPTIONAL_LOCKS": "0"},
        check=False,
    )
    if answer.status != 0:
        raise _refused(root, answer)
    lines = os.fsdecode(answer.out).split("\n")
    git_dir = Path(lines[0])
    common = Path(os.path.normpath(root / lines[1]))
    repository = Repository(root, git_dir, Path(os.path.realpath(common)), lines[2])
    return replace(repository, git_dir=Path(os.path.realpath(git_dir)))


def _make(root: Path) -> None:
    shared = ["--shared=group"] if stat.S_IMODE(os.stat(root).st_mode) & stat.S_IWGRP else []
    git.run(["init", "--quiet", "--template=", "--initial-branch=main", *shared, "--", str(root)])


def _refused(root: Path, answer: Answer) -> GitError:
    if "dubious ownership" in answer.words:
        command = f"git config --global --add safe.directory {shell_word(os.path.realpath(root))}"
        return GitError(
            f"The git repository at {root} belongs to another account, so git does not use it; if that is right, "
            f"allow it as the account the service runs as: {command}",
            answer.words,
        )
    return DamagedError(
        f"{root / '.git'} cannot be used as a git repository: {answer.words or 'no reason given'}. Mend it, or move "
        "it away: a new one is made then.",
        answer.words,
    )


def identity(root: Path) -> tuple[int, int, int] | None:
    """What ``root/.git`` is at this moment, to notice that it was taken away or put back; None: there is none."""
    try:
        info = os.lstat(root / ".git")
    except OSError:
        return None
    return info.st_dev, info.st_ino, info.st_mtime_ns if stat.S_ISREG(info.st_mode) else 0


# --- what it holds ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heads:
    """Where everything stands: commits as hexadecimal ids, "" for none.

    ``branch`` is a full reference name, "" when HEAD is detached; ``busy`` says in words why HEAD is not to be moved;
    ``base`` is what ``pending`` began on.
    """

    branch: str
    commit: str
    pending: str
    base: str
    apart: str
    busy: str

    @property
    def tip(self) -> str:
        """The newest recorded version of everything."""
        return self.pending or self.commit


def look(repository: Repository) -> Heads:
    """Where HEAD and our own references stand now.

    Raises:
        DamagedError: when HEAD names something that is not there.
    """
    branch = _branch(repository)
    refs = repository.refs
    names = [branch or "HEAD", f"{refs}/pending", f"{refs}/base", f"{refs}/apart", "CHERRY_PICK_HEAD", "REVERT_HEAD"]
    commit, pending, base, apart, picking, reverting = (oid for oid, _ in batch_check(repository, names))
    if not commit:
        answer = repository.run("rev-parse", "--quiet", "--verify", branch or "HEAD", check=False)
        if answer.status == 0:
            raise damaged(repository, f"{branch or 'HEAD'} is {answer.out.decode().strip()}, which is not there")
    busy = "" if branch else "HEAD is detached"
    for name, words in _WORKING.items():
        if (repository.git_dir / name).exists() or {"CHERRY_PICK_HEAD": picking, "REVERT_HEAD": reverting}.get(name):
            busy = words
    return Heads(branch, commit, pending, base, apart, busy)


def _branch(repository: Repository) -> str:
    text = (repository.git_dir / "HEAD").read_bytes().decode("utf-8", "surrogateescape").strip()
    if text.startswith("ref:") and not text.endswith("/.invalid"):
        return text[4:].strip()
    if not text.startswith("ref:"):
        return ""
    # References in a table (git ≥ 2.45): only git itself knows.
    answer = repository.run("symbolic-ref", "--quiet", "HEAD", check=False)
    return os.fsdecode(answer.out).strip()


def is_damage(words: str) -> bool:
    """Whether git says that objects are missing or broken."""
    return any(sign in words for sign in _DAMAGE)


def damaged(repository: Repository, words: str) -> DamagedError:
    """The error for a history that cannot be read."""
    words = next((line for line in words.splitlines() if line.startswith("fatal:")), words.partition("\n")[0])
    command = f"git -C {shell_word(str(repository.root))} fsck"
    return DamagedError(
        f"The history of {repository.root} is damaged: {words}. Nothing was changed; look at it with: {command}, and "
        "restore .git from a backup or a clone.",
        words,
    )


def batch_check(repository: Repository, names: Sequence[str]) -> list[tuple[str, str]]:
    """Object id and type of each name (a reference, ``commit:path``), ("", "") for what is not there."""
    if not names:
        return []
    raw = [os.fsencode(n) for n in names]
    form = "--batch-check=%(objectname) %(objecttype)"
    out = repository.run("cat-file", form, "-z", data=b"".join(n + b"\0" for n in raw)).out
    found: list[tuple[str, str]] = []
    at = 0
    for name in raw:
        # What is not there is given back as it was asked for, with the newlines in its name.
        for words in (b" missing\n", b" ambiguous\n"):
            if out.startswith(name + words, at):
                at += len(name) + len(words)
                found.append(("", ""))
                break
        else:
            end = out.index(b"\n", at)
            oid, _, kind = out[at:end].decode().partition(" ")
            found.append((oid, kind) if kind not in ("missing", "submodule") else ("", ""))
            at = end + 1
    return found


def recorded(repository: Repository, heads: Heads, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The blob each path has in the tip, and the one it has apart; "" where there is none."""
    tip, apart = (_blobs_of(repository, commit, paths) for commit in (heads.tip, heads.apart))
    return {path: (tip.get(path, ""), apart.get(path, "")) for path in paths}


def _blobs_of(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, str]:
    if not commit or not paths:
        return {}
    if len(paths) > _FEW_PATHS:
        return tree_blobs(repository, commit, {path.partition("/")[0] for path in paths})
    found = batch_check(repository, [f"{commit}:{path}" for path in paths])
    return {path: oid for path, (oid, kind) in zip(paths, found, strict=True) if kind == "blob"}


def tree_blobs(repository: Repository, commit: str, below: Iterable[str] = ()) -> dict[str, str]:
    """Path → blob of everything in a commit, or of what is at and below some paths; links and submodules left out."""
    if not commit:
        return {}
    folders = list(below)
    # git compares every entry with every folder asked for.
    asked = folders if len(folders) <= _FEW_FOLDERS else []
    out = repository.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *asked).out
    found: dict[str, str] = {}
    for line in out.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, kind, oid = head.split(b" ")
        if kind == b"blob" and mode != b"120000":
            found[os.fsdecode(path)] = oid.decode()
    return found if asked == folders else _below(found, frozenset(folders))


def _below(blobs: Mapping[str, str], folders: frozenset[str]) -> dict[str, str]:
    return {
        path: oid
        for path, oid in blobs.items()
        if any("/".join(path.split("/")[:depth]) in folders for depth in range(1, path.count("/") + 2))
    }


Changes = dict[str, tuple[str, str]]


def changes_of(repository: Repository, commits: Sequence[str]) -> list[Changes]:
    """What each commit changed against its first parent: path → mode and object id after; id "" for what is gone."""
    if not commits:
        return []
    data = "".join(f"{commit}\n" for commit in commits).encode()
    options = ("-r", "-z", "--root", "--no-renames", "--no-ext-diff", "--stdin")
    fields = iter(repository.run("diff-tree", *options, data=data).out.split(b"\0"))
    found: dict[str, Changes] = {commit: {} for commit in commits}
    current: Changes = {}
    for text in fields:
        if not text.startswith(b":"):
            current = found.get(text.decode(), {})  # the next commit's id; an empty text at the end
            continue
        _, mode, _, oid, status = text.split(b" ")
        path = next(fields, b"")
        if not path:
            raise GitError(f"git diff-tree left out a path of {repository.root}.")
        current[os.fsdecode(path)] = (mode.decode(), "" if status == b"D" else oid.decode())
    return [found[commit] for commit in commits]


_HEX = re.compile(r"[0-9a-f]{4,64}")


def is_revision(text: str) -> bool:
    """Whether this is a commit's id, in full or shortened, and nothing git would take for something else."""
    return _HEX.fullmatch(text) is not None
