"""The published document as quads, in each vocabulary. Pure.

Everything lies in the record's named graph, ``<base>/id/record/<uuid>``. No node is blank.
"""

from __future__ import annotations

from pyoxigraph import NamedNode, Quad

from catalog.graph import dcat as dcat_functions
from catalog.graph import prov as prov_functions
from catalog.graph import schemaorg as schemaorg_functions
from catalog.graph.catalog import catalog_quads
from catalog.graph.contexts import scope
from catalog.graph.drawing import Drawing, Value
from catalog.publishing.iris import RECORD, public_iri
from catalog.publishing.site import Site

__all__ = ["catalog_quads", "dcat", "graph_name", "prov", "record_quads", "schemaorg", "terms"]


def graph_name(site: Site, uuid: str) -> NamedNode:
    """The named graph of a record."""
    return NamedNode(public_iri(site.base_url, RECORD, uuid))


def dcat(value: Value, site: Site) -> list[Quad]:
    """A record in DCAT-AP, its catalog record with it."""
    drawing = Drawing(value, site, scope("dcat"))
    dcat_functions.complete(drawing)
    dcat_functions.record(drawing)
    return drawing.quads()


def prov(value: Value, site: Site) -> list[Quad]:
    """A record in PROV-O: which runs made which files from what, with whom and what."""
    drawing = Drawing(value, site, scope("prov"))
    prov_functions.complete(drawing)
    return drawing.quads()


def schemaorg(value: Value, site: Site) -> list[Quad]:
    """A record in schema.org."""
    drawing = Drawing(value, site, scope("schemaorg"))
    schemaorg_functions.complete(drawing)
    return drawing.quads()


def terms(value: Value, site: Site) -> list[Quad]:
    """A record with all that is public of it, each key in the meaning the ``record`` context gives it."""
    return Drawing(value, site, scope("record")).quads()


def record_quads(value: Value, site: Site) -> list[Quad]:
    """What the store holds of a record: all that is public of it, DCAT-AP and PROV-O."""
    drawing = Drawing(value, site, scope("record"))
    prov_functions.complete(drawing)
    dcat_functions.complete(drawing)
    dcat_functions.record(drawing)
    return drawing.quads()
