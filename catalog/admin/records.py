"""Records people change: the same form as outside, changes of many at once, spreadsheets both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog import names, rights
from catalog.admin import lists
from catalog.admin.lists import ReadOnly
from catalog.editing import bulk, handling, sheets, spreadsheets, targets
from catalog.editing.sheets import SheetError

# The word of an address → where its records are listed.
LISTS = {"project": "project", "dataset": "dataset", "files": "dataset", "instrument": "instrument", "run": "run"}
_FORM_PAGE = "admin/catalog/form.html"


class Records(ReadOnly):
    """A list of records with a document each. ``words``: the documents of one row, the main one first."""

    words: tuple[str, ...] = ()
    noun = "records"
    has_page = False  # one of its own, outside of the admin
    change_list_template = "admin/catalog/records.html"
    actions: tuple[str, ...] = ("change_fields", "export_xlsx", "export_csv")

    def has_curate_permission(self, request: HttpRequest) -> bool:
        return rights.of_request(request).curates

    # --- the form -------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """The form of a record by its own identifier, which outlives a rebuilt index."""
        own = [
            path(
                f"{word}/<uuid:identifier>/",
                self.admin_site.admin_view(self.form_view),
                {"word": word},
                name=f"catalog_{word}_form",
            )
            for word in self.words
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form where the record has a document; else what the index knows of it."""
        row = self.get_object(request, object_id)
        if row is not None and self.has_view_permission(request) and targets.find(self.words[0], row.identifier):
            return redirect(form_address(self.words[0], row.identifier))
        return super().change_view(request, object_id, form_url, extra_context)

    def form_view(self, request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
        target = targets.find(word, str(identifier))
        if target is None or not target.may_be_changed(rights.of_request(request)):
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "record": target.title,
            "noun": self.noun,
            "list_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        chrome = handling.Chrome(_FORM_PAGE, context["list_url"], f"Back to the {self.noun}", context)
        return handling.handle(request, target, chrome)

    # --- actions --------------------------------------------------------------------------------------------

    @admin.action(description="Change fields of the selected records…", permissions=["curate"])
    def change_fields(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase | None:
        return self.begin(request, rows, self.words[0])

    def begin(self, request: HttpRequest, rows: QuerySet[Any], word: str) -> HttpResponseBase | None:
        """The first page of a bulk change."""
        try:
            change = bulk.begin(_user(request), word, chosen(rows))
        except bulk.BulkError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        return redirect("admin:catalog_plan", change.pk)

    @admin.action(description="Export as a spreadsheet (XLSX)", permissions=["view"])
    def export_xlsx(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase | None:
        return self.export(request, rows, self.words[0], "xlsx")

    @admin.action(description="Export as a spreadsheet (CSV)", permissions=["view"])
    def export_csv(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase | None:
        return self.export(request, rows, self.words[0], "csv")

    def export(self, request: HttpRequest, rows: QuerySet[Any], word: str, kind: str) -> HttpResponseBase | None:
        """The chosen records as a file."""
        try:
            identifiers = chosen(rows)
            sheets.bounded((), len(identifiers))
            found = spreadsheets.targets_of(word, identifiers, rights.of_request(request))
            table = spreadsheets.table(found, typed=kind == "xlsx")
        except SheetError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        body = sheets.to_xlsx(table) if kind == "xlsx" else sheets.to_csv(table)
        name = f"fairfolder-{word}-records.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        return HttpResponse(body, content_type=sheets.FORMATS[kind], headers=headers)

    # --- the list -------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        own = {"imports": [(word, targets.NAMES[word]) for word in self.words], "additions": self.additions()}
        answer = super().changelist_view(request, {**own, **(extra_context or {})})
        assert isinstance(answer, HttpResponse)
        return answer

    def additions(self) -> Sequence[tuple[str, str]]:
        """What can be added from the list: address and words."""
        return ()

    @admin.display(description="Change")
    def change(self, row: Any) -> SafeString:
        """The forms of a row, and its page outside of the admin: one column, for lists have many."""
        links = [(form_address(word, row.identifier), targets.NAMES[word]) for word in self.words]
        forms = format_html_join(", ", '<a href="{}">{}</a>', links)
        return format_html("{}; {}", forms, lists.page(self.words[0], row, "open its page")) if self.has_page else forms

    @admin.display(description="Record", ordering="title")
    def named(self, row: Any) -> SafeString:
        return names.marked(str(row))


def form_address(word: str, identifier: str) -> str:
    """Where the form of a record stands in the admin."""
    return reverse(f"admin:catalog_{word}_form", args=[identifier])


def form_link(word: str, identifier: str, text: str) -> SafeString:
    """A link to a record's form, or only its name when it can have none."""
    try:
        UUID(identifier)
    except ValueError:
        return names.marked(text)
    return format_html('<a href="{}">{}</a>', form_address(word, identifier), names.marked(text))


def chosen(rows: QuerySet[Any]) -> list[str]:
    """The identifiers of the rows somebody ticked; no more than are needed to see that they are too many."""
    return list(rows.values_list("identifier", flat=True)[: bulk.MOST + 1])


def _user(request: HttpRequest) -> Any:
    if not rights.of_request(request).curates:
        raise PermissionDenied
    return request.user
