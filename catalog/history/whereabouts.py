"""Where the documents of one record stood at each time, and the walk back through all of these places.

A folder is renamed and its records keep their identity; another record may take the place. So a version counts when
the registry entry of the record, as it was in the same commit, names that place, or when the text itself bears the
record's identity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

import orjson

from catalog.editing.targets import Target
from ingest import documents, revisions
from ingest.documents import ADMINISTRATIVE, COMPLETE, IDENTIFIER_KEY, INSTRUMENT, PROJECT
from ingest.layout import METADATA
from ingest.provenance import blobs, trails
from ingest.provenance.repository import Repository, batch_check, identity, look, open_repository
from ingest.provenance.trails import Version

_IDENTIFIED = 8 * 1024**2  # bytes of a text that is read to know whose it is
_ENTRY = 1024**2  # of a registry entry
_ENTRIES = 100  # versions of a registry entry in which an earlier place is looked for
_LOOKED_AT = 5  # versions of a folder's own document in which its identity is looked for


@dataclass(frozen=True)
class Trail:
    """What is followed: one document of a record, or all documents of one.

    Attributes:
        relative: where it stands now, or stood last.
        kind: of the document that bears the record's ``identifier``, which stands at ``own`` below its folder.
        entry: the record's registry entry, which never moves; "" for an instrument, whose folder nobody registers.
        tail: the rest of every path it stood at, below the record's folder.
    """

    relative: str
    kind: str
    identifier: str
    entry: str = ""
    tail: str = ""
    own: str = ""

    @property
    def is_one_document(self) -> bool:
        """Whether the versions are those of the very document that bears the identity."""
        return self.own == self.tail

    def bears(self, raw: bytes) -> bool:
        """Whether a text bears the record's identity; of an instrument, open to all, it need not be readable."""
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return self.kind == INSTRUMENT
        return isinstance(value, dict) and value.get(IDENTIFIER_KEY[self.kind]) == self.identifier


def trail(target: Target) -> Trail:
    """What leads through the versions of a document."""
    _, _, inner = target.relative.partition(f"/{METADATA}/")
    bearing = revisions.data_object(target.identifier) if target.kind == COMPLETE else target.identifier
    if target.kind == INSTRUMENT:
        return Trail(target.relative, target.kind, bearing)
    tail = f"{METADATA}/{inner}"
    return Trail(target.relative, target.kind, bearing, registered(target), tail, tail)


def trail_of_folder(opened: Repository, folder: str) -> Trail | None:
    """What leads through the versions of all documents of the record in a folder; None when none is recorded there."""
    kind = ADMINISTRATIVE if "/" in folder else PROJECT
    own = f"{METADATA}/{kind}.json"
    for tip in tips(opened):
        some = trails.versions(opened, f"{folder}/{own}", limit=_LOOKED_AT, upto=tip)
        names = [each.blob or f"{each.commit}^:{each.path}" for each in some]
        for raw in blobs.texts(opened, names, most_bytes=_IDENTIFIED):
            if identifier := _identifier(kind, raw):
                entry = _entry_path(opened.root, identifier)
                return Trail(f"{folder}/{METADATA}", kind, identifier, entry, METADATA, own)
    return None


def _identifier(kind: str, raw: bytes | None) -> str:
    try:
        value = orjson.loads(raw or b"null")
    except orjson.JSONDecodeError:
        return ""
    found = value.get(IDENTIFIER_KEY[kind]) if isinstance(value, dict) else None
    # It becomes part of a path: nothing else does.
    return found if isinstance(found, str) and PurePath(found).name == found else ""


# --- the repository -----------------------------------------------------------------------------------------------


def repository(root: Path) -> Repository | None:
    """The repository of a root, opened once for as long as it is the same one; None when there is none.

    Raises:
        GitError: when git refuses it, with what mends that.
    """
    known = identity(root)
    return None if known is None else _opened(root, known)


@lru_cache(maxsize=32)
def _opened(root: Path, known: tuple[int, int, int]) -> Repository | None:
    return open_repository(root, make=False)


def tips(opened: Repository) -> list[str]:
    """Where the newest version of everything is, then that of what cannot stand in the same tree."""
    heads = look(opened)
    return [each for each in (heads.tip, heads.apart) if each]


def is_recorded(opened: Repository, commit: str) -> bool:
    """Whether a commit belongs to what was recorded, and is not some other work in a person's own repository."""
    asked = ("merge-base", "--is-ancestor", "--end-of-options", commit)
    return any(opened.run(*asked, tip, check=False).status == 0 for tip in tips(opened))


# --- the walk -----------------------------------------------------------------------------------------------------


def walk(opened: Repository, of: Trail, start: tuple[str, str] | None, at_once: int) -> Iterator[Version]:
    """The versions, the newest first or from before one of them (its commit and its path), ``at_once`` read at a time.

    Raises:
        GitError: when the repository cannot be read.
    """
    if start is not None:
        commit, path = start
        yield from _back(opened, of, commit, _just_before(opened, of, commit, path), "", at_once)
        return
    for tip in tips(opened):
        for path in dict.fromkeys((of.relative, place_in(opened, of, tip))):
            some = False
            for each in _back(opened, of, "", path, tip, at_once) if path else ():
                some = True
                yield each
            if some:
                return


