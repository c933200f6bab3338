"""The versions of one record's document: found wherever the record stood at the time, and nobody else's.

A folder is renamed and its records keep their identity; another record may take the place. So a version counts when
the registry entry of the record, as it was in the same commit, names that place, or when the text itself bears the
record's identity. What someone asks for by its commit is judged the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core import signing

from catalog.editing.targets import Target
from catalog.history import manifests
from catalog.keyset import QuestionError
from ingest import documents, revisions
from ingest.documents import COMPLETE, IDENTIFIER_KEY, INSTRUMENT, STRUCTURAL
from ingest.errors import DocumentError, FairfolderError
from ingest.layout import METADATA
from ingest.provenance import blobs, trails
from ingest.provenance.git import GitError
from ingest.provenance.repository import Repository, identity, is_revision, look, open_repository

AT_ONCE = 25
_SMALL = 128 * 1024  # bytes of a text that is read for a list
_IDENTIFIED = 8 * 1024**2  # of one that is read to know whose it is
_ENTRY = 1024**2  # of a registry entry

NONE_YET = "No history is kept of this folder: it has no git repository yet. The next change of a record begins one."
OFF = "No history is kept here: FAIRFOLDER_GIT is off."
UNREADABLE = "The history cannot be read now. Please tell an administrator, who sees on this page why."


class RevisionError(FairfolderError):
    """A version that is named and is not there."""


@dataclass(frozen=True)
class Version:
    """One version. ``path`` is where the document stood, relative to the root; ``blob`` is "" where it was removed.

    ``names`` are the folders of the projects and datasets that its commit says it is about.
    """

    commit: str
    moment: str
    by: str
    subject: str
    trigger: str
    reason: str
    blob: str
    path: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """A version's text. Where it is no document, ``problem`` says why and ``value`` is empty.

    A manifest's ``value`` is without its entries, unless its text had to be parsed as a whole.
    """

    version: Version
    raw: bytes
    value: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Page:
    """Some versions, the newest first; ``number`` counts the first from 1; ``older`` leads to the next page.

    ``beyond`` is the version before the last of them, ``trouble`` why there are none. ``fault`` says more of that,
    with places of this machine and commands: it is for those who look after it.
    """

    versions: Sequence[Version]
    number: int = 1
    older: str = ""
    beyond: Version | None = None
    trouble: str = ""
    fault: str = ""

    @property
    def last(self) -> int:
        return self.number + len(self.versions) - 1


# --- pages of versions --------------------------------------------------------------------------------------------


def page(target: Target, token: str = "", limit: int = AT_ONCE) -> Page:
    """One page of versions; a trouble with the repository is told, not raised.

    Raises:
        QuestionError: when ``token`` is none that an earlier page gave out for this document.
    """
    start, number = _place(target, token)
    try:
        found: list[Version] = []
        for each in _walk(target, start, limit + 1):
            found.append(each)
            if len(found) > limit:
                break
    except GitError as error:
        return Page((), trouble=UNREADABLE, fault=str(error))
    if not found and not token and repository(target.root) is None:
        return Page((), trouble=NONE_YET if settings.ENGINE.git.enabled else OFF)
    some, beyond = found[:limit], found[limit] if len(found) > limit else None
    older = ""
    if beyond is not None:
        older = token_after(target, some[-1], number + limit)
    return Page(tuple(some), number, older, beyond)


def token_after(target: Target, last: Version, number: int) -> str:
    """What leads to the versions before ``last``, the first of them being the ``number``-th."""
    return signing.dumps([last.commit, last.path, number], salt=_salt(target), compress=True)


def _place(target: Target, token: str) -> tuple[tuple[str, str] | None, int]:
    """Where a page begins: before which commit, and at which path; signed, for a path leads to somebody's record."""
    if not token:
        return None, 1
    try:
        commit, path, number = signing.loads(token, salt=_salt(target))
    except (signing.BadSignature, ValueError, TypeError):
        raise QuestionError(
            f"The page marker {token[:40]!r} is not one of ours; start from the newest version."
        ) from None
    return (str(commit), str(path)), int(number)


def _salt(target: Target) -> str:
    return f"catalog.history {target.kind} {target.identifier} {target.path.name}"


def newest(target: Target) -> Version | None:
    """The newest version, if any is recorded.

    Raises:
        GitError: when the repository cannot be read.
    """
    return next(_walk(target, None, 1), None)


def before(target: Target, version: Version) -> Text | None:
    """The text of the version before one, if there is one and it is a text."""
    found = next(_walk(target, (version.commit, version.path), 1), None)
    return _read(target, found) if found is not None and found.blob else None


