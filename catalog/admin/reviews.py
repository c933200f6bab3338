"""The review queue: what waits for a curator, and the page where it is accepted or returned."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog import names, rights
from catalog.admin.lists import ReadOnly
from catalog.admin.records import form_link
from catalog.editing import reviews, targets
from catalog.models import Project, Review
from catalog.models.work import ReviewState
from ingest.errors import FairfolderError


class _Waiting(admin.SimpleListFilter):
    """The queue shows what waits, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((value, str(label)) for value, label in ReviewState.choices), ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": (self.value() or ReviewState.READY) == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value() or ReviewState.READY
        return queryset if wanted == "all" else queryset.filter(state=wanted)


@admin.register(Review)
class ReviewAdmin(ReadOnly):
    """Requests for review, the oldest first."""

    list_display = ("record", "kind_of", "project", "state", "asked_by", "asked", "changed", "decided_by", "decided")
    list_filter = (_Waiting, "kind", "asked")
    list_select_related = ("asked_by", "decided_by")
    search_fields = ("title", "identifier", "project_identifier", "asked_by__username")
    search_help_text = "Title, identifier or who asked"
    ordering = ("asked", "pk")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What the rows of one page need is looked up for all of them at once."""
        page = super().get_changelist_instance(request)
        rows = list(page.result_list)
        changed = reviews.changed_since(rows)
        projects = {row.project_identifier for row in rows}
        titles = {row.identifier: str(row) for row in Project.objects.filter(identifier__in=projects)}
        for row in rows:
            row.is_changed = changed[row.pk]
            row.project_title = titles.get(row.project_identifier, "")
        page.result_list = rows
        return page

    @admin.display(description="Record", ordering="title")
    def record(self, row: Review) -> SafeString:
        return names.marked(row.title or row.identifier)

    @admin.display(description="Kind", ordering="kind")
    def kind_of(self, row: Review) -> str:
        return targets.word_of(row.kind)

    @admin.display(description="Project", ordering="project_identifier")
    def project(self, row: Any) -> SafeString:
        return names.marked(row.project_title or "–")

    @admin.display(description="Changed since")
    def changed(self, row: Any) -> str:
        return "yes" if row.is_changed else "no"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One review: what was sent, what was said, and what a curator may decide."""
        review = self._review(request, object_id)
        target = reviews.target_of(review)
        if request.method == "POST":
            self._decide(request, review)
            return redirect("admin:catalog_review_change", review.pk)
        standing = reviews.standing(target, rights.of_request(request)) if target is not None else None
        is_latest = standing is not None and standing.review is not None and standing.review.pk == review.pk
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Review",
            "review": review,
            "comments": review.comments.select_related("author"),
            "target": target,
            "standing": standing if is_latest else None,
            "record": form_link(targets.word_of(review.kind), review.identifier, review.title or review.identifier),
            "list_url": reverse("admin:catalog_review_changelist"),
        }
        return render(request, "admin/catalog/review.html", context)

    def _review(self, request: HttpRequest, object_id: str) -> Review:
        if not rights.of_request(request).curates:
            raise PermissionDenied
        if not object_id.isascii() or not object_id.isdigit():
            raise Http404
        return get_object_or_404(Review.objects.select_related("asked_by", "decided_by"), pk=int(object_id[:18]))

    def _decide(self, request: HttpRequest, review: Review) -> None:
        try:
            said = reviews.decide(review, request.user, request.POST)
        except FairfolderError as error:
            for sentence in targets.words(error):
                self.message_user(request, sentence, messages.ERROR)
        else:
            self.message_user(request, said, messages.SUCCESS)
