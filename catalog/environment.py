"""Typed readers for the environment: every wrong value becomes one sentence, kept for the system checks.

Reading never raises, so that any command can start far enough to say what is wrong.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})
SHORTEST_SECRET = 32
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HOST = re.compile(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]|\*")

_WEB_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")
_WEB_IRI = re.compile(r"https?://[^\x00-\x20<>\"{}|\\^`]+")
_MAIL_ADDRESS = re.compile(r"[^@\s\x00-\x1f<>\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class Environment:
    """Reads variables from `variables`; what is wrong with them is collected in `problems`, in words."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self.variables.get(name, "").strip()

    def flag(self, name: str, default: bool = False) -> bool:
        if name not in self.variables:
            return default
        value = self.text(name).lower()
        if value in TRUE or value in FALSE:
            return value in TRUE
        self.problems.append(f"{name} is {self.text(name)!r}, which is neither yes nor no. Set it to 1 or 0.")
        return default

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self.text(name)
        if not value:
            return default
        if value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high:
            return int(value)
        self.problems.append(f"{name} is {value!r}; it must be a whole number from {low:,} to {high:,}.")
        return default

    def hosts(self, name: str) -> list[str]:
        """Host names without port, from a list joined by commas."""
        hosts = [part.strip() for part in self.text(name).split(",") if part.strip()]
        for host in hosts:
            if not _HOST.fullmatch(host):
                self.problems.append(
                    f"{name} holds {host!r}, which is not a host name. Give names without scheme or port, "
                    "joined by commas, such as data.example.org,data.internal."
                )
        return [host for host in hosts if _HOST.fullmatch(host)]

    def url_prefix(self, name: str) -> str:
        """A path such as ``/fair`` under which a proxy shows the service; empty for none."""
        value = self.text(name).rstrip("/")
        if _PREFIX.fullmatch(value):
            return value
        self.problems.append(
            f"{name} is {value!r}, which is not a path. Set it to a path such as /fair, or leave it out."
        )
        return ""

    def choice(self, name: str, words: Sequence[str]) -> str:
        """One of these words; the first where nothing is set."""
        value = self.text(name).lower()
        if not value or value in words:
            return value or words[0]
        self.problems.append(f"{name} is {self.text(name)!r}; it must be one of {', '.join(words)}.")
        return words[0]

    def line(self, name: str, default: str) -> str:
        """A text without line breaks and control characters."""
        value = self.text(name) or default
        if value.isprintable():
            return value
        self.problems.append(f"{name} is {value!r}; write it on one line, without control characters.")
        return default

    def web_address(self, name: str, default: str) -> str:
        """An address such as ``https://data.example.org/fair``, without a slash at its end."""
        value = self.text(name).rstrip("/")
        if not value or _WEB_ADDRESS.fullmatch(value):
            return value or default
        self.problems.append(
            f"{name} is {value!r}, which is no web address. Set it to one such as https://data.example.org/fair, "
            "without ? and #, or leave it out."
        )
        return default

    def iri(self, name: str, default: str) -> str:
        """An IRI of the web, "" for none."""
        value = self.text(name)
        if not value or _WEB_IRI.fullmatch(value):
            return value or default
        self.problems.append(
            f"{name} is {value!r}, which is no IRI. Set it to one that begins with http, or leave it out."
        )
        return default

    def mail_address(self, name: str) -> str:
        """An e-mail address, "" for none."""
        value = self.text(name)
        if not value or _MAIL_ADDRESS.fullmatch(value):
            return value
        self.problems.append(f"{name} is {value!r}, which is no e-mail address. Set it to one, or leave it out.")
        return ""

    def secret(self, name: str, stored_in: Path, never_in: Sequence[Path] = ()) -> str:
        """The given secret, or one kept in `stored_in` with mode 0600, made when first needed.

        In the folders of `never_in` none is made: that such a place is refused is told by the system checks.
        """
        value = self.variables.get(name, "")
        if value:
            if len(value) < SHORTEST_SECRET:
                self.problems.append(
                    f"{name} has {len(value)} characters, which can be guessed. "
                    f"Give at least {SHORTEST_SECRET} random ones, such as the output of: openssl rand -base64 48"
                )
            return value
        if any(stored_in.is_relative_to(folder) for folder in never_in):
            return secrets.token_urlsafe(48)
        try:
            return stored_secret(stored_in)
        except OSError as error:
            self.problems.append(
                f"FAIRFOLDER_STATE_DIR is {str(stored_in.parent)!r}, where no secret key can be kept "
                f"({error.strerror}). Make the folder writable or choose another one."
            )
            return secrets.token_urlsafe(48)


def stored_secret(path: Path) -> str:
    """The secret in `path`, made first when there is none; two processes that start at once agree on one.

    Raises OSError when the folder cannot be made or written.
    """
    if not path.exists() or not path.read_text().strip():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        _place(draft, path)
    return path.read_text().strip()


def _place(draft: Path, path: Path) -> None:
    """Gives `draft` its name unless another process was first; an empty leftover is replaced."""
    try:
        os.link(draft, path)
    except FileExistsError:
        if not path.read_text().strip():
            os.replace(draft, path)
            return
    except OSError:  # a file system without hard links
        os.replace(draft, path)
        return
    draft.unlink()
