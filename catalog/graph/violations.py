"""What a validation found, in words: which thing by its title, which field by its label, what is wrong, the mend. Pure.

Titles and values come from records, and may hold anything: each is shown as one line of printable characters, between
quotation marks, and cut where it is long. What is wrong in the same way with many things is one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from pyoxigraph import Literal, Quad

from catalog.graph.prefixes import PREFIXES
from catalog.graph.shacl import Report, Result
from catalog.graph.shapes import THINGS, fields
from catalog.graph.vocabulary import DCT, FOAF, RDFS, SCHEMA, SKOS, TYPE, VCARD

_NAMES: Final = tuple(
    each.value for each in (DCT["title"], VCARD["fn"], FOAF["name"], SCHEMA["name"], SKOS["prefLabel"], RDFS["label"])
)
_KINDS: Final[Mapping[str, str]] = {
    "dcat:Dataset": "dataset", "dcat:Catalog": "catalog", "dcat:CatalogRecord": "catalog record",
    "dcat:DataService": "service", "dcat:DatasetSeries": "series", "dcat:Distribution": "file",
    "dcat:Relationship": "relation", "prov:Collection": "data object", "foaf:Project": "project",
    "vcard:Kind": "contact", "vcard:Individual": "contact", "vcard:Organization": "contact",
    "foaf:Person": "person", "foaf:Organization": "organization", "foaf:Agent": "agent",
    "prov:Attribution": "contribution", "prov:Activity": "run", "schema:Grant": "grant",
    "spdx:Checksum": "checksum", "spdx:ChecksumAlgorithm": "checksum algorithm", "dct:Location": "place",
    "dct:PeriodOfTime": "period", "dct:LicenseDocument": "licence", "dct:RightsStatement": "rights statement",
    "dct:Standard": "standard", "adms:Identifier": "identifier", "skos:Concept": "term",
}  # fmt: skip
"""Class → word, the telling ones first: a thing may have several."""

_LONGEST, _SHOWN = 80, 3


def sentences(report: Report, quads: Sequence[Quad]) -> list[str]:
    """One sentence for each kind of defect, in the report's order."""
    things = Things(quads)
    told: dict[tuple[str, str], list[str]] = {}
    for each in report.results:
        told.setdefault((things.kind(each.focus), defect(each, things)), []).append(each.focus)
    return [_sentence(kind, words, list(dict.fromkeys(foci)), things) for (kind, words), foci in told.items()]


def _sentence(kind: str, words: str, foci: Sequence[str], things: Things) -> str:
    if len(foci) == 1:
        return f"{_capital(things.called(foci[0]))} {words}"
    shown = ", ".join(things.name(each) for each in foci[:_SHOWN])
    more = f" and {len(foci) - _SHOWN:,} more" if len(foci) > _SHOWN else ""
    return f"{len(foci):,} {kind}s ({shown}{more}): each {words}"


def defect(found: Result, things: Things) -> str:
    """What is wrong and how to mend it, as the rest of a sentence that begins with the thing."""
    field = things.field(found)
    say = _RULES.get(found.rule, _any_other)
    return say(found, field)


def _min_count(found: Result, field: str) -> str:
    if found.asked == "1":
        return f"has no {field}; give one."
    return f"has fewer than {found.asked} of {field}; give more."


def _max_count(found: Result, field: str) -> str:
    one = "one" if found.asked == "1" else found.asked
    return f"has more than {one} of {field}; keep {one}."


def _datatype(found: Result, field: str) -> str:
    return f"has {_value(found)} as {field}, which is no {_short(found.asked)}; write it as one."


def _node_kind(found: Result, field: str) -> str:
    wanted = {"IRI": "an address (IRI)", "Literal": "a text", "BlankNodeOrIRI": "an address (IRI)"}
    kind = wanted.get(found.asked.rpartition("#")[2], _short(found.asked))
    return f"has {_value(found)} as {field}, where {kind} is needed; give one."


def _class(found: Result, field: str) -> str:
    kind = _short(found.asked)
    return f"names {_value(found)} as {field}, which is not described as a {kind}; name one that is, or describe it."


