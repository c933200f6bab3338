"""Which schema is in force, and what is wrong with a document under it.

Two layers hold for every document: the core, always, and the schema of its category, which is the local one of
``<root>/.template_schemas`` where there is one that may be used, else the packaged one. Nothing is ever fetched.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from ingest import periods
from ingest.errors import SchemaError
from ingest.schema_compile import (
    FILE_TECHNICAL,
    PACKAGED,
    Schema,
    core_and,
    draft_form,
    refers_to,
    replace_reference,
    validator,
)
from ingest.schema_lint import MAX_BYTES, judge
from ingest.schema_words import Problem, Words, problems
from schemas import CATEGORIES

__all__ = ["LOCAL_DIR", "Override", "Problem", "SchemaSet"]

LOCAL_DIR = ".template_schemas"
log = logging.getLogger(__name__)

_KINDS = (*CATEGORIES, "registry", "complete_metadata")
_IN_FORCE = "urn:fairfolder:in-force:"  # names our schema of a kind where part of it is replaced by a local one
_CHUNK = 500  # entries of a manifest that are searched for errors at a time: bounds the memory of a bad one
_RACY_NS = 2 * 10**9  # a file changed this recently may change again within one tick of the file system's clock


@dataclass(frozen=True)
class Override:
    """One file of the local folder: the kind it is for, and why it is not in force (``""`` when it is)."""

    name: str
    path: Path
    in_force: bool
    reason: str


@dataclass(frozen=True)
class _Seen:
    """A local file as last read."""

    stamp: tuple[int, ...]
    digest: str
    reason: str
    schema: Schema | None


@dataclass(frozen=True)
class _State:
    """Everything that follows from one look at the local folder; replaced whole, never changed but for the cache."""

    seen: Mapping[str, _Seen] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    local: Mapping[str, Schema] = field(default_factory=dict)
    compiled: dict[tuple[str, bool], jsonschema_rs.Draft202012Validator] = field(default_factory=dict)


class SchemaSet:
    """The schemas in force under one root. May be used from several threads.

    Args:
        local_dir: ``<root>/.template_schemas``; it need not exist. None for the packaged schemas only.
        recheck_seconds: how old a look at the local folder may be before the next call looks again.
    """

    def __init__(self, local_dir: Path | None = None, *, recheck_seconds: float = 1.0) -> None:
        self._dir = local_dir
        self._recheck = recheck_seconds
        self._looked = float("-inf")
        self._lock = threading.Lock()
        self._state = _State()

    def schema_id(self, kind: str) -> str:
        """``$id`` of the schema in force: what goes into a document's ``$schema``."""
        return str(self.in_force(kind)["$id"])

    def in_force(self, kind: str) -> Mapping[str, Any]:
        """The category schema in force, as it was written.

        Raises:
            SchemaError: for a kind that does not exist.
        """
        _known(kind)
        return self._now().local.get(kind, PACKAGED[kind])

    def is_packaged(self, kind: str) -> bool:
        """Whether no local schema takes part in judging documents of a kind."""
        _known(kind)
        return _is_packaged(self._now(), kind)

    def overrides(self) -> list[Override]:
        """Every file of the local folder that is or would be a schema, the refused ones with their reason."""
        return list(self._now().overrides)

    def problems(self, kind: str, document: Any, limit: int = 50) -> list[Problem]:
        """What is wrong with a document of a kind under the core and the schema in force; empty when it is valid.

        A ``required`` of a local schema on what only people know binds once ``status`` is ``complete``, and so does
        the order of dates (:meth:`reversed_dates`).

        Raises:
            SchemaError: for a kind that does not exist.
        """
        _known(kind)
        complete = isinstance(document, dict) and document.get("status") == "complete"
        return _problems(self._now(), kind, document, complete, limit)

    def missing_for_complete(self, kind: str, document: Mapping[str, Any]) -> list[Problem]:
        """What keeps a document from being complete: the problems of the same document with ``status: complete``."""
        _known(kind)
        return _problems(self._now(), kind, {**document, "status": "complete"}, True, 1000)

    def reversed_dates(self, kind: str, document: Any) -> list[Problem]:
        """Every stretch of time of a document, complete or not, that ends before it begins."""
        _known(kind)
        return _reversed(self._now(), kind, document)

    def words(self, kind: str) -> Words:
        """The names, and what else the schemas in force say, of any place of a document of a kind."""
        _known(kind)
        return _words(self._now(), kind)

    def _now(self) -> _State:
        if self._dir is None or time.monotonic() - self._looked < self._recheck:
            return self._state
        with self._lock:
            if time.monotonic() - self._looked >= self._recheck:
                self._state = _look(self._dir, self._state)
                self._looked = time.monotonic()
        return self._state


def _known(kind: str) -> None:
    if kind not in _KINDS:
        raise SchemaError(f'there is no schema of the name "{kind}"; there are {", ".join(_KINDS)}.')


