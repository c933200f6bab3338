"""The versions of a record, of all records in a folder, or of a data file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from catalog.commanding import EngineCommand, Outcome
from catalog.history import comparing, data_files, past
from catalog.history.subjects import Sort, Subject, subject
from catalog.history.who import spoken
from ingest.errors import SettingError, printable
from ingest.provenance.trails import Version

_MOST = 100_000
_Changes = Sequence[tuple[str, ...] | None]


class Command(EngineCommand):
    help = (
        "Tell the versions of a record, of all records in a folder, or of a data file: who made each, when, what it "
        "changed and why."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", metavar="PATH", help="a document in .metadata, a project, a dataset or a data file")
        parser.add_argument("--limit", type=int, default=20, help="how many at most, the newest first; 20 if left out")

    def run(self, **options: Any) -> Outcome:
        limit = options["limit"]
        if not 0 < limit <= _MOST:
            raise SettingError(f"--limit is {limit}; it must be a number from 1 to {_MOST}.")
        of = subject(options["path"])
        if of.sort is Sort.DATA:
            return _of_data(of, limit)
        versions, changes = _versions(of, limit)
        told = [_as_json(each, some) for each, some in zip(versions, changes, strict=True)]
        lines = [line for each, some in zip(versions, changes, strict=True) for line in _lines(each, some)]
        return Outcome({"path": of.shown, "versions": told}, lines or [f"{of.shown}: no version is recorded yet."])


def _versions(of: Subject, limit: int) -> tuple[Sequence[Version], _Changes]:
    if of.target is None:
        recorded = past.recorded_in if of.sort is Sort.FOLDER else past.recorded_at
        found = recorded(of.root, of.recorded, limit)
        return found, [None] * len(found)
    page = past.page(of.target, limit=limit)
    if page.trouble and not page.versions:
        raise past.RevisionError(page.fault or page.trouble)
    return page.versions, comparing.along(of.target, page)


def _as_json(version: Version, changes: tuple[str, ...] | None) -> dict[str, Any]:
    """One version; ``changes`` is null where they were not read."""
    own = {key: each for key, each in asdict(version).items() if key not in ("names", "is_new")}
    return {**own, "path": printable(version.path), "changes": changes}


def _lines(version: Version, changes: tuple[str, ...] | None) -> list[str]:
    why = [f"    why: {version.reason}"] if version.reason else []
    gone = "" if version.blob else " (removed)"
    head = f"{version.commit[:12]}  {version.moment}  {spoken(version.by)}: {version.subject}{gone}"
    return [head, *why, *(f"    {each}" for each in changes or ())]


def _of_data(of: Subject, limit: int) -> Outcome:
    found = data_files.of_path(of, limit)
    value = {"path": of.shown, "versions": [each.as_json() for each in found]}
    return Outcome(value, [each.line for each in found] or [f"{of.shown}: no version is recorded yet."])
