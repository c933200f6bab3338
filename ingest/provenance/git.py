"""The one place that runs the git program: nothing of a repository's configuration is executed, no shell, no index API.

GitPython is imported when the first command runs: it is heavy, and a program that only reads documents needs no git.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.errors import FairfolderError, printable

_log = logging.getLogger("fairfolder.provenance")

# Before every command. A repository's own configuration comes first and the command line last, so these win.
_ALWAYS = (
    "--no-pager", "--literal-pathspecs", "--no-replace-objects",
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
    "-c", "core.fsync=committed,index,reference", "-c", "core.fsyncMethod=fsync",
    "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.commitGraph=true",
    "-c", "log.showSignature=false", "-c", "i18n.logOutputEncoding=UTF-8", "-c", "core.quotePath=true",
    "-c", "gpg.program=false", "-c", "gpg.openpgp.program=false", "-c", "gpg.x509.program=false",
    "-c", "gpg.ssh.program=ssh-keygen", "-c", "gpg.ssh.defaultKeyCommand=",
    "-c", "core.askPass=", "-c", "fastimport.unpackLimit=100", "-c", "pack.compression=1",
    "-c", "core.attributesFile=/dev/null",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for a git too old to know the line above: nothing is ever fetched
    "GIT_ASKPASS": "",
    "GIT_EDITOR": "false",
    "GIT_COMMITTER_NAME": "Fairfolder",
    "GIT_COMMITTER_EMAIL": "service@fairfolder.invalid",
}


class GitError(FairfolderError):
    """A git command failed; ``words`` is what it said."""

    def __init__(self, message: str, words: str = "", status: int = 1) -> None:
        super().__init__(message)
        self.words = words
        self.status = status


class GitMissingError(GitError):
    """There is no git program."""


@dataclass(frozen=True)
class Answer:
    """What a command said: its exit status, its output, and its words to people."""

    status: int
    out: bytes
    words: str


def run(
    arguments: Sequence[str],
    *,
    data: bytes = b"",
    env: Mapping[str, str] | None = None,
    check: bool = True,
    keep: Sequence[int] = (),
    seconds: float | None = None,
) -> Answer:
    """One git command, from the folder ``/``.

    Args:
        arguments: what comes after ``git``; file names as ``os`` strings.
        data: its standard input.
        env: more environment; every other ``GIT_*`` of this process is taken out.
        check: whether a failure is an error.
        keep: descriptors the command inherits: a lock that it holds as long as it lives, should we die before it.
        seconds: it is ended after so long.

    Raises:
        GitMissingError: when there is no git program.
        GitError: when it failed, or took too long.
    """
    own = {**_ENVIRONMENT, **(env or {})}
    foreign = [n for n in os.environ if n.startswith("GIT_") and n not in own]
    before = ["env", *(f"--unset={name}" for name in foreign)] if foreign else []
    process = _started([*before, _program(), *_ALWAYS, *arguments], own, keep)
    try:
        out, words = process.communicate(data, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise GitError(f"git {_verb(arguments)} took longer than {seconds:.0f} s and was ended.") from None
    answer = Answer(process.returncode, out, words.decode("utf-8", "backslashreplace").strip())
    if check and answer.status != 0:
        said = answer.words or f"exit status {answer.status}"
        raise GitError(f"git {_verb(arguments)} failed: {said}", said, answer.status)
    return answer


def _verb(arguments: Sequence[str]) -> str:
    """The name of the command, for people: the first word that is neither an option nor an option's value."""
    rest = iter(arguments)
    for word in rest:
        if word in ("-c", "-C"):
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return ""


def _program() -> str:
    """Where git is: named whole, so that no start tries one folder of PATH after the other."""
    found = shutil.which("git")
    if found is None:
        raise GitMissingError(
            "There is no git program on this machine, so no history is kept; install git (apt install git). "
            "Everything else works."
        )
    return found


def _started(command: Sequence[str], env: Mapping[str, str], keep: Sequence[int]) -> Any:
    try:
        return _interface()("/").execute(
            command, istream=subprocess.PIPE, as_process=True, env=env, pass_fds=tuple(keep)
        )
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror or error}.") from error


_loading = threading.Lock()


def _interface() -> Any:
    """GitPython's ``Git``. Importing it runs git, with whatever the environment of this process says of git."""
    if "git.cmd" in sys.modules:
        return sys.modules["git.cmd"].Git
    with _loading:
        own = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
        try:
            from git.cmd import Git  # heavy
        except ImportError as error:
            raise GitError(f"GitPython cannot be used: {printable(str(error))}") from error
        finally:
            os.environ.update(own)
    return Git