def version(target: Target, commit: str) -> Version | None:
    """The version that stood in a commit; None when there is none of this record."""
    opened = repository(target.root)
    if opened is None or not is_revision(commit) or len(commit) < 40:
        return None
    if not is_recorded(opened, commit):
        return None
    path = _path_at(opened, target, commit) or target.relative
    found = [_version(each, path) for each in trails.versions(opened, path, limit=1, upto=commit)]
    return next(iter(_own(opened, target, found)), None)


def text(target: Target, commit: str = "") -> Text | None:
    """The text that stood in a commit, or the newest; None when there is none of this record.

    Raises:
        GitError: when the repository cannot be read.
    """
    found = version(target, commit) if commit else newest(target)
    return _read(target, found) if found is not None and found.blob else None


def resolved(root: Path, revision: str) -> str:
    """The commit a person names by its id, in full or shortened.

    Raises:
        RevisionError: when it names none, or more than one.
        GitError: when the repository cannot be read.
    """
    opened = repository(root)
    if opened is None:
        raise RevisionError(NONE_YET)
    if not is_revision(revision):
        raise RevisionError(
            f"{revision!r} is no version; name one by its commit as `history` lists it, such as 3f2a1b9c."
        )
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    answer = opened.run(*asked, check=False)
    commit = answer.out.decode().strip()
    if answer.status != 0 or not is_recorded(opened, commit):
        raise RevisionError(f"{revision!r} is no version that is recorded here; `history` lists those there are.")
    return commit


def recorded_at(root: Path, relative: str, limit: int) -> list[Version]:
    """The newest versions at a path, whoever's: of a document the index does not know, or of all in a folder.

    Raises:
        GitError: when the repository cannot be read.
    """
    opened = repository(root)
    if opened is None:
        return []
    for tip in _tips(opened):
        if found := trails.versions(opened, relative, limit=limit, upto=tip):
            return [_version(each, relative) for each in found]
    return []


def is_later(target: Target, one: Version, other: Version) -> bool:
    """Whether a version came after another."""
    opened = repository(target.root)
    if opened is None or one.commit == other.commit:
        return False
    asked = ("merge-base", "--is-ancestor", "--end-of-options", other.commit, one.commit)
    return opened.run(*asked, check=False).status == 0


def small_texts(target: Target, some: Page) -> list[Text | None]:
    """The texts of a page's versions, and of the one beyond, where they are small; None for the others."""
    opened = repository(target.root)
    wanted = [*some.versions, *([some.beyond] if some.beyond is not None else [])]
    if opened is None or not wanted:
        return []
    read = blobs.texts(opened, [each.blob or opened.nothing for each in wanted], most_bytes=_SMALL)
    return [None if raw is None else parsed(target, each, raw) for each, raw in zip(wanted, read, strict=True)]


# --- the walk through the places a record stood in ----------------------------------------------------------------


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


def _walk(target: Target, start: tuple[str, str] | None, at_once: int) -> Iterator[Version]:
    """The versions of a document, the newest first or from before one of them, through every place it stood in."""
    opened = repository(target.root)
    if opened is None:
        return
    if start is not None:
        yield from _back(opened, target, start[0], start[1], "", at_once)
        return
    for tip in _tips(opened):
        for path in _places(opened, target, tip):
            some = False
            for each in _back(opened, target, "", path, tip, at_once):
                some = True
                yield each
            if some:
                return


def _back(opened: Repository, target: Target, commit: str, path: str, upto: str, at_once: int) -> Iterator[Version]:
    while True:
        found = trails.versions(opened, path, limit=at_once, before=commit, upto=upto)
        yield from _own(opened, target, [_version(each, path) for each in found])
        if found:
            commit = found[-1].commit
        if len(found) < at_once:  # from here on it stood elsewhere, if anywhere
            earlier = _path_at(opened, target, f"{commit}^") if commit else ""
            if earlier in ("", path):
                return
            path = earlier


def _places(opened: Repository, target: Target, tip: str) -> Iterator[str]:
    """Where the newest version is to be looked for: where the document stands, else where the history has it."""
    yield target.relative
    if (recorded := _path_at(opened, target, tip)) not in ("", target.relative):
        yield recorded


def _tips(opened: Repository) -> list[str]:
    """Where the newest version of everything is, then that of what cannot stand in the same tree."""
    heads = look(opened)
    return [each for each in (heads.tip, heads.apart) if each]


def _version(each: trails.Recorded, path: str) -> Version:
    return Version(
        each.commit, each.moment, each.by, each.subject, each.trigger, each.reason, each.blob, path, each.names
    )


def is_recorded(opened: Repository, commit: str) -> bool:
    """Whether a commit belongs to what was recorded, and is not some other work in a person's own repository."""
    asked = ("merge-base", "--is-ancestor", "--end-of-options", commit)
    return any(opened.run(*asked, tip, check=False).status == 0 for tip in _tips(opened))


