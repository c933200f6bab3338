"""What an administrator may set for the history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import SettingError

_REMOTE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class GitSettings:
    """Times in seconds.

    ``remote`` is the name of a remote configured in the repository, "" for none; ``signing_key`` the private (or, with
    an agent, public) SSH key commits are signed with. ``lock_seconds`` bounds the wait for our own lock,
    ``foreign_seconds`` that for a lock of another git, ``stale_seconds`` says when such a lock that nobody holds counts
    as left by a crash.
    """

    enabled: bool = True
    remote: str = ""
    signing_key: Path | None = None
    lock_seconds: float = 30.0
    foreign_seconds: float = 2.0
    stale_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.remote and not is_remote_name(self.remote):
            raise SettingError(
                f"FAIRFOLDER_GIT_REMOTE is {self.remote!r}; give the name of a remote the repository knows, such as "
                "origin (add one with: git remote add origin URL)."
            )
        if self.signing_key is not None and not self.signing_key.is_file():
            raise SettingError(
                f"FAIRFOLDER_GIT_SIGNING_KEY is {str(self.signing_key)!r}; there is no such file: name the SSH key "
                "that commits are to be signed with, or leave it empty."
            )


def is_remote_name(name: str) -> bool:
    """Whether this can be the name of a remote: no address, no option."""
    return _REMOTE.fullmatch(name) is not None and ".." not in name
