"""The requirements built literally: for every file one read-modify-write of the manifest, then one git commit.

Their Trigger 2, step by step: facts by dirmeta, an entry added to ``dataset_structural.json`` with :mod:`json`, the
whole manifest validated with :mod:`jsonschema`, written, staged and committed by the git program. Nothing watches and
there is no DVC, both of which would cost more. It is a generous reading: the schema has the fields that are needed and
no reference or condition, it is compiled once, and git never packs.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import subprocess
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dirmeta.scanner import get_file_metadata
from jsonschema import Draft202012Validator

MANIFEST = "dataset_structural"
_GIT = (
    "git",
    "-c",
    "user.name=literal",
    "-c",
    "user.email=literal@example.org",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "gc.auto=0",
)


_TEXT, _COUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
_TIME = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"}
_UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_FILE = {
    "path": _TEXT,
    "file_identifier": _UUID,
    "file_name": _TEXT,
    "extension": {"type": "string"},
    "size_bytes": _COUNT,
    "permissions": _TEXT,
    "modified_utc": _TIME,
    "metadata_changed_utc": _TIME,
    "checksum": {
        "type": "object",
        "properties": {
            "algorithm": {"enum": ["sha256"]},
            "value": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
        "required": ["algorithm", "value"],
    },
    "mime_type": _TEXT,
    "data_object_version": {"enum": ["V1", "V2"]},
    "first_seen": _TIME,
}
_MANIFEST = {
    "dataset_identifier": _UUID,
    "associated_project_identifier": _UUID,
    "file_count": _COUNT,
    "total_size_bytes": _COUNT,
    "created_by": _TEXT,
    "created_date": _TIME,
    "last_modified_by": _TEXT,
    "last_modified_date": _TIME,
}
_ENTRIES = {"type": "array", "items": {"type": "object", "properties": _FILE, "required": list(_FILE)}}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {**_MANIFEST, "file_descriptions": _ENTRIES},
    "required": [*_MANIFEST, "file_descriptions"],
}


def validator() -> Draft202012Validator:
    """For whole manifests."""
    return Draft202012Validator(SCHEMA)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(dataset: Path, path: Path) -> dict[str, Any]:
    """The description of one file."""
    facts = get_file_metadata(path, dataset) or {}
    return {
        "path": facts["path"],
        "file_identifier": str(uuid.uuid4()),
        "file_name": path.name,
        "extension": path.suffix,
        "size_bytes": facts["size_bytes"],
        "permissions": facts["permissions"],
        "modified_utc": facts["modified_utc"],
        "metadata_changed_utc": facts["metadata_changed_utc"],
        "checksum": {"algorithm": "sha256", "value": hashlib.sha256(path.read_bytes()).hexdigest()},
        "mime_type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "data_object_version": "V1",
        "first_seen": now(),
    }


class LiteralBuild:
    """A watched folder under git whose files are added one by one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._validator = validator()
        self._git("init", "--quiet")

    def _git(self, *words: str) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        subprocess.run([*_GIT, "-C", str(self.root), *words], env=clean, check=True, stdout=subprocess.DEVNULL)

    def new_manifest(self, dataset: Path, entries: list[dict[str, Any]] | None = None) -> None:
        """Trigger 1: the manifest of a new dataset, with entries from the start where asked for."""
        (dataset / ".metadata").mkdir(exist_ok=True)
        self._write(dataset, empty_manifest() | {"file_descriptions": entries or []})

    def add(self, dataset: Path, path: Path) -> None:
        """Trigger 2: one new file."""
        manifest = add_entry(dataset, path, self._validator)
        self._git("add", "--", str(manifest.relative_to(self.root)))
        self._git("commit", "--quiet", "-m", f"File added: {path.name}")

    def _write(self, dataset: Path, document: dict[str, Any]) -> None:
        target = manifest_path(dataset)
        target.write_text(json.dumps(document, indent=2))
        self._git("add", "--", str(target.relative_to(self.root)))
        self._git("commit", "--quiet", "-m", "Dataset")


def manifest_path(dataset: Path) -> Path:
    return dataset / ".metadata" / f"{MANIFEST}.json"


def empty_manifest() -> dict[str, Any]:
    return {
        "dataset_identifier": str(uuid.uuid4()),
        "associated_project_identifier": str(uuid.uuid4()),
        "file_count": 0,
        "total_size_bytes": 0,
        "created_by": "system:literal",
        "created_date": now(),
        "last_modified_by": "system:literal",
        "last_modified_date": now(),
        "file_descriptions": [],
    }


def add_entry(dataset: Path, path: Path, checks: Draft202012Validator) -> Path:
    """The manifest read, added to, validated whole and written."""
    manifest = manifest_path(dataset)
    document = json.loads(manifest.read_text())
    described = entry(dataset, path)
    document["file_descriptions"].append(described)
    document["file_count"] += 1
    document["total_size_bytes"] += described["size_bytes"]
    document["last_modified_date"] = now()
    checks.validate(document)
    manifest.write_text(json.dumps(document, indent=2))
    return manifest
