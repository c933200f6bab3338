"""RDF of a published document: quads from :mod:`catalog.graph`, written in one of its formats."""

from __future__ import annotations

from collections.abc import Callable

from catalog.formats.reading import Thing
from catalog.publishing.site import Site


def dcat(form: str) -> Callable[[Thing, Site], bytes]:
    """DCAT-AP 3: the dataset, its distributions, its record in the catalog."""

    def render(value: Thing, site: Site) -> bytes:
        # Here: a plain page does not pay for the RDF engine.
        from catalog.graph.quads import dcat as drawn
        from catalog.graph.serialising import text

        return text(drawn(value, site), form)

    return render


def prov(form: str) -> Callable[[Thing, Site], bytes]:
    """PROV-O: who did what with what, and what came of it."""

    def render(value: Thing, site: Site) -> bytes:
        from catalog.graph.quads import prov as drawn  # here: as above
        from catalog.graph.serialising import text

        return text(drawn(value, site), form)

    return render
