"""Triggers 4 and 5: a run is marked complete, and its complete metadata file (V2) is written.

All of it is one action under the locks: the run's record, the file, then the manifest that names it, so that what a
crash leaves is finished by the next pass. The sources are read under the lock. Doing it again changes nothing until a
source or a data file has changed; then a new revision is written beside the old one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest import documents, instruments, manifest
from ingest.completeness import completeness
from ingest.documents import ADMINISTRATIVE, COMPLETE, EXPERIMENT, PROJECT, REGISTRY, STRUCTURAL
from ingest.errors import DocumentError, NotAtRestError, StoreError
from ingest.layout import METADATA
from ingest.marking import marked, named, naming, unmarked
from ingest.parts import Difference, Part, Parts, differences, same_sources, sources_of
from ingest.purposes import Purpose
from ingest.records import Change, EntriesChange, Following, Record, Upcoming
from ingest.rest import Look, look, refuse_restless, refuse_undescribed, several
from ingest.revisions import (
    Revision,
    data_object,
    numbers,
    own_revisions,
    revision_iri,
    revision_name,
)
from ingest.rows import Stamp
from ingest.runs import claims, experiments, own_files, run_labels
from ingest.schema import Problem, SchemaSet
from ingest.seen import Seen
from ingest.store import Store

__all__ = ["Difference", "Finalised", "Parts", "differences", "finalise", "problems", "sources_of"]

Value = dict[str, Any]


@dataclass(frozen=True)
class Finalised:
    """The current complete metadata file of a run, and whether this call made it so."""

    path: Path
    revision: int
    changed: bool


def problems(schemas: SchemaSet, run: Mapping[str, Any]) -> list[Problem]:
    """Trigger 4: what keeps a run from being complete."""
    return schemas.missing_for_complete(EXPERIMENT, run)


def finalise(
    store: Store,
    root: Path,
    dataset_relative: str,
    run_label: str,
    by: str,
    seen: Seen | None = None,
    *,
    once: bool = False,
) -> Finalised:
    """Triggers 4 and 5: mark a run complete and write its complete metadata file, unless the current one still holds.

    Args:
        seen: what was last seen of the files; without it they are compared with the manifest alone.
        once: leave it at the file the manifest names, if it names one, whatever has changed since.

    Raises:
        DocumentError: when the run is not complete, or a source cannot be used; ``problems`` and ``pointers`` say why.
        NotAtRestError: when files of the run are not as they were last seen.
        StoreError, BusyError: when it cannot be written now.
    """
    label = _folder_of(root, dataset_relative, run_label)
    looked = None if seen is None else _look(root, dataset_relative, label, seen)
    doing = _Finalising(store, root, dataset_relative, label, by, seen, once, looked)
    outcome = store.apply([doing.record()], by=by, purpose=Purpose(trigger="4, 5", run=label))[0]
    if outcome.error is not None:
        raise outcome.error
    if doing.current is None:  # pragma: no cover - every way through the action sets it or raises
        raise StoreError(root, f"{doing.path} could not be finalised; try it again.")
    return doing.current


def _folder_of(root: Path, dataset: str, label: str) -> str:
    """The name of a run's folder: its label, unless somebody renamed the folder."""
    if label in run_labels(root, dataset):
        return label
    renamed = [name for name, value in experiments(root, dataset).items() if value.get("run_label") == label]
    if len(renamed) != 1:
        path = documents.run_document(root, dataset, label)
        raise DocumentError(path, f"There is no run {label!r} in {documents.readable(dataset)!r}; it was {path}.")
    return renamed[0]


def _look(root: Path, dataset: str, label: str, seen: Seen) -> Look | None:
    """The run's files as they are before the locks are taken; None where that cannot be told without them."""
    try:
        run = documents.read_document(documents.run_document(root, dataset, label), EXPERIMENT).value
    except (FileNotFoundError, DocumentError):
        return None
    listed = run.get("data_files")
    paths = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else None
    return look(root / dataset, str(run.get("dataset_identifier")), paths, seen)


