"""How results are told: lines for people, one JSON object for machines, and the tables of docs/benchmarks.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measuring import BenchError, Figure, Surroundings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Result:
    """One benchmark's figures and where they were measured; `began` in UTC, `took` in seconds."""

    name: str
    scale: str
    runs: int
    began: datetime
    took: float
    surroundings: Surroundings
    load_after: str
    figures: Sequence[Figure]

    @property
    def met(self) -> bool:
        return all(target.met for figure in self.figures for target in figure.targets)

    def as_json(self) -> dict[str, Any]:
        figures = [
            {**asdict(figure), "value": figure.value, "yardstick_value": figure.yardstick_value}
            for figure in self.figures
        ]
        whole = {"name": self.name, "scale": self.scale, "runs": self.runs, "began": self.began.isoformat()}
        surrounded = {**asdict(self.surroundings), "load_after": self.load_after}
        return {**whole, "took": self.took, **surrounded, "met": self.met, "figures": figures}


def amount(value: float, unit: str) -> str:
    """A number with three figures that count, and its unit."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} {unit}".rstrip()


def spread(values: Sequence[float], unit: str) -> str:
    """The median of several with the smallest and the largest."""
    middle = (
        sorted(values)[len(values) // 2] if len(values) % 2 else sum(sorted(values)[len(values) // 2 - 1 :][:2]) / 2
    )
    if len(values) == 1:
        return amount(middle, unit)
    return f"{amount(middle, unit)} ({amount(min(values), '')} – {amount(max(values), '')}, {len(values)} runs)"


def targets(figure: Figure) -> str:
    """Every target with the verdict on it."""
    if not figure.targets:
        return "for information"
    return "; ".join(f"{target.words}: {'met' if target.met else 'NOT MET'}" for target in figure.targets)


def lines(result: Result) -> list[str]:
    """The whole result in words."""
    said = [f"{result.name} ({result.scale}) on {result.surroundings.words}, after {result.load_after}"]
    for figure in result.figures:
        said += [
            f"  {figure.title}",
            f"    figure     {spread(figure.values, figure.unit)}",
            f"    yardstick  {spread(figure.yardstick_values, figure.unit)}: {figure.yardstick}",
            f"    ratio      {amount(figure.ratio, '×')} {figure.ratio_words}",
            f"    target     {targets(figure)}",
        ]
        said += [f"    fsyncs     {figure.fsyncs}"] if figure.fsyncs else []
        said += [f"    note       {note}" for note in figure.notes]
    return said


# --- the page ---------------------------------------------------------------------------------------------------


def section(result: Result, command: str) -> str:
    """One benchmark's part of the page."""
    around = result.surroundings
    minutes = result.took / 60
    said = [
        f"{result.began:%Y-%m-%d}, `{command}`, {minutes:.0f} min; {around.machine}; {around.file_system}; load "
        f"average before {around.load} with the cores {around.busy:.0%} busy, after {result.load_after}.",
        "",
        "| what | figure | yardstick | ratio | target |",
        "| --- | --- | --- | --- | --- |",
    ]
    said += [
        f"| {each.title} | {spread(each.values, each.unit)} | {_cell(each.yardstick)}: "
        f"{spread(each.yardstick_values, each.unit)} | {amount(each.ratio, '×')} {each.ratio_words} | {targets(each)} |"
        for each in result.figures
    ]
    notes = [f"- {each.title}: {words}" for each in result.figures for words in (each.fsyncs, *each.notes) if words]
    return "\n".join([*said, "", *notes])


def _cell(text: str) -> str:
    """A text inside a table of Markdown."""
    return text.replace("|", "\\|")


def write_page(results: Sequence[Result], command: str, page: Path = PAGE) -> None:
    """Puts each result between its benchmark's markers in docs/benchmarks.md.

    Raises:
        BenchError: when the page has no place for one.
    """
    text = page.read_text()
    for result in results:
        begin, end = f"<!-- figures of {result.name} -->", f"<!-- end of {result.name} -->"
        if begin not in text or end not in text:
            raise BenchError(f"{page} has no lines {begin!r} and {end!r} to write between.")
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        fresh = f"{begin}\n{section(result, command)}\n{end}"
        text = pattern.sub(lambda _, fresh=fresh: fresh, text)
    page.write_text(text)


def now() -> datetime:
    return datetime.now(UTC)
