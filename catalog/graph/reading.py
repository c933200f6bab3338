"""A JSON document and a compiled context → quads. Pure.

Reads what a general JSON-LD processor reads of the same document (tests compare three of them), thirty times as fast,
and in one walk does what would otherwise take several: a key that is no term is passed over with all that stands under
it, things get their public IRIs, value objects get one made of their owner's, texts get the language of the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from catalog.graph.compiling import DATATYPE, IRI, NEST, NOTHING, PLAIN, REVERSE, WORD, Scope, Term
from catalog.graph.values import certain, literal, named, text
from catalog.publishing.iris import DATA_OBJECT, DATASET, FILE, INSTRUMENT, KINDS, PROJECT, RUN, public_name

Node = NamedNode | BlankNode
RDF_TYPE: Final = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_URN: Final = "urn:uuid:"
_DEEPEST: Final = 100

LINKS: Final[Mapping[str, str]] = {
    "associated_project_identifier": PROJECT,
    "data_object_identifier": DATA_OBJECT,
    "dataset_identifier": DATASET,
    "derived_from": DATASET,
    "file_identifier": FILE,
    "file_identifiers": FILE,
    "instruments_used": INSTRUMENT,
    "landing_page": INSTRUMENT,
    "outputs": FILE,
    "previous_version": DATASET,
    "revision_of": DATA_OBJECT,
    "run_id": RUN,
}
"""Which kind of thing a key points at, where it holds a bare UUID."""

TEXTS: Final = frozenset(
    {
        "access_conditions", "data_collection_method", "data_storage_strategy", "dataset_abstract", "dataset_title",
        "description", "experiment_name", "instrument_name", "keywords", "methods", "naming_convention",
        "no_protocol_reason", "notes", "project_description", "project_title", "protocol_deviations",
        "provenance_statement", "recommended_citation", "resource_type", "rights_statement", "sample_preparation",
        "sample_source", "sample_treatments", "scope", "structure_description", "version_notes", "withdrawal_reason",
    }
)  # fmt: skip
"""Keys whose values are written in the record's language."""


