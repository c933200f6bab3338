"""Setting a document back to one of its versions: what would change, what stands in the way, and the doing of it.

A restored version is a new action of the person who asks for it: people's fields are set back, the system's stay as
they are true now. History is never rewritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from catalog import engine
from catalog.editing import settling, targets
from catalog.editing.opened import people, with_people
from catalog.editing.targets import Head, Target
from catalog.history import past
from catalog.history.comparing import Compared, words_of
from catalog.history.differences import Difference, differences
from ingest import documents
from ingest.documents import EXPERIMENT, IDENTIFIER_KEY, INSTRUMENT, shell_word
from ingest.errors import DocumentError, FairfolderError
from ingest.layout import METADATA
from ingest.merging import same
from ingest.provenance.trails import Version
from ingest.purposes import Purpose
from ingest.records import Outcome, Value
from ingest.unreadable import Unreadable

# People's, and yet not set back: a record is marked complete by looking at it, a run's files are chosen on its page.
_KEPT = frozenset({"status", "run_label", "data_files"})

BY_OTHERS = "The document as it stands cannot be read. Please ask an administrator to put this version in its place."


class RestoreError(FairfolderError):
    """A version that cannot be set back; the sentence says why."""


@dataclass(frozen=True)
class Present:
    """What a document says now; where its text says nothing, what its newest version said that could be read.

    Attributes:
        problem: why the text cannot be read, "" where it can.
        unreadable: that text, and the whole of what counts instead.
        version: that what counts is of; None where the text counts.
    """

    head: Head
    problem: str = ""
    unreadable: Unreadable | None = None
    version: Version | None = None


def present(target: Target) -> Present:
    """A document as it stands, be it readable or not.

    Raises:
        FileNotFoundError: when there is none.
        DocumentError: when no file can be read there, or none of its newest versions can.
        GitError: when the history cannot be read.
    """
    try:
        return Present(target.read_head())
    except DocumentError:
        raw = documents.read_bytes(target.path)
        text = past.newest_readable(target)
        if text is None or not (problem := _problem(target, raw)):
            raise
        sha256 = hashlib.sha256(raw).hexdigest()
        whole = documents.parse(target.path, text.raw, twice_checked=True)
        return Present(
            Head(dict(text.value), f"unreadable-{sha256[:32]}"), problem, Unreadable(sha256, whole), text.version
        )


def _problem(target: Target, raw: bytes) -> str:
    """Why a text says nothing, for everyone: without where the watched folder is."""
    try:
        documents.parse(Path(target.relative), raw)
    except DocumentError as error:
        return past.plainly(error)
    return ""


@dataclass(frozen=True)
class Plan:
    """What setting back comes to.

    Attributes:
        standing: what it was made from.
        own: people's part as it would be.
        changes: from what stands there now to that, in words.
        problems: why it cannot be saved, one sentence each.
        lacking: why a complete record would become a draft, one sentence each.
        remarks: what else there is to know.
    """

    standing: Present
    own: Value
    changes: tuple[Difference, ...]
    problems: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def etag(self) -> str:
        return self.standing.head.etag

    @property
    def compared(self) -> Compared:
        """The changes, as pages show them."""
        return Compared(self.changes)

    @property
    def can_be_done(self) -> bool:
        return bool(self.changes or self.standing.problem) and not self.problems


def plan(target: Target, standing: Present, then: Mapping[str, Any]) -> Plan:
    """What would change if a document were set back to what it said ``then``.

    Raises:
        RestoreError: when ``then`` is of another record.
    """
    kind, schemas, now = target.kind, engine.schemas(target.root), standing.head
    _of_the_same(target, now.value, then)
    own = _own(kind, now.value, then)
    system = {key: each for key, each in now.value.items() if key not in own}
    problems = [problem.message for problem in settling.draft_problems(schemas, kind, own, system)]
    lacking: list[str] = []
    if own.get("status") == "complete" and not problems:
        lacking = [problem.message for problem in settling.complete_problems(schemas, kind, own, system)]
        own = {**own, "status": "draft"} if lacking else own
    changes = differences(words_of(target), now.value, with_people(kind, now.value, own))
    return Plan(standing, own, tuple(changes), tuple(problems), tuple(lacking), tuple(_remarks(now.value, then, own)))


def by_hand(target: Target, version: Version) -> str:
    """How a version is put in the place of a document when the service cannot: nothing tells what it said before."""
    here = f"git -C {shell_word(str(target.root))} show {version.commit[:12]}:{shell_word(version.path)}"
    place = shell_word(str(target.path))
    return f"The document as it stands cannot be read. Put this version in its place with: {here} > {place}"


def restore(target: Target, wanted: Plan, version: Version, *, by: str, reason: str = "") -> Outcome:
    """Set a document back as planned, if it still is what it was planned for.

    Raises:
        RestoreError: when there is nothing to set back, or it would not be valid.
        ConflictError: when the document was changed since.
        DocumentError, FrozenError, StoreError, BusyError: why it cannot be written now.
    """
    if wanted.problems:
        raise RestoreError(f"This version cannot be set back: {' '.join(wanted.problems)} Nothing was changed.")
    if not wanted.can_be_done:
        raise RestoreError("The record says what this version says already; nothing was changed.")

    def changed(old: Value | None) -> Value | None:
        return None if old is None else with_people(target.kind, old, wanted.own)

    subject = f"Restore {_called(target)} as of {version.moment}"
    purpose = Purpose(subject, trigger="restore", reason=reason.strip()[: targets.LONGEST_REASON])
    unreadable = wanted.standing.unreadable
    match = "" if unreadable is not None else wanted.etag
    return targets.save(target, changed, by=by, if_match=match, purpose=purpose, unreadable=unreadable)


def _called(target: Target) -> str:
    """What the history calls a document: its kind, and the name of its folder."""
    own = target.relative.partition(f"/{METADATA}/")[0] if target.kind not in (EXPERIMENT, INSTRUMENT) else ""
    return f"{targets.NAMES[target.word]} {PurePath(own).name or PurePath(target.relative).parent.name}"


def _own(kind: str, now: Mapping[str, Any], then: Mapping[str, Any]) -> Value:
    """People's part of ``then``, without what is not set back."""
    present = people(kind, now)
    kept = {key: each for key, each in present.items() if key in _KEPT}
    back = {key: each for key, each in people(kind, then).items() if key not in _KEPT}
    order = [key for key in present if key in kept or key in back]
    return {key: (kept | back)[key] for key in dict.fromkeys((*order, *back))}


def _of_the_same(target: Target, now: Mapping[str, Any], then: Mapping[str, Any]) -> None:
    key = IDENTIFIER_KEY[target.kind]
    if key in then and not same(then[key], now.get(key)):
        raise RestoreError(f"This version belongs to another record ({then[key]}), which stood in this place before.")


def _remarks(now: Mapping[str, Any], then: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    told = []
    stays = own.get("status", now.get("status")) == now.get("status")
    if stays and then.get("status") != now.get("status"):
        told.append(f"It stays {'a draft' if now.get('status') == 'draft' else str(now.get('status'))}.")
    if not same(then.get("data_files"), now.get("data_files")):
        told.append("Which files belong to the run stays as it is; they are chosen on the run's page.")
    if then.get("$schema") != now.get("$schema"):
        told.append("It was written under another version of the schema, and is checked against the present one.")
    return told
