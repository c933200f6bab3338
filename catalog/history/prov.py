"""The trail of a record as PROV-O in JSON-LD: an entity for each version, an activity for each action, their agents.

Pure. The names of people are given to those who may know them; for all others an agent is only a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from catalog.history.who import DISK, SERVICE, is_service

CONTEXT = {
    "prov": "http://www.w3.org/ns/prov#",
    "dct": "http://purl.org/dc/terms/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "prov:startedAtTime": {"@type": "xsd:dateTime"},
    "prov:endedAtTime": {"@type": "xsd:dateTime"},
    "prov:generatedAtTime": {"@type": "xsd:dateTime"},
    "prov:invalidatedAtTime": {"@type": "xsd:dateTime"},
}

# Who is no person → IRI, class and name.
_AGENTS: Mapping[str, tuple[str, str, str]] = {
    SERVICE: ("acct:service@fairfolder.invalid", "prov:SoftwareAgent", "Fairfolder"),
    DISK: ("acct:filesystem@fairfolder.invalid", "prov:Agent", "Changed on disk"),
}

Node = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One version of a document: what Git has of it, its own address, and what it says differently, in words."""

    address: str
    commit: str
    blob: str
    moment: str
    by: str
    subject: str
    reason: str = ""
    changes: Sequence[str] = field(default=())


def trail(
    record: str, title: str, steps: Sequence[Step], *, with_names: bool, acts: Sequence[Step] = ()
) -> dict[str, Any]:
    """A document's versions, the newest first, as JSON-LD.

    Args:
        record: the IRI of the record.
        acts: what was done with the record and made no version of it: publishing it, withdrawing it.
        with_names: whether the reader may know who people are.
    """
    graph: list[Node] = [{"@id": record, "@type": "prov:Entity", "rdfs:label": title}]
    for step, before in zip(steps, [*steps[1:], None], strict=True):
        graph += _step(record, step, before, with_names=with_names)
    graph += [_act(record, act, with_names=with_names) for act in acts]
    graph += _agents((step.by for step in (*steps, *acts)), with_names=with_names)
    return {"@context": CONTEXT, "@graph": graph}


def _step(record: str, step: Step, before: Step | None, *, with_names: bool) -> list[Node]:
    activity: Node = {
        "@id": f"{step.address}#action",
        "@type": "prov:Activity",
        "rdfs:label": step.subject if with_names else "A change of the record",
        "dct:identifier": f"swh:1:rev:{step.commit}",
        "prov:startedAtTime": step.moment,
        "prov:endedAtTime": step.moment,
        "prov:wasAssociatedWith": {"@id": _agent(step.by, with_names=with_names)[0]},
    }
    if step.reason and with_names:
        activity["dct:description"] = step.reason
    if before is not None and before.blob:
        activity["prov:used"] = {"@id": before.address}
    if not step.blob:  # it was removed: that makes no version, it ends the one before
        if before is None:
            return [activity]
        ended = {"prov:wasInvalidatedBy": {"@id": activity["@id"]}, "prov:invalidatedAtTime": step.moment}
        return [activity, {"@id": before.address, **ended}]
    entity: Node = {
        "@id": step.address,
        "@type": "prov:Entity",
        "prov:specializationOf": {"@id": record},
        "dct:identifier": f"swh:1:cnt:{step.blob}",
        "prov:generatedAtTime": step.moment,
        "prov:wasGeneratedBy": {"@id": activity["@id"]},
        "prov:wasAttributedTo": activity["prov:wasAssociatedWith"],
    }
    if step.changes:
        entity["dct:description"] = list(step.changes)
    if before is not None and before.blob:
        entity["prov:wasRevisionOf"] = {"@id": before.address}
    return [activity, entity]


def _act(record: str, act: Step, *, with_names: bool) -> Node:
    """What was done and when is public once it is done; only who did it is not for everybody."""
    return {
        "@id": act.address,
        "@type": "prov:Activity",
        "rdfs:label": act.subject,
        "dct:identifier": f"swh:1:rev:{act.commit}",
        "prov:startedAtTime": act.moment,
        "prov:endedAtTime": act.moment,
        "prov:wasAssociatedWith": {"@id": _agent(act.by, with_names=with_names)[0]},
        "prov:used": {"@id": record},
    }


def _agents(who: Iterable[str], *, with_names: bool) -> list[Node]:
    found = {}
    for by in who:
        identifier, type_, name = _agent(by, with_names=with_names)
        found[identifier] = {"@id": identifier, "@type": type_, "foaf:name": name}
    return list(found.values())


def _agent(by: str, *, with_names: bool) -> tuple[str, str, str]:
    """IRI, class and name of an agent."""
    if by in _AGENTS:
        return _AGENTS[by]
    if is_service(by):
        return _AGENTS[SERVICE]
    if not with_names:
        return "_:person", "prov:Person", "A person"
    return f"acct:{quote(by, safe='')}@users.fairfolder.invalid", "prov:Person", by
