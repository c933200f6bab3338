"""Paging by key: the next page starts after the last row shown, so no page costs more than the first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from django.db.models import Model, Q, QuerySet

from ingest.errors import FairfolderError

M = TypeVar("M", bound=Model)


class QuestionError(FairfolderError):
    """A question that cannot be asked: names the parameter, its value and what it may be."""


@dataclass(frozen=True)
class Cursor:
    """A place between two rows: the keys of the row before it (`back`: after it) and how many rows precede it."""

    keys: tuple[Any, ...]
    preceding: int
    back: bool = False

    def token(self) -> str:
        """The cursor as it stands in an address."""
        raw = orjson.dumps([self.preceding, self.back, *self.keys])
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str, types: Sequence[type]) -> Cursor:
        """The cursor of an address.

        Raises:
            QuestionError: when the text is no cursor for keys of these types.
        """
        try:
            value: list[Any] = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            preceding, back, keys = int(value[0]), value[1], value[2:]
            if preceding < 0 or type(back) is not bool or len(keys) != len(types):
                raise ValueError
            return cls(tuple(map(_typed, keys, types)), preceding, back)
        except (ValueError, TypeError, KeyError, IndexError, binascii.Error):
            raise QuestionError(
                f"The page marker {token[:40]!r} is not one of ours; start again from the first page."
            ) from None


def _typed(value: Any, wanted: type) -> Any:
    if wanted is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    if type(value) is not wanted or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        raise ValueError
    return value


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows of a longer list; `first` counts from 1, the tokens are empty where there is nothing more."""

    rows: list[M]
    first: int
    total: int
    after: str
    before: str

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def page(
    rows: QuerySet[M], keys: Sequence[str], cursor: Cursor | None, total: int, size: int, *, descending: bool = False
) -> Page[M]:
    """One page of rows in the order of `keys`, which together must be unique; none of them may be null."""
    back = cursor is not None and cursor.back
    down = descending != back
    if cursor is not None:
        rows = rows.filter(_beyond(keys, cursor.keys, down))
    ordered = rows.order_by(*(f"-{key}" if down else key for key in keys))
    found = list(ordered[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    preceding = cursor.preceding if cursor else 0
    start = max(0, preceding - len(found)) if back else preceding
    has_after, has_before = (True, more) if back else (more, cursor is not None)
    if not found:
        return Page([], 0, total, "", "")
    return Page(
        rows=found,
        first=start + 1,
        total=total,
        after=Cursor(_keys(found[-1], keys), start + len(found)).token() if has_after else "",
        before=Cursor(_keys(found[0], keys), start, back=True).token() if has_before else "",
    )


def _keys(row: Model, keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, key) for key in keys)


def _beyond(keys: Sequence[str], values: Sequence[Any], down: bool) -> Q:
    """Rows after these values in lexicographic order; the first condition alone lets an index find the start."""
    operator = "lt" if down else "gt"
    condition = Q()
    for position, key in enumerate(keys):
        same = dict(zip(keys[:position], values, strict=False))
        condition |= Q(**same, **{f"{key}__{operator}": values[position]})
    return Q(**{f"{keys[0]}__{operator}e": values[0]}) & condition
