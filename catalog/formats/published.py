"""The published document itself, as JSON: what every other format is made from.

Its things carry their public names, and it names the context that reads it as RDF: this service's own copy, which
anybody can follow.
"""

from __future__ import annotations

import orjson

import contexts
from catalog.formats.reading import Thing
from catalog.publishing.iris import with_public_iris
from catalog.publishing.site import Site


def render(value: Thing, site: Site) -> bytes:
    """The document with its context."""
    context = f"{site.base_url}/contexts/{contexts.RECORD}/{contexts.VERSION}.jsonld"
    named = {"@context": context, **with_public_iris(dict(value), site.base_url)}
    return orjson.dumps(named, option=orjson.OPT_INDENT_2) + b"\n"
