"""Questions asked of the index by more than one surface; nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from catalog.keyset import Cursor, Page, QuestionError, page
from catalog.models import Dataset, Document, File, Project, Published, Rebuild, Run
from ingest import documents

PAGE = 100
STATES = ("present", "missing", "tombstone")
FILE_STATES = ("present", "missing", "changed")
_AFTER_SLASH = chr(ord("/") + 1)
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Order:
    """A way to sort files: the keys that come before the path, and their types."""

    keys: tuple[str, ...]
    types: tuple[type, ...]


ORDERS: Mapping[str, Order] = {
    "path": Order((), ()),
    "type": Order(("format", "mime_type"), (str, str)),
    "size": Order(("size_bytes",), (int,)),
    "modified": Order(("modified_or_never",), (datetime,)),
}


@dataclass(frozen=True)
class FileQuestion:
    """Which files of a dataset to show, and in which order."""

    name: str = ""
    type: str = ""
    state: str = ""
    sort: str = "path"
    descending: bool = False
    marker: str = ""

    def __post_init__(self) -> None:
        if self.sort not in ORDERS:
            raise QuestionError(f"sort is {self.sort[:40]!r}; it must be one of {', '.join(ORDERS)}.")
        if self.state and self.state not in FILE_STATES:
            raise QuestionError(f"state is {self.state[:40]!r}; it must be one of {', '.join(FILE_STATES)}.")

    @property
    def is_filtered(self) -> bool:
        return bool(self.name or self.type or self.state)


def files(dataset: Dataset, question: FileQuestion, size: int = PAGE) -> Page[File]:
    """One page of a dataset's files.

    Raises:
        QuestionError: when the page marker does not belong to this order.
    """
    order = ORDERS[question.sort]
    keys, types = (*order.keys, "path", "id"), (*order.types, str, int)
    cursor = Cursor.parse(question.marker, types) if question.marker else None
    rows = _matching(File.objects.filter(dataset=dataset), question)
    total = rows.count()
    if question.sort == "modified":
        rows = rows.annotate(modified_or_never=Coalesce("modified", Value(_EARLIEST)))
    return page(rows, keys, cursor, total, size, descending=question.descending)


def _matching(rows: QuerySet[File], question: FileQuestion) -> QuerySet[File]:
    if question.name:
        rows = rows.filter(path__icontains=question.name)
    if question.state:
        rows = rows.filter(state=question.state)
    if question.type:
        rows = rows.filter(Q(format=question.type) | Q(format="", mime_type=question.type))
    return rows


@dataclass(frozen=True)
class Totals:
    """What the datasets of a project add up to."""

    datasets: int = 0
    files: int = 0
    size_bytes: int = 0
    modified: datetime | None = None


def totals(projects: Iterable[str]) -> dict[str, Totals]:
    """Totals by project identifier; projects without datasets are left out."""
    rows = (
        Dataset.objects.filter(project_identifier__in=list(projects))
        .values("project_identifier")
        .annotate(n=Count("pk"), entries=Sum("file_count"), size=Sum("size_bytes"), last=Max("modified"))
    )
    return {row["project_identifier"]: Totals(row["n"], row["entries"], row["size"], row["last"]) for row in rows}


def records(rows: QuerySet[Any], name: str, state: str, marker: str, size: int = PAGE) -> Page[Any]:
    """One page of projects or datasets, by folder.

    Raises:
        QuestionError: when the state or the page marker is not one of ours.
    """
    if state and state not in STATES:
        raise QuestionError(f"state is {state[:40]!r}; it must be one of {', '.join(STATES)}.")
    if name:
        rows = rows.filter(Q(title__icontains=name) | Q(path__icontains=name))
    if state:
        rows = rows.filter(state=state)
    cursor = Cursor.parse(marker, (str, int)) if marker else None
    return page(rows, ("path", "id"), cursor, rows.count(), size)


def runs_of(dataset: Dataset) -> QuerySet[Run]:
    """The runs of a dataset, in the order they are listed in."""
    return Run.objects.filter(dataset_identifier=dataset.identifier).order_by("label", "identifier")


def runs(dataset: Dataset, marker: str) -> Page[Run]:
    """One page of a dataset's runs.

    Raises:
        QuestionError: when the page marker is not one of ours.
    """
    cursor = Cursor.parse(marker, (str, str)) if marker else None
    rows = runs_of(dataset)
    return page(rows, ("label", "identifier"), cursor, rows.count(), PAGE)


def project_of(dataset: Dataset) -> Project | None:
    """The project a dataset names, when the index knows it."""
    return Project.objects.filter(identifier=dataset.project_identifier).first()


@dataclass(frozen=True)
class Unclear:
    """Something in the documents that a person must mend."""

    path: str
    sentence: str


def unclear(limit: int = 200) -> list[Unclear]:
    """Broken documents and records whose documents do not agree, by path."""
    found = [Unclear(row.path, row.problem) for row in _broken_documents()[:limit]]
    for model in (Project, Dataset):
        rows: QuerySet[Any] = model._default_manager.exclude(problem="")
        found += [Unclear(row.path, row.problem) for row in rows.order_by("path")[:limit]]
    manifests = Dataset.objects.exclude(manifest_problem="").order_by("path")
    found += [Unclear(row.path, row.manifest_problem) for row in manifests[:limit]]
    return sorted(found, key=lambda each: each.path)[:limit]


def broken_below(folder: Project | Dataset) -> Sequence[Document]:
    """Broken documents of one project or dataset folder."""
    rows = below(folder.root, folder.path, folder.path_encoding)
    return list(rows.exclude(problem="").defer("value").order_by("path")[:50])


def below(root: str, path: str, path_encoding: str) -> QuerySet[Document]:
    """The documents below a folder, named as rows name it; letter case counts, as it does on disk.

    A path is percent-encoded as a whole as soon as one name in it is not UTF-8, so a folder begins paths of two kinds.
    """
    folder = documents.decode_path(path, path_encoding)
    percent = documents.encode_path(f"{folder}/\udcff")["path"].removesuffix("/%FF")
    wanted = Q(path_encoding="percent", path__gt=f"{percent}/", path__lt=f"{percent}{_AFTER_SLASH}")
    if not path_encoding:
        wanted |= Q(path_encoding="", path__gt=f"{path}/", path__lt=f"{path}{_AFTER_SLASH}")
    return Document.objects.filter(wanted, root=root)


def _broken_documents() -> QuerySet[Document]:
    return Document.objects.exclude(problem="").defer("value").order_by("path")


def rebuilding() -> Rebuild | None:
    """The rebuild that goes on, if one does."""
    return Rebuild.objects.first()


def publication_state(dataset: Dataset) -> str:
    """What the public sees of a dataset: nothing (unpublished), its record (published) or a tombstone (withdrawn)."""
    rows = Published.objects.filter(identifier=dataset.identifier)
    return rows.values_list("state", flat=True).first() or "unpublished"
