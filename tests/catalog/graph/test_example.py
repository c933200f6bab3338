"""The example of docs/linked-data.md is what the service writes."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph as ox

import catalog
from catalog.graph import quads as graphs
from tests.catalog.graph.graphs import SITE, published

PAGE = Path(catalog.__file__).resolve().parent.parent / "docs" / "linked-data.md"


def test_every_statement_of_the_example_is_in_the_graph() -> None:
    [example] = re.findall(r"```turtle\n(.*?)```", PAGE.read_text(), re.DOTALL)
    told = {quad.triple for quad in ox.parse(example, format=ox.RdfFormat.TURTLE)}
    assert len(told) > 15
    assert told <= {quad.triple for quad in graphs.dcat(published(), SITE)}
