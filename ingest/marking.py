"""How a manifest names a run's complete metadata file: in its header, and in the entries of the run's files. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest.documents import encode_path

Value = dict[str, Any]


def marked(entry: Mapping[str, Any], run_id: str, complete_metadata: str) -> Value:
    """A file's entry as part of a data object; ``complete_metadata`` is an ``os`` path below the dataset."""
    name = encode_path(complete_metadata)["path"]
    return {**entry, "data_object_version": "V2", "run_id": run_id, "complete_metadata": name, "state": "present"}


def unmarked(entry: Mapping[str, Any]) -> Value:
    """The entry of a file that belongs to the run no more."""
    kept = {k: v for k, v in entry.items() if k not in ("run_id", "complete_metadata")}
    state = "present" if entry.get("state") == "changed" else entry.get("state")
    return {**kept, "data_object_version": "V1", "state": state}


def naming(complete: Mapping[str, Any], sha256: str, complete_metadata: str) -> Callable[[Value], Value]:
    """The change of a manifest's header that makes this file the current one of its run."""
    run = complete["experiment"]
    own = {
        "run_id": run["run_id"],
        "run_label": run["run_label"],
        "complete_metadata": encode_path(complete_metadata)["path"],
        "revision": complete["revision"],
        "sha256": sha256,
        "finalized_date": complete["generated_date"],
    }

    def header(old: Value) -> Value:
        others = [each for each in old.get("runs", ()) if each.get("run_id") != own["run_id"]]
        return {**old, "runs": sorted([*others, own], key=lambda each: str(each.get("run_label")))}

    return header


def all_named(header: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a manifest says of the complete metadata file of each run: identifier in lower case → its entry."""
    found: dict[str, Mapping[str, Any]] = {}
    runs = header.get("runs")
    for each in runs if isinstance(runs, list) else ():
        if isinstance(each, dict) and _is_whole(each):
            found.setdefault(str(each.get("run_id")).lower(), each)
    return found


def named(header: Mapping[str, Any], run_id: str) -> Mapping[str, Any]:
    """What a manifest says of a run's complete metadata file; {} when it names none."""
    return all_named(header).get(run_id.lower(), {})


def _is_whole(entry: Mapping[str, Any]) -> bool:
    revision = entry.get("revision")
    numbered = type(revision) is int and 0 < revision < 2**31
    return numbered and isinstance(entry.get("complete_metadata"), str)
