"""What keeps the history from being written, in words with the mend."""

from __future__ import annotations

import errno
from pathlib import Path

from ingest.errors import BusyError, FairfolderError, printable
from ingest.provenance.git import GitError

# What reading git's output raises where it was not understood: no save may fail of that.
STRANGE = (ValueError, LookupError)
TROUBLES = (FairfolderError, OSError, *STRANGE)

# What git says, and the error numbers of our own calls.
_FULL = ("No space left on device", "Out of diskspace", "Disk quota exceeded")
_READ_ONLY = ("Read-only file system",)
_NUMBERS = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EROFS: _READ_ONLY}


def in_words(root: Path, error: Exception) -> str:
    """One sentence or more for people about what happened to the history of a root."""
    said = str(error)
    if not isinstance(error, FairfolderError | OSError):
        found = printable(f"{type(error).__name__}: {error}")
        return f"What git said of the history of {root} was not understood ({found}); the log of the service has more."
    signs = _NUMBERS.get(error.errno or 0, ()) if isinstance(error, OSError) else ()
    if isinstance(error, GitError):
        signs = next((each for each in (_FULL, _READ_ONLY) if any(sign in said for sign in each)), ())
    if signs == _FULL:
        return f"The storage of {root / '.git'} is full; free some space, it is tried again by itself. ({said})"
    if signs == _READ_ONLY:
        return f"The file system of {root / '.git'} is read-only; remount it writable. ({said})"
    if isinstance(error, BusyError):
        return f"{said} What it says of the history is made up for later."
    return said
