"""The five parts of a complete metadata file: what of them counts, and how two states of them differ. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ingest.documents import AUDIT, encode_path
from ingest.merging import same

Value = Mapping[str, Any]

PROJECT, DATASET, STRUCTURE, EXPERIMENT, INSTRUMENTS = "project", "dataset", "structure", "experiment", "instruments"

# What of a part is the system's stamp, or written by finalising itself, or about other runs: no change of a source.
_STAMPS = frozenset({"$schema", "@context", *AUDIT})
_NOT_COMPARED: Mapping[str, frozenset[str]] = {
    STRUCTURE: _STAMPS | {"runs", "file_descriptions", "file_count", "total_size_bytes", "formats"},
    EXPERIMENT: _STAMPS | {"status", "outputs"},
}
# Of an entry besides: what the file system says of the file. Bytes that were copied, touched or protected from
# writing are the same data.
NOT_OF_THE_FILE = frozenset(
    {"data_object_version", "run_id", "complete_metadata", "state", "missing_since", "previous_checksums",
     "first_seen", "permissions", "modified_utc", "metadata_changed_utc", "created_utc"}
)  # fmt: skip
_SHOWN = 3


@dataclass(frozen=True)
class Part:
    """A document as it stands; ``path`` is its ``os`` path below the watched folder."""

    path: str
    value: Value


@dataclass(frozen=True)
class Parts:
    """What a complete metadata file is made of; ``structure`` holds the entries of the run's files only."""

    project: Part
    dataset: Part
    structure: Part
    experiment: Part
    instruments: tuple[Part, ...] = ()

    def named(self) -> Iterator[tuple[str, Part]]:
        """Each with its name, the instruments in the order of their identifiers."""
        yield PROJECT, self.project
        yield DATASET, self.dataset
        yield STRUCTURE, self.structure
        yield EXPERIMENT, self.experiment
        for instrument in self.instruments:
            yield INSTRUMENTS, instrument


@dataclass(frozen=True)
class Difference:
    """One field, or one file by its path, of a part; None where it is not there."""

    part: str
    key: str
    before: Any
    after: Any


def compared(name: str, value: Value) -> dict[str, Any]:
    """What of a part counts when two states of it are compared, and what its SHA-256 is of."""
    kept = _compared_fields(name, value)
    if name == STRUCTURE:
        kept["file_descriptions"] = [compared_entry(entry) for entry in value.get("file_descriptions", ())]
    return kept


def compared_entry(entry: Value) -> dict[str, Any]:
    """What of a file's entry counts."""
    return {key: each for key, each in entry.items() if key not in NOT_OF_THE_FILE}


def canonical(value: Any) -> bytes:
    """Canonical JSON: keys sorted, UTF-8, no blanks."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def sources_of(parts: Parts) -> list[dict[str, str]]:
    """``sources`` of a complete metadata file: each document's path with the SHA-256 of what counts of it."""
    return [
        {**encode_path(part.path), "sha256": hashlib.sha256(canonical(compared(name, part.value))).hexdigest()}
        for name, part in parts.named()
    ]


def same_sources(one: Iterable[Mapping[str, Any]], other: Iterable[Mapping[str, Any]]) -> bool:
    """Whether two lists of sources speak of the same content, wherever the documents stand by now."""
    return [each.get("sha256") for each in one] == [each.get("sha256") for each in other]


# --- differences ------------------------------------------------------------------------------------------------


def changed_fields(name: str, before: Value, after: Value) -> list[str]:
    """The keys under which two states of a part differ; files are another matter."""
    old, new = (_compared_fields(name, each) for each in (before, after))
    keys = dict.fromkeys([*old, *new])
    return [key for key in keys if not same(old.get(key), new.get(key)) or (key in old) != (key in new)]


def _compared_fields(name: str, value: Value) -> dict[str, Any]:
    left_out = _NOT_COMPARED.get(name, _STAMPS)
    return {key: each for key, each in value.items() if key not in left_out}


