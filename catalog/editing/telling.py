"""A value in words, by the fields it belongs to: for comparing versions of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.editing import texts, words
from catalog.editing.fields import Field, Kind, Tree
from ingest.merging import ABSENT

_LONGEST = 2_000
NOTHING = "nothing"


def place(tree: Tree, path: Sequence[str | int]) -> str:
    """Where something stands, in titles: ``Creators, entry 2, ORCID``."""
    told: list[str] = []
    here: Field | None = tree.root
    for step in path:
        if isinstance(step, int):
            told.append(f"entry {step + 1}")
            here = here.item if here is not None else None
        else:
            here = next((each for each in here.fields if each.key == step), None) if here is not None else None
            told.append(here.title if here is not None else step)
    return ", ".join(told) or "The record"


def field_of(tree: Tree, path: Sequence[str | int]) -> Field | None:
    """The field at a place, if a form has one."""
    here: Field | None = tree.root
    for step in path:
        if here is None:
            return None
        here = here.item if isinstance(step, int) else next((f for f in here.fields if f.key == step), None)
    return here


def value(field: Field | None, told: Any) -> str:
    """A value in words; "nothing" where nothing stands."""
    if told is ABSENT:
        return NOTHING
    text = _value(field, told)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _value(field: Field | None, told: Any) -> str:
    if isinstance(told, Mapping):
        known = {each.key: each for each in field.fields} if field is not None else {}
        shown = [key for key in (*known, *(key for key in told if key not in known)) if key in told and key[:1] != "@"]
        pairs = ((known[key].title if key in known else key, _value(known.get(key), told[key])) for key in shown)
        return "; ".join(f"{title}: {text}" for title, text in pairs)
    if isinstance(told, list):
        item = field.item if field is not None else None
        separator = "\n" if any(isinstance(each, Mapping) for each in told) else ", "
        return separator.join(_value(item, each) for each in told)
    if isinstance(told, bool):
        return "yes" if told else "no"
    if field is not None and field.kind is Kind.CHOICE:
        return words.option(texts.choice(told))
    return told if isinstance(told, str) else texts.choice(told)
