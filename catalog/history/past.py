"""The versions of one record's document: found wherever the record stood at the time, and nobody else's.

What someone asks for by its commit is judged the same way; see :mod:`catalog.history.whereabouts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import signing

from catalog.editing.targets import Target
from catalog.history import manifests
from catalog.history.whereabouts import is_recorded, own, place_in, repository, tips, trail, trail_of_folder, walk
from catalog.keyset import QuestionError
from ingest import documents
from ingest.documents import STRUCTURAL
from ingest.errors import DocumentError, FairfolderError
from ingest.layout import METADATA
from ingest.provenance import blobs, trails
from ingest.provenance.git import GitError
from ingest.provenance.repository import is_revision
from ingest.provenance.trails import Version

AT_ONCE = 25
_GONE = 3  # versions in which one with a text is looked for
_READABLE = 20  # in which one that can be read is
_SMALL = 128 * 1024  # bytes of a text that is read for a list

NONE_YET = "No history is kept of this folder: it has no git repository yet. The next change of a record begins one."
OFF = "No history is kept here: FAIRFOLDER_GIT is off."
UNREADABLE = "The history cannot be read now. Please tell an administrator, who sees on this page why."


class RevisionError(FairfolderError):
    """A version that is named and is not there."""


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
        found = list(islice(_walk(target, start, limit + 1), limit + 1))
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
    """The text of the version before one, if there is one; a time when the document was gone is passed over."""
    earlier = islice(_walk(target, (version.commit, version.path), _GONE), _GONE)
    found = next((each for each in earlier if each.blob), None)
    return _read(target, found) if found is not None else None


def newest_readable(target: Target) -> Text | None:
    """The newest version that says something, among the newest few.

    Raises:
        GitError: when the repository cannot be read.
    """
    some = islice(_walk(target, None, _GONE), _READABLE)
    read = (_read(target, each) for each in some if each.blob)
    return next((each for each in read if each is not None and not each.problem), None)


def version(target: Target, commit: str) -> Version | None:
    """The version that stood in a commit; None when there is none of this record."""
    opened = repository(target.root)
    if opened is None or not is_revision(commit) or len(commit) < 40:
        return None
    if not is_recorded(opened, commit):
        return None
    of = trail(target)
    # Documents and their registry entry need not have moved in one commit.
    for path in dict.fromkeys((place_in(opened, of, commit), target.relative)):
        found = trails.versions(opened, path, limit=1, upto=commit) if path else []
        if ours := own(opened, of, found):
            return ours[0]
    return None


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


def recorded_in(root: Path, folder: str, limit: int) -> list[Version]:
    """The newest versions of all documents of the record in a folder, wherever the folder stood.

    Raises:
        GitError: when the repository cannot be read.
    """
    opened = repository(root)
    of = trail_of_folder(opened, folder) if opened is not None else None
    if opened is None or of is None:
        return recorded_at(root, f"{folder}/{METADATA}", limit)
    return list(islice(walk(opened, of, None, limit), limit))


def recorded_at(root: Path, relative: str, limit: int) -> list[Version]:
    """The newest versions at a path, whoever's: of a document the index does not know, or of everything.

    Raises:
        GitError: when the repository cannot be read.
    """
    opened = repository(root)
    if opened is None:
        return []
    found = (trails.versions(opened, relative, limit=limit, upto=tip) for tip in tips(opened))
    return next((some for some in found if some), [])


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


def _walk(target: Target, start: tuple[str, str] | None, at_once: int) -> Iterator[Version]:
    opened = repository(target.root)
    return iter(()) if opened is None else walk(opened, trail(target), start, at_once)


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
        return Text(version, raw, problem=plainly(error))
    except TypeError:  # what no text can be made of again
        return Text(version, raw, problem="It is nested too deeply to be read as a record.")
    return Text(version, raw, value)


def plainly(error: FairfolderError) -> str:
    """Why a version cannot be read, without the advice on a file that stands there."""
    words = str(error).partition("; ")[0].partition(" Nothing was overwritten")[0]
    return f"{words.rstrip('.')}."
