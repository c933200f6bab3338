"""What is wrong with a document, in a person's words: the field's title, its value, the rule, what is accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from ingest.schema_compile import PACKAGED_BY_ID, Schema, escape, positions, target

Step = str | int

TYPES = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a group of fields", "null": "nothing",
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One broken rule.

    ``pointer`` (RFC 6901) leads to the value, or to where a missing one belongs; ``""`` is the whole document.
    ``rule`` is the schema keyword; ``message`` one sentence; ``label`` the place in words; ``is_missing``: nothing is
    there yet, as against something that is not accepted.
    """

    pointer: str
    rule: str
    message: str
    label: str = field(default="", compare=False)
    is_missing: bool = field(default=False, compare=False)


class Words:
    """Names fields as the schema in force does: ``where`` are the schemas that hold for the document, best first."""

    def __init__(self, where: Sequence[Schema], extra: Mapping[str, Schema] | None = None) -> None:
        self._where = where
        self._known = {**PACKAGED_BY_ID, **(extra or {})}
        self._places: dict[int, dict[str, Any]] = {}

    def problem(self, error: jsonschema_rs.ValidationError) -> Problem:
        """The words for one error of the validator."""
        path = list(error.instance_path)
        missing = _missing(error)
        if missing is not None:
            return self._missing_problem(path, missing, error.kind.name)
        label = self.label(path)
        return Problem(pointer(path), error.kind.name, f"{label}: {self._rule(error, path)}", label)

    def label(self, path: Sequence[Step]) -> str:
        """A field's place in words: ``Creator 2, ORCID``."""
        words: list[str] = []
        for depth, step in enumerate(path, 1):
            if isinstance(step, int) and words:
                words[-1] = f"{self._entry(path[: depth - 1], words[-1])} {step + 1}"
            else:
                words.append(f"Entry {step + 1}" if isinstance(step, int) else self.title(path[:depth]))
        return ", ".join(words) or "The record"

    def _entry(self, path: Sequence[Step], title: str) -> str:
        """What one entry of a list is called: as its schema says, else the list's own title in the singular."""
        for node in self.nodes(path):
            entry = node.get("items")
            if isinstance(entry, dict) and isinstance(entry.get("title"), str):
                return str(entry["title"])
        return _singular(title)

    def reversed_dates(self, end: Sequence[Step], first: str, from_: str, to: str, rule: str) -> Problem:
        """The words for a stretch of time that ends (at ``end``, ``to``) before it begins (``first``, ``from_``)."""
        start, label = self.title([*end[:-1], first]), self.label(end)
        message = f"{label}: {to} is before “{start}”, {from_}; put the earlier one first."
        return Problem(pointer(end), rule, message, label)

    def title(self, path: Sequence[Step]) -> str:
        """The title of a field; the key where no schema in force gives one."""
        for node in self.nodes(path):
            if "title" in node:
                return str(node["title"])
        return str(path[-1]) if path else "The record"

    def nodes(self, path: Sequence[Step]) -> list[Schema]:
        """The schemas in force that speak of a place, references followed."""
        here = list(self._flat((schema, schema) for schema in self._where))
        for step in path:
            here = list(self._flat(child for home, node in here for child in _step(home, node, step)))
        return [node for _, node in here]

    def _flat(self, found: Iterable[tuple[Schema, Any]]) -> Iterator[tuple[Schema, Schema]]:
        for home, node in found:
            if not isinstance(node, dict):
                continue
            yield home, node
            inside = [(home, child) for key in ("allOf", "anyOf", "oneOf") for child in node.get(key, ())]
            inside += [(home, node[key]) for key in ("then", "else") if key in node]
            yield from self._flat(self._referred(home, node))
            yield from self._flat(inside)

    def _referred(self, home: Schema, node: Schema) -> Iterator[tuple[Schema, Any]]:
        reference = node.get("$ref")
        if isinstance(reference, str):
            there = self._known.get(reference.partition("#")[0], home)
            if id(there) not in self._places:
                self._places[id(there)] = positions(there)
            found = target(self._places[id(there)], reference)
            if found is not None:
                yield there, found[1]

    def _missing_problem(self, path: list[Step], keys: Sequence[str], rule: str) -> Problem:
        where = pointer([*path, keys[0]])
        inside = f"{self.label(path)}: " if path else ""
        if len(keys) > 1:
            either = " or ".join(f"“{self.title([*path, key])}”" for key in keys)
            label = f"{self.label(path)}, {either}" if path else either
            return Problem(where, rule, f"{inside}{either} is missing; one of them is needed.", label, True)
        nodes = self.nodes([*path, keys[0]])
        several = "; at least one is needed" if any(node.get("type") == "array" for node in nodes) else ""
        accepted = next((f" Accepted are {_listed(node['enum'])}." for node in nodes if "enum" in node), "")
        message = f"{inside}“{self.title([*path, keys[0]])}” is missing{several}.{accepted}"
        return Problem(where, rule, message, self.label([*path, keys[0]]), True)

    def _rule(self, error: jsonschema_rs.ValidationError, path: Sequence[Step]) -> str:
        value = error.instance
        match error.kind.name:
            case "type":
                wanted = " or ".join(TYPES.get(t, t) for t in error.kind.types)  # type: ignore[attr-defined]
                return f"{show(value)} is {_type_of(value)}; {wanted} is expected."
            case "enum":
                return f"{show(value)} is not accepted; accepted are {_listed(error.kind.value)}."
            case "const":
                return f"{show(value)} is not accepted; it must be {show(error.kind.value)}."
            case "pattern" | "format" if value == "":
                return "it is empty; leave the field out instead."
            case "pattern" | "format":
                return f"{show(value)} is not accepted; expected: {self._form(path, error.kind.name, error.kind.value)}"
            case name:
                return _plain(name, value, error.kind.value) or error.message

    def _form(self, path: Sequence[Step], keyword: str, rule: Any) -> str:
        """What a text must look like: the words and the example that stand beside the rule."""
        for node in self.nodes(path):
            if node.get(keyword) == rule and "description" in node:
                examples = node.get("examples") or []
                example = f" For example: {show(examples[0])}." if examples else ""
                return f"{node['description']}{example}"
        return f"what the {keyword} {rule} describes."