def _back(opened: Repository, of: Trail, commit: str, path: str, upto: str, at_once: int) -> Iterator[Version]:
    been: set[tuple[str, str]] = set()
    while (commit, path) not in been:
        been.add((commit, path))
        found = trails.versions(opened, path, limit=at_once, before=commit, upto=upto)
        first = next((number for number, each in enumerate(found, 1) if each.is_new), 0)
        stay = found[:first] if first else found
        yield from own(opened, of, stay)
        commit = stay[-1].commit if stay else commit
        if first:  # what stood at this path before that may have been another record, while this one stood elsewhere
            path = place_in(opened, of, f"{commit}^") or path
        elif len(found) < at_once:  # from here on it stood elsewhere, if anywhere
            path = _earlier_place(opened, of, commit, path) or path


def _just_before(opened: Repository, of: Trail, commit: str, path: str) -> str:
    """Where it stood before a commit that has it at a path."""
    ((stood, _),) = batch_check(opened, [f"{commit}^:{path}"])
    return path if stood else place_in(opened, of, f"{commit}^") or path


def _earlier_place(opened: Repository, of: Trail, commit: str, path: str) -> str:
    """Another place its registry entry named before a commit, the last one; "" when it names none.

    The entry need not have changed in the commit that moved the document: who renames a folder and edits in it at the
    same time is followed in several steps.
    """
    if not of.entry or not commit:
        return ""
    some = trails.versions(opened, of.entry, limit=_ENTRIES, before=commit)
    read = blobs.texts(opened, [each.blob or opened.nothing for each in some], most_bytes=_ENTRY)
    places = (f"{place}/{of.tail}" for raw in read if (place := named(raw)))
    return next((each for each in places if each != path), "")


def place_in(opened: Repository, of: Trail, commit: str) -> str:
    """Where it stood in a commit, as the registry had it; "" where that does not say."""
    if not of.entry:
        return ""
    (raw,) = blobs.texts(opened, [f"{commit}:{of.entry}"], most_bytes=_ENTRY)
    place = named(raw)
    return f"{place}/{of.tail}" if place else ""


def own(opened: Repository, of: Trail, found: Sequence[Version]) -> list[Version]:
    """Those of some versions that are this record's."""
    places = [""] * len(found)
    if of.entry:
        entries = blobs.texts(opened, [f"{v.commit}:{of.entry}" for v in found], most_bytes=_ENTRY)
        places = [f"{place}/{of.tail}" if (place := named(raw)) else "" for raw in entries]
    doubtful = [v for v, place in zip(found, places, strict=True) if place != v.path and not _went_on(of, v, place)]
    read = blobs.texts(opened, [_bearing(of, v) for v in doubtful], most_bytes=_IDENTIFIED)
    known = {v.commit for v, raw in zip(doubtful, read, strict=True) if raw is not None and of.bears(raw)}
    return [v for v, place in zip(found, places, strict=True) if place == v.path or v.commit in known]


def _went_on(of: Trail, version: Version, place: str) -> bool:
    """Whether a document was taken from its place because its record stands elsewhere: it is no end of it."""
    return of.is_one_document and not version.blob and bool(place)


def _bearing(of: Trail, version: Version) -> str:
    """The name of the text that tells whose a version is: of what was removed, that of the version before it."""
    if version.blob and of.is_one_document:
        return version.blob
    path = version.path.removesuffix(of.tail) + of.own if of.tail else version.path
    return f"{version.commit}:{path}" if version.blob else f"{version.commit}^:{path}"


# --- the registry -------------------------------------------------------------------------------------------------


def registered(target: Target) -> str:
    """The path of a record's registry entry, which never changes."""
    return _entry_path(target.root, target.dataset_identifier or target.project_identifier)


def _entry_path(root: Path, identifier: str) -> str:
    return documents.registry_document(root, identifier).relative_to(root).as_posix()


def named(raw: bytes | None) -> str:
    """The folder a registry entry names; "" where it names none."""
    try:
        entry = orjson.loads(raw or b"null")
    except orjson.JSONDecodeError:
        return ""
    path = entry.get("path") if isinstance(entry, dict) else None
    return documents.decode_path(path, entry.get("path_encoding")) if isinstance(path, str) else ""


def projects_at(root: Path, identifiers: Sequence[str], commits: Sequence[str]) -> dict[str, set[str]]:
    """By commit, the folders that some projects had in it, as the registry has them.

    Raises:
        GitError: when the repository cannot be read.
    """
    opened = repository(root)
    found: dict[str, set[str]] = {commit: set() for commit in commits}
    if opened is None or not identifiers:
        return found
    entries = [_entry_path(root, each) for each in identifiers]
    asked = [(commit, entry) for commit in found for entry in entries]
    read = blobs.texts(opened, [f"{commit}:{entry}" for commit, entry in asked], most_bytes=_ENTRY)
    for (commit, _), raw in zip(asked, read, strict=True):
        if place := named(raw):
            found[commit].add(place)
    return found
