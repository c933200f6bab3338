"""What the pictures of a dataset are drawn from: counted by the database, and kept as long as the documents stay.

The rows of files follow from the manifest and the runs' documents alone, so their checksums are the cache's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.core.cache import caches
from django.db.models import Count, Max, Min, QuerySet, Sum, Value
from django.db.models.functions import Substr

from catalog import queries
from catalog.models import Dataset, File, Run
from catalog.pages.charts import Step

BUCKETS = 60
_SAMPLE = 100
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
        return _counted(dataset, by_run=runs.exists())
    sums = list(runs.order_by("document").values_list("document__sha256", flat=True))
    kept, key = caches["figures"], _key(dataset, [each for each in sums if each])
    found = kept.get(key)
    if not isinstance(found, DatasetFigures):
        found = _counted(dataset, by_run=bool(sums))
        kept.set(key, found)
    return found


def _key(dataset: Dataset, sums: Sequence[str]) -> str:
    parts = "/".join([dataset.identifier, dataset.root, dataset.manifest_sha256, *sums])
    return sha256(parts.encode("utf-8", "surrogateescape")).hexdigest()


def _counted(dataset: Dataset, *, by_run: bool) -> DatasetFigures:
    """The files are looked through once, grouped by run only where there are runs: grouping costs most."""
    rows = File.objects.filter(dataset=dataset).exclude(state="missing").order_by()
    length = _precision(_least_span(rows))
    by = ("unit", "run") if by_run else ("unit",)
    # SQLite keeps times as text: the beginning of one groups many times faster than Django's functions for times.
    found = (
        rows.annotate(unit=Substr("modified", Value(1), Value(length)))
        .values_list(*by)
        .annotate(n=Count("*"), size=Sum("size_bytes"), first=Min("modified"), last=Max("modified"))
    )
    shares: dict[str, Share] = {}
    units: dict[str, tuple[int, int]] = {}
    first = last = None
    for unit, *runs_own, n, size, earliest, latest in found:
        run = runs_own[0] if runs_own else ""
        share = shares.get(run, Share(run, 0, 0))
        shares[run] = Share(run, share.count + n, share.size_bytes + size)
        if unit is None:
            continue
        before = units.get(unit, (0, 0))
        units[unit] = (before[0] + n, before[1] + size)
        first = earliest if first is None else min(first, earliest)
        last = latest if last is None else max(last, latest)
    steps = _steps(units, length, first, last) if first and last else ()
    dated = steps[-1].count if steps else 0
    ordered = tuple(shares[run] for run in sorted(shares))
    return DatasetFigures(ordered, steps, sum(share.count for share in ordered) - dated)


def _least_span(rows: QuerySet[File]) -> timedelta:
    """How far apart the times of some files are, which all together are no closer.

    The first and the last by name tell, in most datasets, how finely the times have to be grouped: looking through
    all of them for that would cost as much as the grouping. Where none of these has a time, all are asked.
    """
    some = [
        time
        for order in ("path", "-path")
        for time in rows.order_by(order).values_list("modified", flat=True)[:_SAMPLE]
        if time is not None
    ]
    if not some:
        ends = rows.aggregate(first=Min("modified"), last=Max("modified"))
        some = [time for time in ends.values() if time is not None]
    return max(some) - min(some) if some else timedelta()


def _steps(units: Mapping[str, tuple[int, int]], length: int, first: datetime, last: datetime) -> tuple[Step, ...]:
    """What had come by each of at most BUCKETS times, from the first to the last."""
    begun = ((_begin(unit, length), *units[unit]) for unit in sorted(units))
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