@dataclass
class _Finalising:
    """One run on its way through the action; every function of it is called under the locks."""

    store: Store
    root: Path
    dataset: str
    label: str
    by: str
    seen: Seen | None
    once: bool
    looked: Look | None = None
    current: Finalised | None = None
    _sources: dict[str, Value] = field(default_factory=dict)
    _run: Value = field(default_factory=dict)
    _files: list[Value] = field(default_factory=list)
    _named: Mapping[str, Any] = field(default_factory=dict)
    _runs: Mapping[str, Value] = field(default_factory=dict)
    _texts: frozenset[str] = frozenset()  # SHA-256 of what the store wrote or a pass accepted in this dataset
    _texts_before: frozenset[str] = frozenset()  # of what stands there while a crash kept those from landing
    _latest: Revision | None = None
    _written: Upcoming | None = None
    _manifest: Stamp | None = None  # of the manifest as read

    @property
    def path(self) -> Path:
        """The run's document."""
        return documents.run_document(self.root, self.dataset, self.label)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return documents.run_folder(self.root, self.dataset, self.label)

    def record(self) -> Record:
        """The action: the run's record, then the file, then the manifest that names it."""
        dataset = documents.dataset_document(self.root, self.dataset, ADMINISTRATIVE)
        identifier = str(self._read(dataset, ADMINISTRATIVE).get("dataset_identifier", ""))
        run = Change(self.path, EXPERIMENT, self._complete, ours=True)
        file = Following(self.path, self._document)
        entries = Following(documents.dataset_document(self.root, self.dataset, STRUCTURAL), self._entries)
        return Record("dataset", identifier, self.dataset, (run, file, entries))

    # --- trigger 4: the run -----------------------------------------------------------------------------------

    def _complete(self, old: Value | None) -> Value:
        if old is None:
            raise DocumentError(self.path, f"{self.path} is not there any more; start the run anew.")
        if documents.readable(self.label) != self.label:
            raise DocumentError(self.path, f"The name of the folder {self.folder} is no valid UTF-8; rename it.")
        wrong = problems(self.store.schemas, old)
        if wrong:
            words = tuple(p.message for p in wrong)
            more = f" (and {len(words) - 1} more)" if len(words) > 1 else ""
            pointers = tuple(p.pointer for p in wrong)
            raise DocumentError(self.path, f"{self.path} is not complete: {words[0]}{more}", words, pointers)
        self._read_sources(old)
        if self.once and self._named:
            path = self.root / self.dataset / str(self._named.get("complete_metadata"))
            self.current = Finalised(path, int(self._named["revision"]), False)
            return old
        self._refuse_unfit(old)
        files = sorted(self._files, key=manifest.entry_order)
        fixed = {"outputs": [e["file_identifier"] for e in files], "data_files": [e["path"] for e in files]}
        self._run = {**old, "status": "complete", **fixed}
        return self._run

    def _read_sources(self, run: Value) -> None:
        project = self.dataset.partition("/")[0]
        self._runs = {**experiments(self.root, self.dataset), self.label: run}
        paths = {
            PROJECT: documents.project_document(self.root, project),
            ADMINISTRATIVE: documents.dataset_document(self.root, self.dataset, ADMINISTRATIVE),
            STRUCTURAL: documents.dataset_document(self.root, self.dataset, STRUCTURAL),
        }
        self._sources = {kind: self._read(paths[kind], kind) for kind in (PROJECT, ADMINISTRATIVE)}
        dataset = str(self._sources[ADMINISTRATIVE].get("dataset_identifier", ""))
        entry = self._read(documents.registry_document(self.root, dataset), REGISTRY)
        self._texts = frozenset(entry.get("documents", {}).values())
        self._texts_before = frozenset(entry.get("documents_before", {}).values())
        self._refuse_copy(run)
        self._accepted(self.path)
        structure = self._sources[STRUCTURAL] = self._read_manifest(paths[STRUCTURAL])
        self._named = named(structure, run["run_id"])
        self._latest = self._trusted(next(own_revisions(self.folder, run["run_id"]), None))
        self._files = self._own_files(run, structure["file_descriptions"])

    def _read(self, path: Path, kind: str) -> Value:
        try:
            return documents.read_document(path, kind).value
        except FileNotFoundError:
            raise DocumentError(path, f"{path} is missing; make it with: reconcile") from None

    def _accepted(self, path: Path) -> tuple[bytes, Stamp]:
        """A document's text, which is ours or looked at by a pass: what an editor forged is fixed in no file."""
        try:
            raw, stamp = documents.read_stamped(path)
        except FileNotFoundError:
            raise DocumentError(path, f"{path} is missing; make it with: reconcile") from None
        known = None if self.seen is None else self.seen.document(self._relative(path))
        # What a person puts back after the last text was seen is an edit, even if it was ours once.
        landed = known is not None and known[1] in self._texts
        ours = self._texts if landed else self._texts | self._texts_before
        if hashlib.sha256(raw).hexdigest() not in ours and (known is None or known[0] != stamp):
            words = "was edited on disk, and the edit is not accepted yet; wait, or see the status page for the reason."
            raise StoreError(path, f"{path} {words}")
        return raw, stamp

    def _read_manifest(self, path: Path) -> Value:
        """The manifest; as it is no unknown text, it need not be searched for what only an editor can do wrong."""
        raw, self._manifest = self._accepted(path)
        return documents.parse(path, raw, twice_checked=True)

    def _trusted(self, latest: Revision | None) -> Revision | None:
        """The newest revision, unless somebody changed it after it was written or a newer one is gone."""
        number = self._named.get("revision", 0)
        if latest is None or number > latest.number:
            return None
        ours = {self._named.get("sha256")} if number == latest.number else self._texts
        return latest if latest.sha256 in ours else None

    def _own_files(self, run: Value, entries: Sequence[Value]) -> list[Value]:
        """The entries of the run's files; once it was finalised, those it had, wherever they stand by now."""
        files = [e for e in entries if e.get("run_id") == run["run_id"]] if self._files_as_before(run) else []
        files = files or own_files(entries, self._runs, self.label)
        claimed = claims(entries, self._runs)
        for entry in files:
            others = claimed.others(entry, self.label)
            if others:
                self._refuse(f"{entry['path']!r} belongs to the run {others[0]!r} too; take it out of one of the two.")
        return files

    # --- what must be true of the files and instruments ------------------------------------------------------------

    def _refuse(self, sentence: str, pointer: str = "/data_files") -> None:
        raise DocumentError(self.path, f"{self.path} cannot be completed: {sentence}", (sentence,), (pointer,))

    def _refuse_copy(self, run: Value) -> None:
        """That this is the only folder of the run, in the run's own dataset."""
        if run["dataset_identifier"] != self._sources[ADMINISTRATIVE].get("dataset_identifier"):
            self._refuse("it is a run of another dataset; put its folder back there, and start a run here.", "/run_id")
        for label, value in self._runs.items():
            if label != self.label and value.get("run_id") == run["run_id"]:
                other = documents.run_folder(self.root, self.dataset, label)
                self._refuse(f"{other} holds the same run; remove the folder that is the copy.", "/run_id")

    def _refuse_unknown_claims(self) -> None:
        """That every other run can be read, for a run that takes all files none of them has claimed."""
        for label in run_labels(self.root, self.dataset):
            path = documents.run_document(self.root, self.dataset, label)
            if label not in self._runs and os.path.lexists(path):
                self._refuse(f"{path} cannot be read, so its files are not known; mend it, or choose this run's files.")

    def _refuse_unfit(self, run: Value) -> None:
        if not self._files_as_before(run):
            there = {e["path"] for e in self._files}
            absent = [path for path in run.get("data_files") or () if path not in there]
            if absent:
                words = "not described in the manifest: wait, or correct the run's data files if a name has changed."
                raise NotAtRestError(several(absent, words), tuple(absent))
        if not self._files:
            self._refuse("it has no data files; put them into the dataset's folder, or choose some of those there.")
        dataset = str(self._sources[ADMINISTRATIVE].get("dataset_identifier", ""))
        refuse_restless(self.root / self.dataset, dataset, self._files, self.seen, self.looked)
        if "data_files" not in run:
            self._refuse_unknown_claims()
            listed = (v.get("data_files") for v in self._runs.values())
            refuse_undescribed(
                dataset, {str(p) for paths in listed if isinstance(paths, list) for p in paths}, self.seen
            )
        known = {str(each.value.get("instrument_identifier")) for each in self._instruments(run)}
        for number, identifier in enumerate(run.get("instruments_used", ())):
            if identifier not in known:
                words = f"the instrument {identifier} is not in the registry; choose another, or enter it there."
                self._refuse(words, f"/instruments_used/{number}")

    def _files_as_before(self, run: Value) -> bool:
        """Whether the list of the run's files is the one its newest revision fixed."""
        before = None if self._latest is None else self._latest.value["experiment"].get("data_files")
        return before is not None and before == run.get("data_files")

    def _instruments(self, run: Value) -> list[Part]:
        wanted = set(run.get("instruments_used", ()))
        found: dict[str, Part] = {}
        for path, value in instruments.recorded(self.root) if wanted else ():
            identifier = str(value.get("instrument_identifier"))
            if identifier in wanted:
                found.setdefault(identifier, Part(self._relative(path), value))
        return [found[identifier] for identifier in sorted(found)]

    # --- trigger 5: the file ----------------------------------------------------------------------------------------

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _document(self, upcoming: Mapping[Path, Upcoming]) -> Change | None:
        if self.current is not None:
            return None
        run = upcoming[self.path].value if self.path in upcoming else self._run
        latest = self._latest
        number = max([*numbers(self.folder), int(self._named.get("revision", 0))], default=0) + 1
        parts = self._parts(run, self.folder / revision_name(self.label, number))
        sources = sources_of(parts)
        if latest is not None and same_sources(latest.value.get("sources", ()), sources):
            self._written = Upcoming(latest.value, latest.sha256)
            self.current = Finalised(latest.path, latest.number, self._named.get("revision") != latest.number)
            return None
        path = self.folder / revision_name(self.label, number)
        self.current = Finalised(path, number, True)
        value = self._value(run, parts, sources, number)
        return Change(path, COMPLETE, lambda old: value, ours=True)

    def _parts(self, run: Value, path: Path) -> Parts:
        project = self.dataset.partition("/")[0]
        name = path.relative_to(self.root / self.dataset).as_posix()
        files = [marked(entry, run["run_id"], name) for entry in sorted(self._files, key=manifest.entry_order)]
        header = {k: v for k, v in self._sources[STRUCTURAL].items() if k not in ("runs", "@context")}
        structure = {**manifest.NOTHING.changed((), files).into(header), "file_descriptions": files}
        own = {kind: _without_context(self._sources[kind]) for kind in (PROJECT, ADMINISTRATIVE)}
        dataset = f"{self.dataset}/{METADATA}"
        return Parts(
            Part(f"{project}/{METADATA}/{PROJECT}.json", own[PROJECT]),
            Part(f"{dataset}/{ADMINISTRATIVE}.json", own[ADMINISTRATIVE]),
            Part(f"{dataset}/{STRUCTURAL}.json", structure),
            Part(self._relative(self.path), _without_context(run)),
            tuple(Part(part.path, _without_context(part.value)) for part in self._instruments(run)),
        )

    def _value(self, run: Value, parts: Parts, sources: list[dict[str, str]], number: int) -> Value:
        before = max(self._latest.number if self._latest is not None else 0, int(self._named.get("revision", 0)))
        earlier = {"revision_of": revision_iri(run["run_id"], before)} if before else {}
        return {
            "$schema": documents.schema_iri(COMPLETE),
            "@context": documents.context_iri(COMPLETE),
            "@id": revision_iri(run["run_id"], number),
            "@type": "DataObject",
            "metadata_version": "2",
            "data_object_identifier": data_object(run["run_id"]),
            "revision": number,
            **earlier,
            "generated_by": self.by,
            "generated_date": "",
            "completeness": completeness(parts, self.store.schemas),
            "sources": sources,
            "project": parts.project.value,
            "dataset": parts.dataset.value,
            "experiment": parts.experiment.value,
            "instruments": [part.value for part in parts.instruments],
            "structure": parts.structure.value,
        }

    # --- the manifest that names it -----------------------------------------------------------------------------

    def _entries(self, upcoming: Mapping[Path, Upcoming]) -> EntriesChange | None:
        current = self.current
        if current is None:
            return None
        file = upcoming.get(current.path) or self._written
        if file is None:
            return None
        run_id, name = self._run["run_id"], current.path.relative_to(self.root / self.dataset).as_posix()
        read = {manifest.key_of_entry(e): e for e in self._files}
        left = {
            manifest.key_of_entry(e): e
            for e in self._sources[STRUCTURAL]["file_descriptions"]
            if e.get("run_id") == run_id and manifest.key_of_entry(e) not in read
        }

        if not left and not current.changed and all(marked(e, run_id, name) == e for e in read.values()):
            return None

        def change(old: Mapping[bytes, Value]) -> Mapping[bytes, Value | None]:
            if dict(old) != {**read, **left}:
                path = documents.dataset_document(self.root, self.dataset, STRUCTURAL)
                raise StoreError(path, f"{path} was edited while the run was being completed; try it again.")
            own = {key: marked(entry, run_id, name) for key, entry in read.items()}
            return {**own, **{key: unmarked(entry) for key, entry in left.items()}}

        path = documents.dataset_document(self.root, self.dataset, STRUCTURAL)
        keys, header = frozenset([*read, *left]), naming(file.value, file.sha256, name)
        return EntriesChange(path, keys, change, self._manifest, header, ours=True)


def _without_context(value: Mapping[str, Any]) -> Value:
    return {k: v for k, v in value.items() if k != "@context"}
