"""What differs between two versions of a document, field by field, in the words of its form. Pure.

Rows of lists are compared with the row they were, not with the one that stands in their place; long texts are shown
around what changed in them, so that two texts that differ never look alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.editing import telling
from catalog.editing.fields import Field, Kind, Tree
from ingest.documents import AUDIT
from ingest.merging import ABSENT, paired, same
from ingest.schema_words import Step

_LONG = 240  # texts longer than this are shown around what changed
_AROUND = 60
_LONGEST = 2_000
_LISTED = 12  # entries of a list of words; of longer lists only what came and went is told
_DEEPEST = 100

_REORDERED = "the same entries", "the same entries in another order"

# Written by the system with each change of a manifest, and told by its files.
_FOLLOWS = frozenset({"file_descriptions", "formats", "file_count", "total_size_bytes"})

PROJECT_KEY = "associated_project_identifier"

_SYSTEM = {"$schema": "Schema", "@context": "Context", "@id": "Identifier (IRI)", "@type": "Type"}


@dataclass(frozen=True)
class Difference:
    """One place that differs: its titles, and both sides in words ("nothing" where nothing stands)."""

    place: str
    before: str
    after: str


@dataclass(frozen=True)
class Words:
    """What names the fields of a kind: its form's, titles of keys that no form shows, and of records they point at."""

    tree: Tree
    labels: Mapping[str, str]
    titles: Mapping[str, str] = field(default_factory=dict)


def nameless(kind: str) -> Tree:
    """A tree without fields, for documents that no form shows."""
    return Tree(kind, "", (), Field("", Kind.GROUP, ""))


def differences(words: Words, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """All places that differ, in the order of the form.

    Not told are audit stamps, the entries of a manifest, and identities that the store gave to what stood there.
    """
    return list(_Teller(words).objects((), old, new))


@dataclass(frozen=True)
class _Teller:
    words: Words

    def objects(self, path: tuple[Step, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
        for key in self._keys(path, old, new):
            before, after = old.get(key, ABSENT), new.get(key, ABSENT)
            if not (path and _was_minted(key, before, after)):
                yield from self.values((*path, key), before, after)

    def _keys(self, path: tuple[Step, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        hidden = {*AUDIT, *_FOLLOWS} if not path else frozenset[str]()
        field = telling.field_of(self.words.tree, path)
        known = [each.key for each in field.fields] if field is not None else []
        order = dict.fromkeys((*known, *new, *old))
        return [key for key in order if key not in hidden and (key in old or key in new)]

    def values(self, path: tuple[Step, ...], old: Any, new: Any) -> Iterator[Difference]:
        if same(old, new):
            return
        if isinstance(old, Mapping) and isinstance(new, Mapping) and len(path) < _DEEPEST:
            yield from self.objects(path, old, new)
        elif isinstance(old, list) and isinstance(new, list) and _has_rows(old, new):
            yield from self.rows(path, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            yield self.listed(path, old, new)
        else:
            yield self.leaf(path, old, new)

    def rows(self, path: tuple[Step, ...], old: list[Any], new: list[Any]) -> Iterator[Difference]:
        pairs = paired(old, new)
        for before, after in pairs:
            here = (*path, after if after is not None else before if before is not None else 0)
            one = old[before] if before is not None else ABSENT
            other = new[after] if after is not None else ABSENT
            yield from self.values(here, one, other)
        kept = [before for before, after in pairs if before is not None and after is not None]
        if kept != sorted(kept):
            yield Difference(self.place(path), *_REORDERED)

    def listed(self, path: tuple[Step, ...], old: list[Any], new: list[Any]) -> Difference:
        if max(len(old), len(new)) <= _LISTED:
            return self.leaf(path, old, new)
        pairs = paired(old, new)
        gone = [old[before] for before, after in pairs if after is None and before is not None]
        come = [new[after] for before, after in pairs if before is None and after is not None]
        if not gone and not come:
            return Difference(self.place(path), *_REORDERED)
        field = telling.field_of(self.words.tree, path)
        sides = ((len(old), gone), (len(new), come))
        before, after = (
            f"{count:,} entries{f', among them: {telling.value(field, some)}' if some else ''}" for count, some in sides
        )
        return Difference(self.place(path), before, after)

    def leaf(self, path: tuple[Step, ...], old: Any, new: Any) -> Difference:
        before, after = self._sides(path, old, new)
        before, after = before or _empty(old), after or _empty(new)
        if before == after:  # 1 and "1", or what lies beyond what is shown
            before, after = f"{before} ({_type(old)})", f"{after} ({_type(new)})"
        return Difference(self.place(path), before, after)

    def _sides(self, path: tuple[Step, ...], old: Any, new: Any) -> tuple[str, str]:
        if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONG:
            return around(old, new)
        if path == (PROJECT_KEY,):
            return self._title(old), self._title(new)
        field = telling.field_of(self.words.tree, path)
        return telling.value(field, old), telling.value(field, new)

    def _title(self, identifier: Any) -> str:
        """A record by its title, where that may be told."""
        known = self.words.titles.get(identifier, identifier) if isinstance(identifier, str) else identifier
        return telling.value(None, known)

    def place(self, path: Sequence[Step]) -> str:
        """Where something stands, in titles; keys that no form shows by the titles of their schema."""
        key = path[0] if path else ""
        if isinstance(key, str) and all(each.key != key for each in self.words.tree.root.fields):
            title = self.words.labels.get(key) or _SYSTEM.get(key) or key.replace("_", " ").strip().capitalize()
            return ", ".join([title or "A field without a name", *(_step(each) for each in path[1:])])
        return telling.place(self.words.tree, path)


def around(old: str, new: str) -> tuple[str, str]:
    """Both texts cut to what differs in them, with a little of what stands before and after it."""
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    return _cut(old, start, len(old) - end), _cut(new, start, len(new) - end)


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, start: int, end: int) -> str:
    low, high = max(0, start - _AROUND), min(len(text), end + _AROUND)
    inner = text[low:high]
    if len(inner) > _LONGEST:
        inner = f"{inner[: _LONGEST - 1]}… ({end - start:,} characters)"
    return f"{'… ' if low else ''}{inner}{' …' if high < len(text) else ''}"


def _was_minted(key: str, old: Any, new: Any) -> bool:
    """Whether a key inside a document differs only because the store gave what stands there an identity, or another.

    An ORCID or a ROR there follows a field that is told.
    """
    if key == "@type":
        return ABSENT in (old, new)
    return key == "@id" and all(each is ABSENT or isinstance(each, str) for each in (old, new))


def _has_rows(old: list[Any], new: list[Any]) -> bool:
    return any(isinstance(each, Mapping | list) for each in (*old, *new))


def _step(step: Step) -> str:
    return f"entry {step + 1}" if isinstance(step, int) else step.replace("_", " ")


def _type(value: Any) -> str:
    if value is ABSENT:
        return "not there"
    names = {str: "text", bool: "yes or no", int: "number", float: "number", list: "list", dict: "group"}
    return names.get(type(value), "empty")


def _empty(value: Any) -> str:
    return f"empty {_type(value)}" if isinstance(value, str | list | dict) else "empty"
