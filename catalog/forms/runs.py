"""Forms about runs: one is started, gets its files, and is marked complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog import engine, queries, rights
from catalog.editing import drawing, fields, file_choice, order, runs, targets
from catalog.editing.file_choice import MOST_LISTED, MOST_TICKED, Choice, Free
from catalog.editing.guided import people
from catalog.editing.targets import Target
from catalog.models import Dataset
from ingest.documents import Document
from ingest.errors import ConflictError, DocumentError, FairfolderError
from ingest.run_templates import RunTemplate

_LONGEST = 200


@dataclass
class _Asked:
    """What was typed into the form that starts a run, and what is wrong with it, by field."""

    name: str = ""
    label: str = ""
    template: str = ""
    files: Choice = field(default_factory=Choice)
    errors: dict[str, str] = field(default_factory=dict)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Trigger 3: the form that starts a run, and the run's own form once it has begun."""
    dataset = _dataset(request, identifier)
    offered = runs.templates(dataset)
    if request.method != "POST":
        return _start_page(request, dataset, offered, _Asked())
    asked = _read(request)
    among = file_choice.free(dataset)
    template = next((each for each in offered if each.name == asked.template), None)
    _judge(asked, template)
    try:
        files = file_choice.chosen(asked.files, among)
        if request.POST.get("do") == "look":
            return _start_page(request, dataset, offered, asked, file_choice.shown(asked.files, among))
    except FairfolderError as error:
        files = None
        asked.errors["files"] = str(error)
    if asked.errors or template is None:
        return _start_page(request, dataset, offered, asked, status=422)
    me = people.me(request.user)
    try:
        started = runs.begin(
            dataset,
            name=asked.name,
            label=asked.label,
            template=template,
            files=files,
            experimenters=[me] if me else [],
            by=request.user.get_username(),
        )
    except FairfolderError as error:
        asked.errors["all"] = " ".join(targets.words(error))
        return _start_page(request, dataset, offered, asked, status=409)
    messages.success(request, f"The run {started.run_label!r} has begun. What its files tell is filled in already.")
    return HttpResponseRedirect(reverse("edit", args=["run", started.run_id]))


def _read(request: HttpRequest) -> _Asked:
    name, label, template = (request.POST.get(key, "").strip() for key in ("name", "label", "template"))
    return _Asked(name, label, template, Choice.posted(request.POST))


def _judge(asked: _Asked, template: RunTemplate | None) -> None:
    if not asked.name:
        asked.errors["name"] = "Give the run a name that you and others will know it by."
    elif len(asked.name) > _LONGEST or not asked.name.isprintable():
        asked.errors["name"] = f"The name must be one line of at most {_LONGEST} characters."
    if len(asked.label) > _LONGEST or not asked.label.isprintable():
        asked.errors["label"] = f"The folder's name must be one line of at most {_LONGEST} characters."
    if template is None:
        asked.errors["template"] = "Choose what kind of run it is."


def _start_page(
    request: HttpRequest,
    dataset: Dataset,
    offered: Any,
    asked: _Asked,
    shown: file_choice.Shown | None = None,
    status: int = 200,
) -> HttpResponse:
    context = _around(dataset) | {
        "asked": asked,
        "templates": offered,
        "me": people.me(request.user),
        "shown": shown,
        **_free(dataset),
    }
    return render(request, "catalog/forms/start_run.html", context, status=status)


def _free(dataset: Dataset, run: str = "") -> dict[str, Any]:
    among = file_choice.free(dataset, run)
    return {"free": among[:MOST_TICKED], "free_count": len(among), "may_tick": len(among) <= MOST_TICKED}


def _around(dataset: Dataset) -> dict[str, Any]:
    return {"dataset": dataset, "project": queries.project_of(dataset), "inside": True, "section": "projects"}


def _dataset(request: HttpRequest, identifier: UUID) -> Dataset:
    """The dataset, if it is there and the person may change it."""
    may = rights.of_request(request)
    dataset = get_object_or_404(may.datasets(), identifier=str(identifier), state="present")
    if not may.edits(dataset.project_identifier):
        raise Http404
    return dataset


def _run(request: HttpRequest, identifier: UUID) -> Target:
    target = targets.changeable("run", str(identifier), rights.of_request(request))
    if target is None:
        raise Http404
    return target


