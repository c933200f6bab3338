"""Chosen fields of many records changed as one action: planned, seen, applied, and taken back with one click.

A plan holds, for each record, the values before and after of the fields it touches and the ETag it was made from.
Nothing that was not in the preview is ever written: a record changed since is left out, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.utils import timezone

from catalog import engine, rights
from catalog.editing import targets
from catalog.editing.owned import is_owned
from catalog.editing.targets import Edit, Target
from catalog.models import BulkChange, PlannedChange
from ingest import documents
from ingest.errors import ConflictError, DocumentError, FairfolderError
from ingest.minting import with_identities
from ingest.purposes import Purpose
from ingest.records import Value

MOST = 5_000
_MOST_PROBLEMS = 3
_GONE = "There is no such record that you can change."
_NEWER = "It was changed since the spreadsheet was made; export it again and make the change there."
_CHANGED = "It was changed since the preview was made, so it was left as it is; plan the change again to include it."


class BulkError(FairfolderError):
    """A bulk change that cannot be planned, applied or taken back."""


@dataclass(frozen=True)
class Planned:
    """What becomes of one record: ``before`` and ``after`` hold the touched fields; one that is absent has no key.

    ``problem`` says why the record is left out. ``root`` and ``path`` are as the index names them.
    """

    word: str
    identifier: str
    title: str
    root: str = ""
    path: str = ""
    etag: str = ""
    before: Value = field(default_factory=dict)
    after: Value = field(default_factory=dict)
    problem: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The touched fields."""
        return tuple({**self.before, **self.after})

    @property
    def is_wanted(self) -> bool:
        """Whether there is something to write, and nothing against it."""
        return bool(self.keys) and not self.problem


Function = Callable[[Value], Value]


# --- planning -------------------------------------------------------------------------------------------------


def begin(user: User, word: str, identifiers: Sequence[str]) -> PlannedChange:
    """A plan for some records, without any change yet; plans of this person that are over are forgotten.

    Raises:
        BulkError: when there are none, or too many.
    """
    if not identifiers:
        raise BulkError("No record was chosen; tick some first.")
    if len(identifiers) > MOST:
        raise BulkError(f"{len(identifiers):,} records were chosen; at most {MOST:,} can be changed at once.")
    over = timezone.now() - timedelta(days=2)
    PlannedChange.objects.filter(made_by=user, made__lt=over).delete()
    return PlannedChange.objects.create(made_by=user, word=word, identifiers=list(identifiers))


def planned(target: Target, function: Function, seen: str = "") -> Planned:
    """What a function would make of one document: the same as the store will, but for the writing.

    ``seen`` is the ETag of the version the function was made for, when that is an earlier one than the present.
    """
    start = Planned(
        target.word,
        target.identifier,
        target.title,
        documents.readable(str(target.root)),
        documents.readable(target.relative),
    )
    try:
        document = target.read_head()
    except FileNotFoundError:
        return replace(start, problem=_GONE)
    except DocumentError as error:
        return replace(start, problem=str(error))
    old = document.value
    try:
        new = function(dict(old))
    except BulkError as error:
        return replace(start, problem=str(error))
    touched = [key for key in {**old, **new} if is_owned(target.kind, key) and not _equal(old, new, key)]
    after = with_identities({key: new[key] for key in touched if key in new})
    result = replace(start, etag=document.etag, before={key: old[key] for key in touched if key in old}, after=after)
    if not touched:
        return result
    if seen and seen != document.etag:
        return replace(result, problem=_NEWER)
    found = engine.schemas(target.root).problems(target.kind, _with(old, result.before, after))
    return replace(result, problem=" ".join(each.message for each in found[:_MOST_PROBLEMS]))


