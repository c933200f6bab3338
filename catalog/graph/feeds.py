"""A page of the catalog for harvesters: the catalog, some of its records, and where the others are (Hydra). Pure."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad

from catalog.graph.catalog import SPARQL, Summary, catalog_quads
from catalog.graph.dcat import is_withdrawn
from catalog.graph.drawing import Value
from catalog.graph.quads import dcat
from catalog.graph.values import XSD
from catalog.graph.vocabulary import TYPE
from catalog.publishing.iris import uuid_of
from catalog.publishing.site import Site

log = logging.getLogger(__name__)

_HYDRA: Final = "http://www.w3.org/ns/hydra/core#"


def catalog_page(
    values: Sequence[Value], site: Site, page: int, pages: int, total: int, *, has_sparql: bool = True
) -> list[Quad]:
    """The catalog with the records of one page, in DCAT-AP.

    Args:
        page: from 1 to ``pages``; total: how many records there are on all of them;
            has_sparql: whether it can be asked by SPARQL.
    """
    drawn = [(each, quads) for each in values if (quads := _drawn(each, site)) is not None]
    quads = catalog_quads(site, [_summary(each) for each, _ in drawn], (SPARQL,) if has_sparql else ())
    quads += [quad for _, own in drawn for quad in own]
    quads += turns(f"{site.base_url}/dcat/catalog", page, pages, total, quads[0].graph_name)
    return list(dict.fromkeys(quads))


def _drawn(value: Value, site: Site) -> list[Quad] | None:
    """A record in DCAT-AP; None of one that cannot be drawn, which keeps no other from being told."""
    try:
        return dcat(value, site)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        log.error("%s is left out of the catalog's page, it cannot be drawn: %r", value.get("@id"), error)
        return None


def _summary(value: Value) -> Summary:
    return Summary(uuid_of(str(value.get("@id"))), str(value.get("last_modified_date", "")), is_withdrawn(value))


def turns(address: str, page: int, pages: int, total: int, graph: object) -> list[Quad]:
    """What Hydra says of this page and of those before and after it."""

    def at(number: int) -> NamedNode:
        return NamedNode(f"{address}?page={number}")

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
