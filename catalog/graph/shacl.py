"""Holding a graph against SHACL shapes.

Nothing is fetched: ``owl:imports`` are not followed, and shapes that would run queries, rules or scripts (SHACL-SPARQL,
SHACL-AF, SHACL-JS) are refused, because a query may reach into the network. pySHACL and rdflib are loaded with the
first call only: no page that does not need them pays for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pyoxigraph import Literal, Quad

from catalog.graph.prefixes import PREFIXES
from catalog.graph.shapes import SH, turtle
from ingest.errors import FairfolderError

if TYPE_CHECKING:
    import rdflib

VIOLATION, WARNING, INFO = "violation", "warning", "info"
_SEVERITIES: Final = {f"{SH}Violation": VIOLATION, f"{SH}Warning": WARNING, f"{SH}Info": INFO}
_NOT_RUN: Final = (
    "sparql", "select", "ask", "construct", "update", "js", "jsFunctionName", "jsLibrary", "rule", "expression",
    "nodeValidator", "propertyValidator", "validator",
)  # fmt: skip
_RESOURCES: Final = ("Dataset", "Catalog", "DataService", "DatasetSeries")
_LARGEST: Final = 4 << 20


class ShapesError(FairfolderError):
    """A shapes graph that cannot be used; one sentence says which, why and the mend."""


@dataclass(frozen=True)
class Result:
    """One thing that is not as a shape asks.

    Attributes:
        focus: the node; path: the predicate, ``^`` before one that is followed backwards, "" for the node itself.
        value: what stands there, None where something is missing; is_text: it is a text and no IRI.
        rule: what is broken, such as ``MinCount``; asked: what that rule asks, such as ``1``.
        field: the name the shape gives the field; message: the words of the shape or of the validator.
    """

    severity: str
    focus: str
    path: str
    value: str | None
    is_text: bool
    rule: str
    asked: str
    field: str
    shape: str
    message: str


@dataclass(frozen=True)
class Report:
    """What was found, violations first."""

    results: tuple[Result, ...]

    @property
    def violations(self) -> tuple[Result, ...]:
        return tuple(each for each in self.results if each.severity == VIOLATION)

    @property
    def warnings(self) -> tuple[Result, ...]:
        """What is advised, and what is only remarked."""
        return tuple(each for each in self.results if each.severity != VIOLATION)

    @property
    def conforms(self) -> bool:
        """Whether nothing is violated; a warning is none."""
        return not self.violations


@dataclass(frozen=True)
class Shapes:
    """A shapes graph ready for use; ``undescribed`` are property shapes that it names and says nothing of."""

    name: str
    graph: rdflib.Graph
    undescribed: tuple[str, ...] = ()


@cache
def own() -> Shapes:
    """Our own shapes, of a published record."""
    return read(turtle().encode(), "Fairfolder's own shapes")


def read(text: bytes, name: str) -> Shapes:
    """A shapes graph from Turtle.

    Raises:
        ShapesError: for what cannot be read, is too large, or would run queries, rules or scripts.
    """
    import rdflib

    if len(text) > _LARGEST:
        raise ShapesError(f"{name} has {len(text):,} bytes; shapes may have {_LARGEST:,}.")
    graph = rdflib.Graph()
    try:
        graph.parse(data=text, format="turtle")
    except (SyntaxError, ValueError, AssertionError, RecursionError, IndexError) as error:
        words = " ".join(str(error).split())[:200]
        raise ShapesError(f"{name} cannot be read as Turtle: {words}") from None
    for word in _NOT_RUN:
        if (None, rdflib.URIRef(SH + word), None) in graph:
            raise ShapesError(f"{name} has sh:{word}; only SHACL Core is run here, no queries, rules or scripts.")
    return Shapes(name, graph, tuple(_drop_undescribed(graph)))


def _drop_undescribed(graph: rdflib.Graph) -> list[str]:
    """A property shape of which nothing is said asks nothing; pySHACL would refuse the whole graph for it."""
    import rdflib

    names = rdflib.URIRef(f"{SH}property")
    found = [(shape, named) for shape, named in graph.subject_objects(names) if (named, None, None) not in graph]
    for shape, named in found:
        graph.remove((shape, names, named))
    return sorted({str(named) for _, named in found})


def validate(quads: Sequence[Quad], shapes: Shapes) -> Report:
    """Holds a graph against shapes.

    Raises:
        ShapesError: when the shapes are not well-formed.
    """
    import pyshacl
    from pyshacl.errors import ReportableRuntimeError

    data = graph_of(quads)
    try:
        _, found, words = pyshacl.validate(
            data, shacl_graph=shapes.graph, inference="none", advanced=False, do_owl_imports=False, inplace=True
        )
    except (ReportableRuntimeError, ValueError, re.error) as error:  # a wrong sh:pattern is the last
        raise ShapesError(f"{shapes.name} cannot be used: {' '.join(str(error).split())}") from None
    if isinstance(found, Exception):
        raise ShapesError(f"{shapes.name} cannot be used: {' '.join(str(words).split())}")
    results = dict.fromkeys(_Reading(found, shapes.graph).results())
    order = {VIOLATION: 0, WARNING: 1, INFO: 2}
    return Report(tuple(sorted(results, key=lambda each: (order[each.severity], each.focus, each.path, each.message))))


# --- the graph ----------------------------------------------------------------------------------------------------


def graph_of(quads: Sequence[Quad]) -> rdflib.Graph:
    """The quads as rdflib has them, with what DCAT and RDF Schema mean without anybody writing it.

    Every thing is an ``rdfs:Resource``, and a dataset, a catalog, a service, a series is a ``dcat:Resource``.
    """
    import rdflib

    graph = rdflib.Graph(bind_namespaces="none")
    resource, kind = rdflib.RDFS.Resource, rdflib.RDF.type
    terms: dict[Any, Any] = {}

    def term(given: Any) -> Any:
        found = terms.get(given)
        if found is None:
            found = terms[given] = _term(given, rdflib)
            if isinstance(found, rdflib.URIRef):
                graph.add((found, kind, resource))
        return found

    for quad in quads:
        graph.add((term(quad.subject), rdflib.URIRef(quad.predicate.value), term(quad.object)))
    for name in _RESOURCES:
        wider = rdflib.URIRef(f"{PREFIXES['dcat']}Resource")
        graph.add((rdflib.URIRef(PREFIXES["dcat"] + name), rdflib.RDFS.subClassOf, wider))
    return graph


def _term(given: Any, rdflib: Any) -> Any:
    if isinstance(given, Literal):
        if given.language:
            return rdflib.Literal(given.value, lang=given.language)
        return rdflib.Literal(given.value, datatype=rdflib.URIRef(given.datatype.value), normalize=False)
    return rdflib.URIRef(given.value)


# --- the report ---------------------------------------------------------------------------------------------------


class _Reading:
    """A validation report as pySHACL writes it, taken apart."""

    def __init__(self, report: rdflib.Graph, shapes: rdflib.Graph) -> None:
        import rdflib

        self._iri, self._literal, self._report, self._shapes = rdflib.URIRef, rdflib.Literal, report, shapes
        self._node, self._lists = rdflib.BNode, rdflib.RDF

    def results(self) -> Iterator[Result]:
        head = self._report.value(None, self._lists.type, self._sh("ValidationReport"))
        for each in self._report.objects(head, self._sh("result")):
            severity = _SEVERITIES.get(str(self._report.value(each, self._sh("resultSeverity"))), VIOLATION)
            yield from self._leaves(each, severity)

    def _leaves(self, node: Any, severity: str) -> Iterator[Result]:
        """What is wrong in the end: of a value that is not as another shape asks, what that one finds."""
        details = list(self._report.objects(node, self._sh("detail")))
        for each in details:
            if isinstance(
                self._report.value(each, self._sh("focusNode")), self._literal
            ):  # a text is nothing by itself
                yield replace(self._result(node, severity), message=self._result(each, severity).message)
            else:
                yield from self._leaves(each, severity)
        if not details:
            yield self._result(node, severity)

    def _result(self, node: Any, severity: str) -> Result:
        value, shape = self._report.value(node, self._sh("value")), self._report.value(node, self._sh("sourceShape"))
        component = str(self._report.value(node, self._sh("sourceConstraintComponent")) or "")
        rule = component.removeprefix(SH).removesuffix("ConstraintComponent")
        messages = sorted(str(each) for each in self._report.objects(node, self._sh("resultMessage")))
        return Result(
            severity=severity,
            focus=str(self._report.value(node, self._sh("focusNode"))),
            path=self._path(self._report.value(node, self._sh("resultPath"))),
            value=None if value is None else str(value),
            is_text=isinstance(value, self._literal),
            rule=rule,
            asked=self._asked(shape, rule[:1].lower() + rule[1:]),
            field=str(self._of_shape(shape, "name") or ""),
            shape="" if shape is None or isinstance(shape, self._node) else str(shape),
            message=messages[0] if messages else "",
        )

    def _path(self, path: Any) -> str:
        if path is None or isinstance(path, self._iri):
            return str(path or "")
        inverse = self._of_shape(path, "inversePath")
        return f"^{inverse}" if isinstance(inverse, self._iri) else ""

    def _asked(self, shape: Any, parameter: str) -> str:
        told = self._of_shape(shape, parameter)
        if parameter == "in" and told is not None:
            return ", ".join(str(each) for each in self._shapes.items(told))
        return "" if told is None or isinstance(told, self._node) else str(told)

    def _of_shape(self, node: Any, parameter: str) -> Any:
        if node is None:
            return None
        named = self._sh(parameter)
        return self._shapes.value(node, named) or self._report.value(node, named)

    def _sh(self, name: str) -> Any:
        return self._iri(SH + name)
