"""Which folder is which project or dataset: identity across renames, moves, copies, loss and return.

:func:`look` asks the disk, :func:`decide` is pure: what was found and what was known give one decision per folder and
per identity. A folder's identity is the identifier in its own document; who is the original of two that claim the
same one is settled by the inode last seen, then by the path in the registry, then by age; else a person is asked.
"""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ingest import documents
from ingest.documents import ADMINISTRATIVE, IDENTIFIER_KEY, PROJECT, STRUCTURAL
from ingest.errors import DocumentError, printable
from ingest.folders import identity_of, is_folder, moved_away
from ingest.layout import METADATA, Layout
from ingest.rows import PlaceRow, Stamp
from ingest.seen import Seen

_AGE_NS = 1_000_000_000


class Verdict(StrEnum):
    """What is true of a folder."""

    SAME = "same"
    NEW = "new"
    ADOPTED = "adopted"  # it brings documents we have no memory of
    MOVED = "moved"
    RETURNED = "returned"
    REMADE = "remade"  # its documents were deleted; its identity is known
    COPIED = "copied"
    ASK = "ask"  # two folders claim one identity and nothing decides
    BROKEN = "broken"  # its documents cannot be read
    GONE = "gone"


@dataclass(frozen=True)
class FolderFound:
    """A project or dataset folder on disk.

    ``identifier`` is what its document says ("" without one), ``project`` what a dataset's document says of its
    project, ``age_ns`` the document's ctime, ``broken`` why a document cannot be read, ``incomplete`` whether one of
    its documents is not there.
    """

    kind: str
    path: str
    dev: int
    ino: int
    identifier: str = ""
    project: str = ""
    age_ns: int = 0
    broken: str = ""
    incomplete: bool = False


@dataclass(frozen=True)
class Decision:
    """A verdict with the identity it gives (``identifier``) and, for moves and copies, where it came from."""

    verdict: Verdict
    kind: str
    path: str
    identifier: str = ""
    found: FolderFound | None = None
    known: PlaceRow | None = None
    reason: str = ""


def list_folders(root: Path, layout: Layout) -> list[tuple[str, str]]:
    """``(kind, path)`` of every project and dataset folder on disk, links left out.

    Raises:
        OSError: when the root itself cannot be listed.
    """
    found: list[tuple[str, str]] = []
    for project in _subfolders(root):
        if layout.is_project_name(project):
            found.append(("project", project))
            found.extend(list_datasets(root, project, layout))
    return found


def list_datasets(root: Path, project: str, layout: Layout) -> list[tuple[str, str]]:
    """``("dataset", path)`` of the datasets of one project folder; none where it is a link or cannot be listed."""
    try:
        names = [] if os.path.islink(root / project) else _subfolders(root / project)
    except OSError:
        return []
    return [("dataset", f"{project}/{name}") for name in names if layout.is_dataset_name(name)]


def _subfolders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))


def look(root: Path, kind: str, path: str, seen: Seen) -> FolderFound | None:
    """What a folder says of itself, or None when it is not there (or a link, or behind one).

    It is broken when nobody can tell.
    """
    folder = root / path
    if folder.parent != root and os.path.islink(folder.parent):
        return None
    try:
        info = os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return FolderFound(kind, path, 0, 0, broken=printable(f"{folder} cannot be looked at: {error.strerror}."))
    if not stat.S_ISDIR(info.st_mode):
        return None
    names = (PROJECT,) if kind == "project" else (ADMINISTRATIVE, STRUCTURAL)
    if os.path.islink(folder / METADATA):
        reason = f"{folder / METADATA} is a symbolic link; metadata is never written through links: remove the link."
        reason = printable(reason)
        return FolderFound(kind, path, *identity_of(info), broken=reason)
    looks = [_look_in(folder / METADATA / f"{name}.json", name, kind, path, info, seen) for name in names]
    if not is_folder(folder, identity_of(info)):
        return FolderFound(kind, path, *identity_of(info), broken=printable(f"{folder}: {moved_away().strerror}."))
    there = [found for found in looks if found is not None]
    if not there:
        return FolderFound(kind, path, *identity_of(info))
    # Two documents that name different identities are an interrupted copy: the one that is known is whose copy it is.
    named = {f.identifier for f in there}
    spoken = next((f for f in there if len(named) > 1 and _is_known(root, f.identifier, seen)), there[0])
    chosen = there[0] if there[0].broken else spoken
    return replace(chosen, incomplete=len(there) < len(names))


def _is_known(root: Path, identifier: str, seen: Seen) -> bool:
    entry = documents.registry_document(root, identifier)
    return bool(identifier) and (seen.place_of(identifier) is not None or os.path.lexists(entry))


def _look_in(document: Path, name: str, kind: str, path: str, info: os.stat_result, seen: Seen) -> FolderFound | None:
    try:
        own = os.lstat(document)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = printable(f"{document} cannot be read: {error.strerror}.")
        return FolderFound(kind, path, *identity_of(info), broken=reason)
    relative = f"{path}/{METADATA}/{name}.json"
    known = seen.document(relative)
    try:
        if known is not None and known[0] == Stamp.of(own):
            value: Mapping[str, object] = known[2]
        else:
            value = documents.parse(document, documents.read_bytes(document))
        identifier = _uuid(document, value, IDENTIFIER_KEY[name])
        project = str(value.get("associated_project_identifier", "")) if kind == "dataset" else ""
    except (DocumentError, FileNotFoundError) as error:
        return FolderFound(kind, path, *identity_of(info), broken=str(error))
    return FolderFound(kind, path, *identity_of(info), identifier, project, own.st_ctime_ns)