# --- judging documents ----------------------------------------------------------------------------------------


def _problems(state: _State, kind: str, document: Any, complete: bool, limit: int) -> list[Problem]:
    judge_ = _validator(state, kind, complete)
    dates = _reversed(state, kind, document) if complete else []
    try:
        if judge_.is_valid(document):
            return dates[:limit]
        return [*problems(_words(state, kind), _errors(judge_, kind, document, limit), limit), *dates][:limit]
    except UnicodeEncodeError:
        return [Problem("", "unicode", "The record holds text that is no valid Unicode (a lone surrogate).")]
    except ValueError as error:
        return [Problem("", "json", f"The record cannot be judged, for it is no plain JSON: {error}.")]


def _reversed(state: _State, kind: str, document: Any) -> list[Problem]:
    return [_words(state, kind).reversed_dates(*found, periods.RULE) for found in periods.reversed_in(document)]


@dataclass(frozen=True)
class _Moved:
    """An error of a part of a manifest, at its place in the whole."""

    error: jsonschema_rs.ValidationError
    instance_path: list[str | int]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.error, name)


def _errors(judge_: jsonschema_rs.Draft202012Validator, kind: str, document: Any, limit: int) -> Iterator[Any]:
    """The validator's errors. It finds all before it gives the first, so a long manifest is searched in parts."""
    entries = document.get("file_descriptions") if isinstance(document, dict) else None
    if kind != "dataset_structural" or not isinstance(entries, list) or len(entries) <= _CHUNK:
        yield from judge_.iter_errors(document)
        return
    found = 0
    for error in judge_.iter_errors({**document, "file_descriptions": []}):
        if error.instance_path[:1] != ["file_descriptions"]:
            found += 1
            yield error
    for start in range(0, len(entries), _CHUNK):
        part = {**document, "file_descriptions": entries[start : start + _CHUNK]}
        if judge_.is_valid(part):
            continue
        for error in judge_.iter_errors(part):
            path = error.instance_path
            if path[:1] == ["file_descriptions"] and len(path) > 1 and isinstance(path[1], int):
                found += 1
                yield _Moved(error, [path[0], path[1] + start, *path[2:]])
    if not found:  # a rule on the list as a whole
        yield from judge_.iter_errors(document)


def _words(state: _State, kind: str) -> Words:
    where = [*([state.local[kind]] if kind in state.local else []), PACKAGED[kind]]
    if kind == "dataset_structural" and "file_technical" in state.local:
        where.insert(
            0, {"properties": {"file_descriptions": {"items": {"$ref": state.local["file_technical"]["$id"]}}}}
        )
    return Words(where, {schema["$id"]: schema for schema in state.local.values()})


def _is_packaged(state: _State, kind: str) -> bool:
    if kind in state.local:
        return False
    return not ("file_technical" in state.local and refers_to(PACKAGED[kind], FILE_TECHNICAL))


def _validator(state: _State, kind: str, complete: bool) -> jsonschema_rs.Draft202012Validator:
    key = (kind, complete)
    if key not in state.compiled:
        state.compiled[key] = _compile(state, kind, complete)
    return state.compiled[key]


def _compile(state: _State, kind: str, complete: bool) -> jsonschema_rs.Draft202012Validator:
    if _is_packaged(state, kind):
        return validator({"$ref": PACKAGED[kind]["$id"]})
    known: dict[str, Schema] = {}
    if kind in state.local:
        schema = _local_form(state, kind, complete)
        known[schema["$id"]] = schema
    if kind != "file_technical" and "file_technical" in state.local:
        entry = _local_form(state, "file_technical", complete)
        known[_IN_FORCE + kind] = {**PACKAGED[kind], "$id": _IN_FORCE + kind}
        known = {iri: _with_entry(known[iri], kind, entry["$id"]) for iri in known}
        known[entry["$id"]] = entry
    return validator(core_and(kind, {"$ref": next(iter(known))}), known)


def _local_form(state: _State, kind: str, complete: bool) -> Schema:
    return state.local[kind] if complete else draft_form(kind, state.local[kind])


def _with_entry(schema: Schema, kind: str, entry: str) -> Schema:
    """A schema of a manifest whose entries are judged by the local ``file_technical``, by way of ours too."""
    own: Schema = replace_reference(schema, FILE_TECHNICAL, entry)
    mended: Schema = replace_reference(own, PACKAGED[kind]["$id"], _IN_FORCE + kind)
    return mended


# --- the local folder -----------------------------------------------------------------------------------------


