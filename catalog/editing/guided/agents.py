"""People and organizations as documents hold them: found, and told to be the same or not. Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ingest.minting import told_by_keys

PERSON, ORGANIZATION = "Person", "Organization"
# Key → the type of what stands there, alone or in a list; "" where it may be either.
_TYPED: Mapping[str, str] = {
    "principal_investigator": PERSON,
    "experimenters": PERSON,
    "publisher": ORGANIZATION,
    "institution": ORGANIZATION,
    "laboratory": ORGANIZATION,
    "funder": ORGANIZATION,
    "affiliations": ORGANIZATION,
    "owners": ORGANIZATION,
    "manufacturers": ORGANIZATION,
    "creators": "",
    "data_steward": "",
    "rights_holder": "",
    "access_contact": "",
    "agent": "",
}
_TEXTS = ("@id", "name", "given_name", "family_name", "orcid", "ror", "url", "email")
_LISTS = ("identifiers", "affiliations")


@dataclass(frozen=True)
class Agent:
    """A person or an organization to pick; ``value`` is what a document takes over, its ``@id`` included."""

    token: str
    label: str
    value: Mapping[str, Any]

    @property
    def type(self) -> str:
        """``Person``, ``Organization``, or empty where no document tells."""
        return str(self.value.get("@type", ""))

    @cached_property
    def searched(self) -> str:
        """What a search looks at, folded."""
        texts = [str(self.value.get(key, "")) for key in ("name", "given_name", "family_name", "email", "orcid", "ror")]
        return " ".join((*texts, *_affiliated(self.value))).casefold()


@dataclass(frozen=True)
class Mention:
    """An agent in a document that was last changed at ``written``."""

    written: str
    value: Mapping[str, Any]

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Equal keys, one agent: so that the many mentions of each are few before they are compared."""
        return tuple(_strong_keys(self.value)) or _name_key(self.value)

    @cached_property
    def age(self) -> tuple[str, int]:
        """Greater for the newer form, then for the fuller one."""
        return self.written, len(self.value)


def mentions(document: Mapping[str, Any]) -> Sequence[Mention]:
    """Every named person and organization of one document."""
    written = document.get("last_modified_date")
    stamp = written if isinstance(written, str) else ""
    return [Mention(stamp, value) for value in _within("", document)]


def _within(key: str, value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from _within(key, each)
    elif isinstance(value, dict):
        if key in _TYPED and (found := _taken(key, value)):
            yield found
        for inner, each in value.items():
            if isinstance(each, dict | list):
                yield from _within(inner, each)


def _taken(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The agent of a place without what belongs to that place alone; empty when it has no name."""
    texts = {k: v for k in _TEXTS if isinstance(v := value.get(k), str) and v.strip()}
    if "name" not in texts:
        return {}
    lists = {k: v for k in _LISTS if isinstance(v := value.get(k), list) and v}
    stated = value.get("@type")
    known = stated if stated in (PERSON, ORGANIZATION) else _TYPED[key] or told_by_keys(value)
    return {**({"@type": known} if known else {}), **texts, **lists}


def merged(found: Iterable[Mention]) -> Sequence[Agent]:
    """Each person and organization once, in its newest form, by name.

    The same are those of one ``@id``, ORCID or ROR; then those of one name, e-mail and affiliation, unless they have
    two ORCIDs or RORs.
    """
    newest: dict[tuple[str, ...], Mention] = {}
    for each in found:
        known = newest.setdefault(each.key, each)
        if each.age > known.age:
            newest[each.key] = each
    ordered = sorted(newest.values(), key=lambda each: each.age, reverse=True)
    groups = _joined([(each.value, _strong_keys(each.value)) for each in ordered])
    agents = [_agent(each) for each in _joined_by_name(groups)]
    return sorted(agents, key=lambda each: (each.label.casefold(), each.token))


def _joined(rows: Sequence[tuple[Mapping[str, Any], Sequence[str]]]) -> list[Mapping[str, Any]]:
    """The newest of each group of rows that share a key, directly or by others between them; newest first."""
    parent = list(range(len(rows)))

    def top(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[str, int] = {}
    for index, (_, keys) in enumerate(rows):
        for key in keys:
            one, other = sorted((top(first.setdefault(key, index)), top(index)))
            parent[other] = one  # the lower index is the newer form
    return [rows[index][0] for index in range(len(rows)) if top(index) == index]


def _joined_by_name(newest_first: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for value in newest_first:
        alike[_name_key(value)].append(value)
    kept = []
    for group in alike.values():
        known = [each for each in group if _authority(each)]
        kept += known or group[:1]
        if len(known) > 1:  # two people of one name: which of them the others mean, nobody can tell
            kept += [each for each in group if not _authority(each)][:1]
    return kept


def _strong_keys(value: Mapping[str, Any]) -> Sequence[str]:
    return [key for key in (value.get("@id"), _authority(value)) if key]


def _authority(value: Mapping[str, Any]) -> str:
    return str(value.get("orcid") or value.get("ror") or "")


def _name_key(value: Mapping[str, Any]) -> tuple[str, ...]:
    where = "" if value.get("email") else " ".join(_affiliated(value)).casefold()
    return str(value.get("@type")), str(value["name"]).casefold(), str(value.get("email", "")).casefold(), where


def _affiliated(value: Mapping[str, Any]) -> list[str]:
    listed = value.get("affiliations")
    rows = listed if isinstance(listed, list) else []
    return [each["name"] for each in rows if isinstance(each, dict) and isinstance(each.get("name"), str)]


def _agent(value: Mapping[str, Any]) -> Agent:
    identity = value.get("@id") or _authority(value) or "\n".join(_name_key(value))
    token = hashlib.sha256(str(identity).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Agent(token, label(value), value)


def label(value: Mapping[str, Any]) -> str:
    """A name with what tells its bearer from others of that name."""
    authority = _authority(value).rpartition("/")[2]
    return " · ".join(filter(None, (str(value["name"]), *_affiliated(value)[:1], authority or value.get("email"))))
