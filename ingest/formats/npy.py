"""NumPy .npy: the header only; nothing is ever unpickled or evaluated.

Source: NEP 1 and numpy.lib.format. The header is a Python literal; it is matched, not executed.
"""

from __future__ import annotations

import re

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

SIGNATURE = b"\x93NUMPY"
_MAX_HEADER = 60_000
_SHAPE = re.compile(r"'shape'\s*:\s*\(([\d\sL,]*)\)")
_SIMPLE = re.compile(r"'descr'\s*:\s*'([^']{1,80})'")
_FIELD = re.compile(r"\(\s*'([^']{1,500})'\s*,\s*'([^']{1,80})'\s*(?:,\s*\(([\d\s,]*)\)\s*)?\)")
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def describe(source: Source, facts: Facts) -> None:
    """Shape, data type, bits per value; the fields of a structured array as variables."""
    header, version = read_header(source.head)
    facts.version = version
    for axis, size in enumerate(shape_of(header)):
        facts.dimension(f"axis {axis}", size)
    simple = _SIMPLE.search(header)
    if simple:
        _describe_simple(simple[1], facts)
    elif fields := _FIELD.findall(header):
        for name, code, _ in fields:
            facts.variable(name, data_type(code))
    else:
        raise MalformedError("the NumPy header names no data type")


def _describe_simple(code: str, facts: Facts) -> None:
    kind = data_type(code)
    facts.variable("values", kind)
    if kind == "object":
        facts.warn("the array holds pickled Python objects, which are never opened")
    elif (digits := code.lstrip("<>|=")[1:]).isdigit() and code.lstrip("<>|=")[:1] in "fiucbV":
        facts.bit_depth = min(int(digits) * 8, 2**31)


def read_header(head: bytes) -> tuple[str, str]:
    """The header text and the format version of a .npy that starts at ``head``.

    Raises MalformedError when it is cut off or longer than 60 kB.
    """
    if len(head) < 12:
        raise MalformedError("the NumPy array ends inside its header")
    wide = head[6] >= 2
    start = 12 if wide else 10
    length = int.from_bytes(head[8:start], "little")
    if length > _MAX_HEADER or len(head) < start + length:
        raise MalformedError("the NumPy header is cut off or longer than 60 kB")
    text = head[start : start + length].decode("utf-8" if head[6] >= 3 else "latin-1", "replace")
    return text, f"{head[6]}.{head[7]}"


def shape_of(header: str) -> list[int]:
    """The sizes of the axes; an empty list is a single value."""
    found = _SHAPE.search(header)
    if not found:
        raise MalformedError("the NumPy header gives no shape")
    sizes = [part.strip(" L\n\t") for part in found[1].split(",")]
    return [int(part) for part in sizes if part.isdigit() and len(part) < 20][:64]


def code_of(header: str) -> str:
    """The dtype code (``<f8``), or "structured"."""
    simple = _SIMPLE.search(header)
    return simple[1] if simple else "structured"


def data_type(code: str) -> str:
    """NumPy's own name for a dtype code: ``<f8`` is float64, ``|O`` is object."""
    bare = code.lstrip("<>|=")
    kind, digits = bare[:1], bare[1:]
    if kind in _KINDS and digits.isdigit() and len(digits) < 4:
        return f"{_KINDS[kind]}{int(digits) * 8}"
    if kind == "M":
        return "datetime64"
    if kind == "m":
        return "timedelta64"
    return {"b": "bool", "U": "string", "S": "bytes", "O": "object", "V": "void"}.get(kind, bare or "structured")
