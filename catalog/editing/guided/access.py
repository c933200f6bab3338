"""Access levels in plain words: what each means for whoever finds the dataset."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.editing.guided.choice import Choice

LEVELS: Sequence[Choice] = (
    Choice("public", "Public", "Once published, anyone may read the record and download the files."),
    Choice("embargoed", "Embargoed", "Anyone may read the record; the files open on the date you set, not before."),
    Choice(
        "restricted", "Restricted", "Anyone may read the record; whoever needs the files asks, under your conditions."
    ),
    Choice(
        "confidential", "Confidential", "The files are given to nobody outside; choose this for data that must stay in."
    ),
)


def label(value: str) -> str:
    return next((each.label for each in LEVELS if each.value == value), "")
