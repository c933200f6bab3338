"""Read-only views of the index: found, filtered, and linked to the pages."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog import names, words
from catalog.models import ChangeLog, Dataset, Document, File, Instrument, Project, Run


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Never counts more than it must: an exact count of millions of rows costs more than the page."""

    most = 100_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[: self.most].count()


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """An index row is changed by changing its document, never here."""

    show_full_result_count = False
    paginator = UncountedPaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="Folder", ordering="path")
    def folder(self, row: Any) -> SafeString:
        return names.marked(row.path)

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, row: Any) -> str:
        return words.size(row.size_bytes)


def _page(name: str, row: Any, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.identifier]), text)


def _document(value: Any) -> SafeString:
    return format_html("<pre>{}</pre>", orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


@admin.register(Project)
class ProjectAdmin(ReadOnly):
    list_display = ("named", "folder", "state", "status", "modified", "page")
    list_filter = ("state", "status", "modified")
    search_fields = ("title", "path", "identifier")
    search_help_text = "Title, folder or identifier"
    date_hierarchy = "modified"
    ordering = ("path",)

    @admin.display(description="Project", ordering="title")
    def named(self, row: Project) -> SafeString:
        return names.marked(str(row))

    @admin.display(description="Page")
    def page(self, row: Project) -> SafeString:
        return _page("project", row, "open")


@admin.register(Dataset)
class DatasetAdmin(ReadOnly):
    list_display = ("named", "folder", "file_count", "size", "state", "status", "access_level", "modified", "page")
    list_filter = ("state", "status", "access_level", "license", "modified")
    search_fields = ("title", "path", "identifier", "project_identifier")
    search_help_text = "Title, folder or identifier"
    date_hierarchy = "modified"
    ordering = ("path",)

    @admin.display(description="Dataset", ordering="title")
    def named(self, row: Dataset) -> SafeString:
        return names.marked(str(row))

    @admin.display(description="Page")
    def page(self, row: Dataset) -> SafeString:
        return _page("dataset", row, "open")


@admin.register(File)
class FileAdmin(ReadOnly):
    list_display = ("folder", "dataset", "format", "mime_type", "size", "state", "version", "page")
    list_filter = ("state", "version", "format", "modified", "first_seen")
    list_select_related = ("dataset",)
    search_fields = ("path", "=checksum", "=identifier")
    search_help_text = "Part of the path, or a whole SHA-256 or identifier"
    ordering = ("-id",)
    readonly_fields = ("entry",)

    @admin.display(description="Entry")
    def entry(self, row: File) -> SafeString:
        return _document(orjson.loads(row.document.text))

    @admin.display(description="Page")
    def page(self, row: File) -> SafeString:
        return _page("file", row, "open")


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
        return _document(row.value)


@admin.register(Instrument)
class InstrumentAdmin(ReadOnly):
    list_display = ("name", "serial_number", "status", "identifier")
    list_filter = ("status",)
    search_fields = ("name", "serial_number", "identifier")


@admin.register(Run)
class RunAdmin(ReadOnly):
    list_display = ("label", "name", "run_type", "status", "dataset_identifier")
    list_filter = ("run_type", "status")
    search_fields = ("label", "name", "identifier", "dataset_identifier")


@admin.register(ChangeLog)
class ChangeLogAdmin(ReadOnly):
    list_display = ("sequence", "kind", "identifier", "datestamp", "action")
    list_filter = ("kind", "datestamp")
    search_fields = ("identifier", "action")
    date_hierarchy = "datestamp"
    ordering = ("-datestamp", "-sequence")
