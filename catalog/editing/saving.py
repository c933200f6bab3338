"""Saving a form: drafts always save, a complete record stays complete, nobody's edit is written over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect

from catalog import rights
from catalog.editing import completing, conflicts, desk, opened, reading, settling, targets, unsaved
from catalog.editing.case import Case, Told, points, show
from catalog.editing.opened import Opened
from catalog.editing.settling import Settled
from ingest import documents
from ingest.errors import BusyError, ConflictError, DocumentError, FairfolderError, FrozenError, StoreError
from ingest.minting import with_identities
from ingest.records import Outcome, Value

_CANNOT = (BusyError, FrozenError, StoreError)


def as_it_is(case: Case) -> HttpResponse:
    """Save what can be saved; a complete record only while it stays complete."""
    settled = settle(case)
    status = case.base.people.get("status")
    if status == "complete":
        lacking = _lacking(case, settled)
        if lacking:
            return _not_complete_any_more(case, settled, lacking)
    return _write(case, settled, status)


def as_draft(case: Case) -> HttpResponse:
    return _write(case, settle(case), "draft")


def as_complete(case: Case) -> HttpResponse:
    """Mark complete, or save what is there and say what is missing."""
    settled = settle(case)
    if not case.desk.can_be_complete:
        return _write(case, settled, None)
    lacking = _lacking(case, settled)
    if lacking or settled.left:
        return _write(case, settled, case.base.people.get("status"), lacking)
    return _write(case, settled, "complete")


def settle(case: Case) -> Settled:
    """What of the form can be kept."""
    return settling.settle(case.desk.tree, case.desk.schemas, case.filled, case.base.people, case.desk.system)


def _lacking(case: Case, settled: Settled) -> dict[str, tuple[str, ...]]:
    """Name of an input → what keeps the record from being complete there."""
    found: dict[str, tuple[str, ...]] = {}
    value = settled.reading.value
    for problem in settling.complete_problems(case.desk.schemas, case.desk.target.kind, value, case.desk.system):
        name = settled.reading.name_of(problem.pointer)
        words = settling.told(case.desk.tree, settled.reading, problem, case.filled)
        found[name] = (*found.get(name, ()), words)
    return found


def _write(
    case: Case, settled: Settled, status: Any, lacking: Mapping[str, tuple[str, ...]] | None = None
) -> HttpResponse:
    """Save what was settled, under the status wanted; then show what is left, or the way on."""
    if settled.refused:
        words = tuple(("content", problem.message) for problem in settled.refused)
        told = Told("bad", "Nothing could be saved, for the document on disk is not valid as it stands:", words)
        return show(case, told=(told,), errors=settled.left, status=422, is_dirty=True)
    mine = dict(settled.reading.value)
    if status is not None:
        mine["status"] = status
    return store(case, mine, settled, lacking or {})


def store(case: Case, mine: Value, settled: Settled, lacking: Mapping[str, tuple[str, ...]]) -> HttpResponse:
    """Write people's part of the document, if it still is the version the form was made from."""
    target = case.desk.target
    ours = case.base

    def changed(old: Value | None) -> Value | None:
        nonlocal ours
        if old is None:
            return None
        new = with_identities(opened.with_people(target.kind, old, mine))
        ours = opened.of(target, documents.etag(target.kind, new), new)
        return new

    try:
        outcome = targets.save(target, changed, by=case.by, if_match=case.base.etag)
    except ConflictError:
        unsaved.keep(case.request.user, target, case.opening, case.filled, opened.sign(target, case.base))
        return _overtaken(case, mine, settled)
    except DocumentError as error:
        return _not_written(case, error, 422)
    except _CANNOT as error:
        return _not_written(case, error, 503)
    return _written(case, outcome, ours, settled, lacking, mine.get("status"))


def _overtaken(case: Case, mine: Value, settled: Settled) -> HttpResponse:
    """Someone else was faster: their version beside this one."""
    here = desk.on(case.desk.target)
    left = conflicts.kept_texts(case.filled, settled.left)
    versions = conflicts.Versions(case.base.people, mine, left, case.base.stamp)
    return conflicts.show(replace(case, desk=here), versions, here.now)


