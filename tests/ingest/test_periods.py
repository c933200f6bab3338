"""Dates the wrong way round: told for every stretch of time, and never where they may be right."""

from __future__ import annotations

from typing import Any

import pytest

from ingest import periods
from ingest.schema import SchemaSet
from tests.schemas.records import complete, template


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-02-01", "2026-01-31"),
        ("2026", "2025"),
        ("2026-05", "2026-04"),
        ("2026-05-01", "2026-04"),
        ("2026", "2025-12-31"),
        ("-0044", "-0050"),
        ("2026-01-01T10:00:00+00:00", "2026-01-01T09:59:59Z"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T09:30:00+03:00"),
        ("2026-01-01T10:00:00Z", "2025-12-30"),
    ],
)
def test_an_end_before_its_start_is_reversed(start: str, end: str) -> None:
    assert periods.is_reversed(start, end)
    assert not periods.is_reversed(end, start)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-05-14", "2026"),
        ("2026", "2026-05-14"),
        ("2026-05-14", "2026-05"),
        ("2026-01-01T10:00:00Z", "2026-01-01"),
        ("2026-01-01T08:00:00+09:00", "2025-12-31"),
        ("2026-01-01T10:00", "2026-01-01T10:00:30"),
        ("2026-02-30", "2026-01-01"),
        ("next week", "2026-01-01"),
        ("", "2026-01-01"),
    ],
)
def test_what_may_be_right_is_not_reversed(start: str, end: str) -> None:
    assert not periods.is_reversed(start, end)


PLACES: list[tuple[str, dict[str, Any], str, str]] = [
    ("dataset_administrative", {"temporal_coverage": {"start": "2026", "end": "2025"}}, "/temporal_coverage/end",
     "Time covered, End: 2025 is before “Start”, 2026; put the earlier one first."),
    ("project_descriptive", {"project_dates": {"start": "2026-03-01", "end": "2026-02-01"}}, "/project_dates/end",
     "Project dates, End: 2026-02-01 is before “Start”, 2026-03-01; put the earlier one first."),
    ("instrument_technical", {"dates_in_service": {"start": "2026-03-01", "end": "2026-02-01"}},
     "/dates_in_service/end", "In service, End: 2026-02-01 is before “Start”, 2026-03-01; put the earlier one first."),
    ("experiment_contextual", {"experiment_dates": {"start": "2026-03-01", "end": "2026-02-01"}},
     "/experiment_dates/end",
     "Experiment date(s), End: 2026-02-01 is before “Start”, 2026-03-01; put the earlier one first."),
    ("experiment_contextual", {"started_at": "2026-03-01T09:00:00Z", "ended_at": "2026-03-01T08:00:00Z"}, "/ended_at",
     "Ended at: 2026-03-01T08:00:00Z is before “Started at”, 2026-03-01T09:00:00Z; put the earlier one first."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said", "place", "words"), PLACES)
def test_a_complete_record_is_not_valid_with_reversed_dates_and_a_draft_is(
    kind: str, said: dict[str, Any], place: str, words: str
) -> None:
    schemas = SchemaSet()
    assert [(p.pointer, p.message) for p in schemas.problems(kind, {**complete(kind), **said})] == [(place, words)]
    draft = {**template(kind), **said}
    assert schemas.problems(kind, draft) == []
    assert [(p.pointer, p.message) for p in schemas.reversed_dates(kind, draft)] == [(place, words)]
    assert place in {p.pointer for p in schemas.missing_for_complete(kind, draft)}


def test_a_stretch_within_a_list_is_found_and_the_files_of_a_manifest_are_not_searched() -> None:
    wrong = {"start": "2026", "end": "2025"}
    found = list(periods.reversed_in({"rows": [{}, {"dates": wrong}], "file_descriptions": [wrong]}))
    assert found == [(("rows", 1, "dates", "end"), "start", "2026", "2025")]
