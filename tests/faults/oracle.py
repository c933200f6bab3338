"""Whether a watched folder is consistent: asked of `find`, `sha256sum` and the schemas, never of the engine."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema_rs

import schemas
from tests.faults.data_files import data_files, is_data
from tests.faults.history_oracle import history_violations, version_violations

Value = dict[str, Any]
KINDS = ("project_descriptive", "dataset_administrative", "dataset_structural", "registry")


def everything(root: Path) -> dict[str, tuple[str, int, int, int]]:
    """Checksum, mode, mtime and inode of every file that is no metadata, to compare a before with an after."""
    found = {}
    for name, sha256 in data_files(root).items():
        info = os.lstat(root / name)
        found[name] = (sha256, info.st_mode, info.st_mtime_ns, info.st_ino)
    return found


@cache
def _validator(kind: str) -> Any:
    registry = jsonschema_rs.Registry([(schemas.load(name)["$id"], schemas.load(name)) for name in schemas.NAMES])
    strengths = [schemas.load(kind), {"$ref": f"{schemas.load('core')['$id']}#/$defs/{kind}"}]
    return [
        jsonschema_rs.Draft202012Validator(s, registry=registry) for s in strengths[: 1 if kind == "registry" else 2]
    ]


def _strict(raw: bytes) -> Value:
    def refuse(word: str) -> None:
        raise ValueError(word)

    def once(pairs: list[tuple[str, Any]]) -> Value:
        if len({k for k, _ in pairs}) != len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    value = json.loads(raw.decode(), parse_constant=refuse, object_pairs_hook=once)
    assert isinstance(value, dict)
    return value


def os_path(entry: Value) -> str:
    return os.fsdecode(unquote_to_bytes(entry["path"])) if entry.get("path_encoding") == "percent" else entry["path"]


def _belongs(name: str, inside: Path) -> bool:
    """Whether a document lies where its kind lives: a dataset that was made a project keeps its old ones beside."""
    depth = inside.parts.index(".metadata")
    return depth == 0 or (name == "project_descriptive.json") == (depth == 1)


class Consistency:
    """Collects what is wrong; ``wrong`` is empty when nothing is."""

    def __init__(self, root: Path, state: Path | None = None) -> None:
        self.root = root
        self.wrong: list[str] = []
        self.documents: dict[str, Value] = {}
        self.raw: dict[str, bytes] = {}
        self._not_described = _told(state) if state is not None else {}
        self._read()
        if not self.wrong:
            self._identifiers()
            self._registry()
            for dataset in self._datasets():
                self._dataset(dataset)

    def _read(self) -> None:
        for folder, _, names in os.walk(self.root):
            inside = Path(folder).relative_to(self.root)
            if ".metadata" not in inside.parts[:3]:
                continue  # data, or what a whole dataset brought along into another one
            for name in names:
                path = str(inside / name)
                if name.endswith(".tmp"):
                    self.wrong.append(f"{path}: a temporary file was left")
                elif name.endswith(".json") and _belongs(name, inside):
                    self._document(path, Path(folder, name).read_bytes())

    def _document(self, path: str, raw: bytes) -> None:
        kind = "registry" if "/registry/" in f"/{path}" else Path(path).stem
        try:
            value = _strict(raw)
        except (ValueError, AssertionError) as error:
            self.wrong.append(f"{path}: no JSON: {error}")
            return
        self.documents[path], self.raw[path] = value, raw
        for validator in _validator(kind):
            self.wrong += [f"{path}: {e.message[:200]}" for e in validator.iter_errors(value)]

    def _datasets(self) -> Iterator[str]:
        for project in sorted(os.listdir(self.root)):
            if project.startswith("p_") and (self.root / project).is_dir() and not (self.root / project).is_symlink():
                for name in sorted(os.listdir(self.root / project)):
                    path = self.root / project / name
                    if is_data(os.fsencode(name)) and path.is_dir() and not path.is_symlink():
                        yield f"{project}/{name}"

    def _identifiers(self) -> None:
        owners: dict[str, str] = {}
        for path, value in self.documents.items():
            own = value.get("project_identifier") if path.endswith("project_descriptive.json") else None
            own = value.get("dataset_identifier") if path.endswith("administrative.json") else own
            found = [own] if own else []
            if path.endswith("dataset_structural.json"):
                found = [entry["file_identifier"] for entry in value["file_descriptions"]]
            for identifier in found:
                if identifier in owners:
                    self.wrong.append(f"{identifier} is owned by {owners[identifier]} and {path}")
                owners[identifier] = path

    def _registry(self) -> None:
        entries = {p: v for p, v in self.documents.items() if p.startswith(".metadata/registry/")}
        numbers = [v["sequence"] for v in entries.values()]
        if len(set(numbers)) != len(numbers):
            self.wrong.append(f"sequence numbers are doubled: {sorted(numbers)}")
        counter = int((self.root / ".metadata/registry/.sequence").read_text()) if entries else 0
        if counter < max(numbers, default=0):
            self.wrong.append(f"the counter is at {counter}, an entry at {max(numbers)}")
        present: dict[str, str] = {}
        for path, value in entries.items():
            if path != f".metadata/registry/{value['identifier']}.json":
                self.wrong.append(f"{path} speaks of {value['identifier']}")
            if value["state"] == "present":
                if value["path"] in present:
                    self.wrong.append(f"two present registry entries for {value['path']}")
                present[value["path"]] = value["identifier"]
        for path, value in self.documents.items():
            owner, _, name = path.rpartition("/.metadata/")
            if name in ("project_descriptive.json", "dataset_administrative.json"):
                identifier = value["project_identifier" if name.startswith("project") else "dataset_identifier"]
                if present.get(owner) != identifier:
                    self.wrong.append(f"{owner} is {identifier}, the registry says {present.get(owner)}")
            if name and "/" not in name and owner:
                recorded = self.documents.get(f".metadata/registry/{present.get(owner)}.json", {})
                if recorded.get("documents", {}).get(name) != hashlib.sha256(self.raw[path]).hexdigest():
                    self.wrong.append(f"{path}: the registry has another checksum for it")
        for path in present:
            if not (self.root / path).is_dir():
                self.wrong.append(f"the registry calls {path} present")

    def _dataset(self, dataset: str) -> None:
        administrative = self.documents.get(f"{dataset}/.metadata/dataset_administrative.json")
        manifest = self.documents.get(f"{dataset}/.metadata/dataset_structural.json")
        project = self.documents.get(f"{dataset.partition('/')[0]}/.metadata/project_descriptive.json")
        if administrative is None or manifest is None or project is None:
            self.wrong.append(f"{dataset} lacks a document")
            return
        links = {manifest["associated_project_identifier"], administrative["associated_project_identifier"]}
        if links != {project["project_identifier"]}:
            self.wrong.append(f"{dataset} is linked to {links}")
        if manifest["dataset_identifier"] != administrative["dataset_identifier"]:
            self.wrong.append(f"{dataset} has two identifiers")
        self._files(dataset, manifest)

    def _files(self, dataset: str, manifest: Value) -> None:
        entries = manifest["file_descriptions"]
        keys = [(e["path"], e.get("path_encoding", "")) for e in entries]
        if keys != sorted(keys) or len(set(keys)) != len(keys):
            self.wrong.append(f"{dataset}: entries are not sorted, or doubled")
        here = [e for e in entries if e["state"] != "missing"]
        recorded = {os_path(e): e["checksum"]["value"] for e in here}
        found = data_files(self.root / dataset)
        untold = set(found) - set(recorded) - set(self._not_described.get(dataset, ()))
        self.wrong += [f"{dataset}: {name!r} is not described and nobody says why" for name in sorted(untold)]
        self.wrong += [f"{dataset}: {name!r} is described and not there" for name in sorted(set(recorded) - set(found))]
        for name in sorted(set(recorded) & set(found)):
            if recorded[name] != found[name] and name not in self._not_described.get(dataset, ()):
                self.wrong.append(f"{dataset}: {name!r} has another checksum")
        formats: dict[str, list[int]] = {}
        for entry in here:
            label = entry.get("format", {}).get("name") or entry["mime_type"]
            formats.setdefault(label, []).append(entry["size_bytes"])
        summary = [{"name": n, "count": len(s), "size_bytes": sum(s)} for n, s in sorted(formats.items())]
        totals = (len(here), sum(e["size_bytes"] for e in here), summary)
        if totals != (manifest["file_count"], manifest["total_size_bytes"], manifest["formats"]):
            self.wrong.append(f"{dataset}: the totals are not those of its entries")


def _told(state: Path) -> Mapping[str, set[str]]:
    """Dataset → paths for which a condition other than described is kept, with its reason."""
    told: dict[str, set[str]] = {}
    for path in state.glob("roots/*/seen.sqlite"):
        db = sqlite3.connect(path)
        query = (
            "SELECT place.path, file.path FROM file JOIN place ON place.id = file.place WHERE condition NOT IN (0, 7)"
        )
        for place, inner in db.execute(query):
            told.setdefault(os.fsdecode(place), set()).add(os.fsdecode(inner))
        db.close()
    return told


def _untold_versions(state: Path) -> set[str]:
    """Paths of files whose version is not kept, with the reason told."""
    told: set[str] = set()
    for path in state.glob("roots/*/seen.sqlite"):
        db = sqlite3.connect(path)
        for (value,) in db.execute("SELECT value FROM meta WHERE key = 'versions'"):
            told |= json.loads(value)["untracked"].keys()
        db.close()
    return told


def violations(root: Path, state: Path | None = None) -> list[str]:
    """What is inconsistent below a root at rest, its history and its versions included: one sentence each."""
    wrong = Consistency(root, state).wrong
    if os.path.lexists(root / ".git"):
        wrong += history_violations(root)
    if (root / ".dvc").is_dir():
        wrong += version_violations(root, _untold_versions(state) if state is not None else ())
    return wrong