def _look(folder: Path, before: _State) -> _State:
    """The state that follows from the folder as it is now; ``before`` itself when nothing changed."""
    try:
        entries = sorted(os.listdir(folder)) if not folder.is_symlink() else []
    except (FileNotFoundError, NotADirectoryError):
        entries = []
    except OSError as error:
        return _whole_folder(folder, before, f"the folder cannot be read: {error.strerror}; grant the service access")
    if folder.is_symlink():
        return _whole_folder(folder, before, "it is a symbolic link; put the folder itself there")
    if not entries and folder.exists() and not folder.is_dir():
        return _whole_folder(folder, before, "it is not a folder; put a folder of schemas there")
    seen = {name: _see(folder, name, before.seen.get(name)) for name in entries if _is_candidate(name)}
    if seen == before.seen and not any(override.name == LOCAL_DIR for override in before.overrides):
        return before
    return _tell(before, _state(folder, seen))


def _whole_folder(folder: Path, before: _State, reason: str) -> _State:
    overrides = (Override(LOCAL_DIR, folder, False, _sentence(reason, True)),)
    return before if before.overrides == overrides else _tell(before, _State(overrides=overrides))


def _is_candidate(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _kind_of(name: str) -> str:
    return name.removesuffix(".json").removesuffix("_schema")


def _see(folder: Path, name: str, before: _Seen | None) -> _Seen:
    """A local file: what was known of it where it is the same, else read and judged anew."""
    path = folder / name
    stamp = _stamp(path)
    if before is not None and stamp == before.stamp and time.time_ns() - max(stamp[-2:], default=0) > _RACY_NS:
        return before
    kind = _kind_of(name)
    if kind not in CATEGORIES:
        return _same(before, _Seen(stamp, "", _no_such(kind), None))
    try:
        raw = _read(folder, path)
    except SchemaError as error:
        return _same(before, _Seen(stamp, "", str(error), None))
    digest = hashlib.sha256(raw).hexdigest()
    if before is not None and before.digest == digest:
        return before if before.stamp == stamp else _Seen(stamp, digest, before.reason, before.schema)
    reason = judge(kind, raw)
    return _Seen(stamp, digest, reason, None if reason else orjson.loads(raw))


def _same(before: _Seen | None, now: _Seen) -> _Seen:
    return before if before is not None and before == now else now


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        info = path.stat()
        own = path.lstat()
    except OSError:
        return ()
    return (info.st_dev, info.st_ino, info.st_size, own.st_ino, own.st_ctime_ns, info.st_mtime_ns, info.st_ctime_ns)


def _read(folder: Path, path: Path) -> bytes:
    """The bytes of a local schema: a regular file inside the folder, of bounded size.

    Raises:
        SchemaError: with the reason when it is none.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(folder)):
        raise SchemaError(f"it is a symbolic link to {real}, outside of its folder; put the file itself there")
    try:
        fd = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SchemaError(f"it cannot be read: {error.strerror}; put a readable file there") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SchemaError("it is not a regular file; put the schema itself there")
        return _read_up_to(fd, MAX_BYTES + 1)
    except OSError as error:
        raise SchemaError(f"it cannot be read: {error.strerror}; put a readable file there") from error
    finally:
        os.close(fd)


def _read_up_to(fd: int, size: int) -> bytes:
    raw = b""
    while len(raw) < size and (more := os.read(fd, size - len(raw))):
        raw += more
    return raw


def _no_such(kind: str) -> str:
    if kind in PACKAGED:
        return f'the schema "{kind}" always holds and is never replaced; replace that of a category instead'
    return f'there is no schema of the name "{kind}"; name the file after one of {", ".join(CATEGORIES)}'


def _state(folder: Path, seen: Mapping[str, _Seen]) -> _State:
    """Which files are in force: ``<kind>.json`` before ``<kind>_schema.json``, and no ``$id`` twice."""
    overrides: list[Override] = []
    local: dict[str, Schema] = {}
    taken: dict[str, str] = {}
    for name in sorted(seen, key=lambda n: (n.endswith("_schema.json"), n)):
        kind, file = _kind_of(name), seen[name]
        reason = file.reason
        if file.schema is not None:
            own = str(file.schema["$id"])
            if kind in local:
                reason = f"{kind}.json is in force in its place; keep one of the two"
            elif own in taken:
                reason = f'its "$id" {own} is that of {taken[own]} too; give each its own'
            else:
                local[kind] = file.schema
                taken[own] = name
        overrides.append(Override(kind, folder / name, reason == "", _sentence(reason, kind not in local)))
    return _State(seen, tuple(overrides), local)


def _sentence(reason: str, packaged: bool) -> str:
    tail = " The packaged schema stays in force." if packaged else ""
    return f"{reason[0].upper()}{reason[1:]}.{tail}" if reason else ""


def _tell(before: _State, after: _State) -> _State:
    for override in after.overrides:
        if override not in before.overrides:
            level = logging.INFO if override.in_force else logging.WARNING
            told = "in force" if override.in_force else f"not used: {override.reason}"
            log.log(level, "local schema %s %s", override.path, told)
    return after
