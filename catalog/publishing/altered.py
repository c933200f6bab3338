"""Published files that are not as they were published: nobody is given them, and somebody should know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef
from django.db.models.fields.json import KT

from catalog.models import Dataset, File, Published, PublishedThing
from catalog.publishing.access import PUBLIC
from catalog.publishing.iris import FILE
from ingest.parts import some
from ingest.publication import PUBLISHED

_AT_ONCE = 5_000


@dataclass
class Altered:
    """The paths of one published dataset's files, by what became of them.

    Attributes:
        path: the dataset's, below ``root``.
        missing: files that are not at their places; changed: files with other bytes.
        renewed: those whose other bytes are in the current complete metadata, which is not published yet.
    """

    identifier: str
    root: str
    path: str
    is_given: bool
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is so, with the first files by name, and what to do."""
        given = ", so nobody is given {}" if self.is_given else ""
        back, again = "Put {} back", "or write a new revision of the run and publish again."
        told = (
            (self.missing, "is not at its place", "are not at their places", f"{back}, {again}"),
            (self.changed, "has other bytes than were published", "have other bytes than were published",
             f"Put the published bytes back, {again}"),
            (self.renewed, "has other bytes than were published", "have other bytes than were published",
             "A newer revision of the run names them: publish it."),
        )  # fmt: skip
        return tuple(
            f"{_count(paths)} {one if len(paths) == 1 else several}{given.format(_them(paths))}: {some(paths)}. "
            f"{mend.format(_them(paths))}"
            for paths, one, several, mend in told
            if paths
        )


def altered(identifier: str = "") -> list[Altered]:
    """Of one published dataset, or of all: those with such files, by path.

    The question is the one a download asks: is the file there, with the published checksum?
    """
    found: dict[str, Altered] = {}
    for record, things in _by_record(identifier):
        dataset = Dataset.objects.filter(identifier=record).first()
        row = Published.objects.defer("value").get(identifier=record)
        if dataset is not None:
            found[record] = Altered(record, dataset.root, dataset.path, row.access_level == PUBLIC)
            _sort(found[record], things, dataset)
    return sorted(found.values(), key=lambda each: (each.root, each.path))


def _by_record(identifier: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Dataset → identifier and published path of each of its files that is not as it was published."""
    public = Published.objects.filter(state=PUBLISHED)
    if identifier:
        public = public.filter(identifier=identifier)
    as_published = File.objects.filter(
        identifier=OuterRef("identifier"), dataset__identifier=OuterRef("record"), state="present",
        checksum=OuterRef("published"),
    )  # fmt: skip
    things = PublishedThing.objects.filter(kind=FILE, record__in=public.values("identifier"))
    things = things.annotate(published=KT("value__checksum__value")).filter(~Exists(as_published))
    told: dict[str, list[tuple[str, str]]] = defaultdict(list)
    rows = things.annotate(path=KT("value__path")).order_by("record", "position")
    for record, own, path in rows.values_list("record", "identifier", "path").iterator():
        told[record].append((own, path))
    yield from told.items()


def _sort(into: Altered, things: Sequence[tuple[str, str]], dataset: Dataset) -> None:
    for start in range(0, len(things), _AT_ONCE):
        part = things[start : start + _AT_ONCE]
        rows = File.objects.filter(dataset=dataset, identifier__in=[own for own, _ in part])
        now = dict(rows.values_list("identifier", "state"))
        for own, path in part:
            match now.get(own, "missing"):
                case "missing":
                    into.missing.append(path)
                case "changed":
                    into.changed.append(path)
                case _:
                    into.renewed.append(path)


def _count(paths: Sequence[str]) -> str:
    return "One published file" if len(paths) == 1 else f"{len(paths):,} published files"


def _them(paths: Sequence[str]) -> str:
    return "it" if len(paths) == 1 else "them"
