"""The only writer of metadata: lock → read → change → validate → stamp → write atomically.

A *record* is a project or a dataset; one call of :meth:`Store.apply` is one action on some records. The documents of
a record are written together or not at all; one record's trouble never holds up another's. The registry entry of each
record that changed gets a new datestamp and the next sequence number in the same action.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ingest import documents, manifest, registering
from ingest.acts import Acts
from ingest.documents import COMPLETE, IDENTIFIER_KEY, STRUCTURAL, Document
from ingest.errors import ConflictError, FairfolderError, StoreError
from ingest.folders import explain, lock_descriptor, metadata_folder, sweep
from ingest.hand_edits import Protection
from ingest.layout import METADATA
from ingest.locking import LockUnsupportedError, held, lock_file
from ingest.manifest_changes import entries_change, head_change
from ingest.merging import same
from ingest.minting import with_identities
from ingest.provenance.recorder import Recorder
from ingest.purposes import NO_PURPOSE, Purpose, Touched, action
from ingest.records import Change, EntriesChange, Following, Outcome, Record, Upcoming, Value, Written
from ingest.revisions import complete_text
from ingest.schema import SchemaSet
from ingest.stamping import Stamping
from ingest.texts import NextText, Prepared, all_durable, prepare
from ingest.unreadable import standing

_log = logging.getLogger("fairfolder.store")

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")

_TEXTS: Mapping[str, Callable[[Value], bytes]] = {STRUCTURAL: manifest.render_value, COMPLETE: complete_text}


@dataclass
class _Work:
    """One record on its way through an action."""

    record: Record
    prepared: list[Prepared] = field(default_factory=list)
    upcoming: dict[Path, Upcoming] = field(default_factory=dict)
    error: FairfolderError | None = None
    published: Mapping[str, Any] | None = None  # what its registry entry will say of its publication, if that changes


class Store:
    """The writer of one root.

    Args:
        lock_seconds: how long a lock is waited for.
        state: the root's folder of machine-local state: what was last seen of each document, and locks where the
            root's file system has no ``flock``.
        recorder: the history that every action becomes one commit of; without it none is kept.
    """

    def __init__(
        self,
        root: Path,
        schemas: SchemaSet,
        *,
        lock_seconds: float = 30.0,
        state: Path | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.root = root
        self.schemas = schemas
        self.lock_seconds = lock_seconds
        self.lock_notice = ""
        self.recorder = recorder
        self._state = state
        self._swept: set[Path] = set()
        self._within = threading.Lock()
        self._protection = Protection(root, state)
        self._acts = Acts(root, state)

    # --- reading ------------------------------------------------------------------------------------------

    def read(self, path: Path, kind: str | None = None) -> Document:
        """A document as it stands.

        Raises:
            FileNotFoundError, DocumentError: see :func:`ingest.documents.read_document`.
        """
        return documents.read_document(path, kind)

    # --- one document: forms and API ------------------------------------------------------------------------

    def change(
        self,
        path: Path,
        kind: str,
        function: Callable[[Value | None], Value | None],
        *,
        by: str,
        if_match: str | None = None,
        purpose: Purpose = NO_PURPOSE,
    ) -> Outcome:
        """Change one document as one action; the record it belongs to moves its datestamp.

        Raises:
            ConflictError: when ``if_match`` is not the ETag found under the lock.
            DocumentError: when the result would not be valid, with a sentence per problem.
            StoreError, BusyError: when it cannot be written now.
        """
        record = self._record_of(path, Change(path, kind, function, if_match))
        outcome = self.apply([record], by=by, purpose=purpose)[0]
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def _record_of(self, path: Path, change: Change) -> Record:
        parts = path.relative_to(self.root).parts
        owner = parts[: parts.index(METADATA)]
        if not owner:
            return Record("", "", "", (change,))
        kind, document = ("project", documents.PROJECT) if len(owner) == 1 else ("dataset", documents.ADMINISTRATIVE)
        own = self.root.joinpath(*owner, METADATA, f"{document}.json")
        identifier = str(self.read(own, document).value[IDENTIFIER_KEY[document]])
        return Record(kind, identifier, "/".join(owner), (change,))

    # --- the action -----------------------------------------------------------------------------------------

    def apply(self, records: Sequence[Record], *, by: str, purpose: Purpose = NO_PURPOSE) -> list[Outcome]:
        """One action: every record's documents changed, validated, stamped, written, and recorded as one commit.

        Args:
            by: a user name, or ``system:<trigger>``; only the system may change system fields.
            purpose: what its commit says beyond what the documents tell.

        Raises:
            BusyError: when a lock is held by another for too long.
            StoreError: when the root itself cannot be written.
        """
        with self._within, ExitStack() as stack:
            registry = self._enter_root(stack)
            stamping = Stamping(self.schemas, by, documents.now())  # one action, one time
            works = [_Work(record) for record in records]
            try:
                for work in sorted(works, key=lambda w: w.record.relative):
                    self._prepare(work, stamping, stack)
                changed = [w for w in works if w.error is None and (w.prepared or w.record.touch)]
                sequence = self._prepare_registry(changed, registry, stamping) if changed else None
                with self._recorded(works, stamping, purpose) as landed:
                    outcomes = self._carried_out(works, sequence)
                    landed += [w.path for outcome in outcomes for w in outcome.written]
                    return outcomes
            except BaseException as error:
                # Nothing of what was prepared stays behind, neither as a descriptor nor as a file.
                for work in works:
                    self._give_up(work, StoreError(self.root, f"the action was given up: {error}"))
                raise

    def _enter_root(self, stack: ExitStack) -> int:
        own = stack.enter_context(metadata_folder(self.root, self.root / METADATA))
        stack.enter_context(self._lock(own, self.root / METADATA))
        registry = stack.enter_context(metadata_folder(self.root, documents.registry_folder(self.root)))
        self._sweep(registry, documents.registry_folder(self.root))
        self._acts.take()
        return registry

    @contextmanager
    def _lock(self, folder: int, path: Path) -> Iterator[None]:
        try:
            fd = lock_descriptor(folder)
        except OSError as error:
            raise explain(path / ".lock", error) from error
        try:
            with ExitStack() as stack:
                try:
                    stack.enter_context(held(fd, path / ".lock", self.lock_seconds))
                except LockUnsupportedError as error:
                    stack.enter_context(self._other_lock(path, error))
                self._sweep(folder, path)
                yield
        finally:
            os.close(fd)

    def _other_lock(self, path: Path, error: OSError) -> Any:
        if self._state is None:
            raise explain(path / ".lock", error) from error
        self.lock_notice = (
            f"The file system of {self.root} has no working locks ({error.strerror}): "
            "only this machine may write its metadata."
        )
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return lock_file(self._state / f"{name}.lock", self.lock_seconds)

    def _sweep(self, folder: int, path: Path) -> None:
        if path not in self._swept:
            sweep(folder, lambda name: TEMPORARY.fullmatch(name) is not None)
            self._swept.add(path)

    def sweep(self, folder: Path) -> None:
        """Take away what a crash left half written in a metadata folder; whoever writes there now is waited for.

        Raises:
            BusyError, StoreError: when it cannot be done now.
        """
        with self._within, ExitStack() as stack:
            self._swept.discard(folder)
            self._enter_root(stack)
            self._enter(folder, None, {}, stack)

    def _prepare(self, work: _Work, stamping: Stamping, stack: ExitStack) -> None:
        try:
            folders: dict[Path, int] = {}
            for change in work.record.changes:
                folder = self._enter(change.path.parent, work.record.folder, folders, stack)
                self._prepare_one(work, change, folder, stamping)
        except FairfolderError as error:
            self._give_up(work, error)
        except OSError as error:
            self._give_up(work, explain(self.root / work.record.relative, error))
        except Exception as error:  # noqa: BLE001 - one record's content must not hold up all others
            _log.exception("cannot prepare %s", work.record.relative)
            path = self.root / work.record.relative
            self._give_up(work, StoreError(path, f"{path} cannot be updated: {type(error).__name__}: {error}."))

    def _enter(self, folder: Path, owner: tuple[int, int] | None, folders: dict[Path, int], stack: ExitStack) -> int:
        """A descriptor of a document's folder, the lock of the ``.metadata`` it is in being held."""
        own = Path(*folder.parts[: folder.parts.index(METADATA, len(self.root.parts)) + 1])
        for path in dict.fromkeys((own, folder)):
            if path not in folders:
                folders[path] = stack.enter_context(metadata_folder(self.root, path, owner=owner))
                if path == own and own != self.root / METADATA:
                    stack.enter_context(self._lock(folders[path], own))
                self._sweep(folders[path], path)
        return folders[folder]

    def _give_up(self, work: _Work, error: FairfolderError) -> None:
        work.error = error
        for one in work.prepared:
            one.discard()
        work.prepared.clear()

    def _prepare_one(
        self, work: _Work, change: Change | EntriesChange | Following, folder: int, stamping: Stamping
    ) -> None:
        made = change.make(work.upcoming) if isinstance(change, Following) else change
        if made is None:
            return
        if isinstance(made, EntriesChange):
            text = entries_change(made, stamping)
        else:
            text = self._next_text(work.record, made, stamping)
        if text is None:
            return
        prepared = prepare(text, folder)
        work.prepared.append(prepared)
        if isinstance(made, Change):
            work.upcoming[made.path] = Upcoming(text.value, prepared.sha256)

    def _next_text(self, record: Record, change: Change, stamping: Stamping) -> NextText | None:
        persons = not change.ours and not stamping.is_the_systems
        entry = registering.registry_entry(self.root, record.identifier) if persons and record.kind else {}
        if change.kind == STRUCTURAL and persons:
            raw, stamp = documents.read_stamped(change.path)
            parts = manifest.split(raw) if self._is_own_text(entry, change.path, raw) else None
            if parts is not None:
                return head_change(change, parts, stamp, stamping)
        old = standing(change.path, change.kind, change.unreadable)
        if change.if_match is not None:
            found = old.etag if old is not None else ""
            if found != change.if_match:
                raise ConflictError(change.path, change.if_match, found)
        if old is not None and persons:
            # What somebody changed with an editor, and no pass has looked at yet, becomes ours by no save.
            old = replace(old, value=self._protection.undone(record, change, old, entry))
        value = change.function(None if old is None else dict(old.value))
        is_same = old is not None and value == old.value and same(value, old.value)  # 1 == True
        if value is None or (is_same and change.unreadable is None):
            return None
        value = self._stamped(change, value, old, stamping)
        stamping.validate(change.path, change.kind, value)
        text = _TEXTS.get(change.kind, documents.to_bytes)(value)
        before, read = (None, "") if old is None else (old.stamp, old.sha256)
        return NextText(change.path, change.kind, [text], value, before, read)

    def _stamped(self, change: Change, value: Value, old: Document | None, stamping: Stamping) -> Value:
        if change.kind == COMPLETE:
            return stamping.generated(change.path, value, old)
        before = None if old is None else old.value
        return stamping.stamped(change.kind, with_identities(value), before, ours=change.ours)

    def _is_own_text(self, entry: Mapping[str, Any], path: Path, raw: bytes) -> bool:
        """Whether a manifest is, byte for byte, what the store wrote last, and so is valid under its own schema."""
        if not self.schemas.is_packaged(STRUCTURAL):
            return False
        known = entry.get("documents", {}).get(path.name)
        return known is not None and hashlib.sha256(raw).hexdigest() == known

    # --- the registry -----------------------------------------------------------------------------------------

    def _prepare_registry(self, works: Iterable[_Work], folder: int, stamping: Stamping) -> Prepared | None:
        number = registering.last_sequence(self.root, folder)
        before = number
        for work in works:
            if not work.record.kind:
                continue
            try:
                text = registering.next_entry(self.root, work.record, work.prepared, number + 1, stamping, self._acts)
                if text is None:
                    continue
                # A known entry lands before its documents: after a crash in between they are still as last seen, and
                # the action is done again. A new one lands after them: it never names what is not there.
                known = os.path.lexists(text.path)
                if work.record.publication is not None:
                    work.published = text.value["publication"]
                work.prepared.insert(0 if known else len(work.prepared), prepare(text, folder))
                number += 1
            except FairfolderError as error:
                self._give_up(work, error)
            except OSError as error:
                self._give_up(work, explain(documents.registry_folder(self.root), error))
        if number == before:
            return None
        sequence = registering.next_sequence(self.root, number)
        try:
            return prepare(sequence, folder)
        except OSError as error:
            raise explain(sequence.path, error) from error

    # --- recording ----------------------------------------------------------------------------------------------

    @contextmanager
    def _recorded(self, works: Sequence[_Work], stamping: Stamping, purpose: Purpose) -> Iterator[list[Path]]:
        """What stands is in the history before it is replaced; what is landed within becomes one commit."""
        landed: list[Path] = []
        ready = [w for w in works if w.error is None and w.prepared]
        if self.recorder is None or not (ready or purpose.beside):
            yield landed
            return
        records = [w.record for w in ready or works]
        touched = [self._touched(p) for w in ready for p in w.prepared]
        doing = action(purpose, stamping.by, stamping.moment, records, touched)
        paths = [p.path for w in ready for p in w.prepared]
        self.recorder.begin(paths, doing, beside=purpose.beside, moved=purpose.moved)
        try:
            yield landed
        except BaseException:
            self.recorder.abandon()  # what did land is found by comparing
            raise
        if not (landed or purpose.beside):
            self.recorder.abandon()
            return
        landed += [self.root / r.relative / METADATA / name for r in records for name in r.accepted]
        self.recorder.record([*landed, *purpose.beside], doing, purpose.moved)

    def _touched(self, one: Prepared) -> Touched:
        return Touched(str(one.path.relative_to(self.root)), one.kind, one.before is None)

    # --- writing ------------------------------------------------------------------------------------------------

    def _carried_out(self, works: list[_Work], sequence: Prepared | None) -> list[Outcome]:
        """Every prepared document put in its place; the locks are held from before it was read until this returns."""
        ready = [w for w in works if w.error is None and w.prepared]
        if not ready:
            if sequence is not None:
                sequence.discard()
            return [Outcome(w.record, error=w.error) for w in works]
        # The action begins: what is about to be replaced is known (``ready``), and all of it still stands.
        everything = [p for w in ready for p in w.prepared] + ([sequence] if sequence else [])
        durable = all_durable([p.fd for p in everything])
        if sequence is not None:
            self._replace_sequence(sequence, durable)
        landed = {id(w): self._land(w, durable) for w in ready}
        self._make_folders_durable(everything)
        # It ends: what each outcome in ``landed`` says was written stands.
        return [landed.get(id(w)) or Outcome(w.record, error=w.error) for w in works]

    def _make_folders_durable(self, everything: Iterable[Prepared]) -> None:
        paths = {p.folder: p.path.parent for p in everything}
        for folder, error in all_durable(sorted(paths)).items():
            words = "%s: the storage does not say that what was written there is safe: %s"
            _log.warning(words, paths[folder], error.strerror)

    def _land(self, work: _Work, failed: Mapping[int, OSError]) -> Outcome:
        bad = next((p for p in work.prepared if p.fd in failed), None)
        if bad is not None:
            self._give_up(work, explain(bad.path, failed[bad.fd]))
            return Outcome(work.record, error=work.error)
        edited = next((p for p in work.prepared if not p.is_as_read()), None)
        if edited is not None:
            words = f"{edited.path} was edited while it was being updated; the edit is kept, and it is tried again."
            self._give_up(work, StoreError(edited.path, words))
            return Outcome(work.record, error=work.error)
        written: list[Written] = []
        while work.prepared:
            one = work.prepared[0]
            try:
                written.append(Written(one.path, one.kind, one.replace(), one.sha256, one.system))
            except OSError as error:
                self._give_up(work, explain(one.path, error))
                return Outcome(work.record, tuple(written), work.error)
            work.prepared.pop(0)
        if work.published is not None:
            self._done(work.record.identifier, work.published)
        return Outcome(work.record, tuple(written))

    def _done(self, identifier: str, publication: Mapping[str, Any]) -> None:
        try:
            self._acts.done(identifier, publication)
        except StoreError as error:  # the entry stands and counts; so would the one before, put back by an editor
            _log.warning("%s", error)

    def _replace_sequence(self, one: Prepared, failed: Mapping[int, OSError]) -> None:
        try:
            if one.fd in failed:
                raise failed[one.fd]
            one.replace()
        except OSError as error:
            one.discard()
            raise explain(one.path, error) from error
