"""How project, dataset, runs, files and instruments hang together: boxes with arrows, and the same as a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from catalog import words
from catalog.models import Dataset, Instrument, Project, Run, value_of
from catalog.pages.charts import short
from catalog.pages.figures import Share

MOST_RUNS = 12
MOST_INSTRUMENTS = 12
_BOX_WIDTH, _BOX_HEIGHT, _GAP = 226, 58, 14
_COLUMNS = (0, 297, 594, 891)
_HEAD = 30  # for the columns' names
_CHARACTERS = 22


@dataclass(frozen=True)
class Thing:
    """One thing with its name, a second line, and the page it leads to (empty when there is none)."""

    name: str
    detail: str = ""
    address: str = ""
    tone: str = ""


@dataclass(frozen=True)
class RunThing:
    """A run with the numbers of its instruments in the picture."""

    thing: Thing
    instruments: tuple[int, ...] = ()


@dataclass(frozen=True)
class Connections:
    """What is shown, before it has a place."""

    project: Thing | None
    dataset: Thing
    runs: tuple[RunThing, ...] = ()
    more_runs: int = 0
    loose: Thing | None = None
    instruments: tuple[Thing, ...] = ()
    more_instruments: int = 0

    @property
    def runs_with_instruments(self) -> list[tuple[Thing, list[Thing]]]:
        """Each run with the instruments it used."""
        return [(run.thing, [self.instruments[number] for number in run.instruments]) for run in self.runs]


@dataclass(frozen=True)
class Box:
    thing: Thing
    label: str
    x: int
    y: int


@dataclass(frozen=True)
class Heading:
    text: str
    x: int


@dataclass(frozen=True)
class Picture:
    """Boxes and arrows in units of width × height, and the same as a list."""

    width: int
    height: int
    headings: tuple[Heading, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]
    connections: Connections
    summary: str
    inner_width: int = _BOX_WIDTH - 1
    inner_height: int = _BOX_HEIGHT - 1
    box_height: int = _BOX_HEIGHT


def of_dataset(dataset: Dataset, project: Project | None, runs: QuerySet[Run], shares: Sequence[Share]) -> Picture:
    """The picture of a dataset.

    Args:
        runs: all of them in order; only those shown are read with their documents.
        shares: the files of each run, and of none.
    """
    return drawn(_connections(dataset, project, runs, {share.run: share for share in shares}))


def _connections(
    dataset: Dataset, project: Project | None, runs: QuerySet[Run], shares: Mapping[str, Share]
) -> Connections:
    shown = list(runs.select_related("document")[:MOST_RUNS])
    identifiers = set(runs.values_list("identifier", flat=True))
    used = {run.identifier: _instruments_used(run) for run in shown}
    known = _known([each for identifiers in used.values() for each in identifiers])
    order = list(dict.fromkeys(each for run in shown for each in used[run.identifier] if each in known))
    place = {identifier: number for number, identifier in enumerate(order[:MOST_INSTRUMENTS])}
    things = tuple(
        RunThing(
            _run_thing(run, shares.get(run.identifier)), tuple(place[u] for u in used[run.identifier] if u in place)
        )
        for run in shown
    )
    return Connections(
        project=_project_thing(project),
        dataset=Thing(
            _called(dataset),
            f"{_number(dataset.file_count, 'file')} · {words.size(dataset.size_bytes)}",
            _page("dataset", dataset.identifier),
            "here",
        ),
        runs=things,
        more_runs=len(identifiers) - len(shown),
        loose=_loose(dataset, identifiers, shares),
        instruments=tuple(_instrument_thing(known[identifier]) for identifier in place),
        more_instruments=len(order) - len(place),
    )


def _project_thing(project: Project | None) -> Thing | None:
    return Thing(_called(project), project.status, _page("project", project.identifier)) if project else None


def _run_thing(run: Run, share: Share | None) -> Thing:
    parts = [_number(share.count, "file") if share else "no files yet", run.status]
    if run.revision:
        parts[1] = f"revision {run.revision}"
    if run.outdated:
        parts.append("outdated")
    return Thing(
        str(run), " · ".join(filter(None, parts)), _page("run", run.identifier), "wait" if run.outdated else ""
    )


def _instrument_thing(instrument: Instrument) -> Thing:
    detail = f"no. {instrument.serial_number}" if instrument.serial_number else instrument.status
    return Thing(str(instrument), detail, _page("instrument", instrument.identifier))


def _loose(dataset: Dataset, runs: Set[str], shares: Mapping[str, Share]) -> Thing | None:
    """The files that belong to no run."""
    left = [share for identifier, share in shares.items() if identifier not in runs]
    count, size = sum(share.count for share in left), sum(share.size_bytes for share in left)
    if not count:
        return None
    name = "Files in no run" if runs else "Files"
    return Thing(name, f"{_number(count, 'file')} · {words.size(size)}", _page("files", dataset.identifier), "loose")


def _instruments_used(run: Run) -> list[str]:
    used = value_of(run.document).get("instruments_used")
    return [each.lower() for each in used if isinstance(each, str)] if isinstance(used, list) else []


def _known(identifiers: Sequence[str]) -> dict[str, Instrument]:
    some = list(dict.fromkeys(identifiers))[:500]
    return {row.identifier: row for row in Instrument.objects.filter(identifier__in=some)}


def _called(record: Project | Dataset) -> str:
    return record.title.strip() or record.path.rpartition("/")[2] or record.identifier


def _number(count: int, thing: str) -> str:
    return f"{words.count(count)} {thing}{'' if count == 1 else 's'}"


def _page(name: str, identifier: str) -> str:
    """The address of a record's page; empty where there is no page of that kind."""
    try:
        return reverse(name, args=[identifier])
    except NoReverseMatch:
        return ""