def _folder_and_tail(target: Target) -> tuple[str, str]:
    """The record's folder now, and the document's path within it; an instrument has no folder that is registered."""
    folder, _, tail = target.relative.partition(f"/{METADATA}/")
    return ("", "") if target.kind == INSTRUMENT else (folder, f"{METADATA}/{tail}")


def projects_at(root: Path, identifiers: Sequence[str], commits: Sequence[str]) -> dict[str, set[str]]:
    """By commit, the folders that some projects had in it, as the registry has them.

    Raises:
        GitError: when the repository cannot be read.
    """
    opened = repository(root)
    found: dict[str, set[str]] = {commit: set() for commit in commits}
    if opened is None or not identifiers:
        return found
    entries = [documents.registry_document(root, each).relative_to(root).as_posix() for each in identifiers]
    asked = [(commit, entry) for commit in found for entry in entries]
    read = blobs.texts(opened, [f"{commit}:{entry}" for commit, entry in asked], most_bytes=_ENTRY)
    for (commit, _), raw in zip(asked, read, strict=True):
        if place := _place_of(raw):
            found[commit].add(place)
    return found


def _registered(target: Target) -> str:
    """The path of the record's registry entry, which never changes."""
    identifier = target.dataset_identifier or target.project_identifier
    return documents.registry_document(target.root, identifier).relative_to(target.root).as_posix()


def _path_at(opened: Repository, target: Target, commit: str) -> str:
    """Where the document stood in a commit, as the registry had it; "" where it does not say."""
    folder, tail = _folder_and_tail(target)
    if not folder:
        return ""
    (raw,) = blobs.texts(opened, [f"{commit}:{_registered(target)}"], most_bytes=_ENTRY)
    place = _place_of(raw)
    return f"{place}/{tail}" if place else ""


def _place_of(raw: bytes | None) -> str:
    """The folder a registry entry names."""
    try:
        entry = orjson.loads(raw or b"null")
    except orjson.JSONDecodeError:
        return ""
    path = entry.get("path") if isinstance(entry, dict) else None
    return documents.decode_path(path, entry.get("path_encoding")) if isinstance(path, str) else ""


def _own(opened: Repository, target: Target, found: Sequence[Version]) -> list[Version]:
    """Those of some versions that are this record's."""
    folder, tail = _folder_and_tail(target)
    places: list[str] = []
    if folder:
        entries = blobs.texts(opened, [f"{v.commit}:{_registered(target)}" for v in found], most_bytes=_ENTRY)
        places = [f"{_place_of(raw)}/{tail}" for raw in entries]
    doubtful = [v for number, v in enumerate(found) if not places or places[number] != v.path]
    read = blobs.texts(opened, [v.blob or opened.nothing for v in doubtful], most_bytes=_IDENTIFIED)
    known = {v.commit for v, raw in zip(doubtful, read, strict=True) if raw is not None and _bears(target, raw)}
    return [v for v in found if v not in doubtful or v.commit in known or (not v.blob and target.kind == INSTRUMENT)]


def _bears(target: Target, raw: bytes) -> bool:
    """Whether a text bears the identity of a record; of an instrument, open to all, it need not be readable."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return target.kind == INSTRUMENT
    wanted = revisions.data_object(target.identifier) if target.kind == COMPLETE else target.identifier
    return isinstance(value, dict) and value.get(IDENTIFIER_KEY[target.kind]) == wanted


# --- texts --------------------------------------------------------------------------------------------------------


def _read(target: Target, version: Version) -> Text | None:
    opened = repository(target.root)
    if opened is None:
        return None
    (raw,) = blobs.texts(opened, [version.blob], most_bytes=documents.MAX_DOCUMENT_BYTES)
    return None if raw is None else parsed(target, version, raw)


def parsed(target: Target, version: Version, raw: bytes) -> Text:
    """A version's text with what it says."""
    try:
        if target.kind == STRUCTURAL and (head := manifests.head(raw)) is not None:
            return Text(version, raw, head)
        value = documents.parse(Path(version.path), raw, twice_checked=True)
        documents.etag(target.kind, value)
    except DocumentError as error:
        return Text(version, raw, problem=_plainly(error))
    except TypeError:  # what no text can be made of again
        return Text(version, raw, problem="It is nested too deeply to be read as a record.")
    return Text(version, raw, value)


def _plainly(error: FairfolderError) -> str:
    """Why a version cannot be read, without the advice on a file that stands there."""
    words = str(error).partition("; ")[0].partition(" Nothing was overwritten")[0]
    return f"{words.rstrip('.')}."
