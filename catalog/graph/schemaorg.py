"""What schema.org needs of a record besides what the ``schemaorg`` context says; each function adds one thing. Pure.

A page embeds schema.org rendered from the document, where the order of creators is; this is the same as a graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pyoxigraph import NamedNode

from catalog.graph.dcat import is_open, landing_page
from catalog.graph.drawing import Drawing, Value
from catalog.graph.values import literal, named
from catalog.graph.vocabulary import SCHEMA
from catalog.publishing.iris import FILE

RELATIONS: Final[Mapping[str, NamedNode]] = {
    "Cites": SCHEMA["citation"], "References": SCHEMA["citation"], "IsDerivedFrom": SCHEMA["isBasedOn"],
    "IsPartOf": SCHEMA["isPartOf"], "HasPart": SCHEMA["hasPart"], "IsDocumentedBy": SCHEMA["subjectOf"],
    "IsSupplementTo": SCHEMA["subjectOf"], "IsCitedBy": SCHEMA["subjectOf"],
}  # fmt: skip
"""What schema.org calls a DataCite relation; it has no word for the others."""

_TYPES: Final[Mapping[NamedNode, NamedNode]] = {
    SCHEMA["spatialCoverage"]: SCHEMA["Place"],
    SCHEMA["funding"]: SCHEMA["Grant"],
    SCHEMA["model"]: SCHEMA["ProductModel"],
    SCHEMA["subjectOf"]: SCHEMA["CreativeWork"],
    SCHEMA["citation"]: SCHEMA["CreativeWork"],
    SCHEMA["includedInDataCatalog"]: SCHEMA["DataCatalog"],
}


def complete(drawing: Drawing) -> None:
    """Everything below, types last."""
    access(drawing)
    names(drawing)
    coverage(drawing)
    relations(drawing)
    files(drawing)
    catalog(drawing)
    types(drawing)


def access(drawing: Drawing) -> None:
    """Whether it costs nothing to have the data: no price is ever asked, but a restricted one is not had by asking."""
    if drawing.value.get("access_level"):
        drawing.add(drawing.dataset, SCHEMA["isAccessibleForFree"], literal(is_open(drawing.value)))
    drawing.add(drawing.dataset, SCHEMA["url"], landing_page(drawing))


def names(drawing: Drawing) -> None:
    """Other titles, in their languages."""
    for each in drawing.value.get("alternative_titles") or ():
        if isinstance(each, Mapping):
            drawing.add(drawing.dataset, SCHEMA["alternateName"], drawing.text(each.get("title"), each.get("language")))


def coverage(drawing: Drawing) -> None:
    """The time as an interval of ISO 8601, ``..`` where it is open; places as shapes, latitude first."""
    told = drawing.value.get("temporal_coverage")
    if isinstance(told, Mapping) and (told.get("start") or told.get("end")):
        interval = f"{told.get('start') or '..'}/{told.get('end') or '..'}"
        drawing.add(drawing.dataset, SCHEMA["temporalCoverage"], literal(interval))
    for number, (place, node) in enumerate(drawing.rows(drawing.value, "spatial_coverage"), 1):
        _shape(drawing, place, node, drawing.within(f"shape-{number}"))


def relations(drawing: Drawing) -> None:
    """Each relation schema.org has a word for."""
    for each in drawing.value.get("related_identifiers") or ():
        if not isinstance(each, Mapping):
            continue
        predicate = RELATIONS.get(str(each.get("relation")))
        other = named(str(each.get("iri") or ""))
        if predicate is not None and other is not None:
            drawing.add(drawing.dataset, predicate, other)
            drawing.add(other, SCHEMA["name"], drawing.text(each.get("title"), ""))


def files(drawing: Drawing) -> None:
    """Where a file is had from, if anybody may have it."""
    if is_open(drawing.value):
        for each, node in drawing.files():
            if each.get("state", "present") == "present":
                drawing.add(node, SCHEMA["contentUrl"], drawing.of(FILE, each.get("file_identifier")))


def catalog(drawing: Drawing) -> None:
    """The catalog it is in."""
    whole = named(f"{drawing.base}/id/catalog")
    drawing.add(drawing.dataset, SCHEMA["includedInDataCatalog"], whole)
    drawing.add(whole, SCHEMA["name"], drawing.text(drawing.site.title, drawing.site.language))


def types(drawing: Drawing) -> None:
    """What a thing is because of where it stands."""
    for quad in list(drawing.so_far()):
        type_ = _TYPES.get(quad.predicate)
        if isinstance(quad.object, NamedNode):
            if type_ is not None:
                drawing.type(quad.object, type_)
            elif quad.predicate == SCHEMA["keywords"]:
                drawing.type(quad.object, SCHEMA["DefinedTerm"])
            elif quad.predicate in (SCHEMA["identifier"], SCHEMA["additionalProperty"]):
                drawing.type(quad.object, SCHEMA["PropertyValue"])
    for run, _ in drawing.runs():
        for _, program in drawing.rows(run, "software_used"):
            drawing.type(program, SCHEMA["SoftwareApplication"])


def _shape(drawing: Drawing, place: Value, node: NamedNode, shape: NamedNode | None) -> None:
    sides = [_plain(place.get(side)) for side in ("south", "west", "north", "east")]
    if all(sides):
        drawing.add(node, SCHEMA["geo"], shape)
        drawing.type(shape, SCHEMA["GeoShape"])
        drawing.add(shape, SCHEMA["box"], literal(" ".join(sides)))
        return
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if _plain(latitude) and _plain(longitude):
        drawing.add(node, SCHEMA["geo"], shape)
        drawing.type(shape, SCHEMA["GeoCoordinates"])
        drawing.add(shape, SCHEMA["latitude"], literal(latitude))
        drawing.add(shape, SCHEMA["longitude"], literal(longitude))


def _plain(value: Any) -> str:
    """A number as it is written; "" for what is none."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
