"""What PROV-O needs of a record besides what the ``prov`` context says; each function adds one thing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyoxigraph import NamedNode

from catalog.graph.drawing import Drawing
from catalog.graph.times import moment
from catalog.graph.vocabulary import FOAF, PROV, SCHEMA, SOSA
from catalog.publishing.iris import FILE

_USED: Final[Mapping[str, tuple[NamedNode, ...]]] = {
    "protocol_references": (PROV["Plan"], PROV["Entity"]),
    "scripts": (PROV["Plan"], PROV["Entity"]),
    "sample_identifiers": (SOSA["Sample"], PROV["Entity"]),
    "software_used": (SCHEMA["SoftwareApplication"], PROV["Entity"]),
}
"""What a run used, by the key it stands under."""


def complete(drawing: Drawing) -> None:
    """Everything below."""
    used(drawing)
    plans(drawing)
    times(drawing)
    agents(drawing)


def used(drawing: Drawing) -> None:
    """What a run used is a plan, a sample, a program; an input that is a file of the catalog is that file."""
    for run, node in drawing.runs():
        for key, types in _USED.items():
            for _, row in drawing.rows(run, key):
                drawing.type(row, *types)
        for each, row in drawing.rows(run, "inputs"):
            file = drawing.of(FILE, each.get("file_identifier"))
            drawing.type(file or row, PROV["Entity"])
            drawing.add(node, PROV["used"], file)


def plans(drawing: Drawing) -> None:
    """Who followed which protocol: each who took part, with the plan they had."""
    for run, node in drawing.runs():
        protocols = [row for _, row in drawing.rows(run, "protocol_references")]
        for number, (_, person) in enumerate(drawing.rows(run, "experimenters"), 1):
            association = drawing.within(f"association-{number}", node)
            drawing.add(node, PROV["qualifiedAssociation"], association)
            drawing.type(association, PROV["Association"])
            drawing.add(association, PROV["agent"], person)
            for protocol in protocols:
                drawing.add(association, PROV["hadPlan"], protocol)


def times(drawing: Drawing) -> None:
    """The days of a run: PROV has moments only."""
    for run, node in drawing.runs():
        days = run.get("experiment_dates")
        if isinstance(days, Mapping):
            drawing.add(node, SCHEMA["startDate"], moment(days.get("start")))
            drawing.add(node, SCHEMA["endDate"], moment(days.get("end")))


def agents(drawing: Drawing) -> None:
    """The wider class of people and organizations, in the words of PROV-O and of FOAF."""
    wider = {
        PROV["Person"]: (PROV["Agent"],),
        PROV["Organization"]: (PROV["Agent"],),
        FOAF["Person"]: (PROV["Person"], PROV["Agent"]),
        FOAF["Organization"]: (PROV["Organization"], PROV["Agent"]),
    }
    for quad in drawing.read:
        if isinstance(quad.object, NamedNode) and isinstance(quad.subject, NamedNode):
            drawing.type(quad.subject, *wider.get(quad.object, ()))