@dataclass(slots=True)
class Reading:
    """One document being read.

    Attributes:
        base: the address public IRIs begin with; "" leaves IRIs as they stand in the file, and what has none blank.
        quads: what has been read.
        nodes: the node each object became, by its ``id()``.
    """

    base: str = ""
    graph: NamedNode | DefaultGraph = field(default_factory=DefaultGraph)
    quads: list[Quad] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)

    def document(self, value: Mapping[str, Any], scope: Scope) -> Node:
        """Reads a whole document."""
        return self._node(value, scope, _Place("", "", "", 0), "")

    # --- things -------------------------------------------------------------------------------------------------

    def _node(self, value: Mapping[str, Any], scope: Scope, place: _Place, language: str) -> Node:
        types = _types(value)
        if types:
            scope = scope.typed(types)
        subject, place = self._subject(value, types, scope, place)
        self.nodes[id(value)] = subject
        if self.base:
            own = value.get("metadata_language")
            language = own if isinstance(own, str) else language
        for type_ in types:
            meant = named(scope.expand(type_, as_word=True))
            if meant is not None:
                self.quads.append(Quad(subject, RDF_TYPE, meant, self.graph))
        self._properties(value, subject, scope, place, language)
        return subject

    def _subject(self, value: Mapping[str, Any], types: list[str], scope: Scope, place: _Place) -> tuple[Node, _Place]:
        """The node an object is, and the place from which what stands in it gets its names."""
        told = value.get("@id")
        if told is None:
            told = next((value[key] for key in scope.aliases if key in value), None)
        if isinstance(told, str) and told:
            iri = scope.expand(told, as_word=False)
            if self.base and iri.startswith(_URN):
                kind = KINDS.get(types[0], "") if types else place.kind
                iri = public_name(self.base, kind, iri) if kind else iri
                node = named(iri)
                if node is not None:
                    return node, _Place(iri, "", "", place.depth)
            node = named(iri)
            if node is not None:
                return node, place if place.owner else _Place(iri, "", "", place.depth)
        if self.base and place.owner:
            return certain(f"{place.owner}#{place.path}"), place
        return BlankNode(), place

    def _properties(self, value: Mapping[str, Any], subject: Node, scope: Scope, place: _Place, language: str) -> None:
        terms = scope.terms
        for key, each in value.items():
            term = terms.get(key)
            if term is None or each is None or term.use is NOTHING or key[:1] == "@":
                continue
            if term.iri:
                self._values(each, term, _predicate(term.iri), subject, scope, place, language)
            elif term.use is NEST:
                for part in each if isinstance(each, list) else (each,):
                    if isinstance(part, Mapping):
                        self._properties(part, subject, scope, place, language)

    # --- what stands under a key --------------------------------------------------------------------------------

    def _values(
        self,
        each: Any,
        term: Term,
        predicate: NamedNode,
        subject: Node,
        scope: Scope,
        place: _Place,
        language: str,
        number: int = 0,
    ) -> None:
        if isinstance(each, list):
            for at, item in enumerate(each, 1):
                self._values(item, term, predicate, subject, scope, place, language, at)
            return
        if isinstance(each, Mapping):
            if place.depth > _DEEPEST:
                return
            below = place.below(term.key, each, number)
            other: Node | Literal | None = self._node(each, scope.below(term.key), below, language)
        else:
            other = self._value(each, term, scope, language)
        if other is None:
            return
        if term.use is REVERSE:
            if not isinstance(other, Literal):
                self.quads.append(Quad(other, predicate, subject, self.graph))
            return
        self.quads.append(Quad(subject, predicate, other, self.graph))

    def _value(self, each: Any, term: Term, scope: Scope, language: str) -> NamedNode | Literal | None:
        values = term.values
        if values is PLAIN:
            if language and isinstance(each, str) and term.key in TEXTS:
                return text(each, language)
            return literal(each)
        if values is DATATYPE:
            return literal(each, _predicate(term.datatype))
        if not isinstance(each, str):
            return literal(each)
        iri = scope.at(term.key).expand(each, as_word=True) if values is WORD else scope.expand(each, as_word=False)
        if self.base and iri.startswith(_URN) and term.key in LINKS:
            iri = public_name(self.base, LINKS[term.key], iri)
        return named(iri)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value object stands: in what of ours, and on which path from there."""

    owner: str
    path: str
    kind: str
    depth: int

    def below(self, key: str, value: Mapping[str, Any], number: int) -> _Place:
        piece = fragment(key, value, number)
        return _Place(self.owner, f"{self.path}-{piece}" if self.path else piece, LINKS.get(key, ""), self.depth + 1)


def fragment(key: str, value: Mapping[str, Any], number: int = 0) -> str:
    """The piece of an IRI that names a value object under its owner: ``sha256``, ``funding-1``, ``model``."""
    algorithm = value.get("algorithm") if key == "checksum" else None
    if isinstance(algorithm, str) and algorithm.isalnum() and algorithm.isascii():
        return algorithm
    safe = key if key.isidentifier() and key.isascii() else quote(_encodable(key), safe="")
    return f"{safe}-{number}" if number else safe


def _encodable(key: str) -> str:
    return key.encode(errors="replace").decode()


def _types(value: Mapping[str, Any]) -> list[str]:
    told = value.get("@type")
    if told is None:
        return []
    return [each for each in (told if isinstance(told, list) else [told]) if isinstance(each, str)]


_PREDICATES: dict[str, NamedNode] = {}


def _predicate(iri: str) -> NamedNode:
    """An IRI of a context; there are few, so each is made once."""
    node = _PREDICATES.get(iri)
    if node is None:
        node = _PREDICATES[iri] = NamedNode(iri)
    return node


__all__ = ["IRI", "LINKS", "RDF_TYPE", "TEXTS", "Node", "Reading", "fragment"]
