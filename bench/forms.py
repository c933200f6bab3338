"""The form of the record with the most fields, without the network: its page, and the check of a field as one types."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import schemas
from bench.dataset import EMPTY, one_dataset
from bench.measuring import Bench, BenchError, Figure, Target, percentile
from bench.service import Engine

FIELDS = 40  # so many a full record has at least
_WARM = 3
_KIND = "dataset_administrative"
_ROWS = 5
_CHECKED = "/dataset_title"


def run(bench: Bench) -> Iterator[Figure]:
    """A new record, and one with every field filled and five entries in every list."""
    files = bench.scale.pick(1_000, 100, 10)
    times = max(bench.runs, bench.scale.pick(100, 20, 3))
    with one_dataset(bench, files) as (engine, path, identifier):
        address = f"/edit/dataset/{identifier}/"
        for words, fill in (("a new record", False), ("every field filled", True)):
            if fill:
                _fill(path)
                engine.reconcile()
            yield from _figures(engine, address, words, times)


def _figures(engine: Engine, address: str, words: str, times: int) -> Iterator[Figure]:
    form = _inputs(engine.text(address))
    body = urlencode({**form, "check": _CHECKED, _CHECKED: "Another title"})
    engine.page(address, _WARM)
    engine.post(f"{address}check", body, _WARM)
    pages, checks, theirs = [], [], []
    for _ in range(times):
        pages += engine.page(address)
        checks += engine.post(f"{address}check", body)
        theirs += engine.page(EMPTY)
    inputs = f"{len(form):,} inputs"
    yield _figure(f"form of a dataset, {words}", pages, theirs, 150, statistics.median, inputs)
    yield _figure(f"check of a field, {words}", checks, theirs, 50, _high, f"{inputs}, {len(body):,} bytes sent")


def _high(milliseconds: list[float]) -> float:
    return percentile(milliseconds, 0.95)


def _figure(title: str, mine: list[float], theirs: list[float], most: float, measure: Any, note: str) -> Figure:
    milliseconds = [1000 * s for s in mine]
    return Figure(
        title=title,
        unit="ms",
        values=milliseconds,
        yardstick=f"{EMPTY} of the same process",
        yardstick_values=[1000 * s for s in theirs],
        ratio=statistics.median(mine) / statistics.median(theirs),
        ratio_words="its time",
        targets=(Target.at_most(round(measure(milliseconds), 1), most, "ms"),),
        notes=(f"95th percentile {_high(milliseconds):.0f} ms; {note}",),
    )


def _fill(path: Path) -> None:
    """The record as an editor leaves it: every field as its schema's example has it."""
    value = json.loads(path.read_bytes())
    known = schemas.load(_KIND)["properties"]
    for key, field in known.items():
        if key in value or key[:1] in "@$" or not field.get("examples"):
            continue
        example = field["examples"][0]
        value[key] = example * _ROWS if isinstance(example, list) and example[0:1] and _is_row(example) else example
    if len(value) < FIELDS:
        raise BenchError(f"a full record was to have {FIELDS} fields or more, but has {len(value)}")
    draft = path.with_name(f"{path.name}.tmp~")
    draft.write_text(json.dumps(value))
    draft.replace(path)


def _is_row(example: list[Any]) -> bool:
    return isinstance(example[0], Mapping)


class _Form(HTMLParser):
    """The inputs of the form on a page, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.filled: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name = given.get("name") or ""
        if tag == "input" and given.get("type") not in ("submit", "radio", "checkbox"):
            self.filled[name] = given.get("value") or ""
        elif tag in ("textarea", "select"):
            self._open = name
            self.filled[name] = ""
        elif tag == "option" and "selected" in given and self._open:
            self.filled[self._open] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open and self.get_starttag_text().startswith("<textarea"):  # type: ignore[union-attr]
            self.filled[self._open] += data.removeprefix("\n")


def _inputs(page: str) -> dict[str, str]:
    form = _Form()
    form.feed(page)
    found = {name: text for name, text in form.filled.items() if name.startswith("/") or name == "base"}
    if "base" not in found or len(found) < FIELDS:
        raise BenchError(f"the form of a dataset was to have {FIELDS} inputs or more, but has {len(found)}")
    return found
