"""Every place a schema gives a key to, and a document that fills each of them with a value of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemas

Schema = Mapping[str, Any]
_BY_ID = {schemas.load(name)["$id"]: schemas.load(name) for name in schemas.NAMES}


EMBEDDED = {
    "project": "project_descriptive",
    "dataset": "dataset_administrative",
    "structure": "dataset_structural",
    "instruments": "instrument_technical",
    "experiment": "experiment_contextual",
}
"""What a complete metadata file holds whole; its own schema lists only what the system needs of them."""


@dataclass
class Place:
    """One place: its keys, the places below, the types that may stand there, whether it is a list."""

    below: dict[str, Place] = field(default_factory=dict)
    types: list[str] = field(default_factory=list)
    listed: bool = False

    def walk(self, path: str = "") -> Iterator[tuple[str, str, Place]]:
        for key, place in self.below.items():
            yield path, key, place
            yield from place.walk(f"{path}.{key}")


def places(kind: str) -> Place:
    """The places of a kind of document."""
    schema = next(each for each in _BY_ID.values() if f"/{kind}/" in each["$id"])
    top = Place()
    _add(top, schema, schema["$id"])
    if kind == "complete_metadata":
        for key, embedded in EMBEDDED.items():
            whole = places(embedded)
            whole.below = {k: v for k, v in whole.below.items() if k != "runs"}
            whole.listed = top.below[key].listed
            top.below[key] = whole
    return top


def _add(place: Place, schema: Schema, base: str) -> None:
    if "$ref" in schema:
        address, _, pointer = schema["$ref"].partition("#")
        found: Any = _BY_ID[address or base]
        for step in pointer.split("/")[1:]:
            found = found[step]
        _add(place, found, address or base)
    for key, under in schema.get("properties", {}).items():
        if key == "@type":
            place.types = list(dict.fromkeys([*place.types, *_said(under, base)]))
        elif not key.startswith("@"):
            _add(place.below.setdefault(key, Place()), under, base)
    if isinstance(schema.get("items"), dict):
        place.listed = True
        _add(place, schema["items"], base)
    for joined in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(joined, ()):
            _add(place, each, base)


def _said(schema: Schema, base: str) -> list[str]:
    """The values a schema allows."""
    found = Place()
    while "$ref" in schema:
        address, _, pointer = schema["$ref"].partition("#")
        target: Any = _BY_ID[address or base]
        for step in pointer.split("/")[1:]:
            target = target[step]
        schema, base = target, address or base
    assert not found.below
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def filled(place: Place, marks: list[str], path: str = "") -> Any:
    """A value for a place: an object with every key, or a mark that is found again wherever it went."""
    if not place.below:
        mark = f"urn:mark:{len(marks)}"
        marks.append(mark)
        return mark
    value: dict[str, Any] = {}
    if place.types:
        value["@type"] = place.types[0]
    for key, below in place.below.items():
        one = filled(below, marks, f"{path}.{key}")
        value[key] = [one] if below.listed else one
    return value
