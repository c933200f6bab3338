"""Values taken over into a form: a person or an instrument already known, or what the record above has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.http import HttpRequest

from catalog import rights
from catalog.editing import fields, guided, reading, settling
from catalog.editing.desk import Desk
from catalog.editing.fields import Field, Kind
from catalog.editing.guided import Choice, agents, data_files, inherited, instruments, people
from catalog.editing.opened import Opened
from catalog.editing.reading import IDENTITY, LIST, NEW, PICK, ROW, Filled

ME = "me"
_MOST = 12
_TYPES: Mapping[str, str] = {"person": agents.PERSON, "organization": agents.ORGANIZATION, "agent": ""}

# Guided kind of a field → the word of the address that suggests values for it.
SUGGESTED: Mapping[str, str] = {
    "person": "people",
    "organization": "organizations",
    "agent": "agents",
    "instrument": "instruments",
    "file": "files",
}

# Guided kind of what is picked by name → what a value of it is called.
NAMED: Mapping[str, Callable[[str], str]] = {"instrument": instruments.label}


def found(request: HttpRequest, desk: Desk, name: str, query: str) -> tuple[Choice, ...]:
    """What is known and matches what someone looks for, for one field."""
    field = settling.field_at(desk.tree.root, name)
    by = rights.of_request(request)
    query = query.replace("\x00", "")[:200]
    if field is None:
        return ()
    if field.guided in _TYPES:
        known = people.known(by, query, _MOST, type_=_TYPES[field.guided])
        return tuple(Choice(each.token, each.label, str(each.value.get("email", ""))) for each in known)
    if field.guided == "instrument":
        return tuple(instruments.known(query, _MOST))
    if field.guided == "file":
        return tuple(data_files.known(by, desk.target.dataset_identifier, query, _MOST))
    return tuple(guided.search(field.guided, query, _MOST))


def taken(request: HttpRequest, desk: Desk, filled: Filled, name: str, token: str) -> Filled:
    """The form with what was picked in its place; unchanged where it is not known."""
    field = settling.field_at(desk.tree.root, name)
    if field is None:
        return filled
    if field.kind in (Kind.GROUP, Kind.AGENT):
        value = _agent(request, token)
        return filled if value is None else put(filled, field, name, value)
    kept = {each: text for each, text in filled.items() if each != name + PICK}
    if field.kind is Kind.LINES:
        lines = [line for line in filled.get(name, "").splitlines() if line.strip() and line != token]
        return {**kept, name: "\n".join([*lines, token])}
    return {**kept, name: token} if field.is_leaf else filled


def dropped(desk: Desk, filled: Filled, name: str, token: str) -> Filled:
    """The form without one of the things that were picked."""
    field = settling.field_at(desk.tree.root, name)
    if field is None or not field.is_picked:
        return filled
    return {**filled, name: "\n".join(line for line in filled.get(name, "").splitlines() if line.strip() != token)}


def _agent(request: HttpRequest, token: str) -> Mapping[str, Any] | None:
    if token == ME:
        return people.me(request.user)
    agent = people.named(rights.of_request(request), token.replace("\x00", ""))
    return None if agent is None else agent.value


def put(filled: Filled, field: Field, name: str, value: Any) -> Filled:
    """The form with a whole field filled from a value that comes from elsewhere."""
    start = f"{name}/"
    kept = {each: text for each, text in filled.items() if not each.startswith(start) and each not in _own(name)}
    row = {name + ROW: filled[name + ROW]} if name + ROW in filled else {}
    new = {each: "" if each.endswith(ROW) else text for each, text in reading.fill_part(field, name, value).items()}
    return {**kept, **row, **new, **dict(_identities(field, name, value))}


def _own(name: str) -> tuple[str, ...]:
    return name, name + LIST, name + ROW, name + IDENTITY, name + PICK


def _identities(field: Field, name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The identity of each thing in a value: it comes along, so that a person stays one person."""
    if field.kind in (Kind.GROUP, Kind.AGENT) and isinstance(value, Mapping):
        if field.guided in _TYPES:
            yield name + IDENTITY, str(value.get("@id") or NEW)
        for each in field.fields:
            yield from _identities(each, fields.name(name, each.key), value.get(each.key))
    elif field.kind is Kind.ROWS and field.item is not None and reading.is_rows(value):
        for number, each in enumerate(value):
            yield from _identities(field.item, fields.name(name, number), each)


def offers(desk: Desk, base: Opened, filled: Filled) -> Mapping[str, inherited.Offer]:
    """What the record above has for this one, by the name of the field."""
    value = reading.read(desk.tree, filled, base.rows).value
    return inherited.offers(desk.target, value)


def inherit(desk: Desk, base: Opened, filled: Filled, name: str) -> Filled:
    """The form with a field as the record above has it."""
    offer = offers(desk, base, filled).get(name)
    field = settling.field_at(desk.tree.root, name)
    return filled if offer is None or field is None else put(filled, field, name, offer.value)
