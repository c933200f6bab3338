"""Names for folders we make: from what a person typed to a name that every file system takes and nobody else has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

MAX_CHARACTERS = 80
MAX_BYTES = 150  # with what is put around it, a file's name stays below the 255 bytes a file system takes

# What some file system forbids, and what cannot be seen or typed.
_UNSAFE = re.compile(r'[/\\<>:"|?*]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def label_of(text: str, default: str) -> str:
    """A folder name that says what ``text`` says: letters of any script stay, blanks become ``-``."""
    composed = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    shown = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in composed)
    label = _trimmed("-".join(_UNSAFE.sub(" ", shown).split()))
    return f"{label}-{default}" if _RESERVED.fullmatch(label) else label or default


def _trimmed(label: str, characters: int = MAX_CHARACTERS, size: int = MAX_BYTES) -> str:
    """Neither hidden (a leading dot) nor temporary (a tilde at the end), nor ending in what Windows takes off."""
    kept = label.lstrip(".-~ ")[:characters].encode()[:size].decode("utf-8", "ignore")
    return kept.rstrip(".-~ ")


def free(label: str, taken: Collection[str]) -> str:
    """The label, or with the first number that no other has, however a file system compares names."""
    others = {_compared(each) for each in taken}
    number, wanted = 1, label
    while _compared(wanted) in others:
        number += 1
        end = f"-{number}"
        wanted = _trimmed(label, MAX_CHARACTERS - len(end), MAX_BYTES - len(end)) + end
    return wanted


def _compared(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
