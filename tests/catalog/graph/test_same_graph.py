"""The graph a stranger reads from the file is the service's graph without what the named functions add."""

from __future__ import annotations

import re

import pyoxigraph as ox
import pytest

import contexts
from catalog.graph import quads as graphs
from catalog.graph.contexts import scope
from catalog.graph.drawing import Drawing
from tests.catalog.graph.graphs import PROCESSORS, SITE, canonical, of_text, published

PUBLIC = re.compile(re.escape(SITE.base_url) + r"/id/[a-z]+/([0-9a-f-]{36})(#.*)?")


def as_in_the_file(term: object, blank: set[str]) -> object:
    """Undoes what is done to names: public IRIs are the file's own, value objects have none, texts no language."""
    if isinstance(term, ox.NamedNode) and term.value in blank:
        return ox.BlankNode("b" + re.sub("[^A-Za-z0-9]", "", term.value))
    if isinstance(term, ox.NamedNode) and (found := PUBLIC.fullmatch(term.value)):
        return ox.NamedNode(f"urn:uuid:{found[1]}{found[2] or ''}")
    if isinstance(term, ox.Literal) and term.language:
        return ox.Literal(term.value)
    return term


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("reading", [*contexts.VOCABULARIES, contexts.RECORD])
def test_the_file_and_the_service_say_the_same(reading: str, processor: str) -> None:
    value = published()
    drawing = Drawing(value, SITE, scope(reading))
    names = {t.value for q in drawing.read for t in (q.subject, q.object) if isinstance(t, ox.NamedNode)}
    blank = {each for each in names if "#" in each and "#version-" not in each and PUBLIC.fullmatch(each)}
    undone = [
        ox.Quad(*(as_in_the_file(each, blank) for each in (q.subject, q.predicate, q.object)), ox.DefaultGraph())  # type: ignore[arg-type]
        for q in drawing.read
    ]
    service = of_text("".join(f"{line} .\n" for line in canonical(undone)))
    stranger = {line for line in PROCESSORS[processor](value, reading) if not _of_itself(line)}
    assert service == stranger


def _of_itself(line: str) -> bool:
    """Whether a thing is said to be the same as, or a version of, itself: the service leaves that out."""
    subject, predicate, other = line.split(" ", 2)
    return other.strip(" .") == subject and predicate.endswith(("owl#sameAs>", "isVersionOf>"))


@pytest.mark.parametrize("function", ["dcat", "prov", "schemaorg", "terms", "record_quads"])
def test_no_node_is_blank_and_all_is_in_the_graph_of_the_record(function: str) -> None:
    value = published()
    found = getattr(graphs, function)(value, SITE)
    assert not [q for q in found if isinstance(q.subject, ox.BlankNode) or isinstance(q.object, ox.BlankNode)]
    assert {q.graph_name for q in found} == {graphs.graph_name(SITE, value["dataset_identifier"])}
    assert len(found) == len(set(found))
    assert not [q for q in found if "urn:uuid:" in f"{q.subject}{q.object}"]


@pytest.mark.parametrize("function", ["dcat", "prov", "schemaorg", "terms", "record_quads"])
def test_the_same_record_gives_the_same_graph(function: str) -> None:
    make = getattr(graphs, function)
    assert make(published(), SITE) == make(published(), SITE)
