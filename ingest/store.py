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
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest import documents, manifest
from ingest.documents import AUDIT, COMPLETE, IDENTIFIER_KEY, REGISTRY, STRUCTURAL, SYSTEM_KEYS, Document
from ingest.errors import ConflictError, DocumentError, FairfolderError, StoreError
from ingest.folders import explain, lock_descriptor, metadata_folder, sweep
from ingest.layout import METADATA
from ingest.locking import LockUnsupportedError, held, lock_file
from ingest.merging import same
from ingest.minting import with_identities
from ingest.records import Change, EntriesChange, Following, Outcome, Record, Upcoming, Value, Written
from ingest.revisions import complete_text
from ingest.rows import Stamp
from ingest.schema import SchemaSet
from ingest.texts import Prepared, all_durable, prepare

_log = logging.getLogger("fairfolder.store")

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")
_SEQUENCE = ".sequence"


_TEXTS: Mapping[str, Callable[[Value], bytes]] = {STRUCTURAL: manifest.render_value, COMPLETE: complete_text}


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _header_after(change: EntriesChange, header: Value) -> Value:
    return header if change.header is None else change.header(dict(header))


@dataclass
class _Work:
    """One record on its way through an action."""

    record: Record
    prepared: list[Prepared] = field(default_factory=list)
    upcoming: dict[Path, Upcoming] = field(default_factory=dict)
    error: FairfolderError | None = None