def problems(words: Words, errors: Iterable[jsonschema_rs.ValidationError], limit: int) -> list[Problem]:
    """The first ``limit`` problems, each place and rule once; a wrong form is told once, as its pattern."""
    found: dict[tuple[str, str], Problem] = {}
    for error in errors:
        problem = words.problem(error)
        rule = "form" if problem.rule in ("pattern", "format") else problem.rule
        found.setdefault((problem.pointer, rule), problem)
        if len(found) >= limit:
            break
    return list(found.values())


def pointer(path: Iterable[Step]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{escape(str(step))}" for step in path)


def show(value: Any) -> str:
    """A value as JSON, at most 80 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _missing(error: jsonschema_rs.ValidationError) -> list[str] | None:
    """The keys that are missing: one, or several of which one is needed; None when the error is another."""
    if error.kind.name == "required":
        return [error.kind.property]  # type: ignore[attr-defined]
    if error.kind.name == "anyOf":
        branches = error.kind.context  # type: ignore[attr-defined]
        if all(len(branch) == 1 and branch[0].kind.name == "required" for branch in branches):
            return [branch[0].kind.property for branch in branches]
    return None


_SAME = frozenset({"series", "species"})  # words that are their own plural


def _singular(title: str) -> str:
    """The title of a list as that of one entry: ``Creators`` → "Creator", ``Experimenter(s)`` → "Experimenter"."""
    head, blank, last = title.removesuffix("(s)").rpartition(" ")
    if not last.isalpha() or (not last.islower() and not last.istitle()) or last.lower() in _SAME:
        return f"{head}{blank}{last}"
    if last.endswith("ies") and len(last) > 4:
        return f"{head}{blank}{last[:-3]}y"
    return f"{head}{blank}{last[:-1]}" if re.search("[^siu]s$", last) else f"{head}{blank}{last}"


def _step(home: Schema, node: Schema, step: Step) -> Iterator[tuple[Schema, Any]]:
    if isinstance(step, int):
        first = node.get("prefixItems", [])
        if step < len(first):
            yield home, first[step]
        elif "items" in node:
            yield home, node["items"]
    elif step in node.get("properties", {}):
        yield home, node["properties"][step]
    elif "additionalProperties" in node:
        yield home, node["additionalProperties"]


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return TYPES["boolean"]
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object", type(None): "null"}
    return TYPES[names.get(type(value), "object")]


def _listed(values: Any) -> str:
    return ", ".join(str(v) if isinstance(v, str) else show(v) for v in values)


def _plain(name: str, value: Any, limit: Any) -> str:
    """Rules that need no more than their limit to be told; empty for the others."""
    size = len(value) if isinstance(value, str | list | dict) else 0
    match name:
        case "minLength" if limit == 1:
            return "it is empty; leave the field out instead."
        case "minLength":
            return f"{show(value)} has {size} characters; at least {limit} are needed."
        case "maxLength":
            return f"{show(value)} has {size} characters; at most {limit} are accepted."
        case "minimum":
            return f"{show(value)} is too small; {show(limit)} or more is accepted."
        case "maximum":
            return f"{show(value)} is too large; {show(limit)} or less is accepted."
        case "minItems":
            return f"it has {size} entries; at least {limit} are needed."
        case "maxItems":
            return f"it has {size} entries; at most {limit} are accepted."
        case "uniqueItems":
            return "it holds the same entry twice; keep one of the two."
        case _:
            return ""
