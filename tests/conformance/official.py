"""The official DCAT-AP 3.0.1 shapes, as their publisher gives them, and what is known of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import rdflib

from catalog.graph import shacl
from catalog.graph.shacl import Result, Shapes

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "dcat-ap-3.0.1"
needed = pytest.mark.skipif(not FOLDER.is_dir(), reason="the conformance material is not here")

FILES = (
    "shacl_dcat-ap-SHACL.ttl",
    "shacl_ranges.ttl",
    "html_shacl_shapes.ttl",
    "html_shacl_range.ttl",
    "html_shacl_mdr-vocabularies.shape.ttl",
    "html_shacl_deprecateduris.ttl",
    "html_shacl_shapes_recommended.ttl",
)
BASE = "shacl_dcat-ap-SHACL.ttl + shacl_ranges.ttl"
"""The two halves of one graph: each names property shapes that the other describes."""

# Property shapes that no file describes; pySHACL refuses a graph with such names, so they are left out by name.
UNDESCRIBED = (
    "dcat:DatasetShape/4918ff7a6c1c4b0eea6403dca4b992b87ee1f4ab",
    "dcat:DatasetShape/95c69c99a1e3ade043911b51b942f206dea0e68d",
    "dcat:DistributionShape/653804840386e33525b3d39d205c174780be414b",
    "dcat:DistributionShape/a07d6e7a0a1790b89a1ce7ff602cbbd9ea835282",
    "dcat:RelationshipShape/b7aa98e1befa5130659568aa62e7f38575dc17c1",
)

_SPDX = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"


def is_known(found: Result) -> bool:
    """The SPDX algorithm: the shape wants its IRI under https, while SPDX's own ontology has it under http."""
    return found.rule == "Pattern" and found.focus == _SPDX and found.asked == "^https://spdx.org/rdf/terms"


@cache
def shapes(name: str) -> Shapes:
    """One official file, or :data:`BASE`."""
    text = b"\n".join((FOLDER / each).read_bytes() for each in name.split(" + "))
    return shacl.read(text, name)


def targets(name: str) -> dict[str, str]:
    """Class a shape is about → the shape, of one file."""
    graph = shapes(name).graph
    found = graph.subject_objects(rdflib.URIRef(f"{shacl.SH}targetClass"))
    return {str(each): str(shape) for shape, each in found}


ALL = (*FILES, BASE)
