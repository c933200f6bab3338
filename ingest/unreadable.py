"""A text that stands where a document belongs and says nothing: replaced only as the very one that was seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import documents
from ingest.documents import Document
from ingest.errors import ConflictError


@dataclass(frozen=True)
class Unreadable:
    """Such a text by its SHA-256, and what is to count instead.

    ``value`` is what the newest version said that could be read: the function of a change is given that.
    """

    sha256: str
    value: dict[str, Any]


def standing(path: Path, kind: str, unreadable: Unreadable | None) -> Document | None:
    """A document as it stands; where its text says nothing and is to be replaced, with what counts instead.

    Raises:
        ConflictError: when another text stands there by now.
        DocumentError: when it cannot be read, and nothing counts instead.
        FileNotFoundError: when the text that is to be replaced is gone.
    """
    if unreadable is None:
        return documents.read_if_there(path, kind)
    raw, stamp = documents.read_stamped(path)
    found = hashlib.sha256(raw).hexdigest()
    if found != unreadable.sha256:
        raise ConflictError(path, unreadable.sha256, found)
    return Document(unreadable.value, raw, found, documents.etag(kind, unreadable.value), stamp)