class Store:
    """The writer of one root.

    Args:
        lock_seconds: how long a lock is waited for.
        lock_fallback: a folder for locks where the root's file system has no ``flock``.
    """

    def __init__(
        self, root: Path, schemas: SchemaSet, *, lock_seconds: float = 30.0, lock_fallback: Path | None = None
    ) -> None:
        self.root = root
        self.schemas = schemas
        self.lock_seconds = lock_seconds
        self.lock_notice = ""
        self._lock_fallback = lock_fallback
        self._swept: set[Path] = set()
        self._within = threading.Lock()
        self._moment = ""

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
    ) -> Outcome:
        """Change one document as one action; the record it belongs to moves its datestamp.

        Raises:
            ConflictError: when ``if_match`` is not the ETag found under the lock.
            DocumentError: when the result would not be valid, with a sentence per problem.
            StoreError, BusyError: when it cannot be written now.
        """
        record = self._record_of(path, Change(path, kind, function, if_match))
        outcome = self.apply([record], by=by)[0]
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

    def apply(self, records: Sequence[Record], *, by: str) -> list[Outcome]:
        """One action: every record's documents changed, validated, stamped and written.

        Args:
            by: a user name, or ``system:<trigger>``; only the system may change system fields.

        Raises:
            BusyError: when a lock is held by another for too long.
            StoreError: when the root itself cannot be written.
        """
        with self._within, ExitStack() as stack:
            registry = self._enter_root(stack)
            self._moment = documents.now()  # one action, one time
            works = [_Work(record) for record in records]
            try:
                for work in sorted(works, key=lambda w: w.record.relative):
                    self._prepare(work, by, stack)
                changed = [w for w in works if w.error is None and (w.prepared or w.record.touch)]
                sequence = self._prepare_registry(changed, registry, by) if changed else None
                return self._finish(works, sequence)
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
        if self._lock_fallback is None:
            raise explain(path / ".lock", error) from error
        self.lock_notice = (
            f"The file system of {self.root} has no working locks ({error.strerror}): "
            "only this machine may write its metadata."
        )
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return lock_file(self._lock_fallback / f"{name}.lock", self.lock_seconds)

    def _sweep(self, folder: int, path: Path) -> None:
        if path not in self._swept:
            sweep(folder, lambda name: _TEMPORARY.fullmatch(name) is not None)
            self._swept.add(path)

    def _prepare(self, work: _Work, by: str, stack: ExitStack) -> None:
        try:
            folders: dict[Path, int] = {}
            for change in work.record.changes:
                folder = self._enter(change.path.parent, work.record.folder, folders, stack)
                self._prepare_one(work, change, folder, by)
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

    def _prepare_one(self, work: _Work, change: Change | EntriesChange | Following, folder: int, by: str) -> None:
        made = change.make(work.upcoming) if isinstance(change, Following) else change
        if made is None:
            return
        if isinstance(made, EntriesChange):
            prepared = self._prepare_entries(made, folder, by)
        else:
            prepared = self._prepare_document(work, made, folder, by)
        if prepared is not None:
            work.prepared.append(prepared)

    def _prepare_document(self, work: _Work, change: Change, folder: int, by: str) -> Prepared | None:
        if change.kind == STRUCTURAL and not change.ours and not by.startswith("system:"):
            raw, stamp = documents.read_stamped(change.path)
            parts = manifest.split(raw) if self._is_own_text(work.record, change.path, raw) else None
            if parts is not None:
                return self._prepare_head(change, parts, folder, by, stamp)
        old = self._present(change.path, change.kind)
        if change.if_match is not None:
            found = old.etag if old is not None else ""
            if found != change.if_match:
                raise ConflictError(change.path, change.if_match, found)
        value = change.function(None if old is None else dict(old.value))
        if value is None or (old is not None and value == old.value and same(value, old.value)):  # 1 == True
            return None
        if change.kind == COMPLETE:
            value = self._generated(change.path, value, old, by)
        else:
            value = self._stamped(
                change.kind, with_identities(value), None if old is None else old.value, by, ours=change.ours
            )
        self._validate(change.path, change.kind, value)
        text = _TEXTS.get(change.kind, documents.to_bytes)(value)
        before = None if old is None else old.stamp
        read = "" if old is None else old.sha256
        prepared = prepare(change.path, change.kind, folder, [text], value, before, read)
        work.upcoming[change.path] = Upcoming(value, prepared.sha256)
        return prepared

    def _generated(self, path: Path, value: Value, old: Document | None, by: str) -> Value:
        """A complete metadata file with its stamps: it is written once, and never again."""
        if old is not None:
            raise StoreError(path, f"{path} is there already; a complete metadata file is never overwritten.")
        schema = self.schemas.schema_id(COMPLETE)
        return {**value, "$schema": schema, "generated_by": by, "generated_date": self._moment}

    def _present(self, path: Path, kind: str) -> Document | None:
        try:
            return self.read(path, kind)
        except FileNotFoundError:
            return None

    def _stamped(self, kind: str, value: Value, old: Mapping[str, Any] | None, by: str, *, ours: bool = False) -> Value:
        """``value`` with the audit fields set, ``$schema`` as in force, and system fields kept from people's hands."""
        if old is not None and not ours and not by.startswith("system:"):
            hidden = SYSTEM_KEYS.get(kind, frozenset())
            lost = {k: old[k] for k in old if k in hidden and k not in value}
            kept = {k: old.get(k, v) if k in hidden else v for k, v in value.items() if k not in hidden or k in old}
            value = {**lost, **kept}
        moment = self._moment
        # A document made anew brings its time of making along (from the registry); nobody else may.
        origin = old if old is not None else value if by.startswith("system:") else {}
        created = {k: origin[k] for k in AUDIT[:2] if k in origin}
        audit = {
            "created_by": by,
            "created_date": moment,
            **created,
            "last_modified_by": by,
            "last_modified_date": moment,
        }
        stamped = {**value, "$schema": self.schemas.schema_id(kind), **audit}
        if kind == STRUCTURAL:
            stamped["file_descriptions"] = stamped.pop("file_descriptions", [])
        return stamped

    def _validate(self, path: Path, kind: str, value: Mapping[str, Any]) -> None:
        problems = self.schemas.problems(kind, value)
        if problems:
            words = tuple(f"{p.pointer or 'the document'}: {p.message}" for p in problems)
            more = f" (and {len(words) - 1} more)" if len(words) > 1 else ""
            raise DocumentError(path, f"{path} is not valid: {words[0]}{more}. Nothing was overwritten.", words)

    # --- manifests ------------------------------------------------------------------------------------------

    def _is_own_text(self, record: Record, path: Path, raw: bytes) -> bool:
        """Whether a manifest is, byte for byte, what the store wrote last, and so is valid under its own schema."""
        if not self.schemas.is_packaged(STRUCTURAL):
            return False
        entry = self._present(documents.registry_document(self.root, record.identifier), REGISTRY)
        known = entry.value.get("documents", {}).get(path.name) if entry is not None else None
        return known is not None and _sha256(raw) == known

    def _prepare_head(
        self, change: Change, parts: manifest.Split, folder: int, by: str, before: Stamp
    ) -> Prepared | None:
        """A person's change of a manifest: its entries are not theirs, and stay the text they are."""
        found = documents.etag(STRUCTURAL, parts.header)
        if change.if_match is not None and found != change.if_match:
            raise ConflictError(change.path, change.if_match, found)
        value = change.function(dict(parts.header))
        if value is None or same(value, parts.header):
            return None
        head = with_identities(value)
        entries = EntriesChange(change.path, frozenset(), lambda old: {}, header=lambda old: head)
        return self._splice(entries, parts, folder, by, before)

    def _prepare_entries(self, change: EntriesChange, folder: int, by: str) -> Prepared | None:
        raw, before = documents.read_stamped(change.path)
        if change.trusted is not None and self.schemas.is_packaged(STRUCTURAL):
            parts = manifest.split(raw) if before == change.trusted else None
            if parts is not None:
                try:
                    return self._splice(change, parts, folder, by, before)
                except ValueError:
                    _log.warning("%s is not in its own form; it is read and written as a whole", change.path)
        return self._rewrite(change, raw, folder, by, before)

    def _splice(
        self, change: EntriesChange, parts: manifest.Split, folder: int, by: str, before: Stamp
    ) -> Prepared | None:
        slots = manifest.find_all(parts, change.keys)
        old = {
            key: documents.parse(change.path, parts.raw[s.start : s.end], twice_checked=True)
            for key, s in slots.items()
            if s.end > s.start
        }
        new = {k: v for k, v in change.function(old).items() if v != old.get(k)}
        wanted = _header_after(change, parts.header)
        if not new and same(wanted, parts.header):
            return None
        totals = manifest.Totals.of_header(parts.header).changed(
            (old[k] for k in new if k in old), (v for v in new.values() if v is not None)
        )
        header = self._stamped(STRUCTURAL, totals.into(wanted), parts.header, by, ours=change.ours)
        self._validate(change.path, STRUCTURAL, {**header, "file_descriptions": [v for v in new.values() if v]})
        lines = {k: None if v is None else manifest.entry_line(v) for k, v in new.items()}
        pieces = manifest.assemble(header, manifest.spliced(parts, lines, slots))
        return prepare(change.path, STRUCTURAL, folder, pieces, header, before, _sha256(parts.raw))

    def _rewrite(self, change: EntriesChange, raw: bytes, folder: int, by: str, before: Stamp) -> Prepared | None:
        value = documents.parse(change.path, raw)
        self._validate(change.path, STRUCTURAL, value)
        entries = {manifest.key_of_entry(e): e for e in value["file_descriptions"]}
        if len(entries) != len(value["file_descriptions"]):
            raise DocumentError(change.path, f"{change.path} describes a path twice; keep one of the two entries.")
        old = {key: entries[key] for key in change.keys if key in entries}
        for key, entry in change.function(old).items():
            entries.pop(key, None)
            if entry is not None:
                entries[key] = entry
        totals = manifest.NOTHING.changed((), entries.values())
        ordered = sorted(entries.values(), key=manifest.entry_order)
        new = {**totals.into(_header_after(change, value)), "file_descriptions": ordered}
        if new == value and manifest.render_value(new) == raw:
            return None
        new = self._stamped(STRUCTURAL, new, value, by, ours=change.ours)
        self._validate(change.path, STRUCTURAL, new)
        return prepare(change.path, STRUCTURAL, folder, [manifest.render_value(new)], new, before, _sha256(raw))

    # --- the registry -----------------------------------------------------------------------------------------

    def _prepare_registry(self, works: Iterable[_Work], folder: int, by: str) -> Prepared | None:
        number = self._last_sequence(folder)
        before = number
        for work in works:
            if not work.record.kind:
                continue
            try:
                entry = self._registry_entry(work, folder, by, number + 1)
                if entry is None:
                    continue
                # A known entry lands before its documents: after a crash in between they are still as last seen, and
                # the action is done again. A new one lands after them: it never names what is not there.
                known = os.path.lexists(entry.path)
                work.prepared.insert(0 if known else len(work.prepared), entry)
                number += 1
            except FairfolderError as error:
                self._give_up(work, error)
            except OSError as error:
                self._give_up(work, explain(documents.registry_folder(self.root), error))
        if number == before:
            return None
        path = documents.registry_folder(self.root) / _SEQUENCE
        try:
            return prepare(path, "", folder, [f"{number}\n".encode()], {}, None)
        except OSError as error:
            raise explain(path, error) from error

    def _registry_entry(self, work: _Work, folder: int, by: str, number: int) -> Prepared | None:
        """The record's registry entry with its next datestamp; None when the record is as the entry says already."""
        record = work.record
        path = documents.registry_document(self.root, record.identifier)
        old = self._present(path, REGISTRY)
        entry = dict(old.value) if old else documents.registry_entry(record.kind, record.identifier, record.relative)
        entry.pop("path_encoding", None)
        entry = record.registry({**entry, **documents.encode_path(record.relative)})
        own = self.root / record.relative / METADATA
        prepared = {documents.readable(str(p.path.relative_to(own))): p for p in work.prepared}
        texts = {name: p.sha256 for name, p in prepared.items()}
        accepted = {n: sha256 for n, sha256 in record.accepted.items() if self._is_text_of(own / n, sha256)}
        recorded = entry.get("documents", {})
        entry["documents"] = {**recorded, **texts, **accepted}
        # Should a crash keep the next text from landing, the one that still stands there is known as ours too: what
        # was read there, for a crash before may have kept the text of the registry from landing as well.
        if texts:
            before = entry.get("documents_before", {})
            read = {n: p.read for n, p in prepared.items() if p.read in (recorded.get(n), before.get(n))}
            entry["documents_before"] = {n: each for n, each in before.items() if n not in texts} | read
        if old is not None and not work.prepared and entry == old.value:
            return None
        stamped = self._stamped(REGISTRY, entry, None if old is None else old.value, by)
        moment = max(
            stamped["last_modified_date"], entry.get("datestamp", "")
        )  # a clock set back moves no datestamp back
        stamped |= {"datestamp": moment, "sequence": number}
        self._validate(path, REGISTRY, stamped)
        before = None if old is None else old.stamp
        return prepare(path, REGISTRY, folder, [documents.to_bytes(stamped)], stamped, before)

    def _is_text_of(self, path: Path, sha256: str) -> bool:
        """Whether the document is still the one a person's edit was accepted for."""
        try:
            return self.read(path).sha256 == sha256
        except (FileNotFoundError, DocumentError):
            return False

    def _last_sequence(self, folder: int) -> int:
        path = documents.registry_folder(self.root) / _SEQUENCE
        try:
            return int(documents.read_bytes(path))
        except (FileNotFoundError, ValueError):
            return self._highest_sequence(folder)
        except DocumentError as error:
            raise StoreError(path, str(error)) from error

    def _highest_sequence(self, folder: int) -> int:
        # The counter is lost: the entries themselves say how far it was.
        highest = 0
        for name in os.listdir(folder):
            if name.endswith(".json") and not name.startswith("."):
                with suppress(DocumentError, FileNotFoundError):
                    value = self.read(documents.registry_folder(self.root) / name, REGISTRY).value.get("sequence")
                    highest = max(highest, value if isinstance(value, int) else 0)
        return highest

    # --- writing ------------------------------------------------------------------------------------------------

    def _finish(self, works: list[_Work], sequence: Prepared | None) -> list[Outcome]:
        ready = [w for w in works if w.error is None and w.prepared]
        if not ready:
            if sequence is not None:
                sequence.discard()
            return [Outcome(w.record, error=w.error) for w in works]
        everything = [p for w in ready for p in w.prepared] + ([sequence] if sequence else [])
        durable = all_durable([p.fd for p in everything])
        if sequence is not None:
            self._replace_sequence(sequence, durable)
        outcomes = {id(w): self._land(w, durable) for w in ready}
        for folder, error in all_durable(sorted({p.folder for p in everything})).items():
            path = next(p.path.parent for p in everything if p.folder == folder)
            _log.warning("%s: the storage does not say that what was written there is safe: %s", path, error.strerror)
        return [outcomes.get(id(w)) or Outcome(w.record, error=w.error) for w in works]

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
        return Outcome(work.record, tuple(written))

    def _replace_sequence(self, one: Prepared, failed: Mapping[int, OSError]) -> None:
        try:
            if one.fd in failed:
                raise failed[one.fd]
            one.replace()
        except OSError as error:
            one.discard()
            raise explain(one.path, error) from error