def differences(old: Value, new: Value) -> tuple[Difference, ...]:
    """What two complete metadata files say differently, part by part, field by field, file by file."""
    found: list[Difference] = []
    for name in (PROJECT, DATASET, STRUCTURE, EXPERIMENT):
        found += _between(name, old.get(name, {}), new.get(name, {}))
    before, after = _by_identifier(old), _by_identifier(new)
    for identifier in dict.fromkeys([*before, *after]):
        named = f"{INSTRUMENTS}/{_title(after.get(identifier) or before[identifier])}"
        found += _between(named, before.get(identifier, {}), after.get(identifier, {}))
    one, other = _files(old[STRUCTURE]), _files(new[STRUCTURE])
    for identifier in dict.fromkeys([*one, *other]):
        was, now = one.get(identifier), other.get(identifier)
        if was is None or now is None or compared_entry(was) != compared_entry(now):
            path = (now or was or {}).get("path", "")
            found.append(Difference("files", path, was and compared_entry(was), now and compared_entry(now)))
    return tuple(found)


def _between(name: str, before: Value, after: Value) -> list[Difference]:
    keys = changed_fields(name, before, after)
    return [Difference(name, key, before.get(key), after.get(key)) for key in keys]


def _by_identifier(complete: Value) -> dict[str, Value]:
    return {str(each.get("instrument_identifier")): each for each in complete.get(INSTRUMENTS, ())}


def _files(structure: Value) -> dict[str, Value]:
    return {str(entry.get("file_identifier")): entry for entry in structure.get("file_descriptions", ())}


def _title(instrument: Value) -> str:
    return str(instrument.get("instrument_name") or instrument.get("instrument_identifier"))


# --- outdated, in words ---------------------------------------------------------------------------------------


def outdated_records(v2: Value, now: Parts) -> tuple[str, ...]:
    """What changed in the documents, the run's files left out."""
    whole = (
        (PROJECT, "The project", now.project),
        (DATASET, "The dataset", now.dataset),
        (STRUCTURE, "The dataset's structure", now.structure),
        (EXPERIMENT, "The run", now.experiment),
    )
    words = [_told(title, changed_fields(name, v2.get(name, {}), part.value)) for name, title, part in whole]
    if now.experiment.value.get("status") != "complete":
        words.append("The run was set back to draft.")
    before = _by_identifier(v2)
    after = {str(part.value.get("instrument_identifier")): part.value for part in now.instruments}
    for identifier, instrument in before.items():
        title = f"The instrument {_title(instrument)!r}"
        if identifier not in after:
            words.append(f"{title} is not used any more, or not in the registry.")
        else:
            words.append(_told(title, changed_fields(INSTRUMENTS, instrument, after[identifier])))
    words += [f"The instrument {_title(after[i])!r} is used too." for i in after if i not in before]
    return tuple(filter(None, words))


def _told(title: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    shown = ", ".join(key.removeprefix("@").replace("_", " ") for key in keys[:5])
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return f"{title} has changed: {shown}{more}."


def outdated_files(v2_structure: Value, structure: Value) -> tuple[str, ...]:
    """What became of the run's files since."""
    before, after = _files(v2_structure), _files(structure)
    told: dict[str, list[str]] = {}
    for identifier, was in before.items():
        word = _became(was, after.get(identifier))
        if word:
            told.setdefault(word, []).append(str(was.get("path")))
    told["added"] = [str(entry.get("path")) for identifier, entry in after.items() if identifier not in before]
    return tuple(_of_files(word, paths) for word, paths in told.items() if paths)


def _became(was: Value, now: Value | None) -> str:
    if now is None or now.get("state") == "missing":
        return "missing"
    if now.get("checksum") != was.get("checksum"):  # its ``state`` may say so still when the bytes were put back
        return "changed"
    if compared_entry(was) == compared_entry(now):
        return ""
    renamed = ("path", "path_encoding", "file_name", "extension")
    same = {k: v for k, v in compared_entry(was).items() if k not in renamed} == {
        k: v for k, v in compared_entry(now).items() if k not in renamed
    }
    return "renamed" if same else "described"


_OF_FILES = {
    "missing": ("One file is missing", "{} files are missing"),
    "changed": ("One file has changed", "{} files have changed"),
    "renamed": ("One file has another name or place", "{} files have another name or place"),
    "described": ("One file is described differently", "{} files are described differently"),
    "added": ("One file was added", "{} files were added"),
}


def _of_files(word: str, paths: Sequence[str]) -> str:
    one, several = _OF_FILES[word]
    return f"{one if len(paths) == 1 else several.format(f'{len(paths):,}')}: {some(paths)}."


def some(paths: Sequence[str]) -> str:
    """The first few of some paths, and how many more there are."""
    shown = ", ".join(repr(path) for path in paths[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} and {len(paths) - _SHOWN:,} more"
