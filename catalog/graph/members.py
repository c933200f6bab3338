"""A data object with some of its files, in DCAT-AP: of a record with too many files to list, these documents have all.

Pure. Each page is the record as if it had this data object and these files only, so that what is said of a file is what
a smaller record says of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyoxigraph import Quad

from catalog.graph.drawing import Value
from catalog.graph.feeds import turns
from catalog.graph.quads import dcat, graph_name
from catalog.graph.values import named
from catalog.graph.vocabulary import DCT
from catalog.publishing.iris import DATA_OBJECT, public_iri, uuid_of
from catalog.publishing.site import Site


def data_object_page(
    value: Value, data_object: Value, files: Sequence[Value], site: Site, page: int, pages: int
) -> list[Quad]:
    """One page of a data object, and where the others are (Hydra).

    Args:
        value: the published document; data_object: one of its data objects; files: those of it on this page.
        page: from 1 to ``pages``.
    """
    members = [each["file_identifier"] for each in files]
    run = {key: each for key, each in data_object["experiment"].items() if key != "outputs"}
    one = {**data_object, "experiment": run, "file_identifiers": members}
    quads = dcat({**value, "data_objects": [one], "file_descriptions": list(files)}, site)
    graph = graph_name(site, uuid_of(str(value.get("@id"))))
    name = public_iri(site.base_url, DATA_OBJECT, data_object["data_object_identifier"])
    told = turns(name, page, pages, data_object["file_count"], graph)
    whole = named(name)
    if whole is not None and told:
        told.append(Quad(told[0].subject, DCT["isPartOf"], whole, graph))
    return list(dict.fromkeys([*quads, *told]))
