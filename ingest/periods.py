"""Stretches of time in a record: one that ends before it begins is wrong, though each of its two dates is right.

JSON Schema compares no two values with each other, so this is judged beside the schemas in force.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

PAIRS = (("start", "end"), ("started_at", "ended_at"), ("start_date", "end_date"))
RULE = "period"

Step = str | int

_DATE = re.compile(
    r"(-?[0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])"
    r"(?:[Tt ]([01][0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]|60)(?:\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_DAY = 86_400
_OFFSET = 14 * 3_600  # seconds: clocks on Earth are at most so far from UTC
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # after which the calendar begins again
_NOT_LOOKED_AT = frozenset({"file_descriptions", "data_files", "outputs"})  # long, and without such pairs


def reversed_in(value: Any) -> Iterator[tuple[tuple[Step, ...], str, str, str]]:
    """Each stretch that ends before it begins: the place of its end, the key of its start, its start and its end."""
    yield from _within(value, ())


def _within(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str, str, str]]:
    if isinstance(value, Mapping):
        for first, last in PAIRS:
            start, end = value.get(first), value.get(last)
            if isinstance(start, str) and isinstance(end, str) and is_reversed(start, end):
                yield (*path, last), first, start, end
        for key, each in value.items():
            if isinstance(each, dict | list) and key not in _NOT_LOOKED_AT:
                yield from _within(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            if isinstance(each, dict | list):
                yield from _within(each, (*path, number))


def is_reversed(start: str, end: str) -> bool:
    """Whether a stretch surely ends before it begins: what is not known to the day is given the benefit of the doubt.

    Years, months, dates and times compare with each other (``2020`` holds all of ``2020-05``); a text that is none of
    them is never reversed.
    """
    first, last = _span(start), _span(end)
    if first is None or last is None:
        return False
    doubt = _OFFSET if first[2] is not last[2] else 0
    return last[1] + doubt < first[0]


def _span(text: str) -> tuple[int, int, bool] | None:
    """The first and last second of a date as exact as it is written, and whether it tells its offset from UTC."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(each) if each else 0 for each in found.group(1, 2, 3))
    if not month:
        return _days(year, 1, 1) * _DAY, _days(year + 1, 1, 1) * _DAY - 1, False
    if not day:
        after = (year + 1, 1) if month == 12 else (year, month + 1)
        return _days(year, month, 1) * _DAY, _days(*after, 1) * _DAY - 1, False
    try:
        start = _days(year, month, day) * _DAY
    except ValueError:  # the thirtieth of February
        return None
    if found[4] is None:
        return start, start + _DAY - 1, False
    start += int(found[4]) * 3_600 + int(found[5]) * 60
    last = start + 59 if found[6] is None else start + int(found[6])
    start = start if found[6] is None else last
    offset = _offset(found[7])
    return start - offset, last - offset, found[7] is not None


def _offset(text: str | None) -> int:
    """Seconds ahead of UTC."""
    if text is None or text in "Zz":
        return 0
    seconds = int(text[1:3]) * 3_600 + int(text[4:6]) * 60
    return -seconds if text[0] == "-" else seconds


def _days(year: int, month: int, day: int) -> int:
    """Days of the proleptic Gregorian calendar, of any year.

    Raises:
        ValueError: when the month has no such day.
    """
    cycles, within = divmod(year, _CYCLE_YEARS)
    return date(within + _CYCLE_YEARS, month, day).toordinal() + cycles * _CYCLE_DAYS
