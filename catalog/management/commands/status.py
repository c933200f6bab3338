"""What is watched, what waits, what failed and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog import engine, queries, state, words
from catalog.commanding import EngineCommand, Outcome
from catalog.publishing.altered import Altered, altered
from catalog.sparql import answering
from ingest.status import Status, status


class Command(EngineCommand):
    help = (
        "Tell what is watched and how, what waits, and what failed with its reason. Exit code 1 if a person is needed."
    )

    def run(self, **options: Any) -> Outcome:
        told = []
        for root in engine.roots():
            with engine.looking(root) as workspace:
                told.append(status(workspace))
        unclear = queries.unclear() if state.is_current() else []
        public = altered() if state.is_current() else []
        lines = [line for each in told for line in _lines(each)]
        lines += [f"{each.path}: {each.sentence}" for each in unclear]
        lines += [f"{_path(each)}: {sentence}" for each in public for sentence in each.sentences]
        unasked = answering.trouble()
        lines += [f"SPARQL: {unasked}"] if unasked else []
        value = {
            "roots": [each.as_json() for each in told],
            "documents": [{"path": each.path, "problem": each.sentence} for each in unclear],
            "published": [_altered(each) for each in public],
            "sparql": unasked,
        }
        return Outcome(value, lines, bool(unclear or public or unasked) or not all(each.healthy for each in told))


def _altered(each: Altered) -> dict[str, Any]:
    return {"path": _path(each), "dataset": each.identifier, "sentences": list(each.sentences)}


def _path(each: Altered) -> str:
    return f"{each.root}/{each.path}"


def _lines(told: Status) -> list[str]:
    counts = ", ".join(f"{number:,} {condition}" for condition, number in told.counts.items() if number)
    problems = [f"  {each.path}: {each.condition} since {_since(each.since)}: {each.reason}" for each in told.problems]
    own = (*told.overrides, *told.run_templates)
    refused = [f"  {each['path']}: refused: {each['reason']}" for each in own if not each["in_force"]]
    alarms = [f"  {alarm}" for alarm in told.alarms]
    held = ["  The reading of files is held; go on with: .venv/bin/python manage.py reconcile --resume"]
    return [
        f"{told.root}: {told.mode} ({told.mode_reason}); {counts or 'nothing seen yet'}",
        f"  last full scan: {_scan(told.last_reconcile)}",
        f"  history: {_history(told.history)}",
        f"  versions of data files: {_versions(told.versions)}",
        *(held if told.paused else []),
        *alarms,
        *problems,
        *refused,
    ]


def _history(history: Mapping[str, Any]) -> str:
    if not history.get("enabled"):
        return "not kept, as FAIRFOLDER_GIT is off"
    if not history["there"]:
        return "begins with the first change"
    waiting = f"{history['pending']:,} waiting ({history['busy']})" if history["pending"] else history["busy"]
    told = [f"branch {history['branch']}" if history["branch"] else "", history["head"][:10], waiting]
    return ", ".join(filter(None, [*told, history["lock"], history["push"], history["notice"]]))


def _versions(versions: Mapping[str, Any]) -> str:
    if versions.get("enabled") is False:
        return "not kept, as FAIRFOLDER_DVC is off or DVC is not installed"
    if not versions:
        return "told after the next scan"
    left = versions["untracked_count"]
    push = versions["push"]
    told = [versions["words"], f"{left:,} files without" if left else "", push["reason"] if push else ""]
    return " ".join(filter(None, told))


def _scan(last: dict[str, Any] | None) -> str:
    """When the last full scan ended, and what it found."""
    if not last:
        return "none yet"
    found = [f"{last[key]:,} {key}" for key in ("described", "missing", "failed") if last.get(key)]
    return ", ".join([_since(last.get("at", 0)), *found])


def _since(seconds: float) -> str:
    time = words.parsed(seconds)
    return words.exact(time.replace(microsecond=0)) if time else "an unknown time"
