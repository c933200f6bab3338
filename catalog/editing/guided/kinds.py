"""Which guided kind a field is, and what is known of each kind: one row per kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.editing.guided import access, dates, identifiers, languages, licences, units
from catalog.editing.guided.choice import Choice, matching


def _as_typed(text: str) -> str:
    return text


def _nothing(text: str) -> str:
    return ""


def _none() -> Sequence[Choice]:
    return ()


@dataclass(frozen=True)
class Kind:
    """What is known of one kind of value; ``common`` is the part of ``choices`` short enough to show at once."""

    normalised: Callable[[str], str] = _as_typed
    advice: Callable[[str], str] = _nothing
    choices: Callable[[], Sequence[Choice]] = _none
    common: Callable[[], Sequence[Choice]] = _none
    label: Callable[[str], str] = _nothing


def _levels() -> Sequence[Choice]:
    return access.LEVELS


KINDS: Mapping[str, Kind] = {
    "orcid": Kind(identifiers.orcid, identifiers.orcid_advice),
    "ror": Kind(identifiers.ror, identifiers.ror_advice),
    "doi": Kind(identifiers.doi, identifiers.doi_advice),
    "iri": Kind(identifiers.iri, identifiers.iri_advice),
    "web_address": Kind(identifiers.web_address, identifiers.web_address_advice),
    "email": Kind(identifiers.email, identifiers.email_advice),
    "date": Kind(dates.day, dates.day_advice),
    "license": Kind(licences.licence, licences.licence_advice, licences.choices, licences.common, licences.label),
    "language": Kind(
        languages.language, languages.language_advice, languages.choices, languages.common, languages.label
    ),
    "unit": Kind(units.unit, units.unit_advice, units.choices, units.common, units.label),
    "access_level": Kind(choices=_levels, common=_levels, label=access.label),
}

# Definitions that are a kind of their own name; the last four are picked rather than typed.
_DEFINITIONS = frozenset(
    {"orcid", "ror", "doi", "iri", "web_address", "email", "date", "license", "language",
     "person", "organization", "agent"}
)  # fmt: skip
_FORMATS: Mapping[str, str] = {"orcid": "orcid", "ror": "ror", "date": "date", "email": "email", "iri": "iri"}
_KEYS: Mapping[str, str] = {
    "unit": "unit",
    "access_level": "access_level",
    "license": "license",
    "instruments_used": "instrument",
    "file_identifier": "file",
}


def kind_of(nodes: Iterable[Mapping[str, Any]], key: str = "") -> str | None:
    """The guided kind of a field with this key (of a list's entry: the list's key) and these schema nodes.

    Besides the kinds of :data:`KINDS` this answers what is picked: ``person``, ``organization``, ``agent``,
    ``instrument``, ``file``. A local schema that writes out what ours refers to is known by its ``format`` or key.
    """
    seen = list(nodes)
    for node in seen:
        name = str(node.get("$ref", "")).rpartition("/")[2].removesuffix("_complete")
        if name in _DEFINITIONS:
            return name
    if key in _KEYS:
        return _KEYS[key]
    formats = (node.get("format") for node in seen)
    return next((_FORMATS[each] for each in formats if isinstance(each, str) and each in _FORMATS), None)


def normalised(kind: str, text: str) -> str:
    """A value of any pasted form in the form the schemas ask for; what cannot be read stays as it is. Never raises."""
    known = KINDS.get(kind)
    return known.normalised(text) if known and text else text


def advice(kind: str, text: str) -> str:
    """What is wrong with a value, in a sentence; empty when nothing is, or when there is no value."""
    known = KINDS.get(kind)
    return known.advice(text) if known and text.strip() else ""


def choices(kind: str) -> Sequence[Choice]:
    """Every value that can be chosen, common ones first; hundreds of them for licences, languages and units."""
    known = KINDS.get(kind)
    return known.choices() if known else ()


def common(kind: str) -> Sequence[Choice]:
    """The values most records need: short enough for a page."""
    known = KINDS.get(kind)
    return known.common() if known else ()


def label(kind: str, value: str) -> str:
    """The plain name of a value, empty when it has none."""
    known = KINDS.get(kind)
    return known.label(value) if known else ""


def search(kind: str, query: str, limit: int = 50) -> Sequence[Choice]:
    """The choices that a question means, nearest first."""
    return matching(choices(kind), query, limit)
