"""Each format of the example, byte by byte, and read by somebody else's parser where there is one.

After a wanted change ``python -m tests.catalog.public.test_formats`` writes the golden files anew; read the difference.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from rocrate.rocrate import ROCrate

from catalog.formats import bibtex, cff, citing, csl, datacite, reading, ris, rocrate, schemaorg
from catalog.formats.table import FORMATS
from catalog.publishing.site import Site
from tests.catalog.publishing import example

GOLDEN = Path(__file__).with_name("golden")
CONFORMANCE = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "datacite-kernel-4.7" / "include"
SITE = Site(
    base_url="https://data.example.org",
    title="Research data of Example",
    description="What Example publishes.",
    publisher_name="Example University",
    publisher_iri="https://ror.org/05gq02987",
    language="en",
    theme_iri="",
    contact_email="desk@example.org",
)
RENDERED = {
    "schemaorg.jsonld": schemaorg.render,
    "datacite.json": datacite.render,
    "ro-crate-metadata.json": rocrate.render,
    "citation.bib": bibtex.render,
    "citation.ris": ris.render,
    "citation.csl.json": csl.render,
    "CITATION.cff": cff.render,
}


def value(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(example.published().value), **changes}


@pytest.mark.parametrize("name", RENDERED)
def test_the_example_is_rendered_as_it_was(name: str) -> None:
    assert RENDERED[name](value(), SITE).decode() == (GOLDEN / name).read_bytes().decode()


# --- dataset search ---------------------------------------------------------------------------------------------


def test_schema_org_meets_what_dataset_search_asks() -> None:
    """https://developers.google.com/search/docs/appearance/structured-data/dataset"""
    node = schemaorg.dataset(value(), SITE)
    assert node["@context"] == "https://schema.org/"
    assert node["@type"] == "Dataset"
    assert 50 <= len(node["description"]) <= 5_000
    for key in (
        "name", "license", "creator", "distribution", "identifier", "variableMeasured", "keywords", "spatialCoverage",
        "temporalCoverage", "funder", "isAccessibleForFree", "includedInDataCatalog", "version", "datePublished",
        "dateModified", "measurementTechnique", "sameAs", "url", "publisher",
    ):  # fmt: skip
        assert node[key], key
    assert isinstance(node["creator"], list)
    assert [each["name"] for each in node["creator"]] == ["Josiah Carberry", "Adaeze Okafor", "Carberry Laboratory"]
    for each in node["distribution"]:
        assert each["@type"] == "DataDownload"
        assert each["contentUrl"].startswith("https://data.example.org/id/file/")
        assert each["encodingFormat"]
    assert node["isAccessibleForFree"] is True
    for place in node["spatialCoverage"]:
        assert place["geo"]["@type"] in ("GeoCoordinates", "GeoShape")
    assert re.fullmatch(r"[\d-]+/[\d-]+", node["temporalCoverage"])


def test_a_short_abstract_is_followed_by_what_else_is_known_and_a_long_one_cut() -> None:
    short = schemaorg.dataset(value(dataset_abstract="Cells."), SITE)["description"]
    assert short.startswith("Cells.\n")
    assert len(short) >= 50
    assert len(schemaorg.dataset(value(dataset_abstract="x" * 9_000), SITE)["description"]) == 5_000


@pytest.mark.parametrize("level", ["restricted", "embargoed"])
def test_data_that_are_not_open_have_no_address_to_download_them(level: str) -> None:
    node = schemaorg.dataset(value(access_level=level), SITE)
    assert node["isAccessibleForFree"] is False
    assert not any("contentUrl" in each for each in node["distribution"])


