"""Dates as people write them → ``2026-11-23``; a date that may be read in two ways stays as it was typed."""

from __future__ import annotations

import re
from datetime import date

from catalog.editing.guided.characters import bare, hyphens, quoted

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/. ])([0-9]{1,2})\2([0-9]{1,2})(?:[T ][0-9]{2}:[0-9:.]+(?:Z|[+-][0-9:]+)?)?")
_RUN_ON = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_WITH_DOTS = re.compile(r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/ ])([0-9]{1,2})\2([0-9]{4})")
_DAY_NAMED = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?\.?(?: of)?[ -]([a-z]{3,9})\.?,?[ -]([0-9]{4})", re.I | re.A)
_NAMED_DAY = re.compile(r"([a-z]{3,9})\.? ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})", re.I | re.A)


def day(text: str) -> str:
    """The calendar date a text can only mean."""
    readings = _readings(text)
    return readings[0] if len(readings) == 1 else text


def day_advice(text: str) -> str:
    readings = _readings(text)
    if len(readings) == 1:
        return ""
    if readings:
        return f"{quoted(text)} may be {readings[0]} or {readings[1]}: write year, month, day."
    return f"{quoted(text)} is no date: write year, month, day, like 2026-11-23."


def _readings(text: str) -> list[str]:
    """The dates a text may mean, none or one or two."""
    found = {_iso(*parts) for parts in _parts(hyphens(bare(text)))}
    return sorted(found - {""})


def _parts(kept: str) -> list[tuple[str, str, str]]:
    """Year, month and day, as texts."""
    if match := _YEAR_FIRST.fullmatch(kept):
        return [(match[1], match[3], match[4])]
    if match := _RUN_ON.fullmatch(kept):
        return [(match[1], match[2], match[3])]
    if match := _WITH_DOTS.fullmatch(kept):
        return [(match[3], match[2], match[1])]
    if match := _YEAR_LAST.fullmatch(kept):
        return [(match[4], match[3], match[1]), (match[4], match[1], match[3])]
    if match := _DAY_NAMED.fullmatch(kept):
        return [(match[3], _month(match[2]), match[1])]
    if match := _NAMED_DAY.fullmatch(kept):
        return [(match[3], _month(match[1]), match[2])]
    return []


def _month(name: str) -> str:
    """The number of an English month that is written whole or by its first letters, ``0`` for any other word."""
    start = name.lower()[:3]
    if start not in _MONTHS:
        return "0"
    number = _MONTHS.index(start)
    return str(number + 1) if _NAMES[number].startswith(name.lower()) or name.lower() == "sept" else "0"


def _iso(year: str, month: str, day_of_month: str) -> str:
    try:
        return date(int(year), int(month), int(day_of_month)).isoformat()
    except ValueError:
        return ""
