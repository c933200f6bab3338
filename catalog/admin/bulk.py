"""Bulk changes: choosing fields and values, the preview, the result, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from catalog import engine, names, rights
from catalog.admin.lists import ReadOnly
from catalog.admin.records import LISTS, form_link
from catalog.editing import bulk, operations, owned, questions, sheets, spreadsheets, targets
from catalog.editing.bulk import BulkError, Planned
from catalog.editing.guided import people
from catalog.editing.guided.agents import Agent
from catalog.editing.owned import Field
from catalog.editing.questions import AnswerError, Question
from catalog.models import BulkChange, PlannedChange

_MOST_LINES = 2_000
_MOST_SHOWN = 400
_NOTHING = "–"
_PREVIEW = "preview"


@dataclass(frozen=True)
class Line:
    """One line of a preview: a record's field before and after; the first of a record says why it is left out."""

    record: SafeString
    field: str = ""
    before: str = ""
    after: str = ""
    problem: str = ""
    is_refused: bool = False


@admin.register(BulkChange)
class BulkChangeAdmin(ReadOnly):
    """What was changed in bulk, newest first; each can be taken back once."""

    list_display = ("what", "made_by", "made", "records", "left", "undone", "undone_by")
    list_display_links = ("what",)
    list_filter = ("made", ("made_by", admin.RelatedOnlyFieldListFilter), ("undone", admin.EmptyFieldListFilter))
    list_select_related = ("made_by", "undone_by")
    search_fields = ("words",)
    ordering = ("-made", "-pk")

    @admin.display(description="What was done", ordering="words")
    def what(self, row: BulkChange) -> SafeString:
        return names.prose(row.words)

    @admin.display(description="Records changed")
    def records(self, row: BulkChange) -> int:
        return len(row.changes)

    @admin.display(description="Left out")
    def left(self, row: BulkChange) -> int:
        return len(row.left_out)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("plan/<int:pk>/", view(self.choose), name="catalog_plan"),
            path("plan/<int:pk>/preview/", view(self.preview), name="catalog_preview"),
            path("import/<slug:word>/", view(self.upload), name="catalog_import"),
            path("<int:pk>/undo/", view(require_POST(self.undo)), name="catalog_undo"),
        ]
        return [*own, *super().get_urls()]

    # --- choosing -------------------------------------------------------------------------------------------

    def choose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """First which fields, then what to do with each; what was typed stays, whichever way one goes from here."""
        change = _plan(request, pk)
        fields = _fields(request, change)
        if request.method == "POST":
            questions.keep(change, request.POST)
        answers = questions.answers(change)
        picked = set(answers.getlist(questions.PICKED))
        asked = [questions.question(field, answers) for field in fields if field.key in picked]
        known = _known(request) if any(each.kind == "agent" for each in asked) else {}
        wants_preview = request.POST.get("do") == _PREVIEW
        steps, problems = _steps(asked, answers, known) if wants_preview or _PREVIEW in request.GET else ([], [])
        if steps and not problems and wants_preview:
            words = "; ".join(step.words for step in steps)
            functions = {one: lambda value: operations.carried_out(value, steps) for one in change.identifiers}
            bulk.plan(change, words, functions)
            return redirect("admin:catalog_preview", change.pk)
        if request.method == "POST":  # to a page of its own, to which a browser can go back
            return redirect(f"{request.path}?{_PREVIEW}" if wants_preview else request.path)
        context = {
            "change": change,
            "fields": [(field, field.key in picked) for field in fields],
            "asked": [(each, questions.fitting(each.field, known.values())) for each in asked],
            "problems": problems,
        }
        return self._page(request, "choose", "Change fields of many records", change.word, context)

    # --- the preview ----------------------------------------------------------------------------------------

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What would become of each record; nothing is written before somebody confirms it."""
        change = _plan(request, pk)
        if change.rows is None:
            return redirect("admin:catalog_plan", change.pk)
        if request.method == "POST":
            try:
                done = bulk.apply(change, _curator(request))
            except BulkError as error:
                self.message_user(request, str(error), messages.ERROR)
                return redirect("admin:catalog_preview", change.pk)
            return redirect("admin:catalog_bulkchange_change", done.pk)
        rows = bulk.rows_of(change.rows)
        context = {"change": change, **_counts(rows), **_lines(rows, change.word)}
        return self._page(request, "preview", "Look at the change before it is made", change.word, context)

    # --- a spreadsheet --------------------------------------------------------------------------------------

    def upload(self, request: HttpRequest, word: str) -> HttpResponse:
        """A spreadsheet becomes a plan."""
        if word not in LISTS:
            raise Http404
        user = _curator(request)
        problem = ""
        if request.method == "POST":
            try:
                name, data = _file(request)
                change = spreadsheets.plan(user, word, name, sheets.read(name, data))
                return redirect("admin:catalog_preview", change.pk)
            except (sheets.SheetError, BulkError) as error:
                problem = str(error)
        context = {"problem": problem, "word": word, "most": sheets.MOST_ROWS, "bytes": sheets.MOST_BYTES}
        return self._page(request, "import", "Import a spreadsheet", word, context)

    # --- the result -----------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was done, and the button that takes it back."""
        _curator(request)
        if not object_id.isascii() or not object_id.isdigit():
            raise Http404
        rows = BulkChange.objects.select_related("made_by", "undone_by")
        done = get_object_or_404(rows, pk=int(object_id[:18]))
        changes = bulk.rows_of(done.changes)
        context = {
            "done": done,
            "count": len(changes),
            "left_out": _told(done.left_out),
            "not_undone": _told(done.not_undone),
            **_lines(changes, changes[0].word if changes else ""),
        }
        return self._page(request, "result", "Bulk change", "", context)

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes a change back, where nothing was changed since."""
        done = get_object_or_404(BulkChange, pk=pk)
        try:
            undone = bulk.undo(done, _curator(request))
        except BulkError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            if undone.undone is None:
                self.message_user(request, "Nothing could be taken back; the reasons are below.", messages.ERROR)
        return redirect("admin:catalog_bulkchange_change", done.pk)

    def _page(
        self, request: HttpRequest, template: str, title: str, word: str, context: Mapping[str, Any]
    ) -> HttpResponse:
        around = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        if word:
            around |= {"list_url": f"admin:catalog_{LISTS[word]}_changelist", "list_name": f"{LISTS[word].title()}s"}
        return render(request, f"admin/catalog/bulk/{template}.html", {**around, **context})


# --- who, which, what -------------------------------------------------------------------------------------------


def _curator(request: HttpRequest) -> Any:
    if not rights.of_request(request).curates:
        raise PermissionDenied
    return request.user


def _plan(request: HttpRequest, pk: int) -> PlannedChange:
    """A plan of whoever asks; another's is not there."""
    return get_object_or_404(PlannedChange, pk=pk, made_by=_curator(request))


