"""What each named function adds to a record, as golden files: a diff shows what has changed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from catalog.graph import dcat, prov, schemaorg
from catalog.graph.catalog import API, OAI, SPARQL, Summary, catalog_quads
from catalog.graph.contexts import scope
from catalog.graph.drawing import Drawing
from catalog.graph.stubs import stubs
from tests.catalog.graph.graphs import GOLDEN, SITE, lines, published

FUNCTIONS: dict[str, tuple[str, Callable[[Drawing], None]]] = {
    **{f"dcat-{f.__name__}": ("dcat", f) for f in (
        dcat.identity, dcat.texts, dcat.people, dcat.contact, dcat.instruments, dcat.rights, dcat.languages,
        dcat.coverage, dcat.relations, dcat.theme, dcat.series, dcat.files, dcat.types, dcat.record, stubs,
    )},
    **{f"prov-{f.__name__}": ("prov", f) for f in (prov.used, prov.plans, prov.times, prov.agents)},
    **{f"schemaorg-{f.__name__}": ("schemaorg", f) for f in (
        schemaorg.access, schemaorg.names, schemaorg.coverage, schemaorg.relations, schemaorg.files, schemaorg.catalog,
        schemaorg.types,
    )},
}  # fmt: skip


def check(name: str, found: str) -> None:
    """Compares with the golden file; ``WRITE_GOLDEN=1`` writes it anew."""
    path = GOLDEN / f"{name}.nt"
    if os.environ.get("WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found)
    assert found == path.read_text()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_function_adds(name: str) -> None:
    context, function = FUNCTIONS[name]
    drawing = Drawing(published(), SITE, scope(context))
    function(drawing)
    check(name, lines(drawing.added()))


def test_every_function_is_shown() -> None:
    """A function that ``complete`` calls and no golden file shows would add things nobody looked at."""
    for module in (dcat, prov, schemaorg):
        called = {name for name in module.complete.__code__.co_names if name != "complete"}
        shown = {f.__name__ for _, f in FUNCTIONS.values()} | {"files_of_data_objects", "withdrawal"}
        assert called <= shown


def test_a_record_that_lists_no_files_has_a_distribution_for_each_data_object() -> None:
    value = published()
    del value["file_descriptions"]
    drawing = Drawing(value, SITE, scope("dcat"))
    dcat.files_of_data_objects(drawing)
    check("dcat-files_of_data_objects", lines(drawing.added()))
    whole = Drawing(published(), SITE, scope("dcat"))
    dcat.files_of_data_objects(whole)
    assert whole.added() == []


def test_the_catalog_with_its_records_and_services() -> None:
    summary = Summary("0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "2026-11-23T05:24:05Z")
    check("catalog", lines(catalog_quads(SITE, [summary], [SPARQL, OAI, API])))
    assert "DataService" not in lines(catalog_quads(SITE, [summary]))


def test_relations_between_datasets_of_this_catalog_are_qualified_as_dcat_has_it() -> None:
    value = published()
    ours = f"{SITE.base_url}/id/dataset/7e1d2c3b-4a59-4687-9f0e-1d2c3b4a5968"
    value["related_identifiers"] = [{"identifier": ours, "scheme": "URL", "iri": ours, "relation": "IsNewVersionOf"}]
    drawing = Drawing(value, SITE, scope("dcat"))
    dcat.relations(drawing)
    added = lines(drawing.added())
    assert "dcat#qualifiedRelation" in added
    assert "terms#relation-IsNewVersionOf" in added
    assert "http://purl.org/dc/terms/replaces" in added


@pytest.mark.parametrize("level", ["restricted", "embargoed", "confidential"])
def test_data_that_are_not_public_have_no_download_address(level: str) -> None:
    value = published() | {"access_level": level}
    for name, function in (("dcat", dcat.files), ("schemaorg", schemaorg.files)):
        drawing = Drawing(value, SITE, scope(name))
        function(drawing)
        assert "/id/file/" not in "".join(str(quad.object) for quad in drawing.added())
    drawing = Drawing(value, SITE, scope("dcat"))
    dcat.files(drawing)
    assert "accessURL" in lines(drawing.added())


def test_a_withdrawn_dataset_has_no_download_address_and_says_why() -> None:
    value = published() | {"publication_state": "withdrawn", "withdrawal_reason": "Consent was withdrawn."}
    value["withdrawn_date"] = "2026-11-25T09:00:00Z"
    value.pop("dataset_abstract")
    drawing = Drawing(value, SITE, scope("dcat"))
    dcat.withdrawal(drawing)
    check("dcat-withdrawal", lines(drawing.added()))
    dcat.complete(drawing)
    found = lines(drawing.quads())
    assert "downloadURL" not in found
    assert '<http://purl.org/dc/terms/modified> "2026-11-25T09:00:00Z"' in found


def test_the_catalog_lists_the_record_of_a_withdrawn_dataset_and_no_dataset() -> None:
    found = lines(catalog_quads(SITE, [Summary("0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "", is_withdrawn=True)]))
    assert "ns/dcat#record> " in found
    assert "ns/dcat#dataset> " not in found
