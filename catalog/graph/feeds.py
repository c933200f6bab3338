"""A page of the catalog for harvesters: the catalog, some of its records, and where the others are (Hydra). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad

from catalog.graph.catalog import SPARQL, Summary, catalog_quads
from catalog.graph.drawing import Value
from catalog.graph.quads import dcat
from catalog.graph.values import XSD
from catalog.graph.vocabulary import TYPE
from catalog.publishing.iris import uuid_of
from catalog.publishing.site import Site

_HYDRA: Final = "http://www.w3.org/ns/hydra/core#"


def catalog_page(values: Sequence[Value], site: Site, page: int, pages: int, total: int) -> list[Quad]:
    """The catalog with the records of one page, in DCAT-AP.

    Args:
        page: from 1 to ``pages``; total: how many records there are on all of them.
    """
    quads = catalog_quads(site, [_summary(each) for each in values], (SPARQL,))
    quads += [quad for each in values for quad in dcat(each, site)]
    quads += _turns(site, page, pages, total, quads[0].graph_name)
    return list(dict.fromkeys(quads))


def _summary(value: Value) -> Summary:
    return Summary(uuid_of(str(value.get("@id"))), str(value.get("last_modified_date", "")))


def _turns(site: Site, page: int, pages: int, total: int, graph: object) -> list[Quad]:
    """What Hydra says of this page and of those before and after it."""

    def at(number: int) -> NamedNode:
        return NamedNode(f"{site.base_url}/dcat/catalog?page={number}")

    node = at(page)
    number = Literal(str(total), datatype=NamedNode(XSD + "integer"))
    told = [
        (TYPE, NamedNode(f"{_HYDRA}PagedCollection")),
        (NamedNode(f"{_HYDRA}totalItems"), number),
        (NamedNode(f"{_HYDRA}firstPage"), at(1)),
        (NamedNode(f"{_HYDRA}lastPage"), at(pages)),
    ]
    told += [(NamedNode(f"{_HYDRA}previousPage"), at(page - 1))] if page > 1 else []
    told += [(NamedNode(f"{_HYDRA}nextPage"), at(page + 1))] if page < pages else []
    return [Quad(node, predicate, value, graph) for predicate, value in told]  # type: ignore[arg-type]
