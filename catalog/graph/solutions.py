"""Rows of a SELECT in the four result formats, as far as a limit lets them: what Oxigraph's own writers cannot stop at.

Whole answers are written by Oxigraph; these write the partial ones, which must be valid documents too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, Triple

_STRING = "http://www.w3.org/2001/XMLSchema#string"
_XML_HEAD = '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>'


def pieces(solutions: QuerySolutions, form: str, note: str) -> tuple[str, Iterator[str], str]:
    """How a document begins, each row of it, and how it ends; ``note`` is linked from its head where that has one."""
    names = [variable.value for variable in solutions.variables]
    if form == "json":
        head = json.dumps({"vars": names, "link": [note]} if note else {"vars": names})
        return f'{{"head":{head},"results":{{"bindings":[', _separated(solutions, names), "]}}"
    if form == "xml":
        variables = "".join(f"<variable name={quoteattr(name)}/>" for name in names)
        link = f"<link href={quoteattr(note)}/>" if note else ""
        return f"{_XML_HEAD}{variables}{link}</head><results>", _xml(solutions, names), "</results></sparql>"
    if form == "csv":
        return ",".join(names) + "\r\n", (_csv(row) + "\r\n" for row in solutions), ""
    return "\t".join(f"?{name}" for name in names) + "\n", (_tsv(row) + "\n" for row in solutions), ""


def _separated(solutions: QuerySolutions, names: Sequence[str]) -> Iterator[str]:
    comma = ""
    for row in solutions:
        values = {name: _json(term) for name, term in zip(names, row, strict=True) if term is not None}
        yield comma + json.dumps(values, ensure_ascii=False)
        comma = ","


def _json(term: Any) -> dict[str, Any]:
    if isinstance(term, NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, BlankNode):
        return {"type": "bnode", "value": term.value}
    if isinstance(term, Triple):
        parts = {"subject": term.subject, "predicate": term.predicate, "object": term.object}
        return {"type": "triple", "value": {name: _json(part) for name, part in parts.items()}}
    value = {"type": "literal", "value": term.value}
    if term.language:
        return value | {"xml:lang": term.language}
    return value if term.datatype.value == _STRING else value | {"datatype": term.datatype.value}


def _xml(solutions: QuerySolutions, names: Sequence[str]) -> Iterator[str]:
    for row in solutions:
        bound = ((name, term) for name, term in zip(names, row, strict=True) if term is not None)
        found = "".join(f"<binding name={quoteattr(name)}>{_xml_term(term)}</binding>" for name, term in bound)
        yield f"<result>{found}</result>"


def _xml_term(term: Any) -> str:
    if isinstance(term, NamedNode):
        return f"<uri>{escape(term.value)}</uri>"
    if isinstance(term, BlankNode):
        return f"<bnode>{escape(term.value)}</bnode>"
    if isinstance(term, Triple):
        parts = (("subject", term.subject), ("predicate", term.predicate), ("object", term.object))
        return "<triple>" + "".join(f"<{name}>{_xml_term(part)}</{name}>" for name, part in parts) + "</triple>"
    mark = ""
    if term.language:
        mark = f" xml:lang={quoteattr(term.language)}"
    elif term.datatype.value != _STRING:
        mark = f" datatype={quoteattr(term.datatype.value)}"
    text = escape(term.value, {"\r": "&#xD;", "\n": "&#xA;", "\t": "&#x9;"})
    return f"<literal{mark}>{text}</literal>"


def _csv(row: Any) -> str:
    return ",".join(_csv_cell(term) for term in row)


def _csv_cell(term: Any) -> str:
    if term is None:
        return ""
    text = term.value if isinstance(term, NamedNode | Literal) else str(term)
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text


def _tsv(row: Any) -> str:
    return "\t".join("" if term is None else str(term).replace("\t", "\\t") for term in row)
