"""Units: UCUM codes with names, those of laboratories first, found by code, name or the sign people write.

Codes and names come from the UCUM tables that the package ``ucumvert`` ships. Its code (a parser, and ``pint`` below
it) takes a third of a second to import, so the tables are read as files, once, and the parser is imported only when
somebody writes a code that stands in no table.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from catalog.editing.guided.characters import bare, hyphens, quoted
from catalog.editing.guided.choice import Choice
from catalog.editing.guided.unit_tables import ALIASES, COMMON, NAMES, QUDT

_UCUM = "{http://unitsofmeasure.org/ucum-essence}"
_QUDT_BASE = "http://qudt.org/vocab/unit/"
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWERS = {"2": "square", "3": "cubic"}


@cache
def choices() -> Sequence[Choice]:
    """The common units, then every other unit of UCUM's own tables, by code."""
    rest = {code: name for code, name in _table().items() if code not in COMMON}
    ordered = sorted(rest, key=lambda code: (not code[0].isalpha(), code.casefold(), code))
    return (*common(), *(Choice(code, rest[code], "", _british(rest[code])) for code in ordered))


@cache
def common() -> Sequence[Choice]:
    return tuple(_common(code) for code in COMMON)


def _common(code: str) -> Choice:
    signs = " ".join(sign for sign, other in ALIASES.items() if other == code)
    name = _name(code)
    return Choice(code, name, "", f"{signs} {_british(name)}".strip())


def label(value: str) -> str:
    """The name of a code, empty for what is none we can name."""
    return _name(value)


def unit_iri(code: str) -> str | None:
    """The IRI of a unit in QUDT, only for those whose name there is known for certain."""
    name = QUDT.get(code)
    return f"{_QUDT_BASE}{name}" if name else None


def unit(text: str) -> str:
    """The UCUM code of a code, a name or a sign such as µm, °C or m/s²."""
    kept = bare(text)
    if not kept or _is_known(kept):
        return kept or text
    written = _written(kept)
    if _is_known(written) or _composed(written):
        return written
    known = _by_name()
    return next((known[name] for name in _singulars(kept.casefold()) if name in known), text)


def unit_advice(text: str) -> str:
    code = unit(text)
    if _is_known(code) or _composed(code) or _is_ucum(code):
        return ""
    return f"{quoted(text)} is no UCUM code; it is kept as it is, but machines will not understand it as a unit."


def _is_known(code: str) -> bool:
    return code in _table() or code in COMMON


def _written(kept: str) -> str:
    """A code as UCUM writes it: signs replaced, raised figures on the line, no spaces and no ``^``."""
    if kept in ALIASES:
        return ALIASES[kept]
    code = hyphens(kept).translate(_RAISED).replace("^", "").replace("µ", "u").replace("μ", "u")
    code = re.sub(r" ?([/.·⋅×]|\*(?!\*)(?<!10\*)) ?", lambda match: "/" if match[1] == "/" else ".", code)
    code = code.replace(" ", ".")
    return ALIASES.get(code, code)


def _singulars(name: str) -> Iterator[str]:
    """A name as it is, and without the plural of its first word or its last."""
    yield name
    first, space, rest = name.partition(" ")
    yield f"{first.removesuffix('s')}{space}{rest}"
    yield name.removesuffix("s")


def _is_ucum(code: str) -> bool:
    """Whether UCUM's grammar accepts a code."""
    if len(code) > 100:
        return False
    from lark.exceptions import LarkError

    try:
        _parser().parse(code)
    except LarkError:
        return False
    return True


@cache
def _parser() -> Any:
    from ucumvert.parser import get_ucum_parser

    return get_ucum_parser()


# --- names ------------------------------------------------------------------------------------------------------


@cache
def _by_name() -> Mapping[str, str]:
    """Names, American and British, and single units' printed signs → code; the common units win."""
    found: dict[str, str] = {}
    for code, name in chain(((code, _name(code)) for code in COMMON), _table().items()):
        found.setdefault(name.casefold(), code)
        found.setdefault(_british(name).casefold(), code)
    return found


def _british(name: str) -> str:
    return name.replace("meter", "metre").replace("liter", "litre").replace("deka", "deca")


def _name(code: str) -> str:
    """A code's name from our table or UCUM's, else put together from those of its parts; empty when one has none."""
    return NAMES.get(code) or _table().get(code) or _composed(code)


def _composed(code: str) -> str:
    """``kg/m3`` → kilogram per cubic meter; brackets are not taken apart."""
    if not code or "(" in code or "{" in code:
        return ""
    over, *under = code.split("/")
    above = [_factor(each) for each in over.split(".")] if over else []
    below = [_factor(each) for part in under for each in part.split(".")]
    if not all(chain(above, below)):
        return ""
    per = " ".join(f"per {each}" for each in below)
    return f"{' '.join(above)} {per}".strip()


def _factor(code: str) -> str:
    """One unit with prefix and power: ``cm2``, ``s-1``."""
    start = code.rstrip("0123456789")
    power = code[len(start) :]
    if start.endswith("-"):
        inverse = _factor(f"{start[:-1]}{power if power != '1' else ''}") if power else ""
        return f"per {inverse}" if inverse else ""
    name = _prefixed(start)
    if not power or not name:
        return name
    return f"{_POWERS[power]} {name}" if power in _POWERS else f"{name} to the power of {power}"


def _prefixed(code: str) -> str:
    atoms, prefixes = _atoms()
    if code in atoms:
        return atoms[code][0]
    for length in (2, 1):
        name, is_metric = atoms.get(code[length:], ("", False))
        if is_metric and code[:length] in prefixes:
            return f"{prefixes[code[:length]]}{name}"
    return ""


# --- UCUM's tables ----------------------------------------------------------------------------------------------


@cache
def _table() -> Mapping[str, str]:
    """Code → name: UCUM's own units, and its table of examples."""
    atoms, _ = _atoms()
    named = {code: name for code, (name, _) in atoms.items() if "retired" not in name}
    return {**dict(_examples()), **named, **NAMES}


def _examples() -> Iterator[tuple[str, str]]:
    with (_folder() / "ucum_examples.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            code, name = (row.get("UCUM_CODE") or "").strip(), next(_descriptions(row), "")
            if code and name:
                yield code, " ".join(name.replace("*", "").split())


def _descriptions(row: Mapping[str, str | None]) -> Iterator[str]:
    return (value for key, value in row.items() if key and key.startswith("Description") and value)


@cache
def _atoms() -> tuple[Mapping[str, tuple[str, bool]], Mapping[str, str]]:
    """UCUM's units as code → (name, whether it takes prefixes), and its prefixes as code → name."""
    root = ElementTree.parse(_folder() / "ucum-essence.xml").getroot()  # noqa: S314 - a file of an installed package
    units = {}
    for element in chain(root.iter(f"{_UCUM}base-unit"), root.iter(f"{_UCUM}unit")):
        name = " ".join((element.findtext(f"{_UCUM}name") or "").split())
        is_metric = element.tag.endswith("base-unit") or element.get("isMetric") == "yes"
        units[element.get("Code", "")] = (name.replace("ampère", "ampere"), is_metric)
    prefixes = {each.get("Code", ""): each.findtext(f"{_UCUM}name") or "" for each in root.iter(f"{_UCUM}prefix")}
    return units, prefixes


@cache
def _folder() -> Path:
    """Where ucumvert keeps UCUM's tables, found without importing it."""
    spec = find_spec("ucumvert")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) / "vendor"
