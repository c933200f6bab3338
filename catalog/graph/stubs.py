"""What authority lists name, with its label, type and list: a harvester has only our graph to look in. Pure."""

from __future__ import annotations

from pyoxigraph import NamedNode

from catalog.graph import authorities
from catalog.graph.drawing import Drawing
from catalog.graph.values import named, text
from catalog.graph.vocabulary import DCAT, DCT, RDFS, SKOS, TYPE

_LICENCE, _ROLE = DCT["LicenseDocument"].value, DCAT["hadRole"]


def stubs(drawing: Drawing) -> None:
    """A typed, labelled stub for each IRI of an authority list that the record names."""
    seen: set[str] = set()
    for quad in list(drawing.so_far()):
        other = quad.object
        if not isinstance(other, NamedNode) or other.value in seen or quad.predicate == TYPE:
            continue
        seen.add(other.value)
        known = authorities.entry(other.value)
        if known is not None:
            _add(drawing, other, known)
    for quad in list(drawing.so_far()):
        if quad.predicate == _ROLE and isinstance(quad.object, NamedNode):
            drawing.type(quad.object, DCAT["Role"])


def _add(drawing: Drawing, node: NamedNode, known: authorities.Entry) -> None:
    label = text(known.label, "en")
    drawing.type(node, *(NamedNode(each) for each in known.types))
    if known.scheme:
        drawing.add(node, SKOS["inScheme"], named(known.scheme))
        drawing.add(node, SKOS["prefLabel"], label)
    elif _LICENCE in known.types:
        drawing.add(node, DCT["title"], label)
    else:
        drawing.add(node, RDFS["label"], label)