def test_who_gets_the_data_is_said_in_words_in_a_list_and_as_a_day() -> None:
    told = {"access_level": "embargoed", "embargo_end_date": "2027-11-23", "access_conditions": "Ask us before."}
    node = schemaorg.dataset(value(**told), SITE)
    sentence = "The files are open from 2027-11-23 on. Ask us before."
    assert node["conditionsOfAccess"] == [sentence, "http://purl.org/coar/access_right/c_f1cf"]
    assert node["potentialAction"]["actionAccessibilityRequirement"]["availabilityStarts"] == "2027-11-23"
    graph = {each["@id"]: each for each in json.loads(rocrate.render(value(**told), SITE))["@graph"]}
    assert graph["./"]["conditionsOfAccess"] == node["conditionsOfAccess"]
    assert graph["./"]["isAccessibleForFree"] is False
    asked = graph[graph["./"]["potentialAction"]["@id"]]["actionAccessibilityRequirement"]
    assert graph[asked["@id"]]["availabilityStarts"] == "2027-11-23"
    closed = schemaorg.dataset(value(access_level="restricted", access_conditions="For research."), SITE)
    assert closed["conditionsOfAccess"][0] == "The files are given on request. For research."
    assert "potentialAction" not in closed
    gone = schemaorg.dataset(value(publication_state="withdrawn"), SITE)
    assert "conditionsOfAccess" not in gone


# --- citations --------------------------------------------------------------------------------------------------

ODD = "A {brace} & 50% of $x_1$ #1 ~ ^ \\end{document}\nER  - \r\nTI  - false\u202e\u0007\"'"


def test_the_citation_as_one_sentence() -> None:
    plain = value()
    del plain["recommended_citation"]
    assert citing.sentence(citing.of(plain, SITE)) == (
        "Carberry, Josiah; Okafor, Adaeze; Carberry Laboratory (2026): Images and cell counts of heat-shocked "
        "seedlings, replicate 1. Version 1.1. Brown University. https://doi.org/10.5072/heat-shock-1"
    )
    del plain["doi"]
    assert citing.sentence(citing.of(plain, SITE)).endswith(f" https://data.example.org/id/dataset/{example.DATASET}")


def test_bibtex_is_one_entry_whatever_the_title() -> None:
    text = bibtex.render(value(dataset_title=ODD), SITE).decode()
    depth = 0
    for position, character in enumerate(re.sub(r"\\[\\{}]", "..", text).rstrip()):
        depth += (character == "{") - (character == "}")
        assert depth > 0 or position < text.index("{") or position == len(text.rstrip()) - 1
    assert depth == 0
    assert len(re.findall(r"^@", text, re.MULTILINE)) == 1


def test_ris_has_one_tag_a_line_and_no_false_ones() -> None:
    lines = ris.render(value(dataset_title=ODD), SITE).decode().split("\r\n")
    assert lines[0] == "TY  - DATA"
    assert lines[-2:] == ["ER  - ", ""]
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines[:-1])
    assert sum(line.startswith("TI  - ") for line in lines) == 1


@pytest.mark.parametrize("title", [ODD, "no", "1.0", "- x", ": y", "🦠 \x85 \u2028 \ufeff", '"', "\\"])
def test_cff_is_yaml_that_says_the_same(title: str) -> None:
    read = yaml.safe_load(cff.render(value(dataset_title=title), SITE))
    assert read["title"] == citing.line(title)
    assert read["cff-version"] == "1.2.0"
    assert [each.get("family-names", each.get("name")) for each in read["authors"]] == [
        "Carberry", "Okafor", "Carberry Laboratory",
    ]  # fmt: skip
    assert read["authors"][0]["orcid"] == "https://orcid.org/0000-0002-1825-0097"
    assert read["date-released"] == "2026-11-21"


def test_csl_is_an_item_with_a_date_in_parts() -> None:
    item = json.loads(csl.render(value(), SITE))
    assert item["type"] == "dataset"
    assert item["issued"] == {"date-parts": [[2026, 11, 21]]}
    assert item["author"][2] == {"literal": "Carberry Laboratory"}


# --- RO-Crate ---------------------------------------------------------------------------------------------------


