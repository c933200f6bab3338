"""What one action asks of the store, and what became of it.

A *record* is a project or a dataset with the changes to its documents. Triggers make it, the store applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.documents import SYSTEM_KEYS
from ingest.errors import FairfolderError
from ingest.publication import Act
from ingest.rows import Stamp
from ingest.unreadable import Unreadable

Value = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A pure function from a document's present value (None: it does not exist) to the next (None: leave it).

    ``ours``: the function is the system's own and may change system fields, whoever asked for it. ``unreadable``:
    the text that is to be replaced although it cannot be read; while it is another, nothing is.
    """

    path: Path
    kind: str
    function: Callable[[Value | None], Value | None]
    if_match: str | None = None
    ours: bool = False
    unreadable: Unreadable | None = None


@dataclass(frozen=True)
class EntriesChange:
    """A pure function over some entries of a manifest: key → entry as it stands, to key → next entry or None.

    ``trusted`` is the stamp under which the manifest is known to be the store's own valid text; then only the entries
    named are parsed and validated. Without it, or when the stamp is another, the whole manifest is.
    """

    path: Path
    keys: frozenset[bytes]
    function: Callable[[Mapping[bytes, Value]], Mapping[bytes, Value | None]]
    trusted: Stamp | None = None
    header: Callable[[Value], Value] | None = None  # over the rest of the manifest; its entries and totals are not its
    ours: bool = False


@dataclass(frozen=True)
class Upcoming:
    """A document as this action is about to write it."""

    value: Value
    sha256: str


@dataclass(frozen=True)
class Following:
    """A change that depends on what the record's changes before it will write: path → document (absent: unchanged)."""

    path: Path
    make: Callable[[Mapping[Path, Upcoming]], Change | EntriesChange | None]


@dataclass(frozen=True)
class Record:
    """What one action does to one project or dataset (``kind`` "" for a document that belongs to neither)."""

    kind: str
    identifier: str
    relative: str
    changes: tuple[Change | EntriesChange | Following, ...] = ()
    registry: Callable[[Value], Value] = lambda entry: entry  # what it says of the publication counts for nothing
    publication: Act | None = None  # a curator's; nothing else changes whether a dataset is public
    touch: bool = False  # bring the registry entry up to date although no document changed
    accepted: Mapping[str, str] = field(default_factory=dict)  # document → SHA-256 of a person's edit on disk
    folder: tuple[int, int] | None = None  # device and inode of the folder it is about; another may stand there by now


@dataclass(frozen=True)
class Written:
    """A document as it stands after the action."""

    path: Path
    kind: str
    stamp: Stamp
    sha256: str
    system: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of a record: the documents written (none when nothing had to change), or why nothing was."""

    record: Record
    written: tuple[Written, ...] = ()
    error: FairfolderError | None = None


def system_part(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The system's fields of a document, without the entries of a manifest."""
    keys = SYSTEM_KEYS.get(kind, frozenset()) - {"file_descriptions"}
    return {k: value[k] for k in keys if k in value}
