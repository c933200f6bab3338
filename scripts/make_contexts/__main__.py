"""Writes every context."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.make_contexts import kinds, readings
from scripts.make_contexts.shapes import OF_TYPE, PREFIXES, TYPES, Terms

FOLDER = Path(__file__).resolve().parents[2] / "contexts"

# The types whose own keys a kind needs.
TYPES_OF: Mapping[str, tuple[str, ...]] = {
    "project_descriptive": ("Project",),
    "dataset_administrative": ("Dataset",),
    "dataset_structural": ("Dataset", "File"),
    "instrument_technical": (),
    "experiment_contextual": ("Run",),
}


def document(types: Terms, of_type: Mapping[str, Terms], terms: Terms) -> Terms:
    """A whole context file."""
    scoped = {
        type_: {"@id": means, "@context": of_type[type_]} if type_ in of_type else means
        for type_, means in types.items()
    }
    terms = {key: _open(term) if key in _redefined(terms) else term for key, term in terms.items()}
    scoped = {key: _open(term) if key in _redefined(terms) else term for key, term in scoped.items()}
    used = json.dumps([scoped, terms])
    prefixes = {key: value for key, value in PREFIXES.items() if f'"{key}:' in used}
    return {"@context": {"@version": 1.1, "@protected": True, **prefixes, **scoped, **terms}}


def _redefined(terms: Terms) -> set[str]:
    """The terms that mean something else under another: JSON-LD lets them, but rdflib lets no protected one."""
    return {key for term in terms.values() if isinstance(term, dict) for key in term.get("@context") or ()}


def _open(term: Any) -> Terms:
    return {**(term if isinstance(term, dict) else {"@id": term}), "@protected": False}


def documents() -> dict[str, Terms]:
    """Every context, by its name."""
    made = {
        name: document(TYPES, {type_: OF_TYPE[type_] for type_ in TYPES_OF[name]}, terms)
        for name, terms in kinds.KINDS.items()
    }
    made["complete_metadata"] = document(TYPES, OF_TYPE, kinds.WHOLE)
    made["record"] = document(TYPES, readings.OF_TYPE_IN_RECORD, readings.RECORD)
    made["dcat"] = document(TYPES, readings.OF_TYPE_IN_DCAT, readings.DCAT)
    made["schemaorg"] = document(readings.SCHEMA_TYPES, readings.SCHEMA_OF_TYPE, readings.SCHEMA)
    made["prov"] = document(readings.PROV_TYPES, readings.PROV_OF_TYPE, readings.PROV)
    return made


def text(value: Any, indent: int = 0) -> str:
    """JSON with one term a line, and short objects on their line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict) or (indent and len(flat) + indent <= 110):
        return flat
    inner = " " * (indent + 2)
    lines = (f"{inner}{json.dumps(key)}: {text(each, indent + 2)}" for key, each in value.items())
    return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"


def main() -> None:
    for name, value in documents().items():
        (FOLDER / f"{name}.jsonld").write_text(text(value) + "\n", encoding="utf-8")
        sys.stdout.write(f"contexts/{name}.jsonld\n")


if __name__ == "__main__":
    main()