def _equal(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    return (key in one) == (key in other) and one.get(key) == other.get(key)


def _with(value: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> Value:
    """``value`` with the fields of ``before`` replaced by those of ``after``; each keeps its place where it has one."""
    new = {key: after.get(key, value[key]) for key in value if key in after or key not in before}
    return {**new, **{key: after[key] for key in after if key not in new}}


def plan(
    change: PlannedChange,
    words: str,
    functions: Mapping[str, Function],
    *,
    remarks: Sequence[str] = (),
    seen: Mapping[str, str] | None = None,
) -> PlannedChange:
    """The preview: what the function of each identifier would make of its record.

    A record that is not there and one that this person may not change are answered alike.
    """
    by = rights.of(change.made_by)
    rows = []
    for identifier, function in functions.items():
        target = targets.changeable(change.word, identifier, by)
        rows.append(
            planned(target, function, (seen or {}).get(identifier, ""))
            if target is not None
            else Planned(change.word, identifier, identifier, problem=_GONE)
        )
    PlannedChange.objects.filter(pk=change.pk).update(
        words=words, rows=[asdict(row) for row in rows], remarks=list(remarks), applied=None
    )
    change.refresh_from_db()
    return change


def rows_of(values: Iterable[Mapping[str, Any]] | None) -> tuple[Planned, ...]:
    """The rows of a plan, or of a change that was made."""
    return tuple(Planned(**value) for value in values or ())


# --- applying -------------------------------------------------------------------------------------------------


def apply(change: PlannedChange, user: User) -> BulkChange:
    """Writes a plan as one action, each record only if it is as the preview saw it.

    Raises:
        BulkError: when there is nothing to write, it is another's plan, or it was applied already.
    """
    rows = rows_of(change.rows)
    wanted = [row for row in rows if row.is_wanted]
    if not wanted:
        raise BulkError("There is nothing to change in this plan; go back and choose again.")
    mine = PlannedChange.objects.filter(pk=change.pk, made_by=user, applied=None)
    if not mine.update(applied=timezone.now()):
        raise BulkError("This plan was applied already; its result stands in the list of bulk changes.")
    # Before anything is written, so that whatever is can be taken back even if this process ends now.
    done = BulkChange.objects.create(words=change.words, made_by=user, changes=[asdict(row) for row in wanted])
    by = rights.of(user)
    failed = _write([_as_planned(row, by) for row in wanted], user, "Change")
    left = [replace(row, problem=failed.get(row.identifier, row.problem)) for row in rows]
    BulkChange.objects.filter(pk=done.pk).update(
        changes=[asdict(row) for row in wanted if row.identifier not in failed],
        left_out=[_told(row) for row in left if row.problem],
    )
    done.refresh_from_db()
    return done


@dataclass(frozen=True)
class _Writing:
    """One edit about to be saved; without one, ``why`` says what is in its way."""

    identifier: str
    edit: Edit | None = None
    why: str = ""


def _as_planned(row: Planned, by: rights.Rights) -> _Writing:
    target = targets.changeable(row.word, row.identifier, by)
    tag = _etag(target) if target is not None else ""
    if target is None or not tag:
        return _Writing(row.identifier, why=_GONE)
    if tag != row.etag:
        return _Writing(row.identifier, why=_CHANGED)
    return _Writing(row.identifier, Edit(target, lambda value: _with(value or {}, row.before, row.after), row.etag))


def _etag(target: Target) -> str:
    try:
        return target.read_head().etag
    except (FileNotFoundError, DocumentError):
        return ""


def _write(writings: Sequence[_Writing], user: User, doing: str) -> dict[str, str]:
    """Saves each root's edits as one action; answers identifier → why, of what could not be saved."""
    failed = {each.identifier: each.why for each in writings if each.edit is None}
    roots: dict[Path, list[Edit]] = {}
    for each in writings:
        if each.edit is not None:
            roots.setdefault(each.edit.target.root, []).append(each.edit)
    for edits in roots.values():
        purpose = Purpose(f"{doing} {len(edits)} record{'' if len(edits) == 1 else 's'} at once", trigger="bulk")
        failed |= _write_root(edits, user, purpose)
    return failed


def _write_root(edits: Sequence[Edit], user: User, purpose: Purpose) -> dict[str, str]:
    identifiers = {edit.target.path: edit.target.identifier for edit in edits}
    try:
        outcomes = targets.save_all(edits, by=user.get_username(), purpose=purpose)
    except FairfolderError as error:
        return dict.fromkeys(identifiers.values(), str(error))
    return {
        identifiers[change.path]: _why(outcome.error)
        for outcome in outcomes
        if outcome.error is not None
        for change in outcome.record.changes
    }


def _why(error: FairfolderError) -> str:
    return _CHANGED if isinstance(error, ConflictError) else " ".join(targets.words(error)[:_MOST_PROBLEMS])


def _told(row: Planned) -> dict[str, str]:
    return {"word": row.word, "identifier": row.identifier, "title": row.title, "why": row.problem}


# --- taking back ----------------------------------------------------------------------------------------------


def undo(done: BulkChange, user: User) -> BulkChange:
    """Restores each field that still holds what the change wrote; the others are listed and left alone.

    Raises:
        BulkError: when it was taken back already.
    """
    open_ = BulkChange.objects.filter(pk=done.pk, undone=None)
    if not open_.update(undone=timezone.now(), undone_by=user):
        raise BulkError("This change was taken back already.")
    by = rights.of(user)
    rows = rows_of(done.changes)
    writings, kept = _as_before(rows, by)
    failed = _write(writings, user, "Take back a change of")
    why = {**kept, **failed}
    left = [_told(replace(row, problem=why[row.identifier])) for row in rows if row.identifier in why]
    undone: dict[str, Any] = {"not_undone": left}
    if len(failed) == len(rows):  # nothing at all was restored: it may be tried again
        undone |= {"undone": None, "undone_by": None}
    BulkChange.objects.filter(pk=done.pk).update(**undone)
    done.refresh_from_db()
    return done


def _as_before(rows: Sequence[Planned], by: rights.Rights) -> tuple[list[_Writing], dict[str, str]]:
    """The edits that restore what stood there, and identifier → which fields were changed since."""
    writings: list[_Writing] = []
    kept: dict[str, str] = {}
    for row in rows:
        writing, others = _restoring(row, by)
        writings.append(writing)
        if others and writing.edit is not None:
            kept[row.identifier] = _since(others)
    return writings, kept


def _restoring(row: Planned, by: rights.Rights) -> tuple[_Writing, list[str]]:
    target = targets.changeable(row.word, row.identifier, by)
    if target is None:
        return _Writing(row.identifier, why=_GONE), []
    try:
        present = target.read_head()
    except (FileNotFoundError, DocumentError):
        return _Writing(row.identifier, why=_GONE), []
    same = [key for key in row.keys if _equal(present.value, row.after, key)]
    others = [key for key in row.keys if key not in same]
    if not same:
        return _Writing(row.identifier, why=_since(_titles(target, others))), []
    before = {key: row.before[key] for key in same if key in row.before}
    after = {key: row.after[key] for key in same if key in row.after}
    edit = Edit(target, lambda value: _with(value or {}, after, before), present.etag)
    return _Writing(row.identifier, edit), _titles(target, others)


def _titles(target: Target, keys: Sequence[str]) -> list[str]:
    labels = engine.labels(target.root, target.kind)
    return [labels.get(key, key) for key in keys]


def _since(titles: Sequence[str]) -> str:
    return f"Changed since then, so left as it is: {', '.join(titles)}."


# --- in words -------------------------------------------------------------------------------------------------


def in_words(value: Any) -> str:
    """A field's value on one line or a few, for a table."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(in_words(each) for each in value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        more = [str(value[key]) for key in ("orcid", "ror", "email") if key in value]
        return f"{value['name']} ({', '.join(more)})" if more else value["name"]
    if isinstance(value, dict):
        shown = {key: each for key, each in value.items() if key[:1] not in ("@", "$")}
        return ", ".join(f"{key}: {in_words(each)}" for key, each in shown.items())
    return orjson.dumps(value).decode()
