"""Which publication of each dataset the store itself wrote: what an editor makes of a registry entry is not obeyed.

A file for each dataset that is or was published, in the root's folder of machine-local state, written before the entry
is. Where the folder is lost, the entries are taken as they are found, once: nothing is lost with it. Where an older one
was put back, it and the entry disagree: the stricter of the two counts (`ingest.disagreement`), until a curator acts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from ingest import disagreement, documents
from ingest.errors import DocumentError, StoreError
from ingest.publication import UNPUBLISHED, state_of

_FOLDER, _TAKEN = "publications", ".taken"
_ENTRY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json")
_NOTHING: Mapping[str, Any] = {"state": UNPUBLISHED}

Entry = Mapping[str, Any]


class Acts:
    """Of one root; ``state`` is its folder of machine-local state, None where none is kept: then every entry counts."""

    def __init__(self, root: Path, state: Path | None) -> None:
        self._root = root
        self._folder = None if state is None else state / _FOLDER
        self._taken = False

    def trusted(self, entry: Entry) -> Mapping[str, Any]:
        """The publication of a dataset that counts in public: the one that the store wrote.

        Raises:
            StoreError: when that cannot be read.
        """
        own, known = self._both(entry)
        return own if own in known else disagreement.shown(own, known)

    def kept(self, entry: Entry) -> Mapping[str, Any]:
        """The publication that the entry keeps on disk, and the next act begins with.

        Raises:
            StoreError: when what the store wrote cannot be read.
        """
        own, known = self._both(entry)
        return own if own in known else disagreement.kept(own, known)

    def is_obeyed(self, entry: Entry) -> bool:
        """Whether the entry says what the store wrote."""
        own, known = self._both(entry)
        return own in known and own == entry.get("publication", _NOTHING)

    def take(self) -> None:
        """Begins to keep them, with the entries as they stand; to be called under the root's lock.

        Raises:
            StoreError: when they cannot be kept.
        """
        if self._folder is None or self._is_taken():
            return
        registry = documents.registry_folder(self._root)
        for name in os.listdir(registry) if registry.is_dir() else ():
            if not _ENTRY.fullmatch(name):
                continue
            try:
                entry = documents.read_document(registry / name, documents.REGISTRY).value
            except (FileNotFoundError, DocumentError):
                continue
            if state_of(entry) != UNPUBLISHED:
                self._write(str(entry.get("identifier")), [entry["publication"]])
        self._put(self._folder / _TAKEN, b"")

    def expect(self, identifier: str, entry: Entry, after: Mapping[str, Any]) -> None:
        """An act is about to change the entry's publication; until it has, the one known before is ours too.

        Raises:
            StoreError: when it cannot be kept.
        """
        if self._folder is None:
            return
        own, known = self._both({**entry, "identifier": identifier})
        before = own if own in known else disagreement.strictest(known)
        if before != after:
            self._write(identifier, [before, after])

    def done(self, identifier: str, publication: Mapping[str, Any]) -> None:
        """The entry says so now.

        Raises:
            StoreError: when it cannot be kept.
        """
        if self._folder is not None and self._known(identifier) != [publication]:
            self._write(identifier, [publication])

    def _both(self, entry: Entry) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
        """What the entry says, and what is known as ours: the same where nothing is kept."""
        found = entry.get("publication")
        own: Mapping[str, Any] = found if isinstance(found, Mapping) else _NOTHING
        if self._folder is None or not self._is_taken():
            return own, [own]
        return own, self._known(str(entry.get("identifier")))

    def _is_taken(self) -> bool:
        if not self._taken and self._folder is not None:
            self._taken = (self._folder / _TAKEN).exists()
        return self._taken

    def _known(self, identifier: str) -> list[Mapping[str, Any]]:
        assert self._folder is not None
        path = self._folder / f"{identifier}.json"
        try:
            known = orjson.loads(path.read_bytes()) if _ENTRY.fullmatch(path.name) else [_NOTHING]
            if not (isinstance(known, list) and known and all(isinstance(each, Mapping) for each in known)):
                raise ValueError("it is no list of publications")
        except FileNotFoundError:
            return [_NOTHING]
        except (OSError, ValueError) as error:
            raise StoreError(path, f"{path} cannot be read ({error}); delete it if it stays so.") from error
        return known

    def _write(self, identifier: str, publications: list[Mapping[str, Any]]) -> None:
        assert self._folder is not None
        if _ENTRY.fullmatch(f"{identifier}.json"):
            self._put(self._folder / f"{identifier}.json", orjson.dumps(publications))

    def _put(self, path: Path, text: bytes) -> None:
        draft = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(draft, path)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise StoreError(path, f"{path} cannot be written: {error.strerror}.") from error
