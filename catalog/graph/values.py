"""Values of a document as RDF terms, by the rules of JSON-LD 1.1; what cannot be a term is None. Pure."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from pyoxigraph import Literal, NamedNode

XSD = "http://www.w3.org/2001/XMLSchema#"
_INTEGER, _DOUBLE, _BOOLEAN = NamedNode(XSD + "integer"), NamedNode(XSD + "double"), NamedNode(XSD + "boolean")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST_WHOLE = 1e21


@lru_cache(maxsize=20_000)
def named(iri: str) -> NamedNode | None:
    """An IRI as a node; None for what is no absolute IRI."""
    try:
        return NamedNode(iri)
    except ValueError:
        return None


def certain(iri: str) -> NamedNode:
    """An IRI that the program itself made.

    Raises:
        ValueError: when it is none after all.
    """
    return NamedNode(iri)


def text(value: str, language: str = "") -> Literal:
    """A text; a lone surrogate, which is no character, becomes U+FFFD, and a tag that is none is left out."""
    value = _well_formed(value)
    if language:
        try:
            return Literal(value, language=language)
        except ValueError:
            return Literal(value)
    return Literal(value)


def literal(value: Any, datatype: NamedNode | None = None) -> Literal | None:
    """A JSON string, number or boolean as a literal; the datatype is the term's."""
    if isinstance(value, str):
        return Literal(_well_formed(value), datatype=datatype) if datatype else Literal(_well_formed(value))
    if isinstance(value, bool):
        return Literal("true" if value else "false", datatype=datatype or _BOOLEAN)
    if isinstance(value, int) and abs(value) < _LARGEST_WHOLE:
        return Literal(str(value), datatype=datatype or _INTEGER)
    if isinstance(value, int | float):
        return _number(float(value), datatype)
    return None


def _number(value: float, datatype: NamedNode | None) -> Literal | None:
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < _LARGEST_WHOLE and datatype != _DOUBLE:
        return Literal(str(int(value)), datatype=datatype or _INTEGER)
    return Literal(canonical_double(value), datatype=datatype or _DOUBLE)


def canonical_double(value: float) -> str:
    """A number as ``xsd:double`` is written canonically: ``9.3E-1``."""
    written = f"{value:.15E}"
    mantissa, _, exponent = written.partition("E")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}E{int(exponent)}"


def _well_formed(value: str) -> str:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", value)
    return value
