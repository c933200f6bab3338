"""Times as precise as they are known: a year, a month, a day or a moment. Pure."""

from __future__ import annotations

import re
from typing import Any

from pyoxigraph import Literal

from catalog.graph.values import literal
from catalog.graph.vocabulary import XSD

_FORMS = (
    (re.compile(r"-?[0-9]{4}"), "gYear"),
    (re.compile(r"-?[0-9]{4}-[0-9]{2}"), "gYearMonth"),
    (re.compile(r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}"), "date"),
    (re.compile(r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?"), "dateTime"),
)


def moment(value: Any) -> Literal | None:
    """A time as a literal of the datatype that fits it; None for what is none."""
    if not isinstance(value, str):
        return None
    return next((literal(value, XSD[name]) for form, name in _FORMS if form.fullmatch(value)), None)
