"""Who may have the data: of several things said, the strictest, as it stands at one moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

PUBLIC, EMBARGOED, RESTRICTED, CONFIDENTIAL = "public", "embargoed", "restricted", "confidential"
LEVELS = (PUBLIC, EMBARGOED, RESTRICTED, CONFIDENTIAL)
"""From the most open to the strictest."""


@dataclass(frozen=True)
class Access:
    """What holds at one moment; ``embargo_end`` of an embargo only, None of one whose end is not known."""

    level: str
    embargo_end: date | None = None

    @property
    def gives_data(self) -> bool:
        """Whether anybody may have the data."""
        return self.level == PUBLIC

    @property
    def gives_metadata(self) -> bool:
        """Whether anybody may read the record."""
        return self.level != CONFIDENTIAL


def stated(record: Mapping[str, Any], now: datetime) -> Access:
    """What one administrative record says; what it does not say, or says in words unknown to us, is confidential.

    An embargo is over as the day begins, UTC, that the record names as its end.
    """
    level = record.get("access_level")
    if level == EMBARGOED:
        end = embargo_end(record)
        return Access(PUBLIC) if end is not None and now.date() >= end else Access(EMBARGOED, end)
    return Access(level) if isinstance(level, str) and level in LEVELS else Access(CONFIDENTIAL)


def embargo_end(record: Mapping[str, Any]) -> date | None:
    """The end of its embargo, None where it names none that is a date."""
    value = record.get("embargo_end_date")
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def strictest(records: Iterable[Mapping[str, Any]], now: datetime) -> Access:
    """What holds where several records speak: the strictest level, and of embargoes the one that ends last."""
    all_said = [stated(record, now) for record in records] or [Access(CONFIDENTIAL)]
    level = max((each.level for each in all_said), key=LEVELS.index)
    if level != EMBARGOED:
        return Access(level)
    ends = [each.embargo_end for each in all_said if each.level == EMBARGOED]
    known = [end for end in ends if end is not None]
    return Access(EMBARGOED, max(known) if len(known) == len(ends) else None)


def is_stricter(record: Mapping[str, Any], than: Mapping[str, Any]) -> bool:
    """Whether a record gives less than another, whatever the day."""
    return _strictness(record) > _strictness(than)


def _strictness(record: Mapping[str, Any]) -> tuple[int, date]:
    level = record.get("access_level")
    rank = LEVELS.index(level) if isinstance(level, str) and level in LEVELS else len(LEVELS)
    return rank, (embargo_end(record) or date.max) if level == EMBARGOED else date.min
