"""Numbers, times, places and languages, one by one."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal

from catalog.graph import authorities
from catalog.graph.contexts import scope
from catalog.graph.dcat import coverage, described
from catalog.graph.drawing import Drawing
from catalog.graph.reading import fragment
from catalog.graph.times import moment
from catalog.graph.values import canonical_double, literal, named, text
from catalog.graph.vocabulary import XSD
from tests.catalog.graph.graphs import SITE


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.93, "9.3E-1"),
        (1e21, "1.0E21"),
        (-0.5, "-5.0E-1"),
        (1.5e-300, "1.5E-300"),
        (2.4, "2.4E0"),
        (0.1 + 0.2, "3.0E-1"),
    ],
)
def test_a_number_is_written_canonically(value: float, written: str) -> None:
    assert canonical_double(value) == written


@pytest.mark.parametrize(
    ("value", "lexical", "datatype"),
    [
        (5, "5", "integer"),
        (5.0, "5", "integer"),
        (0.5, "5.0E-1", "double"),
        (True, "true", "boolean"),
        (10**25, "1.0E25", "double"),
        ("5", "5", "string"),
    ],
)
def test_a_json_value_is_a_literal(value: object, lexical: str, datatype: str) -> None:
    assert literal(value) == Literal(lexical, datatype=XSD[datatype])


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), None, [], {}])
def test_what_json_does_not_have_is_no_literal(value: object) -> None:
    assert literal(value) is None


def test_what_is_no_iri_is_no_node() -> None:
    assert [named(each) for each in ("", "a", "a b", "http://a/<b>", "http://[::1")] == [None] * 5
    assert named("javascript:alert(1)") is not None  # an IRI it is: whoever draws a link looks at its scheme


def test_a_text_has_a_language_only_if_its_tag_is_one() -> None:
    assert text("a", "de-AT").language == "de-at"
    assert text("a", "no such").language is None
    assert text("a\ud800").value == "a\ufffd"


@pytest.mark.parametrize(
    ("value", "datatype"),
    [
        ("2026", "gYear"),
        ("2026-01", "gYearMonth"),
        ("2026-01-31", "date"),
        ("2026-01-31T12:00:00Z", "dateTime"),
        ("-0044-03-15", "date"),
    ],
)
def test_a_time_is_as_precise_as_it_is_known(value: str, datatype: str) -> None:
    assert moment(value) == Literal(value, datatype=XSD[datatype])


@pytest.mark.parametrize("value", ["", "soon", "2026-1", 2026, None, "2026-01-01 12:00"])
def test_what_is_no_time_is_none(value: object) -> None:
    assert moment(value) is None


def boxes(**sides: float) -> dict[str, str]:
    value = {"@id": "urn:uuid:0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "@type": "Dataset", "spatial_coverage": [sides]}
    drawing = Drawing(value, SITE, scope("dcat"))
    coverage(drawing)
    return {quad.predicate.value.rpartition("#")[2]: quad.object.value for quad in drawing.added()}


def test_a_box_is_well_known_text() -> None:
    found = boxes(west=-73.73, south=40.98, east=-66.89, north=47.46)
    assert found["bbox"].startswith("POLYGON((-73.73 40.98,-66.89 40.98,")
    assert found["centroid"] == "POINT(-70.31 44.22)"


def test_a_box_over_the_date_line_is_two() -> None:
    found = boxes(west=170, south=-10, east=-170, north=10)
    assert found["bbox"] == (
        "MULTIPOLYGON(((170 -10,180 -10,180 10,170 10,170 -10)),((-180 -10,-170 -10,-170 10,-180 10,-180 -10)))"
    )
    assert found["centroid"] == "POINT(180 0)"


def test_a_point_has_no_box_and_a_name_alone_has_neither() -> None:
    assert boxes(longitude=-71.41, latitude=41.82) == {"centroid": "POINT(-71.41 41.82)"}
    assert boxes(west=1, south=2) == {}
    assert boxes(longitude=True, latitude=1) == {}


def test_authorities_by_tag_and_media_type() -> None:
    assert authorities.language("de-CH") == f"{authorities.EU}language/DEU"
    assert authorities.language("x-klingon") == ""
    assert authorities.file_type("image/tiff") == f"{authorities.EU}file-type/TIFF"
    assert authorities.file_type("application/x-unknown") == ""
    entry = authorities.entry(f"{authorities.EU}access-right/PUBLIC")
    assert entry is not None
    assert (entry.label, entry.scheme) == ("public", f"{authorities.EU}access-right")
    role = authorities.entry("https://w3id.org/fairfolder/terms#role-DataCurator")
    assert role is not None
    assert role.label == "data curator"
    assert authorities.entry("https://example.org/x") is None


def test_fragments_are_safe_and_stable() -> None:
    assert fragment("checksum", {"algorithm": "sha256"}) == "sha256"
    assert fragment("checksum", {"algorithm": "a b"}) == "checksum"
    assert fragment("funding", {}, 2) == "funding-2"
    assert fragment("a b/<ü>", {}) == "a%20b%2F%3C%C3%BC%3E"


def test_a_file_nobody_described_is_described() -> None:
    assert described({"format": {"name": "TIFF"}, "size_bytes": 4194304}) == "TIFF file, 4,194,304 bytes"
    assert described({"mime_type": "text/csv"}) == "text/csv file"
    assert described({}) == "Data file"
