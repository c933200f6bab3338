"""Charts: right numbers, the rest as one bar, the same as a table, and nothing that a name can break."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import index
from catalog.models import Dataset, Run
from catalog.pages import charts, figures, overview
from catalog.pages.charts import Amount, Step
from catalog.pages.figures import DatasetFigures, Share
from tests.catalog.hostile import see
from tests.catalog.tree import Tree, entry

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def at(**after: float) -> datetime:
    return BEGIN + timedelta(**after)


def counted(tree: Tree) -> DatasetFigures:
    index.refresh(tree.documents())
    caches["figures"].clear()
    return figures.of_dataset(Dataset.objects.get(), Run.objects.all())


# --- bars -------------------------------------------------------------------------------------------------------


def test_the_longest_bar_comes_first_and_has_the_whole_width() -> None:
    chart = charts.by_size([Amount("CSV", 5, 1_000), Amount("PNG", 1, 4_000), Amount("Text", 9, 0)], "Size", "sizes")
    assert chart is not None
    assert [(bar.label, bar.value, bar.width) for bar in chart.bars] == [
        ("PNG", "4.00 kB", "100.00"),
        ("CSV", "1.00 kB", "25.00"),
        ("Text", "0 B", "0.00"),
    ]
    assert chart.summary == "PNG: 4.00 kB; CSV: 1.00 kB; Text: 0 B."


def test_more_than_eight_types_end_in_one_bar_for_all_others() -> None:
    chart = charts.by_count([Amount(f"t{n:02}", 100 - n, 1) for n in range(20)], "Files", "types")
    assert chart is not None
    assert [bar.label for bar in chart.bars] == [*(f"t{n:02}" for n in range(8)), "12 others"]
    assert chart.bars[-1].value == "1,038"


def test_a_ninth_type_is_named_rather_than_called_one_other() -> None:
    chart = charts.by_count([Amount(f"t{n}", 9 - n, 1) for n in range(9)], "Files", "types")
    assert chart is not None
    assert chart.bars[-1].label == "t8"


def test_whatever_is_more_than_nothing_can_be_seen() -> None:
    chart = charts.by_size([Amount("large", 1, 10**15), Amount("small", 1, 1)], "Size", "sizes")
    assert chart is not None
    assert float(chart.bars[1].width) > 0.5


def test_nothing_to_compare_is_no_chart() -> None:
    assert charts.by_size([], "Size", "sizes") is None
    assert charts.by_size([Amount("empty", 3, 0)], "Size", "sizes") is None
    assert charts.of_types([], [], 0) is None
    assert charts.of_datasets([Amount("one", 1, 1)]) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("exactly ten", "exactly t…"),
        ("日本語のとても長い名前", "日本語の…"),
        ("two\nlines", "two lines"),
        ("\u202egnp", "\\u202egnp"),
    ],
)
def test_a_name_is_cut_to_its_columns(text: str, shown: str) -> None:
    assert charts.short(text, 10) == shown


def test_a_name_of_combining_marks_alone_is_cut_too() -> None:
    assert len(charts.short("\u0301" * 300, 10)) <= 21


# --- size over time ---------------------------------------------------------------------------------------------


def test_growth_is_a_stepped_line_to_the_last_size() -> None:
    chart = charts.growth([Step(at(), 1, 100), Step(at(days=5), 2, 300), Step(at(days=10), 3, 400)])
    assert chart is not None
    assert chart.line == "M0.0 112.5H300.0V37.5H600.0V0.0"
    assert chart.area == "M0 150L0.0 112.5H300.0V37.5H600.0V0.0V150Z"
    assert chart.summary == "From 100 B on 1 Jan 2026 00:00 to 400 B on 11 Jan 2026 00:00."
    assert [(tick.label, tick.y) for tick in chart.ticks] == [
        ("100 B", "75.00"),
        ("200 B", "50.00"),
        ("300 B", "25.00"),
        ("400 B", "0.00"),
    ]


@pytest.mark.parametrize("largest", [1, 3, 7, 99, 100, 101, 2_499, 999_999, 10**12 + 1, 2**53])
def test_the_lines_stand_at_few_round_sizes_and_the_highest_is_above_all(largest: int) -> None:
    ticks, highest = charts._ticks(largest)
    assert 1 <= len(ticks) <= 5
    assert largest <= highest <= max(2, 2.5 * largest)


def test_one_time_is_no_line() -> None:
    assert charts.growth([]) is None
    assert charts.growth([Step(at(), 1, 100)]) is None
    assert charts.growth([Step(at(), 1, 0), Step(at(days=1), 2, 0)]) is None


def test_a_thousand_times_become_sixty_steps_that_end_with_everything() -> None:
    amounts = [(at(hours=n), 1, 10) for n in range(1_000)]
    steps = figures.cumulative(amounts, at(), at(hours=999))
    assert 55 <= len(steps) <= figures.BUCKETS + 1
    assert steps[-1] == Step(at(hours=999), 1_000, 10_000)
    assert all(one.time < next_.time and one.count < next_.count for one, next_ in pairwise(steps))


@pytest.mark.parametrize("span", ["seconds=30", "minutes=50", "hours=40", "days=40", "days=900", "days=40000"])
@pytest.mark.django_db(transaction=True)
def test_sizes_add_up_over_any_length_of_time(tree: Tree, span: str) -> None:
    unit, number = span.split("=")
    whole = timedelta(**{unit: int(number)})
    times = [BEGIN + whole * n / 9 for n in range(10)]
    tree.dataset(entries=[entry(f"f{n}", 100, modified_utc=f"{t:%Y-%m-%dT%H:%M:%SZ}") for n, t in enumerate(times)])
    found = counted(tree)
    assert found.steps[0].time == times[0]
    assert found.steps[-1] == Step(times[-1].replace(microsecond=0), 10, 1_000)
    assert [step.size_bytes for step in found.steps] == [100 * (n + 1) for n in range(10)]


@pytest.mark.django_db(transaction=True)
def test_missing_files_are_left_out_and_undated_ones_are_told_of(tree: Tree) -> None:
    tree.dataset(
        entries=[
            entry("a", 10, modified_utc="2026-01-01T00:00:00Z"),
            entry("b", 20, modified_utc="2026-01-02T00:00:00Z"),
            entry("c", 40, modified_utc=None),
            entry("d", 80, state="missing"),
        ]
    )
    found = counted(tree)
    assert found.shares == (Share("", 3, 70),)
    assert found.steps == (Step(BEGIN, 1, 10), Step(at(days=1), 2, 30))
    assert found.undated == 1


@pytest.mark.django_db(transaction=True)
def test_times_in_other_forms_are_told_of_and_break_nothing(reader: Client, tree: Tree) -> None:
    odd = ("2026-W01-1T00:00:00Z", "2026-01-05T1234Z", "2026-01-06T12Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
    entries = [entry(f"f{n}", 10, modified_utc=time) for n, time in enumerate(odd)]
    number = tree.dataset(entries=[*entries, entry("a", 10), entry("b", 10, modified_utc="2026-01-02T00:00:00Z")])
    found = counted(tree)
    assert found.steps[-1].count + found.undated == 7
    see(reader, f"/datasets/{number}/")


@pytest.mark.django_db(transaction=True)
def test_figures_are_kept_until_the_manifest_changes(tree: Tree) -> None:
    tree.dataset(entries=[entry("a", 10)])
    assert counted(tree).shares == (Share("", 1, 10),)
    tree.files("p_Alpha/plate_1", [entry("a", 10), entry("b", 5)])
    index.refresh(tree.documents())
    assert figures.of_dataset(Dataset.objects.get(), Run.objects.all()).shares == (Share("", 2, 15),)
    kept = len(caches["figures"]._cache)  # type: ignore[attr-defined]
    figures.of_dataset(Dataset.objects.get(), Run.objects.all())
    assert len(caches["figures"]._cache) == kept  # type: ignore[attr-defined]


# --- on the pages -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_dataset_shows_its_types_in_bars_and_in_a_table(reader: Client, tree: Tree) -> None:
    formats = [
        {"name": "CSV", "count": 3, "size_bytes": 3_000},
        {"name": "<b>odd</b>", "count": 1, "size_bytes": 9_000_000},
    ]
    number = tree.dataset(entries=[entry(f"{n}.csv", 1_000) for n in range(3)])
    tree.edit(tree.document("p_Alpha/plate_1", "dataset_structural"), {"formats": formats})
    index.refresh(tree.documents())
    html = reader.get(f"/datasets/{number}/").content.decode()
    words = see(reader, f"/datasets/{number}/").words
    assert "CSV: 3; <b>odd</b>: 1." in words
    assert "CSV 3 3.00 kB" in words
    assert f'href="/datasets/{number}/files/?type=%3Cb%3Eodd%3C%2Fb%3E"' in html
    assert re.findall(r'class="bar-fill"[^>]*width="([^"]+)"', html)[-4:] == ["100.00%", "33.33%", "100.00%", "0.60%"]
    assert "style=" not in html


@pytest.mark.django_db(transaction=True)
def test_a_project_shows_its_datasets_by_size(reader: Client, tree: Tree) -> None:
    project = tree.project("p_Alpha")
    tree.dataset("p_Alpha/small", [entry("a", 10)], 3)
    tree.dataset("p_Alpha/large", [entry("b", 1_000)], 4, dataset_title="The large one")
    index.refresh(tree.documents())
    assert "The large one: 1.00 kB; small: 10 B." in see(reader, f"/projects/{project}/").words


@pytest.mark.django_db(transaction=True)
def test_of_many_datasets_the_largest_are_named_and_all_are_counted(tree: Tree) -> None:
    tree.project()
    for n in range(60):
        tree.dataset(f"p_Alpha/d{n:02}", [entry("a.csv", n + 1)], n + 2)
    index.refresh(tree.documents())
    with CaptureQueriesContext(connection) as caught:
        found = overview.of_project(Dataset.objects.all())["charts"]
    assert [sql.rsplit("LIMIT ", 1)[-1] for q in caught if '"title"' in (sql := q["sql"])] == ["51"]
    assert [(each.label, each.count, each.size_bytes) for each in found.amounts] == [
        *((f"d{n:02}", 1, n + 1) for n in range(59, 9, -1)),
        ("10 others", 10, sum(range(1, 11))),
    ]
    assert [bar.label for bar in found.bars[0].bars][7:] == ["d52", "52 others"]


def test_a_dataset_without_files_has_no_charts(reader: Client, tree: Tree) -> None:
    number = tree.dataset()
    index.refresh(tree.documents())
    assert "At a glance" not in see(reader, f"/datasets/{number}/").words


@pytest.mark.django_db(transaction=True)
def test_a_draft_says_how_much_of_it_is_complete(reader: Client, tree: Tree) -> None:
    number = tree.dataset(entries=[entry("a")], dataset_title="Heat shock", keywords=["heat"])
    index.refresh(tree.documents())
    assert "30 % complete: 3 of 10 required fields are filled in" in see(reader, f"/datasets/{number}/").words


@pytest.mark.django_db(transaction=True)
def test_the_files_are_looked_through_once(tree: Tree) -> None:
    tree.project()
    times = [f"2026-0{1 + n % 9}-11T12:00:00Z" for n in range(300)]
    tree.dataset(entries=[entry(f"f{n:03}.csv", modified_utc=time) for n, time in enumerate(times)])
    index.refresh(tree.documents())
    caches["figures"].clear()
    with CaptureQueriesContext(connection) as caught:
        found = figures.of_dataset(Dataset.objects.get(), Run.objects.all())
    looks = [query["sql"] for query in caught.captured_queries if 'FROM "catalog_file"' in query["sql"]]
    assert [sql for sql in looks if "LIMIT" not in sql] == looks[-1:]
    assert (found.shares[0].count, found.steps[0].count, found.steps[-1].count, found.undated) == (300, 34, 300, 0)