# --- the files of a run -------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def files(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Which files a run is about."""
    target = _run(request, identifier)
    dataset = get_object_or_404(Dataset, identifier=target.dataset_identifier)
    document = _document(target)
    among = file_choice.free(dataset, target.identifier)
    context = _around(dataset) | _free(dataset, target.identifier)
    context |= {"target": target, "is_complete": document.value.get("status") == "complete"}
    if request.method == "POST":
        return _give_files(request, target, among, context)
    asked = _asked_now(file_choice.recorded(document.value), among)
    context |= {"asked": _Asked(files=asked), "etag": document.etag}
    return render(request, "catalog/forms/run_files.html", context)


def _document(target: Target) -> Document:
    try:
        return target.read()
    except (FileNotFoundError, DocumentError):
        raise Http404 from None


def _give_files(request: HttpRequest, target: Target, among: list[Free], context: dict[str, Any]) -> HttpResponse:
    """The files somebody chose, given to the run if it is as they saw it; ``newer`` is what they saw beside theirs."""
    verb, asked = request.POST.get("do"), _Asked(files=Choice.posted(request.POST))
    seen = request.POST.get("newer" if verb == "mine" else "etag") or "none"
    context |= {"asked": asked, "etag": request.POST.get("etag", "")}
    status = 200
    try:
        wanted = file_choice.chosen(asked.files, among)
        if verb != "look":
            runs.give_files(target, wanted, by=request.user.get_username(), if_match=seen)
            messages.success(request, "The files of the run are saved.")
            return HttpResponseRedirect(reverse("run", args=[target.identifier]))
        context["shown"] = file_choice.shown(asked.files, among)
    except ConflictError:
        newer, status = _document(target), 412
        context |= {"shown": file_choice.shown(asked.files, among), "newer": newer.etag, "theirs": _listed(newer)}
        context["is_oneself"] = newer.value.get("last_modified_by") == request.user.get_username()
    except FairfolderError as error:
        asked.errors["files"], status = " ".join(targets.words(error)), 422
    return render(request, "catalog/forms/run_files.html", context, status=status)


def _listed(document: Document) -> dict[str, Any]:
    """The files a run has by now, to be looked at."""
    listed = file_choice.recorded(document.value)
    return {"is_rest": listed is None, "count": len(listed or ()), "first": (listed or ())[:MOST_LISTED]}


def _asked_now(listed: list[str] | None, among: list[Free]) -> Choice:
    """The choice as the run's document has it."""
    if listed is None:
        return Choice(file_choice.REST)
    wanted = set(listed)
    ticked = tuple(each.identifier for each in among if each.recorded in wanted)
    return Choice(file_choice.THESE, ticked, () if len(among) <= MOST_TICKED else tuple(sorted(wanted)))


# --- complete -----------------------------------------------------------------------------------------------------


@require_POST
def finalise(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Triggers 4 and 5: the run is marked complete and its complete metadata file written, or all that is missing."""
    target = _run(request, identifier)
    try:
        done = runs.finalise(target, by=request.user.get_username())
    except FairfolderError as error:
        return _not_complete(request, target, error)
    if done.changed:
        words = f"The run is complete: revision {done.revision} of its complete metadata file is written."
        messages.success(request, words)
    else:
        messages.info(request, f"Nothing has changed since revision {done.revision}; it still holds.")
    return HttpResponseRedirect(reverse("run", args=[target.identifier]))


def _not_complete(request: HttpRequest, target: Target, error: FairfolderError) -> HttpResponse:
    dataset = get_object_or_404(Dataset, identifier=target.dataset_identifier)
    pointers: tuple[str, ...] = getattr(error, "pointers", ())
    words = targets.words(error)
    if pointers:
        tree = fields.tree(engine.schemas(target.root), target.kind)
        pairs = sorted(zip(words, pointers, strict=True), key=lambda pair: order.of_name(tree, pair[1]))
        words, pointers = tuple(word for word, _ in pairs), tuple(pointer for _, pointer in pairs)
    places = [_address(target, pointer) for pointer in pointers] or [""] * len(words)
    context = _around(dataset) | {
        "target": target,
        "problems": list(zip(words, places, strict=False)),
        "is_document": isinstance(error, DocumentError) and bool(pointers),
    }
    return render(request, "catalog/forms/not_complete.html", context, status=409)


def _address(target: Target, pointer: str) -> str:
    """Where a field is filled in: the files have a page of their own."""
    if pointer.startswith("/data_files"):
        return reverse("run-files", args=[target.identifier])
    here = reverse("edit", args=[target.word, target.identifier])
    return f"{here}#{drawing.anchor(pointer)}"
