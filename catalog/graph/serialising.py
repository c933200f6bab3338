"""Quads as text, in six formats. Pure.

Written from the quads as they were read, never from the store: the store writes ``xsd:nonNegativeInteger`` as
``xsd:integer``, and what DCAT-AP asks for is gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from catalog.graph.prefixes import PREFIXES
from catalog.graph.values import XSD
from catalog.graph.vocabulary import TYPE

_RDF_LANGUAGE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LARGEST_NATIVE = 10**15


class UnknownFormatError(ValueError):
    """A format nobody writes here; the text names it and those there are."""


def text(quads: Sequence[Quad], format: str) -> bytes:  # noqa: A002 - what everybody calls it
    """The quads in one of :data:`FORMATS`; those that know no graphs leave their names out.

    Raises:
        UnknownFormatError: for another format.
    """
    write = FORMATS.get(format)
    if write is None:
        raise UnknownFormatError(f"There is no RDF format {format!r}; there are {', '.join(FORMATS)}.")
    return write(quads)


def _written(
    statements: Sequence[Quad] | Sequence[Triple], form: RdfFormat, prefixes: dict[str, str] | None = None
) -> bytes:
    written = serialize(statements, format=form, prefixes=prefixes)
    if written is None:
        raise TypeError("pyoxigraph gave no text back")
    return written


def _turtle(quads: Sequence[Quad]) -> bytes:
    return _written(_triples(quads), form=RdfFormat.TURTLE, prefixes=_prefixes(quads))


def _rdf_xml(quads: Sequence[Quad]) -> bytes:
    return _written([_for_xml(each) for each in _triples(quads)], form=RdfFormat.RDF_XML, prefixes=_prefixes(quads))


def _n_triples(quads: Sequence[Quad]) -> bytes:
    return _written(_triples(quads), form=RdfFormat.N_TRIPLES)


def _trig(quads: Sequence[Quad]) -> bytes:
    return _written(_grouped(quads), form=RdfFormat.TRIG, prefixes=_prefixes(quads))


def _n_quads(quads: Sequence[Quad]) -> bytes:
    return _written(quads, form=RdfFormat.N_QUADS)


def _json_ld(quads: Sequence[Quad]) -> bytes:
    return orjson.dumps(compacted(quads), option=orjson.OPT_INDENT_2)


FORMATS: Final[Mapping[str, Callable[[Sequence[Quad]], bytes]]] = {
    "jsonld": _json_ld,
    "turtle": _turtle,
    "rdfxml": _rdf_xml,
    "ntriples": _n_triples,
    "trig": _trig,
    "nquads": _n_quads,
}
"""What writes each format, by its name."""

WITH_GRAPHS: Final = ("trig", "nquads")
"""The formats that keep the names of graphs."""


def compacted(quads: Sequence[Quad]) -> dict[str, Any]:
    """JSON-LD with a context of prefixes in it, one object a node, so that no reader has to fetch anything."""
    prefixes = _unambiguous(quads)
    nodes: dict[str, dict[str, Any]] = {}
    keys: dict[NamedNode, str] = {}
    for subject, predicate, value, _ in _grouped(quads):
        name = _name_of(subject)
        node = nodes.get(name)
        if node is None:
            node = nodes[name] = {"@id": name}
        if predicate == TYPE:
            node.setdefault("@type", []).append(_compact(_name_of(value), prefixes))
            continue
        if predicate not in keys:
            keys[predicate] = _compact(predicate.value, prefixes)
        _append(node, keys[predicate], _json_value(value, prefixes))
    return {"@context": prefixes, "@graph": list(nodes.values())}


def _unambiguous(quads: Sequence[Quad]) -> dict[str, str]:
    """The prefixes that the quads use, without those that an IRI in them begins with: ``dct:title`` is one, too."""
    schemes = {
        term.value.partition(":")[0]
        for quad in quads
        for term in (quad.subject, quad.predicate, quad.object)
        if isinstance(term, NamedNode) and not term.value.startswith(("https:", "http:"))
    }
    return {prefix: base for prefix, base in _prefixes(quads).items() if prefix not in schemes}


def _append(node: dict[str, Any], key: str, value: Any) -> None:
    """One value stands alone, more in a list."""
    before = node.get(key)
    if before is None:
        node[key] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        node[key] = [before, value]


def _json_value(term: object, prefixes: Mapping[str, str]) -> Any:
    if not isinstance(term, Literal):
        return {"@id": _name_of(term)}
    if term.language:
        return {"@value": term.value, "@language": term.language}
    datatype = term.datatype.value
    if datatype == XSD + "string":
        return term.value
    if datatype == XSD + "boolean" and term.value in ("true", "false"):
        return term.value == "true"
    if datatype == XSD + "integer" and _is_canonical(term.value):
        return int(term.value)
    return {"@value": term.value, "@type": _compact(datatype, prefixes)}


def _is_canonical(value: str) -> bool:
    """Whether a JSON number says exactly this literal."""
    try:
        return str(int(value)) == value and abs(int(value)) < _LARGEST_NATIVE
    except ValueError:
        return False


_COMPACTED: dict[str, str] = {}


def _compact(iri: str, prefixes: Mapping[str, str]) -> str:
    """An IRI of a vocabulary by its prefix; any other as it is."""
    short = _short(iri)
    return short if short.partition(":")[0] in prefixes else iri


def _short(iri: str) -> str:
    found = _COMPACTED.get(iri)
    if found is None:
        found = next(
            (
                f"{prefix}:{iri[len(base) :]}"
                for prefix, base in PREFIXES.items()
                if iri.startswith(base) and _LOCAL.fullmatch(iri, len(base))
            ),
            iri,
        )
        if len(_COMPACTED) < 5_000:
            _COMPACTED[iri] = found
    return found


def _name_of(term: object) -> str:
    if isinstance(term, NamedNode):
        return term.value
    if isinstance(term, BlankNode):
        return f"_:{term.value}"
    raise TypeError(f"{term!r} can be no node of JSON-LD")


def _prefixes(quads: Sequence[Quad]) -> dict[str, str]:
    """The prefixes that the quads use."""
    named: set[NamedNode] = set()
    for _, predicate, value, _ in quads:
        named.add(predicate)
        if isinstance(value, Literal):
            named.add(value.datatype)
        elif predicate == TYPE and isinstance(value, NamedNode):
            named.add(value)
    used = {_short(each.value).partition(":")[0] for each in named if each.value != _RDF_LANGUAGE}
    return {prefix: base for prefix, base in PREFIXES.items() if prefix in used}


def _grouped(quads: Sequence[Quad]) -> list[Quad]:
    """Quads of one subject together, and of one property in it, in the order in which they first appear."""
    order: dict[tuple[object, object], dict[NamedNode, list[Quad]]] = {}
    for quad in quads:
        subject, predicate, _, graph = quad
        properties = order.setdefault((graph, subject), {})
        if predicate in properties:
            properties[predicate].append(quad)
        else:
            properties[predicate] = [quad]
    return [quad for properties in order.values() for group in properties.values() for quad in group]


def _triples(quads: Sequence[Quad]) -> list[Triple]:
    """Without the names of graphs: what several of them say is said once."""
    triples = [quad.triple for quad in _grouped(quads)]
    return triples if len({quad.graph_name for quad in quads}) < 2 else list(dict.fromkeys(triples))


def _for_xml(triple: Triple) -> Triple:
    """XML knows no control characters, not even escaped: each becomes U+FFFD."""
    value = triple.object
    if not isinstance(value, Literal) or _NOT_IN_XML.search(value.value) is None:
        return triple
    clean = _NOT_IN_XML.sub("\ufffd", value.value)
    if value.language:
        return Triple(triple.subject, triple.predicate, Literal(clean, language=value.language))
    return Triple(triple.subject, triple.predicate, Literal(clean, datatype=value.datatype))
