"""The requirements built literally: for every file one read-modify-write of the manifest, then one git commit.

Their Trigger 2, step by step: facts by dirmeta, an entry added to ``dataset_structural.json`` with :mod:`json`, the
whole manifest validated with :mod:`jsonschema`, written, staged and committed by the git program. Nothing watches and
there is no DVC, both of which would cost more; the compiled schema is kept between files and git never packs, which is
generous.
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
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

import schemas

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


def validator() -> Draft202012Validator:
    """For whole manifests, with every packaged schema at hand."""
    packaged = [schemas.load(name) for name in schemas.NAMES]
    registry: Registry[Any] = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in packaged)
    return Draft202012Validator(schemas.load(MANIFEST), registry=registry, format_checker=FormatChecker())


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(dataset: Path, path: Path) -> dict[str, Any]:
    """The description of one file."""
    facts = get_file_metadata(path, dataset) or {}
    identifier = str(uuid.uuid4())
    return {
        "path": facts["path"],
        "file_identifier": identifier,
        "@id": f"urn:uuid:{identifier}",
        "@type": "File",
        "file_name": path.name,
        "extension": path.suffix,
        "size_bytes": facts["size_bytes"],
        "permissions": facts["permissions"],
        "modified_utc": facts["modified_utc"],
        "metadata_changed_utc": facts["metadata_changed_utc"],
        "checksum": {"algorithm": "sha256", "value": hashlib.sha256(path.read_bytes()).hexdigest()},
        "mime_type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "extraction": {"extractor": "literal", "version": "1", "warnings": []},
        "data_object_version": "V1",
        "state": "present",
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
    identifier = str(uuid.uuid4())
    return {
        "$schema": schemas.load(MANIFEST)["$id"],
        "@context": f"https://w3id.org/fairfolder/contexts/{MANIFEST}/1.0.0.jsonld",
        "@id": f"urn:uuid:{identifier}",
        "@type": "Dataset",
        "dataset_identifier": identifier,
        "associated_project_identifier": str(uuid.uuid4()),
        "metadata_language": "en",
        "file_count": 0,
        "total_size_bytes": 0,
        "formats": [],
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
