"""Our own SHACL shapes: what a published record must have, in its DCAT reading. Pure.

Made from the JSON Schemas (what a complete record must have, and how it is called), the whitelist (what of it is
public) and the ``dcat`` context (which statement a key becomes), so that the three cannot say different things. A
key that the reading has no statement for has no shape. Every node has an IRI, and the text is the same every time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

import contexts
import schemas
from catalog.graph.compiling import DATATYPE, IDENTITY, IRI, PROPERTY, WORD, Scope
from catalog.graph.contexts import scope
from catalog.graph.prefixes import PREFIXES
from catalog.graph.values import XSD, text
from catalog.graph.vocabulary import DCT, OWL, PROV, RDF, RDFS, TYPE
from catalog.publishing import whitelist
from catalog.publishing.whitelist import Kind

BASE: Final = f"{contexts.TERMS.partition('terms')[0]}shapes#"
"""Every shape is named ``BASE`` + kind of thing (+ ``-`` + key …)."""

SH: Final = "http://www.w3.org/ns/shacl#"
_BY_NAME: Final = frozenset({"data_object_identifier"})  # the IRI itself says it
_NAME: Final = "$name"
_WORDS: Final = ("title", "description", _NAME)
_ALSO_ADDED: Final = frozenset({DCT["identifier"].value})  # functions give it more than one

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Thing:
    """A kind of thing that has a shape: its ``@type``, its schema, what is public of it, how it is found."""

    type: str
    schema: str
    kind: Kind
    target: str = "targetClass"
    found: NamedNode | None = None


THINGS: Final = (
    Thing("Dataset", "dataset_administrative", whitelist.DATASET),
    Thing("Project", "project_descriptive", whitelist.PROJECT),
    Thing("DataObject", "complete_metadata", whitelist.DATA_OBJECT),
    # A run has no class of its own (a project is an activity too): each data object says which one it is from.
    Thing("Run", "experiment_contextual", whitelist.RUN, ""),
    # Of very many files the record names no single one; those it names are members of a data object.
    Thing("File", "file_technical", whitelist.FILE, "targetObjectsOf", PROV["hadMember"]),
)


@dataclass(frozen=True)
class Field:
    """What is asked of one key; ``within`` is what is asked of each object under it, which is called ``each``."""

    key: str
    path: str
    label: str
    description: str
    required: bool
    single: bool
    node_kind: str
    datatype: str = ""
    shortest: int = 0
    one_of: tuple[str, ...] = ()
    each: str = ""
    within: tuple[Field, ...] = field(default=())


@cache
def fields(type_name: str) -> tuple[Field, ...]:
    """What is asked of a kind of thing, by the keys of its schema."""
    thing = next(each for each in THINGS if each.type == type_name)
    schema = schemas.load(thing.schema)
    complete = _merged(schema, schema.get("then", {}))
    found = list(_fields(complete, thing.kind, scope("dcat").typed((thing.type,))))
    if thing.type == "Dataset":
        found.append(_issued())
    return tuple(_alone(found))


def _fields(rule: Rule, kind: Kind, terms: Scope, *, is_global: bool = False) -> Iterator[Field]:
    """The keys of one object that are public and become a statement.

    Args:
        is_global: it has a name of its own, so that what is said of it elsewhere adds up with this.
    """
    required, is_named = set(rule.get("required", ())), is_global or _is_named(rule, terms)
    for key, said in rule.get("properties", {}).items():
        term = terms.terms.get(key)
        if key not in kind.public or key in _BY_NAME or term is None or term.use != PROPERTY:
            continue
        asked = _resolved(said)
        single = asked.get("type") != "array"
        item = asked if single else _resolved(asked.get("items", {}))
        under = kind.public[key]
        within = () if under is None else _fields(item, under, terms.below(key), is_global=bool(under.types))
        yield Field(
            key=key,
            path=term.iri,
            label=str(said.get("title") or asked.get("title") or key),
            description=str(said.get("description") or asked.get("description") or ""),
            required=key in required,
            single=single and not is_named and term.iri not in _ALSO_ADDED,
            node_kind="IRI" if under is not None or term.values in (IRI, WORD) else "Literal",
            datatype=term.datatype.value if term.values == DATATYPE and term.datatype is not None else "",
            shortest=int(asked.get("minLength", 0)),
            one_of=_words(item, terms.at(key)) if term.values == WORD else (),
            each=str(item.get(_NAME, "")) if under is not None else "",
            within=tuple(_alone(list(within))),
        )


def _is_named(rule: Rule, terms: Scope) -> bool:
    """Whether one of its keys is its IRI."""
    return any(terms.terms[key].use == IDENTITY for key in rule.get("properties", {}) if key in terms.terms)


def _issued() -> Field:
    """What the registry adds to a dataset once it is published."""
    registry = _resolved(schemas.load("registry")["properties"]["publication"])
    said = registry["properties"]["date_published"]
    term = scope("dcat").terms["date_published"]
    words = str(said.get("title", "")), str(said.get("description", ""))
    datatype = term.datatype.value if term.datatype is not None else ""
    return Field("date_published", term.iri, *words, True, True, "Literal", datatype)


def _alone(found: Sequence[Field]) -> Iterator[Field]:
    """Where several keys become one predicate, only what holds for each of them can be asked of all."""
    shared = {path for path, number in Counter(each.path for each in found).items() if number > 1}
    for each in found:
        if each.path in shared:
            yield Field(each.key, each.path, each.label, each.description, each.required, False, each.node_kind)
        else:
            yield each


def _words(rule: Rule, terms: Scope) -> tuple[str, ...]:
    return tuple(dict.fromkeys(terms.expand(each, as_word=True) for each in rule.get("enum", ())))


def _resolved(rule: Rule) -> dict[str, Any]:
    """A part of a schema with what it refers to, which keeps the name it is referred to by."""
    address = rule.get("$ref")
    if not isinstance(address, str):
        return dict(rule)
    document, _, pointer = address.partition("#")
    found: Any = schemas.load(document.removeprefix(schemas.BASE).partition("/")[0])
    for step in filter(None, pointer.split("/")):
        found = found[step]
    name = pointer.rpartition("/")[2].removesuffix("_complete").title().replace("_", "")
    own = {key: value for key, value in rule.items() if key != "$ref"}
    return {_NAME: name} | _both(_resolved(found), own)


def _merged(rule: Rule, more: Rule) -> dict[str, Any]:
    """What is asked of every record, and what of a complete one on top of it; the words are those of the first."""
    one = _resolved(rule)
    return _both(one, _resolved(more)) | {key: one[key] for key in _WORDS if key in one}


def _both(one: Rule, two: Rule) -> dict[str, Any]:
    """Both rules as one; what the second says goes before."""
    whole = {**one, **two}
    if "required" in one and "required" in two:
        whole["required"] = [*one["required"], *two["required"]]
    if "items" in one and "items" in two:
        whole["items"] = _merged(one["items"], two["items"])
    if "properties" in one and "properties" in two:
        whole["properties"] = {**one["properties"]}
        for key, said in two["properties"].items():
            whole["properties"][key] = _merged(one["properties"].get(key, {}), said)
    return whole


# --- as RDF -------------------------------------------------------------------------------------------------------


@cache
def turtle() -> str:
    """The shapes as they are published."""
    prefixes = {"sh": SH, **{name: PREFIXES[name] for name in _PREFIXES}}
    written = serialize(triples(), format=RdfFormat.TURTLE, prefixes=prefixes)
    return (written or b"").decode()


_TITLE: Final = "What a published record of Fairfolder has, in its DCAT reading"
_PREFIXES = ("adms", "dcat", "dct", "foaf", "owl", "prov", "rdf", "rdfs", "schema", "spdx", "vcard", "xsd")


def triples() -> list[Triple]:
    """The shapes graph."""
    shapes = _Shapes()
    shapes.add(NamedNode(BASE.removesuffix("#")), TYPE, OWL["Ontology"])
    shapes.add(NamedNode(BASE.removesuffix("#")), DCT["title"], text(_TITLE, "en"))
    for thing in THINGS:
        node = NamedNode(BASE + thing.type)
        shapes.add(node, TYPE, _sh("NodeShape"))
        shapes.add(node, RDFS["label"], text(str(schemas.load(thing.schema)["title"]), "en"))
        if thing.target:
            shapes.add(node, _sh(thing.target), thing.found or NamedNode(scope("dcat").terms[thing.type].iri))
        shapes.properties(node, fields(thing.type))
    run = _run()
    shapes.properties(NamedNode(f"{BASE}DataObject"), (run,))
    shapes.add(NamedNode(f"{BASE}DataObject-{run.key}"), _sh("node"), NamedNode(f"{BASE}Run"))
    return shapes.told


def _run() -> Field:
    """A data object is from one run, which is as its own shape asks."""
    said = schemas.load("complete_metadata")["properties"]["experiment"]
    path = scope("dcat").typed(("DataObject",)).terms["experiment"].iri
    return Field("experiment", path, said["title"], said["description"], True, True, "IRI")


class _Shapes:
    """The graph under construction; objects of which the same is asked share a shape."""

    def __init__(self) -> None:
        self.told: list[Triple] = []
        self._shared: dict[str, tuple[Field, ...]] = {}

    def add(self, subject: NamedNode, predicate: NamedNode, value: NamedNode | Literal) -> None:
        self.told.append(Triple(subject, predicate, value))

    def properties(self, owner: NamedNode, asked: Sequence[Field]) -> None:
        for each in asked:
            self.add(owner, _sh("property"), NamedNode(f"{owner.value}-{each.key}"))
        for each in asked:
            self._property(NamedNode(f"{owner.value}-{each.key}"), each)

    def _property(self, node: NamedNode, asked: Field) -> None:
        self.add(node, TYPE, _sh("PropertyShape"))
        self.add(node, _sh("path"), NamedNode(asked.path))
        self.add(node, _sh("name"), text(asked.label, "en"))
        if asked.description:
            self.add(node, _sh("description"), text(asked.description, "en"))
        self.add(node, _sh("nodeKind"), _sh(asked.node_kind))
        numbers = {"minCount": asked.required, "maxCount": asked.single, "minLength": asked.shortest}
        for name, number in numbers.items():
            if number:
                self.add(node, _sh(name), Literal(str(int(number)), datatype=NamedNode(f"{XSD}integer")))
        if asked.datatype:
            self.add(node, _sh("datatype"), NamedNode(asked.datatype))
        if asked.one_of:
            self._one_of(node, asked.one_of)
        if asked.within:
            self._within(node, asked)

    def _within(self, node: NamedNode, asked: Field) -> None:
        name = asked.each.replace(" ", "")
        is_shared = bool(name) and self._shared.get(name, asked.within) == asked.within
        inner = NamedNode(BASE + name if is_shared else f"{node.value}-each")
        self.add(node, _sh("node"), inner)
        if is_shared and name in self._shared:
            return
        if is_shared:
            self._shared[name] = asked.within
        self.add(inner, TYPE, _sh("NodeShape"))
        self.properties(inner, asked.within)

    def _one_of(self, node: NamedNode, words: Sequence[str]) -> None:
        """``sh:in``, with a list whose cells have names."""
        cells = [NamedNode(f"{node.value}-in-{number}") for number in range(1, len(words) + 1)]
        self.add(node, _sh("in"), cells[0])
        for cell, following, word in zip(cells, [*cells[1:], RDF["nil"]], words, strict=True):
            self.add(cell, RDF["first"], NamedNode(word))
            self.add(cell, RDF["rest"], following)


def _sh(name: str) -> NamedNode:
    return NamedNode(SH + name)
