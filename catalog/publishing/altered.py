"""Published files that are not as they were published: nobody is given them, and somebody should know."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

from django.db.models.fields.json import KT

from catalog import queries
from catalog.models import Dataset, File, Published, PublishedThing, Run
from catalog.publishing.access import PUBLIC
from catalog.publishing.iris import FILE
from ingest.parts import some
from ingest.publication import PUBLISHED

GONE, OTHER = "gone", "other"
_AT_ONCE, _MOST_KEPT = 5_000, 20_000  # rows read, answers and files in them kept by each process

Found = TypeVar("Found")


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

    The question is the one a download asks: is the file there, with the published checksum? A dataset that is not in
    the index, such as one whose folder is gone, has its own sentences elsewhere.
    """
    public = Published.objects.filter(state=PUBLISHED)
    if identifier:
        public = public.filter(identifier=identifier)
    datasets = Dataset.objects.filter(identifier__in=public.values("identifier")).order_by("-pk")
    places = {each.identifier: each for each in datasets}  # of several with one identifier, the first
    is_whole = queries.rebuilding() is None
    told = []
    for row in public.order_by("identifier").only("identifier", "access_level", "etag"):
        dataset = places.get(row.identifier)
        if dataset is not None and (is_whole or dataset.manifest_sha256):
            told.append(_whole(row, dataset))
    return sorted((each for each in told if each.sentences), key=lambda each: (each.root, each.path))


def altered_among(row: Published, start: int, number: int) -> dict[str, str]:
    """Of some files of one record, in its order: the identifiers of those that are not as published, with why.

    While the index is being rebuilt nothing is known of what it does not hold yet.
    """
    dataset = Dataset.objects.filter(identifier=row.identifier).only("manifest_sha256").first()
    if (dataset is None or not dataset.manifest_sha256) and queries.rebuilding():
        return {}
    things = PublishedThing.objects.filter(record=row.identifier, kind=FILE).order_by("position")
    things = things.filter(position__gte=start, position__lt=start + number)
    if dataset is None:
        return dict.fromkeys(things.values_list("identifier", flat=True), GONE)

    def look() -> dict[str, str]:
        asked = things.annotate(published=KT("value__checksum__value"))
        told = Altered(row.identifier, "", "", is_given=True)
        _sort(told, list(asked.values_list("identifier", "identifier", "published")), dataset)
        return dict.fromkeys(told.missing, GONE) | dict.fromkeys([*told.changed, *told.renewed], OTHER)

    return _some.of(row, dataset, look, start, number)


def _whole(row: Published, dataset: Dataset) -> Altered:
    """All files of one record."""

    def look() -> Altered:
        told = Altered(row.identifier, dataset.root, dataset.path, row.access_level == PUBLIC)
        things = PublishedThing.objects.filter(record=row.identifier, kind=FILE).order_by("position")
        things = things.annotate(path=KT("value__path"), published=KT("value__checksum__value"))
        rows = things.values_list("identifier", "path", "published").iterator(_AT_ONCE)
        while part := list(islice(rows, _AT_ONCE)):
            _sort(told, part, dataset)
        return told

    return _all.of(row, dataset, look, dataset.root, dataset.path, row.access_level)


class _Kept(Generic[Found]):
    """What was found, as long as neither the record nor the manifest of its files changed: a page asks each time."""

    def __init__(self, size: Callable[[Found], int]) -> None:
        self._size = size
        self._lock = Lock()
        self._found: OrderedDict[Hashable, Found] = OrderedDict()
        self._held = 0

    def of(self, row: Published, dataset: Dataset, look: Callable[[], Found], *more: Hashable) -> Found:
        sha256 = dataset.manifest_sha256
        key = (row.identifier, row.etag, dataset.pk, sha256, *more)
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = look()
        # Files that changed under the look would stand for the manifest before them, which may come back.
        if sha256 and Dataset.objects.filter(pk=dataset.pk, manifest_sha256=sha256).exists():
            with self._lock:
                self._held += self._weight(found) - self._weight(self._found.pop(key, None))
                self._found[key] = found
                while self._held > _MOST_KEPT:
                    self._held -= self._weight(self._found.popitem(last=False)[1])
        return found

    def _weight(self, found: Found | None) -> int:
        return 0 if found is None else 1 + self._size(found)


def has_altered(dataset: Dataset) -> bool:
    """Whether a published file of a published dataset is missing or changed: what its own page asks each time.

    Its files are looked at only where a run's are known to differ from its complete metadata.
    """
    if not Run.objects.filter(dataset_identifier=dataset.identifier).exclude(outdated_files=[]).exists():
        return False
    return bool(altered(dataset.identifier))


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


_some: _Kept[dict[str, str]] = _Kept(len)
_all: _Kept[Altered] = _Kept(lambda each: len(each.missing) + len(each.changed) + len(each.renewed))
