"""A copy of the history elsewhere: pushed after commits, in the background, tried again with growing pauses.

The remote's address comes from the repository; everything else that reaching it takes (keys, credentials, proxies) from
the configuration of the account the service runs as: what the repository names could be executed, and is not read.
"""

from __future__ import annotations

import logging
import os
import re
import time
from pathlib import Path

from ingest import documents
from ingest.documents import shell_word
from ingest.provenance import git
from ingest.provenance.git import GitError
from ingest.provenance.notes import Notes
from ingest.provenance.repository import Heads, Repository

_log = logging.getLogger("fairfolder.provenance")

_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
_PROTOCOLS = "file:http:https:ssh"  # not ext and git, which run a program of the configuration's
# What a host's shell accepts is this and no more; beside us, in a folder, hooks would run as ourselves.
_NAME = "elsewhere"  # the remote in the configuration of our own
_BEGIN = b"# fairfolder: what follows is written before every push\n"
_KEYED = re.compile(r"(?s)(https?://)([^/?#@]*:[^/?#@]*)@([^/?#]*)(.*)")
_RECEIVE, _RECEIVE_HERE = "git-receive-pack", "git -c core.hooksPath=/dev/null receive-pack"


def push(repository: Repository, heads: Heads, remote: str, folder: Path, notes: Notes) -> bool:
    """Push the branch where it is not yet, unless it is too early to try again. True when the remote has everything.

    Args:
        folder: a folder of ours in the state for an empty repository with a configuration of its own.
    """
    told = notes.read()
    wanted = f"{heads.commit} {heads.branch} {remote}"
    if not heads.commit or not heads.branch or told.get("pushed") == wanted:
        return True
    if time.time() < float(told.get("push_after", "0")):
        return False
    try:
        _push(repository, heads, address(repository, remote), folder)
    except GitError as error:
        failures = int(told.get("push_failures", "0"))
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**failures)
        words = f"The history could not be pushed to {remote}: {error} It is tried again in {pause:.0f} s."
        _log.warning("%s", words)
        notes.write(push=words, push_failures=str(failures + 1), push_after=f"{time.time() + pause:.0f}")
        return False
    words = f"Pushed to {remote} at {documents.now()}."
    notes.write(push=words, pushed=wanted, push_failures="", push_after="")
    return True


def address(repository: Repository, remote: str) -> str:
    """Where a remote is pushed to, a folder as an absolute path.

    Raises:
        GitError: when the repository has no such remote.
    """
    for key in ("pushurl", "url"):
        answer = repository.run("config", "--null", "--get-all", f"remote.{remote}.{key}", check=False)
        found = os.fsdecode(answer.out).split("\0")[0]
        if found:
            return os.path.join(repository.root, found) if is_folder(found) else found
    raise GitError(f"the repository has no remote {remote!r}; add it with: git remote add {remote} ADDRESS.")


def is_folder(address: str) -> bool:
    """Whether an address is a path on this machine (``git-push(1)``: no scheme, no colon before the first slash)."""
    return "://" not in address and re.match(r"[^/]*:", address) is None


def _push(repository: Repository, heads: Heads, to: str, folder: Path) -> None:
    if not (folder / "HEAD").exists():
        form = f"--object-format={repository.algorithm}"
        git.run(["init", "--quiet", "--bare", "--template=", form, "--", str(folder)])
    here = is_folder(to) or to.startswith("file:")
    options = [
        "--quiet", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no",
        f"--receive-pack={_RECEIVE_HERE if here else _RECEIVE}",
    ]  # fmt: skip
    _name_it(folder, to)
    env = {
        "GIT_OBJECT_DIRECTORY": str(repository.common_dir / "objects"),
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        "GIT_SSH_VARIANT": "ssh",
        "SSH_ASKPASS_REQUIRE": "never",
    }
    git.run(
        [f"--git-dir={folder}", "push", *options, "--", _NAME, f"{heads.commit}:{heads.branch}"],
        env=env,
        seconds=_SECONDS,
    )


def _name_it(folder: Path, to: str) -> None:
    """Write an address down where only this account reads it: every account can read the words of a command.

    Git itself gives the address to another program as a word: a password goes into a file of its own.
    """
    lines = [f'[remote "{_NAME}"]']
    keyed = _KEYED.fullmatch(to)
    if keyed is not None:
        scheme, key, host, rest = keyed.groups()
        to = f"{scheme}{host}{rest}"
        _put(folder / "key", os.fsencode(f"{scheme}{key}@{host}\n"))
        helper = _quoted(f"store --file={shell_word(str(folder / 'key'))}")
        lines[:0] = ["[credential]", "\thelper =", f"\thelper = {helper}"]
    else:
        (folder / "key").unlink(missing_ok=True)
    lines += [f"\turl = {_quoted(to)}", ""]
    kept = (folder / "config").read_bytes().partition(_BEGIN)[0]
    _put(folder / "config", kept + _BEGIN + os.fsencode("\n".join(lines)))


def _quoted(value: str) -> str:
    """A value in a configuration file (``git-config(1)``)."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _put(file: Path, text: bytes) -> None:
    """Replace a file that only this account may read."""
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.unlink(missing_ok=True)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as handle:
        handle.write(text)
    os.replace(temporary, file)
