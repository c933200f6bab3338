"""What differs between two versions of a manifest, file by file, in words. Pure.

A manifest may describe 100,000 files, one on each line: lines that are the same are never parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from catalog import words
from ingest import manifest
from ingest.merging import same

MOST_NAMED = 50

# Told in words of their own, or no more than a consequence of what is told.
_TOLD = frozenset(
    {"path", "path_encoding", "file_name", "extension", "checksum", "size_bytes", "state", "missing_since", "run_id",
     "data_object_version", "complete_metadata", "modified_utc", "metadata_changed_utc", "extraction", "@id", "@type"}
)  # fmt: skip
_STATES = {"missing": "is missing", "present": "is there again", "changed": "was changed since its run was complete"}


@dataclass(frozen=True)
class FileChange:
    """One file that differs: its path as recorded, and what became of it in words."""

    path: str
    words: str


@dataclass(frozen=True)
class Files:
    """All files that differ, the first :data:`MOST_NAMED` of them named; ``total`` are described in the new version."""

    total: int
    added: int
    changed: int
    removed: int
    named: tuple[FileChange, ...]

    @property
    def differ(self) -> int:
        return self.added + self.changed + self.removed

    @property
    def left_out(self) -> int:
        return self.differ - len(self.named)

    @property
    def sentence(self) -> str:
        """``128 files described: 2 added, 3 changed``."""
        counts = ((self.added, "added"), (self.changed, "changed"), (self.removed, "no longer described"))
        parts = [f"{words.count(number)} {what}" for number, what in counts if number]
        described = f"{words.count(self.total)} file{'' if self.total == 1 else 's'} described"
        return f"{described}: {', '.join(parts)}" if parts else f"{described}, none changed"


def head(raw: bytes) -> dict[str, Any] | None:
    """A manifest without its entries; None where its text has another form than ours."""
    parts = manifest.split(raw)
    return dict(parts.header) if parts is not None else None


def files(old: Iterable[bytes], new: Iterable[bytes]) -> Files:
    """What two versions' entries, as lines of JSON, say differently."""
    before, after = set(old), set(new)
    gone = _by_identifier(before - after)
    come = _by_identifier(after - before)
    changed = [key for key in come if key in gone]
    told = [FileChange(_path(come[key]), _changed(gone[key], come[key])) for key in changed[:MOST_NAMED]]
    added = [key for key in come if key not in gone]
    told += [FileChange(_path(come[key]), "was added") for key in added[: MOST_NAMED - len(told)]]
    removed = [key for key in gone if key not in come]
    told += [FileChange(_path(gone[key]), "is no longer described") for key in removed[: MOST_NAMED - len(told)]]
    return Files(len(after), len(added), len(changed), len(removed), tuple(told))


def lines(raw: bytes, value: Mapping[str, Any] | None) -> Iterator[bytes]:
    """The entries of a manifest as lines of JSON; ``value`` is what its text says where it is in no lines."""
    parts = manifest.split(raw)
    if parts is not None:
        yield from parts.iter_lines()
        return
    entries = (value or {}).get("file_descriptions")
    for entry in entries if isinstance(entries, list) else ():
        yield orjson.dumps(entry)


def _by_identifier(some: set[bytes]) -> dict[str, dict[str, Any]]:
    """Entries by what identifies a file, in the order of their paths."""
    found = []
    for line in some:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:  # a version somebody wrote by hand
            entry = {"path": line.decode(errors="replace")[:200]}
        found.append(entry if isinstance(entry, dict) else {"path": str(entry)[:200]})
    found.sort(key=_path)
    return {str(entry.get("file_identifier") or _path(entry)): entry for entry in found}


def _path(entry: Mapping[str, Any]) -> str:
    return str(entry.get("path", ""))


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    told = [*_place(old, new), *_content(old, new), *_state(old, new), *_run(old, new)]
    others = [key for key in dict.fromkeys((*new, *old)) if key not in _TOLD and not same(old.get(key), new.get(key))]
    if others:
        names = [key.replace("_", " ") for key in others[:4]]
        told.append(f"is described otherwise ({', '.join(names)}{', …' if len(others) > 4 else ''})")
    return ", ".join(told) or "was looked at again"


def _place(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if _path(old) != _path(new):
        yield f"was moved from {_path(old)}"


def _content(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if same(old.get("checksum"), new.get("checksum")):
        return
    before, after = old.get("size_bytes"), new.get("size_bytes")
    sizes = ""
    if isinstance(before, int) and isinstance(after, int) and before != after:
        sizes = f" ({words.size(before)} before, {words.size(after)} now)"
    yield f"has other content{sizes}"


def _state(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    state = new.get("state")
    if state != old.get("state"):
        yield _STATES.get(str(state), f"is {state}")


def _run(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if new.get("data_object_version") != old.get("data_object_version") and new.get("data_object_version") == "V2":
        yield "became version 2, as part of a complete run"
    elif new.get("run_id") != old.get("run_id"):
        yield "belongs to another run" if new.get("run_id") else "belongs to no run any more"