def _pattern(found: Result, field: str) -> str:
    return f"has {_value(found)} as {field}, which has not the form {quoted(found.asked)}; write it so."


def _shortest(found: Result, field: str) -> str:
    length = len(found.value or "")
    return f"has {_value(found)} as {field}, which has {length:,} characters; at least {found.asked} are asked for."


def _in(found: Result, field: str) -> str:
    words = (re.split("[/#]", each)[-1] for each in found.asked.split(", "))
    return f"has {_value(found)} as {field}; choose one of {cut(', '.join(words), 3 * _LONGEST)}."


def _has_value(found: Result, field: str) -> str:
    return f"has not {quoted(found.asked)} as {field}; add it."


def _any_other(found: Result, field: str) -> str:
    value = f" ({_value(found)})" if found.value is not None and found.value != found.focus else ""
    return f"is not right in {field}{value}: {cut(found.message.rstrip('.'), 3 * _LONGEST)}."


_RULES: Final[Mapping[str, Callable[[Result, str], str]]] = {
    "MinCount": _min_count,
    "MaxCount": _max_count,
    "Datatype": _datatype,
    "NodeKind": _node_kind,
    "Class": _class,
    "Pattern": _pattern,
    "MinLength": _shortest,
    "In": _in,
    "HasValue": _has_value,
}


# --- things and fields --------------------------------------------------------------------------------------------


class Things:
    """What the graph calls its nodes."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self._names: dict[str, dict[str, str]] = {}
        self._types: dict[str, set[str]] = {}
        for quad in quads:
            subject, predicate = str(getattr(quad.subject, "value", "")), quad.predicate.value
            if quad.predicate == TYPE:
                self._types.setdefault(subject, set()).add(str(getattr(quad.object, "value", "")))
            elif predicate in _NAMES and isinstance(quad.object, Literal):
                self._names.setdefault(subject, {}).setdefault(predicate, quad.object.value)

    def kind(self, node: str) -> str:
        """One word for what it is."""
        types = {_short(each) for each in self._types.get(node, ())}
        return next((word for name, word in _KINDS.items() if name in types), "thing")

    def name(self, node: str) -> str:
        """Its title in quotation marks; of a thing that has none what its address ends with."""
        names = self._names.get(node, {})
        told = next((names[each] for each in _NAMES if names.get(each, "").strip()), "")
        if told:
            return quoted(told)
        owner, _, part = node.partition("#")
        if part and owner in self._types:
            return f"{quoted(part)} of {self.called(owner)}"
        return quoted(node)

    def called(self, node: str) -> str:
        """``the dataset 'Counts of cells'``."""
        return f"the {self.kind(node)} {self.name(node)}"

    def field(self, found: Result) -> str:
        """The label of a field and what it is in RDF."""
        if not found.path:
            return "what it is"
        path = found.path.removeprefix("^")
        label = found.field or _labels().get((self.kind(found.focus), path), "")
        short = ("what names it as " if found.path.startswith("^") else "") + _short(path)
        return f"{cut(label)} ({short})" if label else short


@cache
def _labels() -> Mapping[tuple[str, str], str]:
    """Word for a thing, predicate → label of the field, as our own forms call it."""
    words = {"Dataset": "dataset", "Project": "project", "DataObject": "data object", "Run": "run", "File": "file"}
    return {(words[thing.type], each.path): each.label for thing in THINGS for each in reversed(fields(thing.type))}


# --- text -----------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A text from a record, in quotation marks."""
    return f"'{cut(text)}'"


def cut(text: str, longest: int = _LONGEST) -> str:
    """One line of printable characters: what is none, such as a mark that turns the line around, becomes its code."""
    line = " ".join(text[: 2 * longest].split())
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)
    return shown if len(shown) <= longest and len(text) <= 2 * longest else f"{shown[:longest]}…"


def _value(found: Result) -> str:
    value = found.value or ""
    return f"the text {quoted(value)}" if found.is_text else f"<{cut(value)}>"


def _short(iri: str) -> str:
    """An IRI with the prefix of its vocabulary."""
    for prefix, base in PREFIXES.items():
        if iri.startswith(base):
            return f"{prefix}:{iri[len(base) :]}"
    return f"<{cut(iri)}>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
