"""Defects planted into a record that is as DCAT-AP wants it: the official shapes report each, and our words name it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from catalog.graph import feeds, shacl, violations
from catalog.graph.vocabulary import DCAT, DCT, FOAF, SKOS, SPDX, TYPE, XSD
from tests.catalog.graph.graphs import SITE
from tests.catalog.publishing import example
from tests.conformance import official, variants

pytestmark = official.needed

DATASET = NamedNode(f"{SITE.base_url}/id/dataset/{example.DATASET}")
RECORD = NamedNode(f"{SITE.base_url}/id/record/{example.DATASET}")
CATALOG = NamedNode(f"{SITE.base_url}/id/catalog")
FILE = NamedNode(f"{SITE.base_url}/id/file/5d4c3b2a-1f0e-4d9c-8b7a-000000000001")
CHECKSUM = NamedNode(f"{FILE.value}#sha256")
SERVICE = NamedNode(f"{CATALOG.value}#sparql")
BROWN = NamedNode("https://ror.org/05gq02987")
STEWARD = NamedNode(f"{SITE.base_url}/id/agent/4e8a1c7d-2b3f-4d6e-9a0b-1c2d3e4f5a6b")
PERIOD = NamedNode(f"{DATASET.value}#temporal_coverage")
SERIES = NamedNode(f"{SITE.base_url}/id/project/{example.PROJECT}#datasets")
DOI = NamedNode(f"{DATASET.value}#doi")
OTHER = NamedNode("https://example.org/other")
TEXT = Literal("a plain text")

Change = Callable[[list[Quad]], list[Quad]]


def without(subject: NamedNode, predicate: NamedNode) -> Change:
    def change(drawn: list[Quad]) -> list[Quad]:
        left = [each for each in drawn if (each.subject, each.predicate) != (subject, predicate)]
        assert len(left) < len(drawn), "nothing was taken away"
        return left

    return change


def more(subject: NamedNode, predicate: NamedNode, value: NamedNode | Literal) -> Change:
    return lambda drawn: [*drawn, Quad(subject, predicate, value)]


def instead(subject: NamedNode, predicate: NamedNode, value: NamedNode | Literal) -> Change:
    return lambda drawn: more(subject, predicate, value)(without(subject, predicate)(drawn))


# Defect → how it is planted, and what its sentence says.
DEFECTS: dict[str, tuple[Change, str]] = {
    "a dataset without a title": (without(DATASET, DCT["title"]), "no Dataset title (dct:title)"),
    "a dataset without a description": (without(DATASET, DCT["description"]), "no Abstract (dct:description)"),
    "a title that is an address": (instead(DATASET, DCT["title"], OTHER), "where a text is needed"),
    "two publishers": (more(DATASET, DCT["publisher"], OTHER), "more than one of"),
    "a publisher that is a text": (instead(DATASET, DCT["publisher"], TEXT), "'a plain text'"),
    "a publisher nobody described": (instead(DATASET, DCT["publisher"], OTHER), "foaf:Agent"),
    "two access rights": (more(DATASET, DCT["accessRights"], OTHER), "more than one of"),
    "a contact that is a text": (instead(DATASET, DCAT["contactPoint"], TEXT), "'a plain text'"),
    "a record issued on a day that is none": (
        instead(RECORD, DCT["issued"], Literal("yesterday", datatype=XSD["date"])),
        "dct:issued",
    ),
    "a landing page that is a text": (instead(DATASET, DCAT["landingPage"], TEXT), "'a plain text'"),
    "a file without an access address": (without(FILE, DCAT["accessURL"]), "no "),
    "a size that is a text": (instead(FILE, DCAT["byteSize"], TEXT), "xsd:nonNegativeInteger"),
    "a size as an integer of another kind": (
        instead(FILE, DCAT["byteSize"], Literal("12", datatype=XSD["integer"])), "xsd:nonNegativeInteger"
    ),
    "two media types": (more(FILE, DCAT["mediaType"], OTHER), "more than one of Media type"),
    "a licence that is a text": (instead(FILE, DCT["license"], Literal("CC-BY-4.0")), "'CC-BY-4.0'"),
    "two checksums": (more(FILE, SPDX["checksum"], OTHER), "more than one of Checksum"),
    "a checksum without a value": (without(CHECKSUM, SPDX["checksumValue"]), "no "),
    "a checksum without an algorithm": (without(CHECKSUM, SPDX["algorithm"]), "no "),
    "a checksum value that is no hexadecimal number": (
        instead(CHECKSUM, SPDX["checksumValue"], Literal("xyz")), "'xyz'"
    ),
    "an agent without a name": (without(BROWN, FOAF["name"]), "no "),
    "a contact nobody says is one": (without(STEWARD, TYPE), "vcard:Kind"),
    "a series without a title": (without(SERIES, DCT["title"]), "no "),
    "a record about nothing": (without(RECORD, FOAF["primaryTopic"]), "no "),
    "a record that was never changed": (without(RECORD, DCT["modified"]), "no "),
    "a catalog without a title": (without(CATALOG, DCT["title"]), "no "),
    "a catalog without a publisher": (without(CATALOG, DCT["publisher"]), "no "),
    "a service without an address": (without(SERVICE, DCAT["endpointURL"]), "no "),
    "an identifier with two notations": (more(DOI, SKOS["notation"], TEXT), "more than one of"),
    "a time with two ends": (
        more(PERIOD, DCAT["endDate"], Literal("2027-01-01", datatype=XSD["date"])), "more than one of"
    ),
}  # fmt: skip


@cache
def sound() -> tuple[Quad, ...]:
    return tuple(feeds.catalog_page([variants.composed()], SITE, 1, 1, 1))


def reported(drawn: list[Quad]) -> str:
    """The sentences of everything violated."""
    said: list[str] = []
    for name in official.ALL:
        results = shacl.validate(drawn, official.shapes(name)).violations
        report = shacl.Report(tuple(each for each in results if not official.is_known(each)))
        said += violations.sentences(report, drawn)
    return "\n".join(said)


def test_without_a_defect_nothing_is_reported() -> None:
    assert reported(list(sound())) == ""


def test_there_are_enough() -> None:
    assert len(DEFECTS) >= 20


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_reported(name: str) -> None:
    change, words = DEFECTS[name]
    assert words in reported(change(list(sound())))
