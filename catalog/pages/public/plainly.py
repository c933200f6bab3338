"""Parts of a record as a reader wants them: a person is a name that leads somewhere, not a table of keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.formats import reading
from catalog.formats.reading import Thing, one, text, web

_AGENT_KEYS = ("orcid", "ror", "family_name")


def plainly(value: Any) -> Any:
    """A copy of a value in which people, places, terms, periods and programs stand in a line of their own."""
    if isinstance(value, list):
        return [plainly(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    for fits, say in _WAYS:
        if fits(value):
            return say(value)
    return {key: plainly(each) for key, each in value.items()}


def _link(words: str, address: str) -> Any:
    return {"label": words, "url": address} if address else words


def _is_agent(thing: Thing) -> bool:
    return thing.get("@type") in ("Person", "Organization") or any(key in thing for key in _AGENT_KEYS)


def _agent(agent: Thing) -> Any:
    return _link(reading.name(agent), next(filter(None, (web(agent.get(key)) for key in ("orcid", "ror", "url"))), ""))


def _contribution(thing: Thing) -> Any:
    agent = one(thing, "agent")
    role = words(text(thing, "role"))
    said = _agent({**agent, "name": f"{reading.name(agent)} ({role.lower()})" if role else reading.name(agent)})
    return said


def _term(thing: Thing) -> Any:
    return _link(text(thing, "term"), web(thing.get("iri")))


def _title(thing: Thing) -> Any:
    language = text(thing, "language")
    return f"{text(thing, 'title')} ({language})" if language else text(thing, "title")


def _period(thing: Thing) -> Any:
    start, end = text(thing, "start"), text(thing, "end")
    return f"{start} to {end}" if start and end and start != end else start or end


def _program(thing: Thing) -> Any:
    return _link(" ".join(filter(None, (text(thing, "name"), text(thing, "version")))), web(thing.get("url")))


def _place(thing: Thing) -> Any:
    sides = [("latitude", "longitude"), ("south", "west"), ("north", "east")]
    points = [f"{thing[a]:g}, {thing[b]:g}" for a, b in sides if _is_number(thing.get(a)) and _is_number(thing.get(b))]
    where = f" ({' to '.join(points)})" if points else ""
    return _link(f"{text(thing, 'place_name')}{where}".strip(), web(thing.get("iri")))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def words(camel: str) -> str:
    """``IsDocumentedBy`` → ``Is documented by``."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in camel).strip()
    return spaced[:1].upper() + spaced[1:]


_WAYS = (
    (lambda thing: "agent" in thing, _contribution),
    (_is_agent, _agent),
    (lambda thing: "term" in thing, _term),
    (lambda thing: "title" in thing and "identifier" not in thing, _title),
    (lambda thing: bool(thing) and set(thing) <= {"start", "end"}, _period),
    (lambda thing: "version" in thing and "name" in thing, _program),
    (lambda thing: bool({"place_name", "latitude", "south"} & set(thing)), _place),
)
