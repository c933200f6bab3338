"""One value a person may pick, and the search among many of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Choice:
    """A value, its name for people, what it means in a sentence, and further words it is found by."""

    value: str
    label: str
    words: str = ""
    also: str = ""

    @cached_property
    def searched(self) -> str:
        """What a search looks at, folded."""
        return " ".join((self.value, self.label, self.also)).casefold()


def matching(choices: Iterable[Choice], query: str, limit: int) -> Sequence[Choice]:
    """The choices that hold every word of a question: the value itself first, then where a word begins so."""
    asked = query.casefold().split()
    if not asked:
        return [each for each, _ in zip(choices, range(limit), strict=False)]
    found = [each for each in choices if all(word in each.searched for word in asked)]
    typed = " ".join(query.split())
    return sorted(found, key=lambda each: _distance(each, typed))[:limit]


def _distance(each: Choice, typed: str) -> int:
    """0 for the value itself (mJ is not MJ), 1 for it or its name in any letter case, 2 where a word begins so, 3 else.

    The list's order stands among equals.
    """
    if typed == each.value:
        return 0
    asked = typed.casefold()
    if asked in (each.value.casefold(), each.label.casefold()):
        return 1
    return 2 if f" {asked}" in f" {each.searched}" else 3
