"""What can happen to the files of a dataset. Paths are ``os`` strings relative to the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.reading import Facts
from ingest.rows import Stamp


@dataclass(frozen=True)
class Described:
    """A file was read: it is ``new``, or its bytes or stat changed. ``identifier`` is used if it has none yet.

    ``before`` is the stamp it was last described under, and ``was`` its SHA-256 then, where those are still known.
    """

    path: str
    facts: Facts
    identifier: str
    new: bool = False
    before: Stamp | None = None
    was: str = ""


@dataclass(frozen=True)
class Moved:
    """A file stands at another path of the same dataset (or is back at its own); no bytes were read."""

    old: str
    path: str
    stamp: Stamp
    technical: Mapping[str, Any]


@dataclass(frozen=True)
class Arrived:
    """A file came from another dataset with its identity; ``entry`` is its entry there."""

    path: str
    stamp: Stamp
    entry: Mapping[str, Any]
    technical: Mapping[str, Any]


@dataclass(frozen=True)
class Left:
    """A file went to another dataset, where its identity now is."""

    path: str
    identifier: str


@dataclass(frozen=True)
class Renewed:
    """A file whose identity is another dataset's by now (its entry came back from a backup) gets its own."""

    path: str
    identifier: str


@dataclass(frozen=True)
class Gone:
    """A file is not there any more."""

    path: str


@dataclass(frozen=True)
class Forgotten:
    """A file has been missing for so long that its entry goes, unless a V2 record names it."""

    path: str


FileEvent = Described | Moved | Arrived | Left | Renewed | Gone | Forgotten
