"""Which bytes a complete metadata file names for a file of its run: asked where a manifest entry alone cannot tell.

An entry keeps every checksum its file ever had, and not which of them its run was completed with. That stands in the
complete metadata file, which counts only while it is the one that the manifest names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingest import documents, manifest
from ingest.documents import STRUCTURAL, decode_path
from ingest.errors import DocumentError
from ingest.marking import named
from ingest.revisions import read_revision

Entry = Mapping[str, Any]


class FinalisedBytes:
    """Of one dataset; its manifest and each complete metadata file are read once, and only when they are asked for."""

    def __init__(self, root: Path, dataset: str) -> None:
        self._folder = root / dataset
        self._manifest = documents.dataset_document(root, dataset, STRUCTURAL)
        self._header: Entry | None = None
        self._of_run: dict[str, Mapping[str, str]] = {}

    def sha256(self, entry: Entry) -> str:
        """The SHA-256 that the current complete metadata file of an entry's run names; "" where none can be trusted."""
        run = str(entry.get("run_id", ""))
        if run not in self._of_run:
            self._of_run[run] = self._read(run)
        return self._of_run[run].get(str(entry.get("file_identifier")), "")

    def _read(self, run: str) -> Mapping[str, str]:
        try:
            own = named(self._named(), run)
            if not own:
                return {}
            found = read_revision(self._folder / decode_path(own["complete_metadata"], own.get("path_encoding")))
        except (FileNotFoundError, DocumentError):
            return {}  # `check` and the status page tell what is wrong with it
        if found.sha256 != own.get("sha256"):
            return {}
        try:
            entries = found.value["structure"]["file_descriptions"]
            return {str(each["file_identifier"]): str(each["checksum"]["value"]) for each in entries}
        except (KeyError, TypeError):
            return {}  # a manifest that an editor made name something that is no such file

    def _named(self) -> Entry:
        if self._header is None:
            raw = documents.read_bytes(self._manifest)
            parts = manifest.split(raw)
            self._header = documents.parse(self._manifest, raw) if parts is None else parts.header
        return self._header