def _fields(request: HttpRequest, change: PlannedChange) -> tuple[Field, ...]:
    roots = list(engine.roots())
    if len(roots) > 1:  # which of them the records are in decides which fields they share
        found = spreadsheets.targets_of(change.word, change.identifiers, rights.of_request(request))
        roots = list(dict.fromkeys(target.root for target in found)) or roots
    return questions.offered(owned.common(roots, targets.KINDS[change.word]))


def _known(request: HttpRequest) -> dict[str, Agent]:
    """The people and organizations the catalog knows already, by their token."""
    return {each.token: each for each in people.known(rights.of_request(request))}


def _steps(
    asked: Sequence[Question], answers: QueryDict, known: Mapping[str, Agent]
) -> tuple[list[operations.Step], list[str]]:
    steps, problems = [], []
    for question in asked:
        try:
            steps.append(questions.step(question, answers, known))
        except AnswerError as error:
            problems.append(str(error))
    return steps, problems


def _file(request: HttpRequest) -> tuple[str, bytes]:
    """The name and the bytes of the uploaded file.

    Raises:
        SheetError: when there is none, or it is too large.
    """
    given = request.FILES.get("file")
    if given is None or isinstance(given, list):
        raise sheets.SheetError("No file was chosen; choose a .xlsx or .csv file.")
    if given.size is None or given.size > sheets.MOST_BYTES:
        raise sheets.SheetError(f"The file is too large; at most {sheets.MOST_BYTES:,} bytes are read. Split it.")
    return names.plain(given.name or "the file"), given.read()


# --- in words ---------------------------------------------------------------------------------------------------


def _counts(rows: Sequence[Planned]) -> dict[str, int]:
    return {
        "wanted": sum(row.is_wanted for row in rows),
        "refused": sum(bool(row.problem) for row in rows),
        "same": sum(not row.keys and not row.problem for row in rows),
    }


def _lines(rows: Sequence[Planned], word: str) -> dict[str, Any]:
    """The lines of the table, those with problems first, and how many there are."""
    labels = _labels(rows, word)
    lines = [line for row in sorted(rows, key=lambda row: not row.problem) for line in _of(row, labels)]
    return {"lines": lines[:_MOST_LINES], "all_lines": len(lines), "lines_left": max(0, len(lines) - _MOST_LINES)}


def _of(row: Planned, labels: Mapping[str, str]) -> Iterable[Line]:
    record = form_link(row.word, row.identifier, row.title or "a row without identifier")
    if not row.keys and row.problem:
        yield Line(record, problem=row.problem, is_refused=True)
    for number, key in enumerate(row.keys):
        before, after = (_shown(part[key]) if key in part else _NOTHING for part in (row.before, row.after))
        problem = "" if number else row.problem
        yield Line(record, labels.get(key, key), before, after, problem, is_refused=bool(row.problem))


def _shown(value: Any) -> str:
    text = bulk.in_words(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


def _labels(rows: Sequence[Planned], word: str) -> dict[str, str]:
    roots = {row.root for row in rows if row.root}
    found = [engine.labels(root, targets.KINDS[word]) for name in roots if (root := engine.root_named(name)) and word]
    return {key: title for labels in found for key, title in labels.items()}


def _told(rows: Iterable[Mapping[str, str]]) -> list[Line]:
    return [Line(form_link(row["word"], row["identifier"], row["title"]), problem=row["why"]) for row in rows]
