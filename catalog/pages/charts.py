"""Small charts as plain geometry: sizes in per cent or in a box that stretches, so that text keeps its size on a phone.

Nothing here knows a table or a template; a chart is values that ``catalog/chart_*.html`` draws as SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from unicodedata import combining, east_asian_width

from catalog import names, words

MOST_BARS = 8
MOST_ROWS = 50
_ROW = 40  # pixels for a bar and the words above it
_LONGEST_LABEL = 30
_THINNEST = 0.6  # per cent: whatever is more than nothing can be seen
PLOT_WIDTH, PLOT_HEIGHT = 600, 150  # the units of the growth's path, stretched to any size
_LOWEST_PLOT, _HIGHEST_PLOT = 130, 300  # pixels
_WORDS_AROUND_PLOT = 84  # pixels above, below and beneath


@dataclass(frozen=True)
class Amount:
    """One thing that is counted, and the page it leads to (empty when there is none)."""

    label: str
    count: int
    size_bytes: int
    address: str = ""


@dataclass(frozen=True)
class Others:
    """Things that are counted together, none of them larger than those that are named."""

    number: int = 0
    count: int = 0
    size_bytes: int = 0


_NO_OTHERS = Others()


@dataclass(frozen=True)
class Bar:
    label: str
    value: str
    width: str  # per cent
    baseline: int
    top: int


@dataclass(frozen=True)
class BarChart:
    """Bars below each other, the longest first; `summary` says the same in a sentence."""

    name: str
    title: str
    summary: str
    bars: tuple[Bar, ...]
    height: int


@dataclass(frozen=True)
class Step:
    """What was there at a time: cumulative."""

    time: datetime
    count: int
    size_bytes: int


@dataclass(frozen=True)
class Tick:
    label: str
    y: str


@dataclass(frozen=True)
class GrowthChart:
    """A stepped area in units of PLOT_WIDTH × PLOT_HEIGHT; `ticks` stand at per cents of its height."""

    title: str
    summary: str
    steps: tuple[Step, ...]
    area: str
    line: str
    ticks: tuple[Tick, ...]
    since: datetime
    until: datetime
    undated: int
    plot_height: int  # pixels

    @property
    def ground(self) -> int:
        """Where the plot ends."""
        return self.plot_height + 20

    @property
    def height(self) -> int:
        """With the words below it."""
        return self.plot_height + 48


@dataclass(frozen=True)
class Charts:
    """The charts of one page and the numbers they are drawn from, of things of a kind."""

    bars: tuple[BarChart, ...]
    growth: GrowthChart | None
    amounts: tuple[Amount, ...]
    things: str
    kind: str


def of_types(amounts: Sequence[Amount], steps: Sequence[Step], undated: int) -> Charts | None:
    """A dataset's files by type, and how they grew; None while there are none."""
    bars = by_count(amounts, "Files by type", "types"), by_size(amounts, "Size by type", "sizes")
    drawn = tuple(filter(None, bars))
    if not drawn:
        return None
    grown = growth(steps, undated, beside=max(bar.height for bar in drawn))
    return Charts(drawn, grown, _top(amounts, "count", MOST_ROWS), "Files by type", "Type")


def of_datasets(amounts: Sequence[Amount], others: Others = _NO_OTHERS) -> Charts | None:
    """A project's datasets by size; None while there are no two to compare."""
    bars = by_size(amounts, "Datasets by size", "datasets-by-size", others) if len(amounts) > 1 else None
    top = _top(amounts, "size_bytes", MOST_ROWS, others)
    return Charts((bars,), None, top, "Datasets", "Dataset") if bars else None


def by_count(amounts: Sequence[Amount], title: str, name: str) -> BarChart | None:
    """Bars of how many; None when there is nothing to compare."""
    return _bars(title, name, [(each.label, each.count, words.count(each.count)) for each in _top(amounts, "count")])