def _unfit(case: Case, versions: conflicts.Versions, value: Value, sentences: list[str]) -> HttpResponse:
    """What two versions make together breaks a rule: it goes on in the form, where it can be mended."""
    filled = reading.fill(case.desk.tree, value)
    told_each = tuple(("content", each) for each in sentences)
    told = Told("bad", "Together the two versions break a rule; mend it here and save.", told_each)
    return show(replace(case, filled=filled), told=(told,), status=422, is_dirty=True)


def _written(
    case: Case, outcome: Outcome, ours: Opened, settled: Settled, lacking: Mapping[str, tuple[str, ...]], status: Any
) -> HttpResponse:
    """On from what was saved: where someone else has changed it since, the next save meets their version."""
    target, user = case.desk.target, case.request.user
    errors = {**lacking, **settled.left}
    if not errors:
        unsaved.forget(user, target, case.opening)
        messages.success(case.request, _saved_words(case, outcome, status))
        return HttpResponseRedirect(_next_page(case))
    system = next((each.system for each in outcome.written if each.path == target.path), None)
    base = ours if system is None else replace(ours, stamp=opened.stamp(system))
    filled = reading.rebased(case.filled, settled.reading)
    after = replace(case, desk=desk.on(target), filled=filled, base=base)
    if not settled.left:
        unsaved.forget(user, target, case.opening)
    return show(after, told=_left_words(settled, lacking), errors=errors, is_dirty=bool(settled.left))


def _next_page(case: Case) -> str:
    """The form again; where the record may no longer be changed, such as a complete instrument, the page before it."""
    may_go_on = case.desk.target.may_be_changed(rights.of_request(case.request))
    return case.request.path if may_go_on or not case.chrome.back_url else case.chrome.back_url


def _saved_words(case: Case, outcome: Outcome, status: Any) -> str:
    if status == "complete" and case.base.people.get("status") != "complete":
        more = completing.completed(case.desk.target, case.by)
        return f"Saved and marked complete. {more}".strip()
    if not outcome.written:
        return "Nothing had changed; everything is saved."
    return "Saved, and set back to draft." if case.base.people.get("status") != status else "Saved."


def _left_words(settled: Settled, lacking: Mapping[str, tuple[str, ...]]) -> tuple[Told, ...]:
    told = []
    if settled.left:
        count = len(settled.left)
        words = f"Saved, except {count} field{'s' if count > 1 else ''}. What you typed there is kept in this form:"
        told.append(Told("wait", words, points(settled.left)))
    open_ = {name: words for name, words in lacking.items() if name not in settled.left}
    if open_:
        saved = "" if settled.left else "Saved. "
        told.append(Told("bad", f"{saved}It is not complete yet:", points(open_)))
    return tuple(told)


def _not_complete_any_more(case: Case, settled: Settled, lacking: Mapping[str, tuple[str, ...]]) -> HttpResponse:
    errors = {**lacking, **settled.left}
    words = "This record is marked complete, and would not be with these changes. Nothing was saved yet:"
    return show(case, told=(Told("bad", words, points(errors), True),), errors=errors, status=422, is_dirty=True)


def _not_written(case: Case, error: FairfolderError, status: int) -> HttpResponse:
    sentences = tuple(("content", sentence) for sentence in targets.words(error))
    told = Told("bad", "Nothing was saved. What you typed is kept in this form; try again in a moment.", sentences)
    return show(case, told=(told,), status=status, is_dirty=True)


def merged(case: Case) -> HttpResponse:
    """Save what someone chose of two versions; ``case.base`` is the version they chose against."""
    versions = conflicts.sent(case)
    if versions is None:
        told = Told("bad", "The two versions could not be read again; here is the record as it stands now.")
        return show(replace(case, filled=desk.fresh(case.desk), base=case.desk.now), told=(told,), status=400)
    value = conflicts.decided(case, versions)
    if value is None:
        return conflicts.show(case, versions, case.base, chosen=conflicts.answers(case), status=422)
    problems = settling.draft_problems(case.desk.schemas, case.desk.target.kind, value, case.desk.system)
    if not problems and value.get("status") == "complete":
        problems = settling.complete_problems(case.desk.schemas, case.desk.target.kind, value, case.desk.system)
    if problems:
        return _unfit(case, versions, value, [problem.message for problem in problems])
    nothing_left = Settled(reading.Reading(value, value, {}, {}))
    return store(case, value, nothing_left, {})
