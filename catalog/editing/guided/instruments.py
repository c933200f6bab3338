"""The instruments of the registry as choices: every account sees them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.editing.guided.choice import Choice, matching
from catalog.models import Document, Instrument

_MOST_KEPT = 5_000
_details: dict[str, tuple[str, str]] = {}  # model and manufacturer by the SHA-256 of a document's bytes


def known(query: str = "", limit: int = 500) -> Sequence[Choice]:
    """UUID, and name with model and serial number, by name."""
    return matching(_choices(), query, limit)


def label(identifier: str) -> str:
    """The name of one instrument as :func:`known` has it, empty when there is none."""
    return next((each.label for each in _choices(identifier)), "")


def _choices(identifier: str = "") -> Sequence[Choice]:
    rows = Instrument.objects.order_by("name", "identifier")
    rows = rows.filter(identifier=identifier) if identifier else rows
    parts = list(rows.values_list("identifier", "name", "serial_number", "document__sha256"))
    _read({sha256 for *_, sha256 in parts if sha256} - _details.keys())
    return [_choice(identifier, name, serial, sha256 or "") for identifier, name, serial, sha256 in parts]


def _choice(identifier: str, name: str, serial_number: str, sha256: str) -> Choice:
    model, maker = _details.get(sha256, ("", ""))
    serial = f"serial number {serial_number}" if serial_number else ""
    return Choice(identifier, " · ".join(filter(None, (name or identifier, model, serial))), maker, maker)


def _read(stamps: set[str]) -> None:
    """What the rows do not hold, from the documents that were not read yet."""
    if stamps:
        if len(_details) > _MOST_KEPT:
            _details.clear()  # of what is in the registry all is read again below
        rows = Document.objects.filter(kind="instrument_technical", value__isnull=False)
        for sha256, value in rows.values_list("sha256", "value"):
            _details[sha256] = _text(value, "model", "name"), _text(value, "manufacturers", 0, "name")


def _text(value: Any, *steps: str | int) -> str:
    """The text at a place of a document, empty when nothing of the kind is there."""
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value if isinstance(value, str) else ""