def by_size(amounts: Sequence[Amount], title: str, name: str, others: Others = _NO_OTHERS) -> BarChart | None:
    """Bars of how large; None when there is nothing to compare."""
    top = _top(amounts, "size_bytes", others=others)
    return _bars(title, name, [(each.label, each.size_bytes, words.size(each.size_bytes)) for each in top])


def _top(
    amounts: Sequence[Amount], measure: str, most: int = MOST_BARS, others: Others = _NO_OTHERS
) -> tuple[Amount, ...]:
    """The largest, and all others as one."""
    ordered = sorted(amounts, key=lambda each: (-getattr(each, measure), each.label))
    if len(ordered) + others.number <= most + 1:
        return tuple(ordered)
    rest = ordered[most:]
    last = Amount(
        f"{words.count(len(rest) + others.number)} others",
        sum(each.count for each in rest) + others.count,
        sum(each.size_bytes for each in rest) + others.size_bytes,
    )
    return (*ordered[:most], last)


def _bars(title: str, name: str, rows: Sequence[tuple[str, int, str]]) -> BarChart | None:
    longest = max((number for _, number, _ in rows), default=0)
    if longest <= 0:
        return None
    bars = tuple(
        Bar(
            short(label, _LONGEST_LABEL),
            value,
            f"{max(100 * number / longest, _THINNEST if number else 0):.2f}",
            position * _ROW + 16,
            position * _ROW + 23,
        )
        for position, (label, number, value) in enumerate(rows)
    )
    summary = "; ".join(f"{bar.label}: {bar.value}" for bar in bars)
    return BarChart(name, title, f"{summary}.", bars, len(bars) * _ROW)


def growth(steps: Sequence[Step], undated: int = 0, beside: int = 0) -> GrowthChart | None:
    """Size over time, as high as the bars `beside` it; None where fewer than two times are known."""
    if len(steps) < 2 or steps[-1].size_bytes <= 0 or steps[0].time >= steps[-1].time:
        return None
    since, until = steps[0].time, steps[-1].time
    ticks, highest = _ticks(steps[-1].size_bytes)
    span = (until - since).total_seconds()
    points = [
        (
            PLOT_WIDTH * (each.time - since).total_seconds() / span,
            PLOT_HEIGHT * (1 - each.size_bytes / highest),
        )
        for each in steps
    ]
    line = _stepped(points)
    summary = (
        f"From {words.size(steps[0].size_bytes)} on {words.moment(since)} "
        f"to {words.size(steps[-1].size_bytes)} on {words.moment(until)}."
    )
    area = f"M0 {PLOT_HEIGHT}L{line[1:]}V{PLOT_HEIGHT}Z"
    pixels = min(_HIGHEST_PLOT, max(_LOWEST_PLOT, beside - _WORDS_AROUND_PLOT))
    return GrowthChart("Size over time", summary, tuple(steps), area, line, ticks, since, until, undated, pixels)


def _stepped(points: Sequence[tuple[float, float]]) -> str:
    """A path that stays level until the next point and then rises."""
    (x, y), *others = points
    return f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in others)


def _ticks(largest: int) -> tuple[tuple[Tick, ...], int]:
    """Two to five lines at round sizes, and what the full height stands for."""
    step = 1
    while largest > step * 4:
        step = step * 10 // 4 if str(step).startswith("2") else step * 2
    count = -(-largest // step)
    lines = tuple(Tick(words.size(step * n), f"{100 * (1 - n / count):.2f}") for n in range(1, count + 1))
    return lines, step * count


def short(text: str, columns: int) -> str:
    """A name in at most so many columns, wide characters counted as two; it ends in "…" when it was longer."""
    kept, width = "", 0
    for character in names.plain(" ".join(text.split())):
        width += 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        if width > columns or len(kept) >= 2 * columns:
            return kept[: max(1, len(kept) - 1)].rstrip() + "…"
        kept += character
    return kept
