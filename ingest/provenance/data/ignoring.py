"""The ignore files we generate: what Git is not to look at in a dataset, and what DVC is not to look at below the root.

Each of ours says so in its first line. A ``.gitignore`` that a person wrote is never touched; of a ``.dvcignore`` only
what stands between our two marks is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

GITIGNORE = ".gitignore"
DVCIGNORE = ".dvcignore"
_OURS = "# Written by Fairfolder; remove this line to make the file your own."
_BEGIN = "# Fairfolder begins; what stands between the two marks is written anew."
_END = "# Fairfolder ends."

# Research data is DVC's; Git holds what says which version it has. The last lines are for files no commit ever has.
_DATASET = f"""{_OURS}
*
!*/
!.gitignore
!*.dvc
!/.metadata/**
/.metadata/.lock
/.metadata/.*.tmp
"""

# Names that are never data: the same words as in ingest.layout, in gitignore's language.
_NEVER = (".*", "*~", "~$*", "*.part", "*.filepart", "*.crdownload", "Thumbs.db", "desktop.ini")

# A name that is not valid UTF-8 ends DVC's walk over a whole folder. No ignore file can hold such a name, but a class
# of all characters there are leaves out only what its bytes become.
_NO_TEXT = "*[!\x01-\ud7ff\ue000-\U0010ffff]*"


def gitignore() -> bytes:
    """The text of a dataset's generated ``.gitignore``."""
    return _DATASET.encode()


def is_ours(text: bytes) -> bool:
    """Whether an ignore file is one of ours as a whole."""
    return text.startswith(f"{_OURS}\n".encode())


def dvcignore(before: bytes, lines: Iterable[str]) -> bytes:
    """A ``.dvcignore`` with our block as it is to be: at the end if there was none, without it if it has no lines."""
    kept = re.sub(re.escape(_BEGIN).encode() + b"\n(?s:.*?)" + re.escape(_END).encode() + b"\n?", b"", before)
    if kept and not kept.endswith(b"\n"):
        kept += b"\n"
    block = [_BEGIN, *lines, _END]
    return kept + "".join(f"{line}\n" for line in block).encode(errors="surrogateescape") if len(block) > 2 else kept


def lines_of(text: bytes) -> list[str]:
    """The lines of our block of a ``.dvcignore``."""
    inside = re.search(re.escape(_BEGIN).encode() + b"\n(?s:(.*?))" + re.escape(_END).encode(), text)
    return inside[1].decode(errors="surrogateescape").splitlines() if inside else []


def never_data(project_prefix: str) -> list[str]:
    """Lines for what is never described, where whole datasets are tracked; a Zarr store is data as it is."""
    inside = f"/{escaped(project_prefix)}*/*/**"

    return [*(f"{inside}/{name}" for name in _NEVER), f"!{inside}/*.zarr/**", f"{inside}/{_NO_TEXT}"]


def anchored(path: str) -> str:
    """The line for one path relative to the root."""
    return "/" + escaped(path)


def escaped(path: str) -> str:
    """A path in gitignore's language, none of its signs with a meaning there; a line end cannot be written in it."""
    text = re.sub(r"[\n\r]", "?", re.sub(r"([\\*?\[\]!#])", r"\\\1", path))
    stripped = text.rstrip(" ")
    return stripped + "\\ " * (len(text) - len(stripped))
