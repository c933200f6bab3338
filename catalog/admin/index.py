"""Every category of the index: found, filtered, and linked to its form and its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog import names
from catalog.admin import lists
from catalog.admin.lists import ReadOnly, Values
from catalog.admin.records import Records, form_link
from catalog.models import ChangeLog, Dataset, Document, File, Instrument, Project, Run


@admin.register(Project)
class ProjectAdmin(Records):
    words = ("project",)
    noun = "projects"
    has_page = True
    list_display = ("named", "change", "folder", "state", "status", "modified")
    list_filter = ("state", ("status", Values), "modified")
    search_fields = ("title", "path", "identifier")
    search_help_text = "Title, folder or identifier"
    date_hierarchy = "modified"
    ordering = ("path",)


@admin.register(Dataset)
class DatasetAdmin(Records):
    words = ("dataset", "files")
    noun = "datasets"
    has_page = True
    list_display = (
        "named", "change", "folder", "file_count", "size", "state", "status", "access_level", "modified"
    )  # fmt: skip
    list_filter = ("state", ("status", Values), ("access_level", Values), ("license", Values), "modified")
    search_fields = ("title", "path", "identifier", "project_identifier")
    search_help_text = "Title, folder or identifier"
    date_hierarchy = "modified"
    ordering = ("path",)
    actions = ("change_fields", "change_files_fields", "export_xlsx", "export_csv", "export_files_xlsx")

    @admin.action(description="Change fields of the selected datasets' file records…", permissions=["curate"])
    def change_files_fields(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase | None:
        return self.begin(request, rows, "files")

    @admin.action(description="Export the datasets' file records (XLSX)", permissions=["view"])
    def export_files_xlsx(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase | None:
        return self.export(request, rows, "files", "xlsx")


@admin.register(File)
class FileAdmin(ReadOnly):
    list_display = ("folder", "dataset", "format", "mime_type", "size", "state", "version", "page")
    list_filter = ("state", "version", ("format", Values), "modified", "first_seen")
    list_select_related = ("dataset",)
    search_fields = ("path", "=checksum", "=identifier")
    search_help_text = "Part of the path, or a whole SHA-256 or identifier"
    ordering = ("-id",)
    readonly_fields = ("entry",)

    @admin.display(description="Entry")
    def entry(self, row: File) -> SafeString:
        return lists.document(orjson.loads(row.document.text))

    @admin.display(description="Page")
    def page(self, row: File) -> SafeString:
        return lists.page("file", row, "open")


@admin.register(Document)
class DocumentAdmin(ReadOnly):
    list_display = ("folder", "kind", "size", "problem")
    list_filter = ("kind", ("problem", admin.EmptyFieldListFilter))
    search_fields = ("path", "identifier", "problem")
    ordering = ("path",)
    exclude = ("value",)
    readonly_fields = ("content",)

    @admin.display(description="Content")
    def content(self, row: Document) -> SafeString:
        return lists.document(row.value)


@admin.register(Instrument)
class InstrumentAdmin(Records):
    words = ("instrument",)
    noun = "instruments"
    list_display = ("named", "change", "serial_number", "status", "identifier")
    list_filter = (("status", Values),)
    search_fields = ("name", "serial_number", "identifier")
    search_help_text = "Name, serial number or identifier"
    ordering = ("name", "identifier")

    def additions(self) -> Sequence[tuple[str, str]]:
        return [(reverse("new-instrument"), "Add instrument")]

    @admin.display(description="Instrument", ordering="name")
    def named(self, row: Instrument) -> SafeString:
        return names.marked(str(row))


class _Revision(admin.SimpleListFilter):
    """Whether a run has its complete metadata file, and whether that still holds."""

    title = "complete metadata file"
    parameter_name = "complete_metadata_is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "not there yet"), ("present", "there, nothing changed since"), ("outdated", "outdated")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "none":
                return queryset.filter(revision=0)
            case "present":
                return queryset.filter(revision__gt=0, outdated=[])
            case "outdated":
                return queryset.filter(revision__gt=0).exclude(outdated=[])
        return queryset


@admin.register(Run)
class RunAdmin(Records):
    words = ("run",)
    noun = "runs"
    list_display = ("named", "change", "label", "dataset", "project", "run_type", "status", "revision", "is_outdated")
    list_filter = (("run_type", Values), ("status", Values), _Revision)
    search_fields = ("label", "name", "identifier", "dataset_identifier")
    search_help_text = "Name, label, identifier or the dataset's identifier"
    ordering = ("dataset_identifier", "label")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """With title and folder of the dataset and the project, in the same question."""
        dataset = Dataset.objects.filter(identifier=OuterRef("dataset_identifier"))
        project = Project.objects.filter(identifier=OuterRef("project_identifier"))
        rows: QuerySet[Run] = super().get_queryset(request)
        return rows.annotate(
            dataset_title=Subquery(dataset.values("title")[:1]),
            dataset_path=Subquery(dataset.values("path")[:1]),
            project_identifier=Subquery(dataset.values("project_identifier")[:1]),
        ).annotate(
            project_title=Subquery(project.values("title")[:1]), project_path=Subquery(project.values("path")[:1])
        )

    @admin.display(description="Run", ordering="name")
    def named(self, row: Run) -> SafeString:
        return names.marked(str(row))

    @admin.display(description="Dataset", ordering="dataset_title")
    def dataset(self, row: Any) -> SafeString:
        text = row.dataset_title or row.dataset_path or row.dataset_identifier
        return form_link("dataset", row.dataset_identifier, text) if row.dataset_path else names.marked(text)

    @admin.display(description="Project", ordering="project_title")
    def project(self, row: Any) -> SafeString | str:
        if not row.project_path:
            return "–"
        return form_link("project", row.project_identifier, row.project_title or row.project_path)

    @admin.display(description="Complete metadata file")
    def is_outdated(self, row: Run) -> str:
        if not row.revision:
            return "not there yet"
        return "outdated" if row.outdated else "up to date"


@admin.register(ChangeLog)
class ChangeLogAdmin(ReadOnly):
    list_display = ("sequence", "kind", "identifier", "datestamp", "action")
    list_filter = ("kind", "datestamp")
    search_fields = ("identifier", "action")
    date_hierarchy = "datestamp"
    ordering = ("-datestamp", "-sequence")
