"""Records and catalogs held against the official DCAT-AP 3.0.1 shapes: no violation; every warning is known."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pyoxigraph
import pytest
from django.test import Client
from pyoxigraph import Quad

from catalog.graph import feeds, quads, shacl, violations
from catalog.graph.catalog import API, OAI, SPARQL, Summary, catalog_quads
from catalog.graph.prefixes import PREFIXES
from catalog.graph.shacl import Report, Result
from catalog.graph.vocabulary import TYPE
from tests.catalog.demo.shown import publish_demo
from tests.catalog.described import Described
from tests.catalog.graph.graphs import SITE
from tests.conformance import generated, official, variants

pytestmark = official.needed

# Classes that a shape is about and that no record of ours has, each with the reason.
NO_TARGET = {
    "http://purl.org/dc/terms/Frequency": "a published dataset does not change: it has versions",
    "http://data.europa.eu/eli/ontology#LegalResource": "no law obliges anybody to publish research data here",
    "http://www.w3.org/ns/locn#Geometry": "places are given as boxes and points, which DCAT-AP prefers",
    "http://www.w3.org/ns/odrl/2/Policy": "licences are given as licences",
    "http://www.w3.org/2006/time#Instant": "times have dates, not instants of the time ontology",
    "http://www.w3.org/2000/01/rdf-schema#Literal": "no node can be one",
    "http://www.w3.org/ns/dcat#Resource": "is said by each of its kinds",
}

# Recommendations that our records do not follow, each with the reason; docs/shacl.md lists them.
ADVICE = {
    ("agent", "dct:type"): "ADMS's list of kinds of publishers is about administrations",
    ("person", "dct:type"): "ADMS's list of kinds of publishers is about administrations",
    ("organization", "dct:type"): "ADMS's list of kinds of publishers is about administrations",
    ("contact", "dct:type"): "ADMS's list of kinds of publishers is about administrations",
    ("licence", "dct:type"): "of most licences nobody says which of ADMS's kinds they are",
    ("catalog", "dct:issued"): "nothing says when the catalog began",
    ("catalog", "dct:license"): "under which licence the metadata are is not a setting yet",
    ("catalog", "dct:spatial"): "research data are from everywhere",
    ("service", "dcat:servesDataset"): "it answers with records, not with the data",
    ("series", "dcat:contactPoint"): "each dataset of it has its own",
    ("catalog record", "adms:status"): "the record itself says whether the dataset is withdrawn",
    ("period", "dcat:endDate"): "of a run of one day only the start is asked",
    ("place", "dcat:bbox"): "a point has no box",
    ("place", "dcat:centroid"): "a place may be known by its name only",
    ("dataset", "dcat:contactPoint"): "a withdrawn dataset has none",
    ("dataset", "dcat:distribution"): "a withdrawn dataset has none",
    ("dataset", "dcat:keyword"): "a withdrawn dataset has none",
    ("dataset", "dct:spatial"): "not every dataset is of a place",
    ("dataset", "dct:temporal"): "not every dataset is of a time",
    ("dataset", "dct:publisher"): "confidential by now: not even the publisher is told",
    ("file", "dct:format"): "the EU's list has not every format of science",
    ("file", "dcatap:availability"): "said of what anybody may have only",
    # Lists that DCAT-AP recommends; what stands in none of them has no entry there.
    ("term", "skos:inScheme"): "a subject is in the list it is from",
    ("agent", "skos:inScheme"): "a university is no corporate body of the EU's list",
    ("organization", "skos:inScheme"): "a university is no corporate body of the EU's list",
    ("place", ""): "the EU's lists have countries and cities, not every place of research",
}


def found(drawn: list[Quad], names: Iterable[str] = official.ALL) -> list[Result]:
    """Every violation but the known one, and every warning, by all the files."""
    reports = [shacl.validate(drawn, official.shapes(name)) for name in names]
    return [each for report in reports for each in report.results if not official.is_known(each)]


def violated(drawn: list[Quad]) -> list[str]:
    report = Report(tuple(each for each in found(drawn) if each.severity == shacl.VIOLATION))
    return violations.sentences(report, drawn)


@pytest.mark.parametrize("name", variants.VARIANTS)
def test_a_record_violates_nothing(name: str) -> None:
    """The record alone, and the catalog with it as a harvester gets it."""
    value = variants.VARIANTS[name]()
    other = variants.renamed(variants.composed(), variants.OTHER)
    assert violated(feeds.catalog_page([value, other], SITE, 1, 1, 2)) == []
    if name != "another version of ours":  # the other has to be there to be seen to be a dataset
        assert violated(quads.dcat(value, SITE)) == []


def test_what_the_store_holds_of_a_record_violates_nothing() -> None:
    assert violated(quads.record_quads(variants.composed(), SITE)) == []


@pytest.fixture(scope="module")
def whole() -> list[Quad]:
    values = variants.whole()
    summaries = [Summary(each["dataset_identifier"], each["last_modified_date"]) for each in values]
    return [*generated.catalog(values), *catalog_quads(SITE, summaries, (SPARQL, OAI, API))]


def test_a_whole_catalog_with_every_service_violates_nothing(whole: list[Quad]) -> None:
    assert violated(whole) == []


def test_generated_catalogs_violate_nothing(rng: random.Random, count: Callable[[int, int], int]) -> None:
    for number in range(count(2, 100)):
        assert violated(generated.generated(rng)) == [], f"catalog {number}"


@pytest.mark.django_db
def test_the_whole_catalog_of_the_demonstration_violates_nothing(described: Described, client: Client) -> None:
    """As a harvester gets it: open, restricted, embargoed and withdrawn."""
    publish_demo(described)
    answer = client.get("/dcat/catalog?format=nq")
    drawn = list(pyoxigraph.parse(answer.content, format=pyoxigraph.RdfFormat.N_QUADS))
    assert violated(drawn) == []


@pytest.mark.parametrize("name", official.ALL)
def test_every_shape_has_a_target(name: str, whole: list[Quad]) -> None:
    """A shape that is about nothing would prove nothing."""
    there = {getattr(each.object, "value", "") for each in whole if each.predicate == TYPE}
    assert set(official.targets(name)) - there <= set(NO_TARGET), "say why"


def test_no_shape_is_excused_that_has_a_target(whole: list[Quad]) -> None:
    there = {getattr(each.object, "value", "") for each in whole if each.predicate == TYPE}
    assert there & set(NO_TARGET) == set()


def test_the_undescribed_property_shapes_are_those_that_are_known() -> None:
    """What pySHACL refuses `shacl_ranges.ttl` and `shacl_dcat-ap-SHACL.ttl` for: they ask nothing, and are left out."""
    names = [each.partition("3.0.1#")[2] for each in official.shapes(official.BASE).undescribed]
    assert names == sorted(official.UNDESCRIBED)


def test_advice_is_known_and_has_a_reason(whole: list[Quad]) -> None:
    things = violations.Things(whole)
    told = Counter(
        (things.kind(each.focus), _short(each.path)) for each in found(whole) if each.severity != shacl.VIOLATION
    )
    assert set(told) - set(ADVICE) == set(), "say why, in docs/shacl.md too"
    assert set(ADVICE) - set(told) == set(), "no longer true"


def _short(iri: str) -> str:
    return next((f"{name}:{iri[len(base) :]}" for name, base in PREFIXES.items() if iri.startswith(base)), iri)


def test_the_documentation_lists_what_is_advised() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "shacl.md").read_text()
    rows = {tuple(row) for row in re.findall(r"(?m)^\| ([a-z ]+) \| (.+?) \| (.+) \|$", text)} - {
        ("thing", "property", "why")
    }
    assert rows == {(kind, f"`{path}`" if path else "what it is", why) for (kind, path), why in ADVICE.items()}
