"""Saving a form: drafts always save, a complete record stays complete, nobody's edit is written over.

What is sent is answered by the way to a page of its own (:func:`catalog.editing.case.again`), which works out anew what
is wrong: so a browser can go back to each of them, and reload it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from catalog import rights
from catalog.editing import completing, conflicts, desk, guided, opened, order, reading, settling, targets, unsaved
from catalog.editing.case import Case, Told, again, points, show
from catalog.editing.opened import Opened
from catalog.editing.settling import Settled
from ingest import documents
from ingest.errors import BusyError, ConflictError, DocumentError, FairfolderError, FrozenError, StoreError
from ingest.minting import with_identities
from ingest.purposes import Purpose
from ingest.records import Outcome, Value

ASKED = "asked"  # in an address: to be told what keeps the record from being complete
AGAINST = "against"  # in an address: the status wanted of a save that met a newer version
_SEEN = "of"  # in an address: the newer version that answers were given of
_TOGETHER = "Together the two versions break a rule; mend it here and save."
_CANNOT = (BusyError, FrozenError, StoreError)


def as_it_is(case: Case) -> HttpResponse:
    """Save what can be saved; a complete record only while it stays complete."""
    settled = settle(case)
    status = case.base.people.get("status")
    if status == "complete" and _lacking(case, settled):
        return again(case, **{ASKED: "complete"})
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
    return settling.settle(case.desk.tree, case.desk.schemas, case.filled, case.base.rows, case.desk.system)


def _lacking(case: Case, settled: Settled) -> dict[str, tuple[str, ...]]:
    """Name of an input → what keeps the record from being complete there."""
    found: dict[str, tuple[str, ...]] = {}
    value = settled.reading.value
    for problem in settling.complete_problems(case.desk.schemas, case.desk.target.kind, value, case.desk.system):
        name = settled.reading.name_of(problem.pointer)
        words = settling.told(case.desk.tree, settled.reading, problem, case.filled)
        found[name] = (*found.get(name, ()), words)
    return order.of_errors(case.desk.tree, found)


def _write(
    case: Case, settled: Settled, status: Any, lacking: Mapping[str, tuple[str, ...]] | None = None
) -> HttpResponse:
    """Save what was settled, under the status wanted; then show what is left, or the way on."""
    if settled.refused:
        return again(case)
    mine = dict(settled.reading.value)
    if status is not None:
        mine["status"] = status
    return store(case, mine, settled, lacking or {})


def store(
    case: Case, mine: Value, settled: Settled, lacking: Mapping[str, tuple[str, ...]], *, is_merge: bool = False
) -> HttpResponse:
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
        outcome = targets.save(
            target, changed, by=case.by, if_match=case.base.etag, purpose=Purpose(reason=case.reason)
        )
    except ConflictError:
        return _overtaken(case, mine) if is_merge else again(case, **{AGAINST: str(mine.get("status", "save"))})
    except DocumentError as error:
        return _not_written(case, error, 422)
    except _CANNOT as error:
        return _not_written(case, error, 503)
    return _written(case, outcome, ours, settled, lacking, mine.get("status"))


def _overtaken(case: Case, mine: Value) -> HttpResponse:
    """Someone else was faster than who put two versions together: theirs beside that. The form stays as it was kept."""
    here = desk.on(case.desk.target)
    return conflicts.show(
        replace(case, desk=here), conflicts.Versions(case.base.people, mine, {}, case.base.stamp), here.now
    )


def against_newer(case: Case, status: str) -> HttpResponse:
    """An unsaved form beside the version that was saved since it was opened; ``status`` is the one wanted."""
    given = case.request.GET
    chosen = conflicts.answers(given) if given.get(_SEEN) == case.desk.now.etag else None
    code = 412 if chosen is None else 422
    return conflicts.show(case, _versions(case, status), case.desk.now, chosen=chosen, status=code)


def _versions(case: Case, status: str) -> conflicts.Versions:
    settled = settle(case)
    mine = dict(settled.reading.value)
    if case.desk.can_be_complete and status in ("draft", "complete"):
        mine["status"] = status
    left = conflicts.kept_texts(case.filled, settled.left)
    return conflicts.Versions(case.base.people, mine, left, case.base.stamp)


def _unfit(case: Case, versions: conflicts.Versions, value: Value, sentences: list[str]) -> HttpResponse:
    """What two versions make together breaks a rule: it goes on in the form, where it can be mended."""
    filled = reading.fill(case.desk.tree, value)
    told_each = tuple(("content", each) for each in sentences)
    told = Told("bad", _TOGETHER, told_each)
    on_it = replace(case, filled=filled, base=replace(case.base, together=value))
    return show(on_it, told=(told,), status=422, is_dirty=True)


def _written(
    case: Case, outcome: Outcome, ours: Opened, settled: Settled, lacking: Mapping[str, tuple[str, ...]], status: Any
) -> HttpResponse:
    """On from what was saved: where someone else has changed it since, the next save meets their version."""
    target = case.desk.target
    if not settled.left:
        unsaved.forget(case.request.user, target, case.opening)
        words = "Saved." if lacking else _saved_words(case, outcome, status)
        messages.success(case.request, words)
        for sentence in () if lacking else _doubts(case, settled):
            messages.warning(case.request, sentence)
        return HttpResponseRedirect(f"{case.request.path}?{ASKED}=complete" if lacking else _next_page(case))
    system = next((each.system for each in outcome.written if each.path == target.path), None)
    base = ours if system is None else replace(ours, stamp=opened.stamp(system))
    filled = reading.rebased(case.filled, settled.reading)
    filled.pop(reading.REASON, None)  # it was that of what is saved now
    fields = f"{len(settled.left)} field{'s' if len(settled.left) > 1 else ''}"
    messages.warning(case.request, f"Saved, except {fields}. What you typed there is kept in this form.")
    return again(replace(case, filled=filled, base=base), **{ASKED: "complete" if lacking else ""})


def _doubts(case: Case, settled: Settled) -> list[str]:
    """What was saved and looks wrong all the same."""
    here = case.desk
    noted = settling.noted(here.schemas, here.target.kind, settled.reading, case.base.people)
    return [sentence for sentences in noted.values() for sentence in sentences]


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


# --- what is told of a form that is not saved -------------------------------------------------------------------


def unsaved_form(case: Case, focus: str, found: tuple[str, tuple[guided.Choice, ...]] | None) -> HttpResponse:
    """An unsaved form with what is wrong in it; ``focus`` and ``found`` when someone is in the middle of filling it."""
    settled = settle(case)
    missing = _lacking(case, settled) if ASKED in case.request.GET and case.desk.can_be_complete else {}
    errors = {**missing, **settled.left}
    told = _standing(case, settled, missing, bool(focus))
    is_refused = bool(settled.refused) or any(each.offers_draft for each in told)
    status = 422 if is_refused else 200
    return show(case, told=told, errors=errors, focus=focus, status=status, is_dirty=True, found=found)


def lacking(case: Case) -> HttpResponse:
    """The form as the document fills it, with what keeps it from being complete."""
    missing = _lacking(case, settle(case)) if case.desk.can_be_complete else {}
    told = (Told("bad", "It is not complete yet:", points(missing)),) if missing else ()
    return show(case, told=told, errors=missing, kept=offered(case))


def offered(case: Case) -> list[unsaved.Unsaved]:
    """What else the person typed into this record's form and did not save."""
    return unsaved.offered(case.request.user, case.desk.target)


