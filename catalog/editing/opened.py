"""What a form was made from, signed and carried by the form itself, so that a save knows what the person saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing

from catalog.editing.targets import Target
from ingest.documents import SYSTEM_KEYS
from ingest.records import Value


@dataclass(frozen=True)
class Opened:
    """People's part of a document at one version; ``etag`` is the store's over the same, ``stamp`` its last save.

    ``together``: what two versions made together and breaks a rule, where the form goes on with that.
    """

    etag: str
    people: Value
    stamp: str = ""
    together: Value | None = None

    @property
    def rows(self) -> Value:
        """The value that filled the form: the numbers of its rows are places in this one."""
        return self.people if self.together is None else self.together


def of(target: Target, etag: str, value: Mapping[str, Any]) -> Opened:
    """What someone sees who opens a form now."""
    return Opened(etag, people(target.kind, value), stamp(value))


def stamp(value: Mapping[str, Any]) -> str:
    """Who saved a document last and when: what an editor leaves as it is."""
    return f"{value.get('last_modified_by', '')} {value.get('last_modified_date', '')}"


def people(kind: str, value: Mapping[str, Any]) -> Value:
    """What belongs to people: all but the system's fields."""
    return {key: each for key, each in value.items() if key not in SYSTEM_KEYS[kind]}


def with_people(kind: str, value: Mapping[str, Any], own: Mapping[str, Any]) -> Value:
    """A document with people's part replaced; its keys keep their order, new ones come last."""
    system = SYSTEM_KEYS[kind]
    kept = {key: own.get(key, each) for key, each in value.items() if key in system or key in own}
    return {**kept, **{key: each for key, each in own.items() if key not in system}}


def sign(target: Target, opened: Opened) -> str:
    """The text a form carries."""
    told = {"etag": opened.etag, "people": opened.people, "stamp": opened.stamp}
    if opened.together is not None:
        told["together"] = opened.together
    return signing.dumps(told, salt=_salt(target), compress=True)


def unsign(target: Target, text: str) -> Opened | None:
    """What a form was made from; None when the text is not one this service gave out for this document."""
    try:
        told = signing.loads(text, salt=_salt(target))
    except signing.BadSignature:
        return None
    return Opened(told["etag"], told["people"], told.get("stamp", ""), told.get("together"))


def _salt(target: Target) -> str:
    return f"catalog.editing {target.kind} {target.identifier}"
