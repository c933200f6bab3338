"""What the headers of a run's files tell about the run: dates, software, settings, and which instrument it was.

Pure. Nothing is guessed: a value on which the files differ is left out, a date is one that a header gives, and an
instrument is named only when exactly one of the registry fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Value = dict[str, Any]
Row = Mapping[str, Any]

MAX_SETTINGS = 50
# FITS 4.0, 4.4.2.1 and 9.5: the start of the exposure, UTC unless TIMESYS says otherwise (which is not read).
_START = "DATE-OBS"
_LASTS = ("EXPTIME", "EXPOSURE")
# TIFF 6.0, 306: when the image was made, by a clock whose time zone nothing tells; its day is all that is taken.
_DAY = "DateTime"
# Where the names of programs stand, as the extractors tell it in ``source``: "name version" in one text.
_PROGRAMS = {"SAM @PG": "program", "VCF ##source": "source", "TIFF 305": "Software"}
_OF_ACQUISITION = "TIFF 305"  # the program that made the image
_ACQUISITION_VERSION = "SoftwareVersions"
_MAKER, _MODEL = ("Manufacturer", "Make"), ("ManufacturerModelName", "INSTRUME", "platform", "Model")
_SERIAL = re.compile(r"(?i).*serial.?(number|no\b)?.*")
# What is no setting of an instrument although a header holds it.
_NO_SETTING = {
    _START, "program", "source", "sort order", "coding", "root element", "namespace", "TELESCOP", "EQUINOX", "RADESYS",
    "AIRMASS", _ACQUISITION_VERSION, *_MAKER, *_MODEL,
}  # fmt: skip
_SETTING_SOURCES = ("FITS", "DICOM", "WAV")
_VERSION = re.compile(r"[vV]?[0-9][0-9A-Za-z.+_-]*")


def from_headers(entries: Iterable[Mapping[str, Any]], instruments: Sequence[Mapping[str, Any]]) -> Value:
    """The fields of a run that its files' headers tell; ``instruments`` are the registry's records."""
    headers = [_rows(entry) for entry in entries]
    headers = [rows for rows in headers if rows]
    found: Value = {}
    found |= _dates(headers)
    if software := _software(headers):
        found["software_used"] = software
    if settings := _settings(headers):
        found["instrument_settings"] = settings
    if used := [identifier for i in instruments if (identifier := _used(i, instruments, headers))]:
        found["instruments_used"] = used
    return found


def _rows(entry: Mapping[str, Any]) -> list[Row]:
    rows = entry.get("instrument_metadata")
    return [r for r in rows if isinstance(r, dict) and "value" in r] if isinstance(rows, list) else []


# --- dates --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Moment:
    """A start from a header: whether it has a time, and when it ended where the header tells."""

    start: datetime
    timed: bool
    end: datetime | None


def _moment(rows: Sequence[Row]) -> _Moment | None:
    named = {name: r["value"] for r in reversed(rows) if isinstance(name := r.get("name"), str)}
    day = named.get(_DAY)
    text = named.get(_START, day[:10] if isinstance(day, str) else None)
    if not isinstance(text, str) or not re.match(r"\d{4}-\d\d-\d\d(T|$)", text):
        return None
    try:
        start = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None
    lasts = [r["value"] for r in rows if r.get("name") in _LASTS and r.get("unit") == "s"]
    numbers = [n for n in lasts if type(n) in (int, float) and 0 <= n < 10_000_000]
    timed = "T" in text
    try:
        end = start + timedelta(seconds=max(numbers)) if timed and numbers else None
    except OverflowError:  # no calendar goes on after the year 9999
        end = None
    return _Moment(start, timed, end)


def _dates(headers: Sequence[Sequence[Row]]) -> Value:
    moments = [m for rows in headers if (m := _moment(rows))]
    if not moments:
        return {}
    first, last = min(m.start for m in moments), max(m.end or m.start for m in moments)
    found: Value = {"experiment_dates": {"start": first.date().isoformat(), "end": last.date().isoformat()}}
    if all(m.timed for m in moments):
        found["started_at"] = _rfc3339(first)
    if all(m.end for m in moments):
        found["ended_at"] = _rfc3339(last)
    return found


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


# --- software and settings --------------------------------------------------------------------------------------


def _software(headers: Iterable[Sequence[Row]]) -> list[Value]:
    found: dict[tuple[str, str, str], Value] = {}
    for rows in headers:
        for row in rows:
            program = _program(row)
            if program is not None:
                found.setdefault((program.get("name", ""), program.get("version", ""), program["purpose"]), program)
    return [found[key] for key in sorted(found)]


def _program(row: Row) -> Value | None:
    name, text = row.get("name"), row.get("value")
    if not isinstance(text, str) or not text.strip():
        return None
    if name == _ACQUISITION_VERSION:
        return {"version": text, "purpose": "acquisition"}
    if _PROGRAMS.get(str(row.get("source"))) != name:
        return None
    purpose = "acquisition" if row.get("source") == _OF_ACQUISITION else "analysis"
    before, _, last = text.strip().rpartition(" ")
    if before and _VERSION.fullmatch(last):
        return {"name": before, "version": last, "purpose": purpose}
    return {"name": text.strip(), "purpose": purpose}


def _settings(headers: Iterable[Sequence[Row]]) -> list[Value]:
    """Rows of an instrument's header that are the same in every file that has them."""
    values: dict[str, set[tuple[str, str]]] = {}
    rows_of: dict[str, Row] = {}
    for rows in headers:
        for row in rows:
            name = row.get("name")
            if not isinstance(name, str) or name in _NO_SETTING or _SERIAL.fullmatch(name):
                continue
            if str(row.get("source", "")).startswith(_SETTING_SOURCES):
                values.setdefault(name, set()).add((repr(row["value"]), str(row.get("unit"))))
                rows_of[name] = row
    same = [rows_of[name] for name, different in values.items() if len(different) == 1]
    return [{k: row[k] for k in ("name", "value", "unit") if k in row} for row in same[:MAX_SETTINGS]]


