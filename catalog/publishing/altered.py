"""Published files that are not as they were published: nobody is given them, and somebody should know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.db.models import Exists, OuterRef
from django.db.models.fields.json import KT

from catalog.models import Dataset, File, Published, PublishedThing, Run
from catalog.publishing.access import PUBLIC
from catalog.publishing.iris import FILE
from ingest.parts import some
from ingest.publication import PUBLISHED

GONE, OTHER = "gone", "other"
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
    public = Published.objects.filter(state=PUBLISHED)
    if identifier:
        public = public.filter(identifier=identifier)
    found = []
    for record, level in public.order_by("identifier").values_list("identifier", "access_level"):
        dataset = Dataset.objects.filter(identifier=record).first()
        if dataset is None:
            continue
        told = Altered(record, dataset.root, dataset.path, level == PUBLIC)
        things = PublishedThing.objects.filter(record=record, kind=FILE).order_by("position")
        things = things.annotate(path=KT("value__path"), published=KT("value__checksum__value"))
        rows = things.values_list("identifier", "path", "published").iterator(_AT_ONCE)
        while part := list(islice(rows, _AT_ONCE)):
            _sort(told, part, dataset)
        if told.sentences:
            found.append(told)
    return sorted(found, key=lambda each: (each.root, each.path))


def altered_among(row: Published, start: int, number: int) -> dict[str, str]:
    """Of some files of one record, in its order: the identifiers of those that are not as published, with why."""
    dataset = Dataset.objects.filter(identifier=row.identifier).first()
    things = PublishedThing.objects.filter(record=row.identifier, kind=FILE).order_by("position")
    things = things.annotate(published=KT("value__checksum__value"))
    asked = list(things.values_list("identifier", "identifier", "published")[start : start + number])
    told = Altered(row.identifier, "", "", is_given=True)
    if dataset is None:
        told.missing += [own for own, _, _ in asked]
    else:
        _sort(told, asked, dataset)
    return dict.fromkeys(told.missing, GONE) | dict.fromkeys([*told.changed, *told.renewed], OTHER)


def has_altered(dataset: Dataset) -> bool:
    """Whether a published file of a published dataset is missing or changed: what its own page asks each time.

    Its files are looked at only where a run's are known to differ from its complete metadata.
    """
    if not Run.objects.filter(dataset_identifier=dataset.identifier).exclude(outdated_files=[]).exists():
        return False
    published = PublishedThing.objects.filter(kind=FILE, identifier=OuterRef("identifier"), record=dataset.identifier)
    rows = File.objects.filter(dataset=dataset, state__in=("missing", "changed"))
    return rows.filter(Exists(published)).exists()


def _sort(into: Altered, things: Sequence[tuple[str, str, str]], dataset: Dataset) -> None:
    # By identifier alone, which has an index of few rows each; by dataset it would look through all of its files.
    rows = File.objects.filter(identifier__in=[own for own, _, _ in things])
    asked = rows.values_list("identifier", "dataset_id", "state", "checksum")
    now = {own: (state, checksum) for own, where, state, checksum in asked if where == dataset.pk}
    for own, path, published in things:
        state, checksum = now.get(own, ("missing", ""))
        if state == "missing":
            into.missing.append(path)
        elif state == "changed":
            into.changed.append(path)
        elif checksum != published:
            into.renewed.append(path)


def _count(paths: Sequence[str]) -> str:
    return "One published file" if len(paths) == 1 else f"{len(paths):,} published files"


def _them(paths: Sequence[str]) -> str:
    return "it" if len(paths) == 1 else "them"