# --- places -----------------------------------------------------------------------------------------------------


def drawn(connections: Connections) -> Picture:
    """The boxes in up to four columns, each column in the middle of the height."""
    columns = _columns(connections)
    height = max(len(column) for column in columns) * (_BOX_HEIGHT + _GAP) - _GAP
    boxes = [
        [
            Box(thing, short(thing.name, _CHARACTERS), x, _HEAD + y)
            for thing, y in zip(column, _places(len(column), height), strict=True)
        ]
        for column, x in zip(columns, _COLUMNS, strict=True)
    ]
    last = max(number for number, column in enumerate(columns) if column)
    return Picture(
        width=_COLUMNS[last] + _BOX_WIDTH,
        height=_HEAD + height,
        headings=_headings(columns),
        boxes=tuple(box for column in boxes for box in column),
        arrows=tuple(_arrows(connections, boxes)),
        connections=connections,
        summary=_summary(connections),
    )


def _headings(columns: Sequence[Sequence[Thing]]) -> tuple[Heading, ...]:
    only_files = all(thing.tone == "loose" for thing in columns[2])
    names = ("Project", "Dataset", "Files" if only_files else "Runs and their files", "Instruments")
    return tuple(Heading(name, x) for name, x, column in zip(names, _COLUMNS, columns, strict=True) if column)


def _columns(connections: Connections) -> list[list[Thing]]:
    runs = [run.thing for run in connections.runs]
    if connections.more_runs:
        runs.append(Thing(f"and {words.count(connections.more_runs)} more", "listed below", "#runs", "more"))
    if connections.loose:
        runs.append(connections.loose)
    instruments = list(connections.instruments)
    if connections.more_instruments:
        instruments.append(Thing(f"and {words.count(connections.more_instruments)} more", "", "", "more"))
    return [[connections.project] if connections.project else [], [connections.dataset], runs, instruments]


def _places(count: int, height: int) -> list[int]:
    begin = (height - count * (_BOX_HEIGHT + _GAP) + _GAP) // 2
    return [begin + number * (_BOX_HEIGHT + _GAP) for number in range(count)]


def _arrows(connections: Connections, boxes: Sequence[Sequence[Box]]) -> list[str]:
    projects, (dataset,), runs, instruments = boxes
    found = [_arrow(project, dataset) for project in projects]
    found += [_arrow(dataset, run) for run in runs]
    for run, box in zip(connections.runs, runs, strict=False):
        found += [_arrow(instruments[number], box) for number in run.instruments]
    return found


def _arrow(tail: Box, head: Box) -> str:
    """A curve from the side of one box to the side of another, short of it by the arrow's head."""
    forward = tail.x < head.x
    x1 = tail.x + (_BOX_WIDTH if forward else 0)
    x2 = head.x + (-7 if forward else _BOX_WIDTH + 7)
    y1, y2 = tail.y + _BOX_HEIGHT // 2, head.y + _BOX_HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"


def _summary(connections: Connections) -> str:
    runs = len(connections.runs) + connections.more_runs
    instruments = len(connections.instruments) + connections.more_instruments
    within = "Project, dataset" if connections.project else "Dataset"
    return f"{within}, {_number(runs, 'run')} and {_number(instruments, 'instrument')}. The same is in the list below."