# --- instruments ------------------------------------------------------------------------------------------------


def _used(
    instrument: Mapping[str, Any], registry: Sequence[Mapping[str, Any]], headers: Iterable[Sequence[Row]]
) -> str:
    """The instrument's identifier when a header names it and no other of the registry as well; else ""."""
    for rows in headers:
        fitting = [each for each in registry if _fits(each, rows)]
        by_number = [each for each in fitting if _text(each.get("serial_number")) in _numbers(rows)]
        if (by_number or fitting) == [instrument]:
            identifier = instrument.get("instrument_identifier")
            return identifier if isinstance(identifier, str) else ""
    return ""


def _fits(instrument: Mapping[str, Any], rows: Sequence[Row]) -> bool:
    number, numbers = _text(instrument.get("serial_number")), _numbers(rows)
    if numbers:
        return bool(number) and number in numbers
    names = {_text(r["value"]) for r in rows if r.get("name") in (*_MODEL, "TELESCOP")} - {""}
    model = instrument.get("model")
    own = {_text(instrument.get("instrument_name")), _text(model.get("name")) if isinstance(model, dict) else ""} - {""}
    return bool(own & names) and _same_maker(instrument, rows)


def _same_maker(instrument: Mapping[str, Any], rows: Sequence[Row]) -> bool:
    told = {_text(r["value"]) for r in rows if r.get("name") in _MAKER} - {""}
    makers = instrument.get("manufacturers")
    known = {_text(m.get("name")) for m in makers if isinstance(m, dict)} - {""} if isinstance(makers, list) else set()
    return not told or not known or any(a in b or b in a for a in told for b in known)


def _numbers(rows: Sequence[Row]) -> set[str]:
    return {_text(r["value"]) for r in rows if _SERIAL.fullmatch(str(r.get("name")))} - {""}


def _text(value: Any) -> str:
    """As names are compared: without case and surplus blanks."""
    if type(value) not in (str, int):
        return ""
    return " ".join(str(value).split()).casefold()
