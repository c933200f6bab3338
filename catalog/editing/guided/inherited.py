"""What a record may take over from the one above it: a dataset from its project, a run and a manifest from the dataset.

Nothing is taken over unasked: each offer is shown with its origin, and what a person wrote stands until they take it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.editing.guided.agents import PERSON
from catalog.editing.targets import Target
from catalog.models import Dataset, Project, value_of
from ingest.documents import ADMINISTRATIVE, EXPERIMENT, PROJECT, STRUCTURAL

_CONTACTS = ("DataManager", "DataCurator", "ContactPerson")
_AT_WORK = ("DataCollector", "Researcher", "ProjectMember", "WorkPackageLeader")
_SHOWN = 3


@dataclass(frozen=True)
class Offer:
    """A value of the record above, what it holds in words, and whether the record has the same now."""

    value: Any
    words: str
    same: bool


Source = Mapping[str, Any]


def offers(target: Target, value: Mapping[str, Any]) -> Mapping[str, Offer]:
    """What the record above has for this one, by pointer."""
    from_, source = _above(target)
    if not source:
        return {}
    return {
        f"/{key}": Offer(offered, f"From the {from_}: {_words(offered)}", _plain(value.get(key)) == _plain(offered))
        for key, take in _TABLES[target.kind].items()
        if (offered := take(source))
    }


def _above(target: Target) -> tuple[str, Source]:
    if target.kind == ADMINISTRATIVE:
        project = Project.objects.filter(identifier=target.project_identifier).select_related("document").first()
        return "project", value_of(project.document if project else None)
    if target.kind in (EXPERIMENT, STRUCTURAL):
        rows = Dataset.objects.filter(identifier=target.dataset_identifier).select_related("administrative")
        dataset = rows.first()
        return "dataset", value_of(dataset.administrative if dataset else None)
    return "", {}


# --- one function for each field ----------------------------------------------------------------------------------


def _same_key(key: str) -> Callable[[Source], Any]:
    return lambda source: source.get(key)


def _creators(project: Source) -> list[Any]:
    """The principal investigator, then those who contributed, each once, in their order."""
    return _each_once([*_agents([project.get("principal_investigator")]), *_contributing(project)])


def _steward(project: Source) -> Any:
    """The first contributor whose part is the data, and who can be written to."""
    return next((agent for agent in _contributing(project, _CONTACTS) if agent.get("email")), None)


def _experimenters(dataset: Source) -> list[Any]:
    """The people among the dataset's creators and those who collected it."""
    named = [*_agents(dataset.get("creators")), *_contributing(dataset, _AT_WORK)]
    return _each_once([each for each in named if each.get("@type") == PERSON])


def _contributing(source: Source, roles: Sequence[str] = ()) -> list[dict[str, Any]]:
    rows = source.get("contributors")
    listed = [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    return _agents([each.get("agent") for each in listed if not roles or each.get("role") in roles])


def _agents(values: Any) -> list[dict[str, Any]]:
    return [each for each in values if isinstance(each, dict) and each] if isinstance(values, list) else []


def _each_once(agents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: set[str] = set()
    kept = []
    for each in agents:
        keys = {str(each[key]) for key in ("@id", "orcid", "ror") if each.get(key)} or {str(each.get("name"))}
        if not keys & seen:
            kept.append(each)
        seen |= keys
    return kept


_TABLES: Mapping[str, Mapping[str, Callable[[Source], Any]]] = {
    PROJECT: {},
    ADMINISTRATIVE: {
        "creators": _creators,
        "contributors": _same_key("contributors"),
        "rights_holder": _same_key("institution"),
        "data_steward": _steward,
        "publisher": _same_key("institution"),
        "keywords": _same_key("keywords"),
        "funding": _same_key("funding"),
        "related_identifiers": _same_key("related_identifiers"),
        "metadata_language": _same_key("metadata_language"),
    },
    EXPERIMENT: {"experimenters": _experimenters, "metadata_language": _same_key("metadata_language")},
    STRUCTURAL: {"metadata_language": _same_key("metadata_language")},
}


# --- in words -----------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A value without the identities that saving adds."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key not in ("@id", "@type", "iri")}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _words(value: Any) -> str:
    """A value in a few words: names, the first of many."""
    rows = value if isinstance(value, list) else [value]
    said = [" ".join(_said(each)) for each in rows]
    named = ", ".join(each for each in said[:_SHOWN] if each)
    rest = len(rows) - _SHOWN
    return f"{named} and {rest} more" if rest > 0 else named


def _said(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield str(value)
        return
    inner = next((value[key] for key in ("agent", "funder") if isinstance(value.get(key), dict)), value)
    yield str(inner.get("name") or value.get("title") or value.get("identifier") or "")
    if isinstance(value.get("award_number"), str):
        yield value["award_number"]
