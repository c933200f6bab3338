"""Two changes of one document made into one: a three-way merge of JSON values, field by field. Pure.

Rows of lists are the same row when their ``@id`` is, else their ORCID or ROR, else name and e-mail; rows without any
of these are matched by what they hold, then by where they stand. The last is a guess: such a row is never put together
of both sides' fields. What both sides changed in different ways is a conflict: nobody's is chosen, both are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from ingest.schema_words import Step, pointer


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""What stands where a side has nothing."""

Path = tuple[Step, ...]

_MOST_PAIRS = 40_000  # of rows that are compared with each other; longer lists are matched by their places


@dataclass(frozen=True)
class Conflict:
    """A place both sides changed, each to something else; :data:`ABSENT` is "nothing there".

    ``pointer`` leads into :attr:`Merged.value`, which has theirs there (mine where they removed it).
    """

    path: Path
    base: Any
    mine: Any
    theirs: Any

    @property
    def pointer(self) -> str:
        return pointer(self.path)


@dataclass(frozen=True)
class Merged:
    """The value both sides make together, and what must be chosen still."""

    value: Any
    conflicts: tuple[Conflict, ...] = ()


def merge(base: Any, mine: Any, theirs: Any) -> Merged:
    """Both sides' changes of ``base``, each kept where only one side made it or both made the same."""
    merger = _Merger()
    value = merger.values((), base, mine, theirs)
    return Merged(value, tuple(merger.conflicts))


def resolve(merged: Merged, takes_mine: Sequence[bool]) -> Any:
    """The merged value with each conflict decided, in their order: mine or theirs."""
    value = merged.value
    decided = zip(merged.conflicts, takes_mine, strict=True)
    # From the last place to the first, so that what leaves a list moves no place still to come.
    for conflict, is_mine in sorted(decided, key=lambda each: _order(each[0].path), reverse=True):
        value = _put(value, conflict.path, conflict.mine if is_mine else conflict.theirs)
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1, 1.0 and true are three, the order of keys is nothing."""
    if one is ABSENT or other is ABSENT:
        return one is other
    return one is other or _text(one) == _text(other)


def paired(old: list[Any], new: list[Any]) -> list[tuple[int | None, int | None]]:
    """Which row of a list is which of an earlier one: places (before, now), None where there is none.

    In the order of the new list; the rows that went come last.
    """
    labels, _ = _labels(old, range(len(old)), new, len(old))
    kept = set(labels)
    here: list[tuple[int | None, int | None]] = [
        (label if label < len(old) else None, place) for place, label in enumerate(labels)
    ]
    return [*here, *((place, None) for place in range(len(old)) if place not in kept)]


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _order(path: Path) -> list[tuple[bool, int, str]]:
    return [(isinstance(step, str), step if isinstance(step, int) else 0, str(step)) for step in path]


def _put(value: Any, path: Path, new: Any) -> Any:
    """A copy of a value with one place set, or emptied."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(value)
        items[step : step + 1] = [_put(items[step], rest, new)] if rest or new is not ABSENT else []
        return items
    copy = dict(value)
    if not rest and new is ABSENT:
        copy.pop(step, None)
    else:
        copy[step] = _put(copy.get(step), rest, new)
    return copy


