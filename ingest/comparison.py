"""What comparing one dataset with what was last seen of it says is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.events import Arrived, Left, Moved
from ingest.rows import Condition, FileRow, PlaceRow, Stamp


@dataclass(frozen=True)
class Orphan:
    """A manifest entry whose file was not seen (yet), and which bytes alone can find again.

    ``missing``: its loss has been recorded before. ``seen``: what was last seen knows it, by its stamp.
    """

    path: str
    identifier: str
    missing: bool = False
    seen: bool = False


@dataclass
class Comparison:
    """What one dataset needs. Paths are bytes relative to it.

    Attributes:
        read: files at rest that are new or changed.
        pending: files that are not at rest yet.
        moves: events that need no reading, each with the row it leaves.
        left: what other datasets lose.
        gone: described files that are not there.
        vanished: rows of other things that are not there any more (some were described files before).
        removed: missing files whose entry a person took out of the manifest.
        learnt: rows of entries that were missing already when the state was new.
        others: links, special files and the like.
        orphans: entries without a file, by (SHA-256, size).
        identities: what a file that is read is called, if it has a name already.
        stale: the row of another dataset whose file is read here under its old identifier.
        doubled: entries whose identity a file of another dataset has.
        renewed: the new identities of those whose file is here.
        recalled: rows of files missing elsewhere, whose entries are here again.
        unread: files whose entry moves although they are still to be read.
        unsettled: datasets that files may have come from, and that are just being moved.
        held: files at rest that are pending because of another dataset.
        trouble: why nothing of this may be recorded.
    """

    place: PlaceRow
    unchanged: int = 0
    read: dict[bytes, Stamp] = field(default_factory=dict)
    pending: dict[bytes, Stamp] = field(default_factory=dict)
    moves: list[tuple[Moved | Arrived, FileRow]] = field(default_factory=list)
    left: list[tuple[PlaceRow, Left]] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    vanished: list[bytes] = field(default_factory=list)
    removed: list[bytes] = field(default_factory=list)
    learnt: list[FileRow] = field(default_factory=list)
    stale: dict[bytes, FileRow] = field(default_factory=dict)
    doubled: dict[bytes, str] = field(default_factory=dict)
    renewed: dict[bytes, str] = field(default_factory=dict)
    recalled: list[tuple[PlaceRow, FileRow]] = field(default_factory=list)
    unsettled: set[str] = field(default_factory=set)
    held: set[bytes] = field(default_factory=set)
    others: dict[bytes, tuple[Condition, str, Stamp]] = field(default_factory=dict)
    orphans: dict[tuple[str, int], list[Orphan]] = field(default_factory=dict)
    trouble: str = ""
    identities: dict[bytes, str] = field(default_factory=dict)
    unread: set[bytes] = field(default_factory=set)
