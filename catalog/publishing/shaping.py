"""Every public record held against SHACL shapes: our own, and others that somebody gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import rights
from catalog.publishing.iris import DATASET
from catalog.publishing.site import site
from ingest.errors import FairfolderError
from ingest.publication import PUBLISHED

_LARGEST = 4 << 20


@dataclass(frozen=True)
class Held:
    """What one shapes graph says of one record; ``violations`` and ``warnings`` in words, ``results`` for machines."""

    identifier: str
    title: str
    shapes: str
    violations: tuple[str, ...]
    warnings: tuple[str, ...]
    results: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "dataset": self.identifier,
            "title": self.title,
            "shapes": self.shapes,
            "violations": list(self.violations),
            "warnings": list(self.warnings),
            "results": list(self.results),
        }


@dataclass(frozen=True)
class Shaped:
    """All records: how many were looked at, what of them is not as asked, and remarks on the shapes themselves."""

    records: int
    held: tuple[Held, ...]
    remarks: tuple[str, ...]

    @property
    def is_met(self) -> bool:
        """Whether nothing is violated; a warning is none."""
        return not any(each.violations for each in self.held)

    def lines(self) -> list[str]:
        """The report as a person reads it."""
        told = list(self.remarks)
        for each in self.held:
            told += [f"{each.title!r}, {each.shapes}: {words}" for words in each.violations]
            told += [f"{each.title!r}, {each.shapes}, advice: {words}" for words in each.warnings]
        violated = sum(len(each.violations) for each in self.held)
        advised = sum(len(each.warnings) for each in self.held)
        told.append(f"Public records: {self.records:,}, not as shapes ask: {violated:,}, advice: {advised:,}")
        return told

    def as_json(self) -> dict[str, Any]:
        held = [each.as_json() for each in self.held]
        return {"records": self.records, "remarks": list(self.remarks), "found": held}


def shaped(files: Sequence[str], progress: Callable[[int], None]) -> Shaped:
    """Looks at every public record; a withdrawn one has only what the others' shapes ask.

    Args:
        files: files with shapes in Turtle; with them the catalog around each record is looked at too.

    Raises:
        FairfolderError: when a file cannot be read, or its shapes cannot be used.
    """
    from catalog.graph import shacl  # here: nothing else pays for it

    others = [shacl.read(_read(Path(each)), each) for each in files]
    remarks = [_remark(each) for each in others if each.undescribed]
    seen: set[Any] = set()
    held: list[Held] = []
    number = 0
    for number, row in enumerate(rights.published().order_by("title", "identifier").iterator(50), 1):
        held += _held(row.identifier, row.title, row.value, row.state == PUBLISHED, others, seen)
        progress(number)
    return Shaped(number, tuple(held), tuple(remarks))


def _held(
    identifier: str, title: str, value: Mapping[str, Any], complete: bool, others: Sequence[Any], seen: set[Any]
) -> Iterator[Held]:
    """What each shapes graph says; what is wrong with the catalog itself is said with the first record only."""
    from catalog.graph import feeds, quads, shacl, violations

    here = site()
    pairs = [(shacl.own(), quads.dcat(value, here))] if complete else []
    if others:
        whole = feeds.catalog_page([value, *_related(value, f"{here.base_url}/id/{DATASET}/")], here, 1, 1, 1)
        pairs += [(each, whole) for each in others]
    for shapes, drawn in pairs:
        found = tuple(each for each in shacl.validate(drawn, shapes).results if (shapes.name, each) not in seen)
        seen.update((shapes.name, each) for each in found)
        report = shacl.Report(found)
        violated = violations.sentences(shacl.Report(report.violations), drawn)
        advised = violations.sentences(shacl.Report(report.warnings), drawn)
        if found:
            machine = tuple(vars(each) for each in found)
            yield Held(identifier, violations.cut(title), shapes.name, tuple(violated), tuple(advised), machine)


def _related(value: Mapping[str, Any], ours: str) -> list[Mapping[str, Any]]:
    """The public records of this catalog that a record names: shapes may ask what they are."""
    named = {str(each.get("iri")) for each in value.get("related_identifiers", ())}
    known = [each.removeprefix(ours) for each in named if each.startswith(ours)]
    return [row.value for row in rights.published().filter(identifier__in=known).order_by("identifier")]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise FairfolderError(f"The shapes {str(path)!r} cannot be read: {error.strerror}.") from None


def _remark(shapes: Any) -> str:
    number = len(shapes.undescribed)
    words = "property shape that it does not describe" if number == 1 else "property shapes that it does not describe"
    return f"{shapes.name} names {number:,} {words}; nothing is asked by them."