@dataclass
class _Merger:
    conflicts: list[Conflict] = field(default_factory=list)

    def values(self, path: Path, base: Any, mine: Any, theirs: Any, *, is_whole: bool = False) -> Any:
        """One place merged; ``is_whole``: it is of one side alone, or a conflict."""
        if same(mine, base) or same(mine, theirs):
            return theirs
        if same(theirs, base):
            return mine
        if not is_whole and isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            return self.objects(path, base if isinstance(base, Mapping) else {}, mine, theirs)
        if not is_whole and isinstance(mine, list) and isinstance(theirs, list):
            return self.lists(path, base if isinstance(base, list) else [], mine, theirs)
        self.conflicts.append(Conflict(path, base, mine, theirs))
        return mine if theirs is ABSENT else theirs

    def objects(self, path: Path, base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Any:
        merged = {}
        for key in dict.fromkeys((*theirs, *mine)):
            values = (side.get(key, ABSENT) for side in (base, mine, theirs))
            value = self.values((*path, key), *values)
            if value is not ABSENT:
                merged[key] = value
        return merged

    def lists(self, path: Path, base: list[Any], mine: list[Any], theirs: list[Any]) -> Any:
        rows = _Rows.of(base, mine, theirs)
        order = rows.order()
        if order is None:
            self.conflicts.append(Conflict(path, base, mine, theirs))
            return theirs
        merged: list[Any] = []
        for label in order:
            value = self.values((*path, len(merged)), *rows.sides(label), is_whole=label in rows.guessed)
            if value is not ABSENT:
                merged.append(value)
        return merged


@dataclass(frozen=True)
class _Rows:
    """The rows of three lists under common labels; of the ``guessed`` only the place says that they are one."""

    base: Mapping[int, Any]
    mine: Mapping[int, Any]
    theirs: Mapping[int, Any]
    guessed: frozenset[int]

    @classmethod
    def of(cls, base: list[Any], mine: list[Any], theirs: list[Any]) -> _Rows:
        names = list(range(len(base)))
        own, own_guesses = _labels(base, names, mine, len(base))
        grown = [*base, *(row for row, label in zip(mine, own, strict=True) if label >= len(base))]
        grown_names = [*names, *(label for label in own if label >= len(base))]
        other, other_guesses = _labels(base, names, theirs, len(base) + len(mine))
        other = _joined(grown, grown_names, len(base), theirs, other)
        return cls(
            dict(zip(names, base, strict=True)),
            dict(zip(own, mine, strict=True)),
            dict(zip(other, theirs, strict=True)),
            own_guesses | other_guesses,
        )

    def sides(self, label: int) -> tuple[Any, Any, Any]:
        return self.base.get(label, ABSENT), self.mine.get(label, ABSENT), self.theirs.get(label, ABSENT)

    def order(self) -> list[int] | None:
        """The order of all rows: that of the side that changed it; None when both did, each its own way."""
        shared = [label for label in self.base if label in self.mine and label in self.theirs]
        own = [label for label in self.mine if label in self.base and label in self.theirs]
        other = [label for label in self.theirs if label in self.base and label in self.mine]
        if shared not in (own, other) and own != other:
            return None
        # The rows of the side that kept the order are put where its neighbours now stand.
        leading, following = (self.theirs, self.mine) if own in (shared, other) else (self.mine, self.theirs)
        after: dict[int | None, list[int]] = {None: []}
        neighbour: int | None = None
        for label in following:
            if label in leading:
                neighbour = label
            else:
                after.setdefault(neighbour, []).append(label)
        return [*after[None], *(each for label in leading for each in (label, *after.get(label, ())))]


def _labels(
    base: Sequence[Any], names: Sequence[int], side: Sequence[Any], first: int
) -> tuple[list[int], frozenset[int]]:
    """For each row of a side the label of the row of the base it is, and which of these are guessed.

    New rows get labels from ``first`` on.
    """
    found: dict[int, int] = {}
    free = dict(zip(names, base, strict=True))
    for known in (_identity, _reference, _contact, _text):
        _match(found, free, side, known)
    certain = set(found)
    _match_rest(found, free, side)
    guessed = frozenset(label for place, label in found.items() if place not in certain)
    new = iter(range(first, first + len(side)))
    return [found[place] if place in found else next(new) for place in range(len(side))], guessed


def _joined(grown: list[Any], names: list[int], old: int, theirs: list[Any], labels: list[int]) -> list[int]:
    """Rows that both sides added are one, where they are the same thing."""
    free = dict(zip(names[old:], grown[old:], strict=True))
    places = [place for place, label in enumerate(labels) if label >= old]
    found: dict[int, int] = {}
    rows = [theirs[place] for place in places]
    for known in (_identity, _reference, _contact, _text):
        _match(found, free, rows, known)
    joined = {place: found[number] for number, place in enumerate(places) if number in found}
    return [joined.get(place, label) for place, label in enumerate(labels)]


def _match(found: dict[int, int], free: dict[int, Any], side: Sequence[Any], known: Any) -> None:
    """Match rows by what is known of them, each once."""
    waiting: dict[Any, list[int]] = {}
    for label, row in free.items():
        if (key := known(row)) is not None:
            waiting.setdefault(key, []).append(label)
    for place, row in enumerate(side):
        if place not in found and (key := known(row)) is not None and waiting.get(key):
            found[place] = waiting[key].pop(0)
            free.pop(found[place])


def _match_rest(found: dict[int, int], free: dict[int, Any], side: Sequence[Any]) -> None:
    """Match what is left by its place where as much is left on both sides, else the most alike first."""
    places = [place for place in range(len(side)) if place not in found and _is_known_by_place(side[place])]
    labels = [label for label, row in free.items() if _is_known_by_place(row)]
    if len(labels) == len(places):
        pairs = list(zip(places, labels, strict=True))
    elif len(labels) * len(places) > _MOST_PAIRS:
        pairs = [(place, place) for place in places]
    else:
        pairs = _most_alike_first(free, labels, side, places)
    wanted = set(labels)
    for place, label in pairs:
        if place not in found and label in wanted:
            found[place] = label
            wanted.discard(label)
            free.pop(label)


def _most_alike_first(
    free: Mapping[int, Any], labels: Sequence[int], side: Sequence[Any], places: Sequence[int]
) -> list[tuple[int, int]]:
    """Places and labels of rows that share fields or stand at the same place."""
    ours = {place: _fields(side[place]) for place in places}
    theirs = {label: _fields(free[label]) for label in labels}
    alike = {(p, n): len(ours[p] & theirs[n]) for p in places for n in labels}
    pairs = [pair for pair, count in alike.items() if count or pair[0] == pair[1]]
    return sorted(pairs, key=lambda pair: (-alike[pair], abs(pair[0] - pair[1]), pair))


def _is_known_by_place(row: Any) -> bool:
    """Whether a row may be told by its place: one with an identity of its own is known by that alone."""
    return isinstance(row, Mapping) and _identity(row) is None


def _fields(row: Mapping[str, Any]) -> set[tuple[str, bytes]]:
    return {(key, _text(each)) for key, each in row.items()}


def _identity(row: Any) -> Any:
    return _texts(row, ("@id",))


def _reference(row: Any) -> Any:
    return _texts(row, ("orcid",)) or _texts(row, ("ror",))


def _contact(row: Any) -> Any:
    return _texts(row, ("name", "email"))


def _texts(row: Any, keys: Iterable[str]) -> Any:
    if not isinstance(row, Mapping):
        return None
    texts = tuple(row.get(key) for key in keys)
    return texts if all(isinstance(text, str) and text for text in texts) else None
