"""Values that come in another way than by a form, in the form in which a form would keep them."""

from __future__ import annotations

from typing import Any

from catalog.editing import fields, guided, settling, texts, words
from catalog.editing.columns import Path
from catalog.editing.fields import Field, Kind, Tree


def as_in_a_form(tree: Tree, path: Path, value: Any) -> Any:
    """The value of one place: an ORCID as its address, a licence by its identifier, an answer by its code.

    What the forms could not read either stays as it is, for the schema to judge.
    """
    name = "".join(fields.name("", step) for step in path)
    return _kept(settling.field_at(tree.root, name), value)


def _kept(field: Field | None, value: Any) -> Any:
    if field is None:
        return value
    if isinstance(value, list) and field.kind is Kind.LINES:
        return [_kept(field.item, each) for each in value]
    if not isinstance(value, str) or not value.strip():
        return value
    if field.kind is Kind.CHOICE:
        return _answer(field, value)
    if field.kind is Kind.YES_NO and value.strip().lower() in ("yes", "no"):
        return texts.parsed(field, value)
    return guided.normalised(field.guided, value.strip()) if field.is_leaf and field.guided else value


def _answer(field: Field, value: str) -> Any:
    """The accepted value that a text names by its code or by what the form calls it, in any case."""
    if value in field.choices:
        return value
    said = value.strip().casefold()
    named = (each for each in field.choices if said in _names(field, texts.choice(each)))
    return next(named, value)


def _names(field: Field, text: str) -> set[str]:
    label = guided.label(field.guided, text) or words.option(text)
    return {text.casefold(), label.casefold()}
