"""Validate every document, and what holds between documents; nothing is changed."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ingest import documents, finding
from ingest.documents import ADMINISTRATIVE, COMPLETE, IDENTIFIER_KEY, REGISTRY, STRUCTURAL
from ingest.errors import DocumentError
from ingest.finding import Found
from ingest.layout import relative_to_root
from ingest.places import list_folders
from ingest.report import Finding
from ingest.schema import Problem
from ingest.workspace import Workspace

Judge = Callable[[str, Mapping[str, Any]], Sequence[Problem]]
"""What else is wrong with a document of a kind: asked where the caller knows more than its schema."""


def _nothing_else(_: str, __: Mapping[str, Any]) -> Sequence[Problem]:
    return ()


@dataclass
class CheckReport:
    """How many documents were read, how many files they describe, and what is wrong."""

    root: str
    documents: int = 0
    files: int = 0
    findings: list[Finding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        return asdict(self)


def check(
    ws: Workspace,
    scope: Path | None = None,
    progress: Callable[[int], None] | None = None,
    judge: Judge = _nothing_else,
) -> CheckReport:
    """Every document below ``scope`` (the root without one) against its schema, and identities against each other.

    Args:
        judge: asked besides; what it says of a place is told instead of what the schema says there.

    Raises:
        LayoutError: ``scope`` lies outside the root.
    """
    report = CheckReport(ws.name)
    inside = None if scope is None else ws.root / relative_to_root(ws.root, scope)
    owners: dict[str, list[str]] = defaultdict(list)
    values: dict[Path, Mapping[str, Any]] = {}
    for found in finding.find_documents(ws.root, ws.layout):
        if inside is not None and not found.path.is_relative_to(inside):
            continue
        report.documents += 1
        value = _read(ws, found, report, judge)
        if value is None:
            continue
        _collect(ws, found, value, owners, report)
        values[found.path] = {k: value.get(k) for k in (IDENTIFIER_KEY[found.kind], "associated_project_identifier")}
        if progress is not None:
            progress(report.documents)
    report.findings.extend(_twice(owners))
    report.findings.extend(_unlinked(ws, values, inside))
    return report


def _read(ws: Workspace, found: Found, report: CheckReport, judge: Judge) -> Mapping[str, Any] | None:
    name = _shown(ws, found.path)
    try:
        value = documents.read_document(found.path, found.kind).value
    except FileNotFoundError:
        return None
    except DocumentError as error:
        report.findings.append(Finding(name, "readable", str(error)))
        return None
    further = judge(found.kind, value)
    told = {problem.pointer for problem in further}
    judged = [each for each in ws.schemas.problems(found.kind, value) if each.pointer not in told]
    for problem in (*judged, *further):
        report.findings.append(Finding(name, problem.rule, f"{problem.pointer or 'the document'}: {problem.message}"))
    return value


def _shown(ws: Workspace, path: Path) -> str:
    return documents.readable(path.relative_to(ws.root).as_posix())


def _collect(
    ws: Workspace, found: Found, value: Mapping[str, Any], owners: dict[str, list[str]], report: CheckReport
) -> None:
    identifier = value.get(IDENTIFIER_KEY[found.kind])
    if isinstance(identifier, str) and found.kind not in (STRUCTURAL, REGISTRY, COMPLETE):
        owners[identifier].append(_shown(ws, found.path))
    if found.kind != STRUCTURAL:
        return
    report.findings.extend(_complete_files(ws, found, value))
    paths: set[tuple[Any, Any]] = set()
    entries = value.get("file_descriptions")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        report.files += 1
        owners[str(entry.get("file_identifier"))].append(f"{_shown(ws, found.path)}: {entry.get('path')}")
        key = (entry.get("path"), entry.get("path_encoding"))
        if key in paths:
            words = f"{entry.get('path')!r} is described twice; keep one of the two entries"
            report.findings.append(Finding(_shown(ws, found.path), "unique", words))
        paths.add(key)


def _complete_files(ws: Workspace, found: Found, value: Mapping[str, Any]) -> Iterator[Finding]:
    """Each complete metadata file that a manifest names is there, as it was written."""
    runs = value.get("runs")
    for run in runs if isinstance(runs, list) else ():
        name = run.get("complete_metadata") if isinstance(run, dict) else None
        if not isinstance(name, str):
            continue
        path = found.path.parent.parent / name
        try:
            if documents.read_document(path, COMPLETE).sha256 != run.get("sha256"):
                words = "this file was changed after it was written; restore it, or complete the run again"
                yield Finding(_shown(ws, path), "sha256", words)
        except FileNotFoundError:
            words = "this file is missing; restore it from a backup, or complete the run again"
            yield Finding(_shown(ws, path), "present", words)
        except DocumentError:
            continue  # told with the file itself


def _twice(owners: Mapping[str, list[str]]) -> Iterator[Finding]:
    for identifier, places in owners.items():
        if len(places) > 1:
            yield Finding(places[0], "unique", f"the identifier {identifier} stands in {', '.join(places)}")


def _unlinked(ws: Workspace, values: Mapping[Path, Mapping[str, Any]], inside: Path | None) -> Iterator[Finding]:
    """Folders without their documents, and datasets whose project link is not the project they stand in."""
    for kind, path in list_folders(ws.root, ws.layout) if ws.root.is_dir() else ():
        folder = ws.root / path
        if inside is not None and not folder.is_relative_to(inside):
            continue
        if kind == "project":
            expected = [documents.project_document(ws.root, path)]
        else:
            expected = [documents.dataset_document(ws.root, path, k) for k in (ADMINISTRATIVE, STRUCTURAL)]
        for document in expected:
            if not os.path.lexists(document):
                yield Finding(_shown(ws, document), "present", "this document is missing; make it with: reconcile")
        if kind == "dataset":
            yield from _links(ws, path, values)


def _links(ws: Workspace, path: str, values: Mapping[Path, Mapping[str, Any]]) -> Iterator[Finding]:
    project = values.get(documents.project_document(ws.root, path.partition("/")[0]), {}).get("project_identifier")
    own = [documents.dataset_document(ws.root, path, k) for k in (ADMINISTRATIVE, STRUCTURAL)]
    for document in own:
        link = values.get(document, {}).get("associated_project_identifier")
        if project is not None and link is not None and link != project:
            words = f"associated_project_identifier is {link}, but the project it stands in is {project}"
            yield Finding(_shown(ws, document), "link", words)
    identifiers = {values[d].get("dataset_identifier") for d in own if d in values}
    if len(identifiers) > 1:
        yield Finding(documents.readable(path), "link", f"its documents name different datasets: {identifiers}")
