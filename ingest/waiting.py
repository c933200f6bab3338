"""A complete run that cannot be finished yet: it is tried again when something it rests on has changed, not before.

To find that out costs a few looks at documents; to try costs the locks of the root, its manifest, and every file.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ingest import documents
from ingest.documents import ADMINISTRATIVE, STRUCTURAL
from ingest.layout import METADATA, TEMPLATE_SCHEMAS
from ingest.rows import PlaceRow
from ingest.runs import run_labels
from ingest.workspace import Workspace

# Should anything be overlooked here, a run waits this long and no longer.
_AGAIN_SECONDS = 3600.0


def rests_on(ws: Workspace, place: PlaceRow) -> str:
    """What the runs of a dataset rest on, as it stands now, in one word: its documents and the states of its files."""
    digest = hashlib.sha256()
    for path in _documents(ws.root, place):
        digest.update(f"{path}\0{_stamp(path)}\0".encode("utf-8", "surrogateescape"))
    for name in ws.seen.troubled(place.id):
        digest.update(name + b"\0")
    return digest.hexdigest()


def _documents(root: Path, place: PlaceRow) -> Iterator[Path]:
    yield documents.project_document(root, place.path.partition("/")[0])
    yield documents.dataset_document(root, place.path, ADMINISTRATIVE)
    yield documents.dataset_document(root, place.path, STRUCTURAL)
    yield documents.registry_document(root, place.identifier)
    for label in run_labels(root, place.path):
        yield documents.run_folder(root, place.path, label)
        yield documents.run_document(root, place.path, label)
    for slug in documents.folders_in(root / METADATA / documents.INSTRUMENTS):
        yield documents.instrument_document(root, slug)
    yield root / TEMPLATE_SCHEMAS
    yield from sorted((root / TEMPLATE_SCHEMAS).glob("*"))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        info = os.lstat(path)
    except OSError:
        return ()
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def put_off(ws: Workspace, path: Path, standing: str, reason: str) -> None:
    """Remember that a run (``path`` is its document) cannot be finished as things stand; ``reason`` is told again."""
    ws.seen.put(_key(ws, path), {"standing": standing, "reason": reason, "since": time.time()})


def is_put_off(ws: Workspace, path: Path, standing: str) -> str | None:
    """The reason told when it could not be finished, while nothing has changed; None when it is to be tried."""
    found = ws.seen.get(_key(ws, path))
    if not isinstance(found, dict) or found.get("standing") != standing:
        return None
    fresh = 0 <= time.time() - float(found.get("since", 0)) < _AGAIN_SECONDS
    return str(found.get("reason", "")) if fresh else None


def _key(ws: Workspace, path: Path) -> str:
    return f"put off: {documents.readable(path.relative_to(ws.root).as_posix())}"
