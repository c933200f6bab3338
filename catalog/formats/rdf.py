"""RDF of a published document: quads from :mod:`catalog.graph`, written in one of its formats."""

from __future__ import annotations

from collections.abc import Callable

from catalog.formats.reading import Thing
from catalog.publishing.site import Site


def dcat(form: str) -> Callable[[Thing, Site], bytes]:
    """DCAT-AP 3: the dataset, its distributions, its record in the catalog."""

    def render(value: Thing, site: Site) -> bytes:
        from catalog.graph import quads, serialising  # here: a plain page does not pay for the RDF engine

        return serialising.text(quads.dcat(value, site), form)

    return render


def prov(form: str) -> Callable[[Thing, Site], bytes]:
    """PROV-O: who did what with what, and what came of it."""

    def render(value: Thing, site: Site) -> bytes:
        from catalog.graph import quads, serialising  # here: as above

        return serialising.text(quads.prov(value, site), form)

    return render
