"""What a change event may mean for the board of parts to be scanned: never trusted, only scanned for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from queue import SimpleQueue

from ingest import documents
from ingest.dirty import Board
from ingest.documents import ADMINISTRATIVE, PROJECT, STRUCTURAL
from ingest.layout import IGNORE_FILE, METADATA, PlaceKind
from ingest.rows import Stamp
from ingest.workspace import Workspace

DOCUMENTS = ".documents"  # on the board: documents that belong to no scan of a dataset


class Hints:
    """Marks on a board what events tell of; heard on the thread of the events, taken up on the watcher's."""

    def __init__(self, ws: Workspace, board: Board) -> None:
        self._ws = ws
        self._board = board
        self._documents: SimpleQueue[Path] = SimpleQueue()

    def heard(self, path: str, is_dir: bool) -> None:
        """An event told of a path relative to the root."""
        place = self._ws.layout.place(path, is_dir=is_dir)
        name = path.rpartition("/")[2]
        if place.kind is PlaceKind.METADATA:
            self._document(path, f"{place.project}/{place.dataset}" if place.dataset else place.project, name)
        elif name == IGNORE_FILE:
            self._board.mark(place.dataset_path if place.dataset else "")
        elif place.kind in (PlaceKind.DATA, PlaceKind.DATASET):
            self._board.mark(place.dataset_path, at=self._changed_at(path))
        elif place.kind in (PlaceKind.PROJECT, PlaceKind.STRAY):
            self._board.mark(place.project)
        elif place.kind is PlaceKind.ROOT:
            self._board.mark("")

    def documents(self) -> set[Path]:
        """The documents that were told of since the last time, under the mark :data:`DOCUMENTS`."""
        changed = set()
        while not self._documents.empty():
            changed.add(self._documents.get())
        return changed

    def _document(self, path: str, part: str, name: str) -> None:
        if name == METADATA:
            self._board.mark(part, data=False)
            return
        kind = documents.kind_of(self._ws.root / path)
        if kind in (PROJECT, ADMINISTRATIVE, STRUCTURAL):
            self._board.mark(part, data=False)
        elif kind is not None and kind != documents.REGISTRY:
            self._documents.put(self._ws.root / path)
            self._board.mark(DOCUMENTS, data=False)

    def _changed_at(self, path: str) -> float:
        """When the file last changed, on our clock: watchdog holds events back half a second to pair moves."""
        moment = time.monotonic()
        try:
            age = time.time() - os.lstat(self._ws.root / path).st_ctime
        except OSError:
            return moment
        return moment - min(max(age, 0.0), 1.0)


def documents_changed(ws: Workspace, part: str) -> bool:
    """Whether a part's documents are other than as we left them: our own writes are no news."""
    names = (ADMINISTRATIVE, STRUCTURAL) if "/" in part else (PROJECT,)
    for name in names:
        relative = f"{part}/{METADATA}/{name}.json"
        known = ws.seen.document(relative)
        try:
            if known is None or known[0] != Stamp.of(os.lstat(ws.root / relative)):
                return True
        except OSError:
            return True
    return False
