"""What somebody may be told of a version: its commit may be about records that are not theirs to see.

One action may change many records, and its subject and its reason speak of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from catalog.editing.targets import Target
from catalog.history import whereabouts
from catalog.history.who import DISK
from catalog.rights import Rights
from ingest.documents import INSTRUMENT, readable
from ingest.layout import METADATA
from ingest.provenance.trails import Version

# By trigger, what is said where the commit's own words are not for everyone.
_NEUTRAL: Mapping[str, str] = {
    "0": "A project was described",
    "1": "A dataset was described",
    "2": "Files were described",
    "3": "A run was begun",
    "4": "A run was marked complete",
    "5": "A complete metadata file was made",
    "form": "A change of the record",
    "publish": "A dataset was published or withdrawn",
    "bulk": "A change of several records at once",
    "restore": "A version was restored",
    "filesystem": "A change made on disk",
    "recovery": "A change that was recorded later",
}


def told(rights: Rights, target: Target, versions: Sequence[Version]) -> list[Version]:
    """Versions of a record as somebody may be told of them: with their own words, or with neutral ones.

    Raises:
        GitError: when the repository cannot be read.
    """
    if rights.sees_all:
        return list(versions)
    doubtful = [each.commit for each in versions if not _is_alone(target, each)]
    seen = whereabouts.projects_at(target.root, list(rights.projects_joined), doubtful) if doubtful else {}
    return [
        each if _is_alone(target, each) or _all_in(each, seen[each.commit]) else _neutral(each) for each in versions
    ]


def told_of(rights: Rights, target: Target, version: Version) -> Version:
    """One version as somebody may be told of it.

    Raises:
        GitError: when the repository cannot be read.
    """
    return told(rights, target, [version])[0]


def _is_alone(target: Target, version: Version) -> bool:
    """Whether a commit is about nothing but this record, its project and its dataset."""
    if target.kind == INSTRUMENT:  # it has no folder of a project, and everyone sees it
        return not version.names
    folder = readable(version.path.partition(f"/{METADATA}/")[0])
    return bool(version.names) and set(version.names) <= {folder, folder.partition("/")[0]}


def _all_in(version: Version, projects: set[str]) -> bool:
    """Whether a commit names records, and only those of some projects."""
    seen = {readable(each) for each in projects}
    return bool(version.names) and all(name.partition("/")[0] in seen for name in version.names)


def _neutral(version: Version) -> Version:
    kind = version.trigger.partition(",")[0] or (DISK if version.by == DISK else "")
    kind = "bulk" if kind in ("", "form") and len(version.names) > 1 else kind
    words = _NEUTRAL.get(kind, _NEUTRAL["form"])
    return replace(version, subject=words, reason="")