def _standing(
    case: Case, settled: Settled, missing: Mapping[str, tuple[str, ...]], is_being_filled: bool
) -> tuple[Told, ...]:
    """What stands against an unsaved form."""
    if settled.refused:
        words = tuple(("content", problem.message) for problem in settled.refused)
        sentence = "Nothing could be saved, for the document on disk is not valid as it stands:"
        return (Told("bad", sentence if case.base.together is None else f"Nothing was saved. {_TOGETHER}", words),)
    if missing and case.base.people.get("status") == "complete":
        words = points(order.of_errors(case.desk.tree, {**missing, **settled.left}))
        sentence = "This record is marked complete, and would not be with these changes. Nothing was saved yet:"
        return (Told("bad", sentence, words, True),)
    told = []
    if not is_being_filled:
        if not settled.left or settled.reading.value != case.base.people:
            told.append(Told("plain", "These are your unsaved changes. Save them to keep them."))
        if settled.left:
            told.append(Told("wait", "Not saved yet, for it cannot be kept as it is:", points(settled.left)))
    open_ = {name: words for name, words in missing.items() if name not in settled.left}
    if open_:
        told.append(Told("bad", "It is not complete yet:", points(open_)))
    return tuple(told)


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
        return _unanswered(case, versions)
    problems = settling.draft_problems(case.desk.schemas, case.desk.target.kind, value, case.desk.system)
    if not problems and value.get("status") == "complete":
        problems = settling.complete_problems(case.desk.schemas, case.desk.target.kind, value, case.desk.system)
    if problems:
        return _unfit(case, versions, value, [problem.message for problem in problems])
    nothing_left = Settled(reading.Reading(value, value, {}, {}))
    return store(case, value, nothing_left, {}, is_merge=True)


def _unanswered(case: Case, versions: conflicts.Versions) -> HttpResponse:
    """Back to the page of both versions, with the answers that were given."""
    answers = conflicts.answers(case.request.POST)
    target, status = case.desk.target, str(versions.mine.get("status", "save"))
    kept = unsaved.find(case.request.user, target, case.opening)
    base = opened.unsign(target, kept.base) if kept is not None else None
    if kept is None or base is None or _versions(replace(case, filled=kept.filled, base=base), status) != versions:
        return conflicts.show(case, versions, case.base, chosen=answers, status=422)
    wanted = {unsaved.UNSAVED: case.opening, AGAINST: status, _SEEN: case.base.etag, **answers}
    return HttpResponseRedirect(f"{case.request.path}?{urlencode(wanted)}")
