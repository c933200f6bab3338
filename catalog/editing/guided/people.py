"""People and organizations that the records one may see already name, and the person who is signed in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from itertools import islice
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from catalog import rights
from catalog.editing.guided.agents import ORGANIZATION, PERSON, Agent, Mention, mentions, merged
from catalog.models import Document, Instrument, Profile

_IN_ONE_QUERY = 500
_MOST_KEPT = 20_000  # documents whose mentions stay in memory
_mentions: dict[str, Sequence[Mention]] = {}  # by the SHA-256 of a document's bytes: the same bytes, the same people
_filling = threading.Lock()


def known(by: rights.Rights, query: str = "", limit: int = 500, *, type_: str = "") -> Sequence[Agent]:
    """The people and organizations of the records someone may see, by name; ``type_`` narrows to one of the two.

    Those that no document tells to be a person or an organization are listed as both.
    """
    words = query.casefold().split()
    found = [
        each
        for each in _of(_stamps(by))
        if (not type_ or each.type in (type_, "")) and all(word in each.searched for word in words)
    ]
    if words:
        found.sort(key=lambda each: not each.searched.startswith(words[0]))
    return found[:limit]


def named(by: rights.Rights, token: str) -> Agent | None:
    """The agent a picker named, among those someone may see."""
    return next((each for each in _of(_stamps(by)) if each.token == token), None)


def me(user: AbstractBaseUser | AnonymousUser) -> dict[str, Any] | None:
    """The person behind an account as a document would name them, None while the profile has no name.

    Takes over the ``@id`` under which the records they may see know them already.
    """
    profile = Profile.objects.filter(user=user).first() if isinstance(user, User) else None
    if profile is None or not profile.name:
        return None
    affiliation = {"name": profile.affiliation, "ror": profile.affiliation_ror}
    value = {
        "@type": PERSON,
        "name": profile.name,
        "given_name": profile.given_name,
        "family_name": profile.family_name,
        "orcid": profile.orcid,
        "email": profile.email,
        "affiliations": [{"@type": ORGANIZATION, **_filled(affiliation)}] if profile.affiliation else [],
    }
    return {**_identity(rights.of(user), value), **_filled(value)}


def knows(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether :func:`me` has anything to say, without looking who it is."""
    return isinstance(user, User) and Profile.objects.filter(user=user).exclude(name="").exists()


def _filled(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in value.items() if each}


def _identity(by: rights.Rights, value: Mapping[str, Any]) -> dict[str, str]:
    for each in known(by, limit=_MOST_KEPT, type_=PERSON):
        same_orcid = value["orcid"] and each.value.get("orcid") == value["orcid"]
        same_mail = value["email"] and each.value.get("email") == value["email"]
        another = each.value.get("orcid") and value["orcid"] and not same_orcid
        if (same_orcid or (same_mail and each.value["name"] == value["name"] and not another)) and "@id" in each.value:
            return {"@id": str(each.value["@id"])}
    return {}


# --- what was read, kept for the next time ------------------------------------------------------------------------


def _stamps(by: rights.Rights) -> tuple[str, ...]:
    """The SHA-256 of every document in force that someone may see and that may name people."""
    rows = (
        by.projects().values_list("document__sha256", flat=True),
        by.datasets().values_list("administrative__sha256", flat=True),
        by.runs().values_list("document__sha256", flat=True),
        Instrument.objects.values_list("document__sha256", flat=True),
    )
    return tuple(sorted({each for some in rows for each in some if each}))


@lru_cache(maxsize=32)
def _of(stamps: tuple[str, ...]) -> Sequence[Agent]:
    with _filling:
        _read([each for each in stamps if each not in _mentions])
        found = [mention for each in stamps for mention in _mentions.get(each, ())]
        _forget(len(_mentions) - max(_MOST_KEPT, len(stamps)), set(stamps))
    return merged(found)


def _forget(number: int, needed: Set[str]) -> None:
    """Drops so many documents from memory, the oldest first, but none of those that are needed."""
    spare = (each for each in _mentions if each not in needed)
    for each in list(islice(spare, max(0, number))):
        del _mentions[each]


def _read(stamps: Sequence[str]) -> None:
    for some in _batches(stamps):
        rows = Document.objects.filter(sha256__in=some, value__isnull=False).values_list("sha256", "value")
        _mentions.update((sha256, mentions(value)) for sha256, value in rows if isinstance(value, dict))


def _batches(stamps: Sequence[str]) -> Iterator[Iterable[str]]:
    return (stamps[start : start + _IN_ONE_QUERY] for start in range(0, len(stamps), _IN_ONE_QUERY))
