"""The versions of a record, of all records in a folder, or of a data file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from heapq import merge
from typing import Any

from catalog.commanding import EngineCommand, Outcome
from catalog.history import acts, comparing, data_files, past, whereabouts
from catalog.history.acts import Act
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
        publication = _acts(of, limit)
        told = [_as_json(each, some) for each, some in zip(versions, changes, strict=True)]
        value = {"path": of.shown, "versions": told, "publication": [_act_as_json(each) for each in publication]}
        lines = list(_in_order(versions, changes, publication))
        return Outcome(value, lines or [f"{of.shown}: no version is recorded yet."])


def _versions(of: Subject, limit: int) -> tuple[Sequence[Version], _Changes]:
    if of.target is None:
        recorded = past.recorded_in if of.sort is Sort.FOLDER else past.recorded_at
        found = recorded(of.root, of.recorded, limit)
        return found, [None] * len(found)
    page = past.page(of.target, limit=limit)
    if page.trouble and not page.versions:
        raise past.RevisionError(page.fault or page.trouble)
    return page.versions, comparing.along(of.target, page)


def _acts(of: Subject, limit: int) -> list[Act]:
    """When the dataset was published and withdrawn, if it is one."""
    if of.target is not None:
        return acts.acts(of.root, of.target.identifier, limit) if of.target.word == "dataset" else []
    opened = whereabouts.repository(of.root)
    if of.sort is not Sort.FOLDER or "/" not in of.relative or opened is None:
        return []
    found = whereabouts.trail_of_folder(opened, of.relative)
    return acts.acts(of.root, found.identifier, limit) if found is not None else []


def _in_order(versions: Sequence[Version], changes: _Changes, publication: Sequence[Act]) -> Iterator[str]:
    """What was done, the newest first; each of the two keeps the order it was recorded in."""
    some = ((each.moment, _lines(each, told)) for each, told in zip(versions, changes, strict=True))
    others = ((each.version.moment, [_line(each.version, each.words)]) for each in publication)
    for _, lines in merge(some, others, key=lambda each: each[0], reverse=True):
        yield from lines


def _act_as_json(act: Act) -> dict[str, Any]:
    version = act.version
    return {"commit": version.commit, "moment": version.moment, "by": version.by, "words": act.words}


def _as_json(version: Version, changes: tuple[str, ...] | None) -> dict[str, Any]:
    """One version; ``changes`` is null where they were not read."""
    own = {key: each for key, each in asdict(version).items() if key not in ("names", "is_new")}
    return {**own, "path": printable(version.path), "changes": changes}


def _lines(version: Version, changes: tuple[str, ...] | None) -> list[str]:
    why = [f"    why: {version.reason}"] if version.reason else []
    gone = "" if version.blob else " (removed)"
    return [_line(version, f"{version.subject}{gone}"), *why, *(f"    {each}" for each in changes or ())]


def _line(version: Version, words: str) -> str:
    return f"{version.commit[:12]}  {version.moment}  {spoken(version.by)}: {words}"


def _of_data(of: Subject, limit: int) -> Outcome:
    found = data_files.of_path(of, limit)
    value = {"path": of.shown, "versions": [each.as_json() for each in found]}
    return Outcome(value, [each.line for each in found] or [f"{of.shown}: no version is recorded yet."])
