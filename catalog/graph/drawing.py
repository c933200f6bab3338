"""One record as a graph under construction: what was read of it by a context, and what functions add. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from catalog.graph.compiling import Scope
from catalog.graph.reading import Node, Reading, fragment
from catalog.graph.values import named, text
from catalog.graph.vocabulary import DCT, OWL, TYPE
from catalog.publishing.iris import AGENT, KINDS, RECORD, public_iri, public_name, uuid_of
from catalog.publishing.site import Site

Value = Mapping[str, Any]
_NOT_OF_ITSELF = frozenset({OWL["sameAs"], DCT["isVersionOf"]})


class Drawing:
    """The graph of one document.

    Attributes:
        value: the document; site: the catalog it is in.
        dataset: the node of the document itself.
        read: the quads the context alone gives.
    """

    def __init__(self, value: Value, site: Site, scope: Scope) -> None:
        self.value, self.site = value, site
        self.base = site.base_url
        self.uuid = uuid_of(str(value.get("@id", "")))
        self.record = NamedNode(public_iri(self.base, RECORD, self.uuid)) if self.uuid else None
        self.graph: NamedNode | DefaultGraph = self.record or DefaultGraph()
        self.language = str(value.get("metadata_language") or site.language)
        reading = Reading(self.base, self.graph)
        self.dataset = reading.document(value, scope)
        self.read = [quad for quad in reading.quads if not _says_nothing(quad)]
        self._nodes = reading.nodes
        self._added: list[Quad] = []

    # --- looking ------------------------------------------------------------------------------------------------

    def node(self, part: Any) -> NamedNode | None:
        """The node an object of the document became."""
        found = self._nodes.get(id(part))
        return found if isinstance(found, NamedNode) else None

    def rows(self, of: Value, key: str) -> Iterator[tuple[Value, NamedNode]]:
        """The objects under a key, each with its node, also where the context at hand passes over the key."""
        under = of.get(key)
        rows = list(enumerate(under, 1)) if isinstance(under, list) else [(0, under)]
        for number, each in rows:
            if isinstance(each, Mapping):
                node = self.node(each) or self._unread(each, of, fragment(key, each, number))
                if node is not None:
                    yield each, node

    def _unread(self, value: Value, of: Value, piece: str) -> NamedNode | None:
        own = value.get("@id")
        if isinstance(own, str):
            return named(public_name(self.base, KINDS.get(str(value.get("@type")), AGENT), own))
        return self.within(piece, self.node(of) or self.dataset)

    def files(self) -> Iterator[tuple[Value, NamedNode]]:
        """The files of the record."""
        for holder in (self.value, self.value.get("structure")):
            if isinstance(holder, Mapping):
                yield from self.rows(holder, "file_descriptions")

    def runs(self) -> Iterator[tuple[Value, NamedNode]]:
        """The runs of the record."""
        yield from self.rows(self.value, "experiment")
        for each, _ in self.rows(self.value, "data_objects"):
            yield from self.rows(each, "experiment")

    def of(self, kind: str, uuid: Any) -> NamedNode | None:
        """The public node of something named by its UUID."""
        return named(public_iri(self.base, kind, uuid)) if isinstance(uuid, str) and uuid else None

    def within(self, fragment: str, owner: Node | None = None) -> NamedNode | None:
        """A node of our own under another."""
        owner = owner if owner is not None else self.dataset
        if not isinstance(owner, NamedNode):
            return None
        return named(f"{owner.value}{'-' if '#' in owner.value else '#'}{fragment}")

    # --- adding -------------------------------------------------------------------------------------------------

    def add(self, subject: Node | None, predicate: NamedNode, value: NamedNode | Literal | None) -> None:
        """One statement; none where one of its ends is missing."""
        if subject is not None and value is not None:
            self._added.append(Quad(subject, predicate, value, self.graph))

    def type(self, subject: Node | None, *types: NamedNode) -> None:
        for each in types:
            self.add(subject, TYPE, each)

    def text(self, value: Any, language: str | None = None) -> Literal | None:
        """A text in the record's language, or in another."""
        if not isinstance(value, str) or not value.strip():
            return None
        return text(value, self.language if language is None else language)

    # --- the whole ----------------------------------------------------------------------------------------------

    def so_far(self) -> Iterator[Quad]:
        """What was read and what has been added until now."""
        yield from self.read
        yield from tuple(self._added)

    def quads(self) -> list[Quad]:
        """The whole graph, each statement once, in the order in which it was first said."""
        return list(dict.fromkeys([*self.read, *self._added]))

    def added(self) -> list[Quad]:
        """Only what functions added."""
        before = set(self.read)
        return [quad for quad in dict.fromkeys(self._added) if quad not in before]


def _says_nothing(quad: Quad) -> bool:
    """Whether a thing is said to be the same as, or a version of, itself."""
    return quad.predicate in _NOT_OF_ITSELF and quad.subject == quad.object
