"""What every list of the admin shares: curators look, nothing of the index is changed here, long tables stay quick."""

from __future__ import annotations

from collections.abc import Iterator
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

from catalog import names, rights, words


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Never counts more than it must: an exact count of millions of rows costs more than the page."""

    most = 100_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[: self.most].count()


class Values(admin.AllValuesFieldListFilter):
    """A filter by the values there are, in which the absent one has a name too."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "not stated"}


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """An index row is changed by changing its document, never here."""

    show_full_result_count = False
    paginator = UncountedPaginator
    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights.of_request(request).curates

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return rights.of_request(request).curates

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


def page(name: str, row: Any, text: str) -> SafeString:
    """A link to a row's page outside of the admin."""
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.identifier]), text)


def document(value: Any) -> SafeString:
    """A JSON value as it would stand in a file."""
    return format_html("<pre>{}</pre>", orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
