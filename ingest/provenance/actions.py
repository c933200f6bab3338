"""What a commit says: its subject, its trailers, and who is named as its author. Pure."""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass
from urllib.parse import quote, unquote

from ingest import documents
from ingest.errors import printable

DOMAIN = "fairfolder.invalid"  # RFC 2606: no mail ever goes there
SERVICE = f"Fairfolder <service@{DOMAIN}>"
ON_DISK = f"Changed on disk <filesystem@{DOMAIN}>"
FILESYSTEM = "filesystem"
_TRAILERS = ("Trigger", "Project", "Dataset", "Run", "Reason")
_LONGEST_SUBJECT, _LONGEST_VALUE = 300, 4000
# What would end a line, or make a name into the next field of a commit.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]")
_PERSON = re.compile(rf"(?P<local>[^@]*)@users\.{re.escape(DOMAIN)}")


@dataclass(frozen=True)
class Action:
    """What one commit says.

    ``by`` is a user name, ``filesystem`` or ``system:<what>``; ``subject`` one line a person understands; ``trigger``
    one of ``0`` … ``5``, ``form``, ``bulk``, ``restore``, ``filesystem``, ``recovery`` or empty; ``moment`` a UTC time
    as :func:`ingest.documents.now` writes it, "" for now.
    """

    by: str
    subject: str
    trigger: str = ""
    project: str = ""
    dataset: str = ""
    run: str = ""
    reason: str = ""
    moment: str = ""


def one_line(text: str, longest: int = _LONGEST_VALUE) -> str:
    """Text that stays on one line whatever it holds: control characters and backslashes escaped, never too long."""
    escaped = _UNSAFE.sub(_escape, printable(text).encode("utf-8", "replace").decode())
    return escaped if len(escaped) <= longest else escaped[: longest - 1] + "…"


def shown(line: str) -> str:
    """A line of :func:`one_line` as people wrote it, but for control characters: those stay escaped."""
    return line.replace("\\\\", "\\")


def _escape(match: re.Match[str]) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
    code = ord(match[0])
    return known.get(match[0]) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def message(action: Action) -> str:
    """The commit's message: the subject, and a trailer for everything the action tells."""
    values = (action.trigger, action.project, action.dataset, action.run, action.reason)
    trailers = [f"{n}: {one_line(v)}" for n, v in zip(_TRAILERS, values, strict=True) if v.strip()]
    subject = one_line(action.subject, _LONGEST_SUBJECT).strip() or "Change metadata"
    return "\n".join([subject, "", *trailers, ""]) if trailers else f"{subject}\n"


def author(by: str) -> str:
    """``Name <address>`` of the author."""
    if by == FILESYSTEM:
        return ON_DISK
    name = re.sub(r"[<>]", "", one_line(by)).strip()
    if by.partition(":")[0] == "system" or not name:
        return SERVICE
    return f"{name} <{quote(by.encode('utf-8', 'surrogateescape'), safe='+')}@users.{DOMAIN}>"


def who(name: str, address: str) -> str:
    """The ``by`` of an author: the inverse of :func:`author`; a stranger's own commit gives the stranger's name."""
    match = _PERSON.fullmatch(address)
    if match is not None:
        return unquote(match["local"])
    return {f"filesystem@{DOMAIN}": FILESYSTEM, f"service@{DOMAIN}": "system"}.get(address, name)


def seconds(moment: str) -> int:
    """Seconds since 1970 of a moment as :func:`ingest.documents.now` writes it; now when it is none."""
    try:
        return max(0, calendar.timegm(time.strptime(moment or documents.now(), "%Y-%m-%dT%H:%M:%SZ")))
    except ValueError:
        return int(time.time())
