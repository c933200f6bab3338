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
    seen: set[NamedNode] = set()
    roles: set[NamedNode] = set()
    for _, predicate, other, _ in list(drawing.so_far()):
        if not isinstance(other, NamedNode):
            continue
        if predicate == _ROLE and other not in roles:
            roles.add(other)
            drawing.type(other, DCAT["Role"])
        if other in seen or predicate == TYPE:
            continue
        seen.add(other)
        known = authorities.entry(other.value)
        if known is not None:
            _add(drawing, other, known)


def stub(drawing: Drawing, node: NamedNode | None) -> None:
    """The stub of one IRI, where it is of an authority list."""
    known = authorities.entry(node.value) if node is not None else None
    if node is not None and known is not None:
        _add(drawing, node, known)


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