def test_the_crate_is_opened_by_somebody_elses_program(tmp_path: Path) -> None:
    (tmp_path / "ro-crate-metadata.json").write_bytes(rocrate.render(value(), SITE))
    crate = ROCrate(tmp_path)
    assert crate.name == value()["dataset_title"]
    assert [each["name"] for each in crate.root_dataset["author"]] == [
        "Josiah Carberry", "Adaeze Okafor", "Carberry Laboratory",
    ]  # fmt: skip
    files = [each for each in crate.get_entities() if each.type == "File"]
    assert len(files) == len(value()["file_descriptions"])
    runs = [each for each in crate.get_entities() if each.type == "CreateAction"]
    assert {each["name"] for each in runs} == {each["experiment_name"] for each in reading.runs(value())}
    for each in runs:
        assert each["instrument"]
        assert each["result"]


def test_every_reference_of_the_crate_leads_to_a_node_or_out_of_it() -> None:
    graph = json.loads(rocrate.render(value(), SITE))["@graph"]
    known = {node["@id"] for node in graph}
    assert len(known) == len(graph)
    for node in graph:
        for each in node.values():
            for reference in each if isinstance(each, list) else [each]:
                if isinstance(reference, dict):
                    assert set(reference) == {"@id"}
                    assert reference["@id"] in known | {"https://w3id.org/ro/crate/1.1"}


# --- DataCite ---------------------------------------------------------------------------------------------------


def test_datacite_has_every_mandatory_property() -> None:
    found = datacite.attributes(value(), SITE)
    for key in ("doi", "creators", "titles", "publisher", "publicationYear", "types", "url", "schemaVersion"):
        assert found[key], key
    assert found["publicationYear"] == 2026
    assert found["types"]["resourceTypeGeneral"] == "Dataset"
    for each in found["creators"]:
        assert each["name"]
        assert each["nameType"] in ("Personal", "Organizational")


@pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="the conformance material is not there")
def test_datacite_uses_the_kernels_own_words() -> None:
    found = datacite.attributes(value(alternative_titles=[{"title": "x"}], embargo_end_date="2027-01-01"), SITE)
    used = {
        "contributorType": {each["contributorType"] for each in found["contributors"]},
        "dateType": {each["dateType"] for each in found["dates"]},
        "descriptionType": {each["descriptionType"] for each in found["descriptions"]},
        "titleType": {each["titleType"] for each in found["titles"] if "titleType" in each},
        "relationType": {each["relationType"] for each in found["relatedIdentifiers"]},
        "relatedIdentifierType": {each["relatedIdentifierType"] for each in found["relatedIdentifiers"]},
        "resourceType": {found["types"]["resourceTypeGeneral"]},
        "nameType": {each["nameType"] for each in found["creators"]},
        "funderIdentifierType": {each["funderIdentifierType"] for each in found["fundingReferences"]},
    }
    for name, words in used.items():
        listed = "\n".join(path.read_text() for path in CONFORMANCE.glob(f"datacite-{name}-*.xsd"))
        known = set(re.findall(r'<xs:enumeration value="([^"]+)"', listed))
        assert known, name
        assert words, name
        assert words <= known, name


# --- odd values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [None, 0, "", "x", [], {}, [None], [{}], {"@id": 7}, [[[]]], True, 1e300])
def test_a_value_of_another_type_costs_its_own_place_only(odd: Any) -> None:
    for key in value():
        if key in ("@id", "@type"):
            continue
        changed = value(**{key: odd})
        for render in RENDERED.values():
            assert render(changed, SITE)


def test_every_format_stands_in_the_documentation() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "iris.md").read_text()
    listed = re.findall(r"(?m)^\| `\.([^`]+)` \| `([^`]+)` \| (?:`([^`]+)`)? *\|", text)
    assert listed == [(e.suffix, e.media_type, e.profile.token if e.profile else "") for e in FORMATS]


if __name__ == "__main__":
    import django

    django.setup()
    GOLDEN.mkdir(exist_ok=True)
    for file_name, write in RENDERED.items():
        (GOLDEN / file_name).write_bytes(write(value(), SITE))