def _uuid(document: Path, value: Mapping[str, object], key: str) -> str:
    import uuid

    text = value.get(key)
    try:
        if isinstance(text, str) and str(uuid.UUID(text)) == text:
            return text
    except ValueError:
        pass
    raise DocumentError(
        document, f"{document} has {key} {text!r}, which is no UUID; put the original back (its registry entry in "
        f"{METADATA}/registry names it). Nothing was overwritten."
    )  # fmt: skip


# --- deciding -----------------------------------------------------------------------------------------------


def decide(
    found: Sequence[FolderFound],
    known: Sequence[PlaceRow],
    registered: Mapping[str, str],
    in_scope: Iterable[str] | None = None,
) -> list[Decision]:
    """One decision per folder found, and one per known place that is no longer there.

    Args:
        found: every folder looked at; for a part of the root, with the folders their identities were last seen at.
        known: places as last seen.
        registered: identifier → path in the registry, where ``known`` may have been lost.
        in_scope: the paths this pass looked at; places elsewhere are not called gone. None: everything.
    """
    by_identifier = {p.identifier: p for p in known}
    by_path = {p.path: p for p in sorted(known, key=lambda p: not p.gone)}  # present ones win
    claims: dict[str, list[FolderFound]] = defaultdict(list)
    for folder in found:
        if folder.identifier:
            claims[folder.identifier].append(folder)
    decisions = [_without_document(f, by_path.get(f.path), claims) for f in found if not f.identifier]
    for identifier, folders in claims.items():
        renamed = _identifier_edited(identifier, folders, by_identifier, by_path, claims, registered)
        if renamed is not None:
            decisions.append(renamed)
            continue
        decisions.extend(_claimed(identifier, folders, by_identifier.get(identifier), registered.get(identifier)))
    kept = {d.identifier for d in decisions if d.identifier}
    scope = None if in_scope is None else set(in_scope)
    decisions.extend(
        Decision(Verdict.GONE, p.kind, p.path, p.identifier, known=p)
        for p in known
        if not p.gone and p.identifier not in kept and (scope is None or p.path in scope)
    )
    return decisions


def _identifier_edited(
    identifier: str,
    folders: list[FolderFound],
    known: Mapping[str, PlaceRow],
    by_path: Mapping[str, PlaceRow],
    claims: Mapping[str, list[FolderFound]],
    registered: Mapping[str, str],
) -> Decision | None:
    """The folder we know under another identifier that nobody else claims: its document was edited by hand."""
    if len(folders) != 1 or identifier in registered or identifier in known:
        return None
    folder = folders[0]
    place = by_path.get(folder.path)
    if place is None or not _same_folder(place, folder) or place.identifier in claims:
        return None
    reason = (
        f"the identifier of {folder.path!r} was changed by hand from {place.identifier} to {identifier}; "
        "put the first one back. Nothing was overwritten."
    )
    return Decision(Verdict.BROKEN, folder.kind, folder.path, place.identifier, folder, place, reason)


def _same_folder(place: PlaceRow, folder: FolderFound) -> bool:
    return (place.dev, place.ino, place.kind) == (folder.dev, folder.ino, folder.kind)


def _without_document(folder: FolderFound, here: PlaceRow | None, claims: Mapping[str, list[FolderFound]]) -> Decision:
    if folder.broken:
        identifier = here.identifier if here is not None else ""
        return Decision(Verdict.BROKEN, folder.kind, folder.path, identifier, folder, here, folder.broken)
    if here is not None and here.identifier not in claims and _same_folder(here, folder):
        reason = "its metadata documents were deleted; they were made anew with the same identifier"
        return Decision(Verdict.REMADE, folder.kind, folder.path, here.identifier, folder, here, reason)
    return Decision(Verdict.NEW, folder.kind, folder.path, "", folder)


def _claimed(
    identifier: str, folders: list[FolderFound], known: PlaceRow | None, registered: str | None
) -> list[Decision]:
    original = folders[0] if len(folders) == 1 else _original(folders, known, registered)
    if original is None:
        paths = " and ".join(repr(f.path) for f in folders)
        reason = (
            f"{paths} hold the same identifier {identifier} and nothing tells which is the original; "
            f"delete the {METADATA} folder of the copy, and it gets an identity of its own."
        )
        return [Decision(Verdict.ASK, f.kind, f.path, identifier, f, known, reason) for f in folders]
    decisions = [_the_original(identifier, original, known, registered)]
    decisions += [
        Decision(Verdict.COPIED, f.kind, f.path, "", f, known, identifier) for f in folders if f is not original
    ]
    return decisions


def _original(folders: list[FolderFound], known: PlaceRow | None, registered: str | None) -> FolderFound | None:
    if known is not None:
        same = [f for f in folders if (f.dev, f.ino) == (known.dev, known.ino)]
        if len(same) == 1:
            return same[0]
    path = registered or (known.path if known is not None else None)
    at_path = [f for f in folders if f.path == path]
    if at_path:
        return at_path[0]
    by_age = sorted(folders, key=lambda f: f.age_ns)
    return by_age[0] if by_age[1].age_ns - by_age[0].age_ns > _AGE_NS else None


def _the_original(identifier: str, folder: FolderFound, known: PlaceRow | None, registered: str | None) -> Decision:
    if known is None:
        moved = registered is not None and registered != folder.path
        verdict = Verdict.MOVED if moved else Verdict.ADOPTED
    elif known.path != folder.path:
        verdict = Verdict.MOVED
    elif known.gone:
        verdict = Verdict.RETURNED
    else:
        verdict = Verdict.REMADE if folder.incomplete else Verdict.SAME
    return Decision(verdict, folder.kind, folder.path, identifier, folder, known)
