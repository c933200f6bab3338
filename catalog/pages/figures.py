"""What the pictures of a dataset are drawn from: counted by the database, and kept as long as the documents stay.

The rows of files follow from the manifest and the runs' documents alone, so their checksums are the cache's key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.core.cache import caches
from django.db.models import Count, Max, Min, QuerySet, Sum, Value
from django.db.models.functions import Substr

from catalog import queries
from catalog.models import Dataset, File, Run
from catalog.pages.charts import Step

BUCKETS = 60
_BEGINNING = "0001-01-01 00:00:00"


@dataclass(frozen=True)
class Share:
    """The files of one run; `run` is empty for those of none."""

    run: str
    count: int
    size_bytes: int


@dataclass(frozen=True)
class DatasetFigures:
    """Missing files are left out throughout; `undated` files say no time at which they were changed."""

    shares: tuple[Share, ...] = ()
    steps: tuple[Step, ...] = ()
    undated: int = 0


def of_dataset(dataset: Dataset, runs: QuerySet[Run]) -> DatasetFigures:
    """The figures of a dataset as its manifest and its runs' documents stand now."""
    if not dataset.manifest_sha256 or queries.rebuilding():
        return _counted(dataset, runs)
    kept, key = caches["figures"], _key(dataset, runs)
    found = kept.get(key)
    if not isinstance(found, DatasetFigures):
        found = _counted(dataset, runs)
        kept.set(key, found)
    return found


def _key(dataset: Dataset, runs: QuerySet[Run]) -> str:
    sums = runs.exclude(document=None).order_by("document").values_list("document__sha256", flat=True)
    parts = "/".join([dataset.identifier, dataset.root, dataset.manifest_sha256, *sums])
    return sha256(parts.encode("utf-8", "surrogateescape")).hexdigest()


def _counted(dataset: Dataset, runs: QuerySet[Run]) -> DatasetFigures:
    """The files are looked through twice, and grouped by run only where there are runs: grouping costs most."""
    rows = File.objects.filter(dataset=dataset).exclude(state="missing").order_by()
    sums = {
        "n": Count("pk"),
        "size": Sum("size_bytes"),
        "first": Min("modified"),
        "last": Max("modified"),
    }
    found: list[dict[str, Any]]
    if runs.exists():
        found = [dict(each) for each in rows.values("run").annotate(**sums)]
    else:
        found = [{"run": "", **rows.aggregate(**sums)}]
    found = [each for each in found if each["n"]]
    shares = tuple(Share(each["run"], each["n"], each["size"]) for each in found)
    first = min((each["first"] for each in found if each["first"]), default=None)
    last = max((each["last"] for each in found if each["last"]), default=None)
    steps = _steps(rows, first, last) if first and last else ()
    dated = steps[-1].count if steps else 0
    return DatasetFigures(shares, steps, sum(share.count for share in shares) - dated)


def _steps(rows: QuerySet[File], first: datetime, last: datetime) -> tuple[Step, ...]:
    """What had come by each of at most BUCKETS times, from the first to the last."""
    length = _precision(last - first)
    # SQLite keeps times as text: the beginning of one groups many times faster than Django's functions for times.
    grouped = (
        rows.filter(modified__isnull=False)
        .annotate(unit=Substr("modified", Value(1), Value(length)))
        .values_list("unit")
        .annotate(n=Count("pk"), size=Sum("size_bytes"))
        .order_by("unit")
    )
    begun = ((_begin(unit, length), n, size) for unit, n, size in grouped)
    return cumulative([(time, n, size) for time, n, size in begun if time is not None], first, last)


def _precision(span: timedelta) -> int:
    """How much of a time's text tells apart what a bucket must: finer than a bucket, and few enough to group."""
    for longest, length in (
        (timedelta(hours=1), 19),
        (timedelta(days=3), 16),
        (timedelta(days=90), 13),
        (timedelta(days=366 * 10), 10),
        (timedelta(days=366 * 300), 7),
    ):
        if span <= longest:
            return length
    return 4


def _begin(unit: str, length: int) -> datetime | None:
    """The time a unit begins; None for a time in another of ISO 8601's forms, which no manifest of ours has."""
    try:
        return datetime.fromisoformat(unit + _BEGINNING[length:]).replace(tzinfo=UTC)
    except ValueError:
        return None


def cumulative(amounts: Iterable[tuple[datetime, int, int]], first: datetime, last: datetime) -> tuple[Step, ...]:
    """Amounts as they came, ordered by time, as running totals at no more than BUCKETS + 1 times."""
    width = (last - first) / BUCKETS
    steps: dict[int, Step] = {}
    count = size = 0
    for time, n, more in amounts:
        count, size = count + n, size + more
        time = min(max(first, time), last)
        steps[int((time - first) / width) if width else 0] = Step(time, count, size)
    if not steps:
        return ()
    # What came last came at the last time, whatever the beginning of its unit.
    *earlier, final = steps.values()
    return (*earlier, replace(final, time=last))
