"""A watched folder as the engine leaves it, made by hand: real documents in real files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ingest import blanks, documents, manifest

AUDIT = {
    "created_by": "system:trigger-1",
    "created_date": "2026-11-23T05:24:05Z",
    "last_modified_by": "system:trigger-2",
    "last_modified_date": "2026-11-23T05:24:09Z",
}
NAMESPACE = uuid.UUID("5f2e0c5e-3b0a-4c55-9f0e-0f4ad1a7b001")


def identifier(*parts: object) -> str:
    """The same UUID for the same words."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(repr, parts))))


def entry(os_path: str, size: int = 4096, mime_type: str = "text/csv", **more: Any) -> dict[str, Any]:
    """One file's entry as the engine writes it."""
    encoded = documents.encode_path(os_path)
    number = more.pop("file_identifier", identifier("file", os_path))
    name = encoded["path"].rsplit("/", 1)[-1]
    return {
        **encoded,
        "file_identifier": number,
        "@id": f"urn:uuid:{number}",
        "@type": "File",
        "file_name": name,
        "extension": name.rsplit(".", 1)[-1],
        "size_bytes": size,
        "permissions": "-rw-r--r--",
        "modified_utc": "2026-11-20T12:00:00.250000Z",
        "metadata_changed_utc": "2026-11-20T12:00:00.250000Z",
        "checksum": {"algorithm": "sha256", "value": number.replace("-", "") * 2},
        "mime_type": mime_type,
        "format": {
            "name": mime_type.rsplit("/", 1)[-1].upper(),
            "iri": "https://www.nationalarchives.gov.uk/PRONOM/x-fmt/18",
        },
        "dimensions": [{"axis": "rows", "size": 120}, {"axis": "columns", "size": 4}],
        "number_of_records": 120,
        "extraction": {"extractor": "csv", "version": "1", "warnings": []},
        "data_object_version": "V1",
        "state": "present",
        "first_seen": "2026-11-23T05:24:05Z",
        **more,
    }


def put(path: Path, value: Mapping[str, Any]) -> Path:
    """Writes a document the way an atomic writer does: another inode each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(documents.to_bytes(value))
    draft.replace(path)
    return path


def put_manifest(path: Path, header: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Path:
    ordered = sorted(entries, key=lambda each: (each["path"], each.get("path_encoding", "")))
    value = {
        **{key: header[key] for key in header if key != "file_descriptions"},
        "file_count": len(ordered),
        "total_size_bytes": sum(each["size_bytes"] for each in ordered),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(manifest.render(value, [manifest.entry_line(each) for each in ordered]))
    draft.replace(path)
    return path


@dataclass(frozen=True)
class Tree:
    """A root and the documents written below it."""

    root: Path

    def project(self, folder: str = "p_Alpha", sequence: int = 1, **fields: Any) -> str:
        """Writes a project with its registry entry; answers its identifier."""
        number = fields.pop("project_identifier", identifier("project", folder))
        value = {**blanks.project_template(number, "en"), **fields, **AUDIT}
        put(documents.project_document(self.root, folder), value)
        self.register("project", number, folder, sequence)
        return number

    def dataset(
        self,
        folder: str = "p_Alpha/plate_1",
        entries: Sequence[Mapping[str, Any]] = (),
        sequence: int = 2,
        **fields: Any,
    ) -> str:
        """Writes a dataset's two documents and its registry entry; answers its identifier."""
        project = identifier("project", folder.split("/")[0])
        number = fields.pop("dataset_identifier", identifier("dataset", folder))
        template = blanks.administrative_template(number, project, "en", None)
        put(self.document(folder, documents.ADMINISTRATIVE), {**template, **fields, **AUDIT})
        self.files(folder, entries, number)
        self.register("dataset", number, folder, sequence, project_identifier=project)
        return number

    def files(self, folder: str, entries: Sequence[Mapping[str, Any]], number: str | None = None) -> Path:
        """Writes a dataset's manifest."""
        project = identifier("project", folder.split("/")[0])
        header = blanks.structural_template(number or identifier("dataset", folder), project, "en")
        return put_manifest(self.document(folder, documents.STRUCTURAL), {**header, **AUDIT}, entries)

    def register(self, kind: str, number: str, folder: str, sequence: int, **fields: Any) -> Path:
        value = {**blanks.registry_entry(kind, number, folder), **fields}
        stamp = {"datestamp": f"2026-11-23T05:{sequence // 60 % 60:02}:{sequence % 60:02}Z", "sequence": sequence}
        return put(documents.registry_document(self.root, number), {**value, **stamp, **AUDIT})

    def document(self, folder: str, kind: str) -> Path:
        return documents.dataset_document(self.root, folder, kind)

    def edit(self, path: Path, fields: Mapping[str, Any]) -> Path:
        """Changes keys of a document that is not a manifest."""
        return put(path, {**orjson.loads(path.read_bytes()), **fields})

    def documents(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*.json") if not path.name.startswith("."))
