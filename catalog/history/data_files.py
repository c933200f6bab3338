"""The versions of a data file: what its manifest said of it at each time, and where the bytes of each are.

A manifest changes with every file of its dataset, so its versions are read in portions of so many bytes; a page ends
where the portion does, and the next goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from catalog import state, words
from catalog.editing.targets import Target
from catalog.history import finding, past, whereabouts
from catalog.history.past import Page
from catalog.history.subjects import Subject
from catalog.history.who import spoken
from catalog.models import File
from ingest import documents
from ingest.documents import STRUCTURAL
from ingest.errors import LayoutError
from ingest.layout import METADATA
from ingest.provenance import blobs, reaching
from ingest.provenance.data import versions as kept
from ingest.provenance.data.cache import Cache
from ingest.provenance.data.project import DataError, Project
from ingest.provenance.data.versions import DataVersion
from ingest.provenance.repository import Repository
from ingest.provenance.trails import Version

AT_ONCE = 200  # versions of a manifest
_PORTION = 64 * 1024**2  # bytes of them
_POINTERS = 200  # versions of a .dvc file that are looked into
_POINTER = 1 << 20


@dataclass(frozen=True)
class FileVersion:
    """The bytes of a data file from one version of its manifest on.

    ``path`` is relative to its dataset, as recorded; ``md5`` is what DVC calls the bytes, "" where that is not known;
    ``may_be_had`` is false where nothing was kept; ``kept`` says in words where they are.
    """

    version: Version
    path: str
    sha256: str
    size: int
    state: str
    md5: str = ""
    is_cached: bool = False
    may_be_had: bool = False
    kept: str = ""

    @property
    def line(self) -> str:
        """The version in one line."""
        head = f"{self.version.commit[:12]}  {self.version.moment}  {spoken(self.version.by)}"
        return f"{head}: {words.exact_size(self.size)}, SHA-256 {self.sha256}, {self.state}; {self.kept}"

    def as_json(self) -> dict[str, Any]:
        own = {key: each for key, each in asdict(self).items() if key != "version"}
        return {**own, **{key: getattr(self.version, key) for key in ("commit", "moment", "by", "subject", "reason")}}


@dataclass(frozen=True)
class FilePage:
    """Some versions of a file, the newest first; ``older`` leads to where the search goes on.

    ``fault`` says more of a trouble or a remark, with places of this machine: it is for those who look after it.
    """

    versions: Sequence[FileVersion]
    older: str = ""
    trouble: str = ""
    remark: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which entry of a manifest: by its identity, and by its path (as recorded) where no identity is known."""

    identifier: str
    path: str

    def entry(self, raw: bytes) -> dict[str, Any] | None:
        """The entry in a manifest's text; only its own line is parsed."""
        own = f'"file_identifier":"{self.identifier}"'.encode() if self.identifier else b""
        at = raw.find(own or b'{"path":' + orjson.dumps(self.path) + b",")
        if at < 0:
            return None
        start, end = raw.rfind(b"\n", 0, at) + 1, raw.find(b"\n", at)
        try:
            value = orjson.loads(raw[start : end if end >= 0 else len(raw)].rstrip(b","))
        except orjson.JSONDecodeError:  # a manifest somebody wrote in another form
            return self._among(raw)
        return value if isinstance(value, dict) else None

    def _among(self, raw: bytes) -> dict[str, Any] | None:
        try:
            entries = orjson.loads(raw)["file_descriptions"]
            some = [each for each in entries if isinstance(each, dict)]
        except (orjson.JSONDecodeError, TypeError, KeyError):
            return None
        key, sought = ("file_identifier", self.identifier) if self.identifier else ("path", self.path)
        return next((each for each in some if each.get(key) == sought), None)


def page(of: Target, wanted: Wanted, token: str = "", at_once: int = AT_ONCE) -> FilePage:
    """The versions of one file in some versions of its manifest.

    Raises:
        QuestionError: when ``token`` is none of ours.
        GitError: when the repository cannot be read.
    """
    some = past.page(of, token, at_once)
    opened = whereabouts.repository(of.root)
    if opened is None or not some.versions:
        return FilePage((), trouble=some.trouble, fault=some.fault)
    entries = _entries(opened, some, wanted)
    looked = some.versions[: len(entries)]
    is_last = some.beyond is None and len(entries) == len(some.versions)
    ends = [at for at in range(len(entries)) if _begins(entries, at, is_last=is_last)]
    described = [(looked[at], entry) for at in ends if (entry := entries[at]) is not None]
    places = Places.of(of, opened, described)
    found = [places.told(version, entry) for version, entry in described]
    older = "" if is_last or len(looked) < 2 else past.token_after(of, looked[-2], some.number + len(looked) - 1)
    return FilePage(tuple(found), older, remark=places.remark, fault=places.fault)


def all_of(of: Target, wanted: Wanted, limit: int) -> list[FileVersion]:
    """The newest versions of one file, however many of its manifest that takes."""
    found: list[FileVersion] = []
    token = ""
    while len(found) < limit:
        here = page(of, wanted, token)
        found += here.versions
        token = here.older
        if not token:
            break
    return found[:limit]


def of_path(of: Subject, limit: int) -> list[FileVersion]:
    """The newest versions of the data file at a path.

    Raises:
        LayoutError: when the index knows no dataset there.
        GitError: when the repository cannot be read.
    """
    target, wanted = entry_of(of)
    return all_of(target, wanted, limit)


def entry_of(of: Subject) -> tuple[Target, Wanted]:
    """The manifest that describes the data file at a path, and its entry there.

    Raises:
        LayoutError: when the index knows no dataset there.
    """
    project, dataset, inner = of.relative.split("/", 2)
    document = f"{project}/{dataset}/{METADATA}/{STRUCTURAL}.json"
    target = finding.at(of.root, document) if state.is_current() else None
    if target is None:
        raise LayoutError(f"{of.shown!r} is in no dataset that is known here; describe it first with: reconcile")
    place = documents.encode_path(inner)
    rows = File.objects.filter(dataset__identifier=target.identifier, path=place["path"])
    identifiers = rows.filter(path_encoding=place.get("path_encoding", "")).values_list("identifier", flat=True)
    return target, Wanted(identifiers.first() or "", place["path"])


def whole_path(document: str, path: str) -> str:
    """A file's path below the root, of one that is recorded in the manifest at a path."""
    return f"{_dataset(document)}/{path}"


def _dataset(document: str) -> str:
    """The folder of the dataset a document belongs to."""
    return document.partition(f"/{METADATA}/")[0]


def _entries(opened: Repository, some: Page, wanted: Wanted) -> list[dict[str, Any] | None]:
    """The file's entry in each version, the newest first, as far as the portion reaches (two versions at least)."""
    sizes = blobs.sizes(opened, [each.blob or opened.nothing for each in some.versions])
    found: list[dict[str, Any] | None] = []
    left = _PORTION
    for batch in _batches(list(zip(some.versions, sizes, strict=True))):
        left -= sum(size.bytes for _, size in batch)
        if left < 0 and len(found) >= 2:
            break
        names = [each.blob or opened.nothing for each, _ in batch]
        texts = blobs.texts(opened, names, most_bytes=documents.MAX_DOCUMENT_BYTES)
        found += [None if raw is None else wanted.entry(raw) for raw in texts]
    return found


def _batches(all_: list[tuple[Version, blobs.Size]]) -> Iterator[list[tuple[Version, blobs.Size]]]:
    """Versions together that are small together: only one batch is in memory."""
    batch: list[tuple[Version, blobs.Size]] = []
    held = 0
    for each in all_:
        if batch and held + each[1].bytes > _PORTION // 8:
            yield batch
            batch, held = [], 0
        batch.append(each)
        held += each[1].bytes
    if batch:
        yield batch


def _begins(entries: Sequence[Mapping[str, Any] | None], at: int, *, is_last: bool) -> bool:
    """Whether a version of the file begins with a version of the manifest: the one before says something else of it."""
    if at + 1 == len(entries):
        return is_last
    return entries[at] is not None and _compared(entries[at]) != _compared(entries[at + 1])


def _compared(entry: Mapping[str, Any] | None) -> object:
    if entry is None:
        return None
    return checksum(entry), entry.get("path"), entry.get("state")


def checksum(entry: Mapping[str, Any]) -> str:
    """The SHA-256 an entry of a manifest tells; "" where it tells none."""
    found = entry.get("checksum")
    return str(found.get("value", "")) if isinstance(found, dict) else ""


# --- where the bytes are ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """Bytes that were kept: when, the commit whose ``.dvc`` file names them, and the file's path in that commit."""

    moment: str
    commit: str
    path: str
    version: DataVersion


@dataclass
class Places:
    """What DVC has of one file: its versions by their SHA-256, and those of a dataset kept as a whole, newest first.

    ``remark`` says why there is nothing, ``fault`` the same with its details.
    """

    cache: Cache | None = None
    read: int = 0  # bytes of objects
    has_remote: bool = False
    by_sum: dict[str, Kept] = field(default_factory=dict)
    in_listings: list[Kept] = field(default_factory=list)
    remark: str = ""
    fault: str = ""

    @classmethod
    def of(cls, of: Target, opened: Repository, described: Sequence[tuple[Version, Mapping[str, Any]]]) -> Places:
        """What the history of the ``.dvc`` files tells, beside the file and its dataset, wherever they stood.

        A dataset that was renamed had them at its former place, and what was kept after that names the present one.
        """
        entries = [entry for _, entry in described]
        stood = [(version.path, str(entry.get("path", ""))) for version, entry in described]
        stood += [(of.relative, str(entry.get("path", ""))) for entry in entries]
        found = [
            (pointer, is_beside, dataset, whole)
            for dataset, whole in dict.fromkeys((_dataset(document), whole_path(document, p)) for document, p in stood)
            for pointer, is_beside in zip(kept.pointer_paths(whole, dataset), (True, False), strict=True)
        ]
        texts = {pointer: _pointers(opened, pointer) for pointer in dict.fromkeys(each[0] for each in found)}
        if not any(texts.values()):
            return cls(remark="Only what the files were is recorded, not their bytes: nothing is kept with DVC here.")
        try:
            places = cls(Project(of.root).cache(), has_remote=_has_remote(of.root))
        except DataError as error:
            return cls(remark="The versions of data that are kept cannot be looked at now.", fault=str(error))
        for pointer, is_beside, dataset, whole in found:
            for each, text in texts[pointer]:
                places._add(each, whole, is_beside=is_beside, text=text, dataset=dataset)
        return places

    def _add(self, by: Version, whole: str, *, is_beside: bool, text: bytes, dataset: str) -> None:
        if self.cache is None:
            return
        if is_beside:
            one = kept.version_beside(text, whole, self.cache)
        else:
            one = kept.version_inside(text, dataset, whole, self.cache)
        if one is None:
            return
        found = Kept(by.moment, by.commit, whole, one)
        if one.sha256:
            self.by_sum.setdefault(one.sha256, found)
        elif all(each.version.md5 != one.md5 for each in self.in_listings):
            self.in_listings.append(found)

    def told(self, version: Version, entry: Mapping[str, Any]) -> FileVersion:
        """A version of the file, with where its bytes are."""
        one, is_sure = self.of_entry(entry, within=_READ)
        own = (version, str(entry.get("path", "")), checksum(entry), _size(entry), str(entry.get("state", "")))
        if one is None:
            remotes = self.has_remote and bool(self.of_remotes(version))
            return FileVersion(*own, may_be_had=remotes, kept=_AWAY if remotes else _NOT_KEPT)
        is_cached = one.version.cached
        away = _AWAY if self.has_remote else _NOWHERE
        where = away if not is_cached else _HERE if is_sure else _ALIKE
        may_be_had = is_cached or self.has_remote
        return FileVersion(*own, md5=one.version.md5, is_cached=is_cached, may_be_had=may_be_had, kept=where)

    def of_entry(self, entry: Mapping[str, Any], *, within: int | None = None) -> tuple[Kept | None, bool]:
        """The bytes an entry of a manifest describes, and whether that is sure.

        A listing of DVC knows no SHA-256: what it names is read, and counts if it has that of the entry. Where
        more than ``within`` bytes would be read by now the size has to do.
        """
        sha256, size = checksum(entry), _size(entry)
        if not sha256 or self.cache is None:
            return None, False
        if sha256 in self.by_sum:
            return self.by_sum[sha256], True
        for each in self.in_listings:
            if not each.version.cached or each.version.size != size:
                continue
            if within is not None and self.read + size > within:
                return each, False
            self.read += size
            if kept.sha256_of(self.cache, each.version.md5, lambda size: None) == sha256:
                self.by_sum[sha256] = each
                return each, True
        return None, False

    def of_remotes(self, version: Version) -> list[Kept]:
        """What listings name and the cache does not hold, what was kept first after a version before all others.

        What their bytes are is not known before they are fetched.
        """
        away = [each for each in self.in_listings if not each.version.cached]
        return sorted(away, key=lambda each: (each.moment < version.moment, each.moment))


def _has_remote(root: Path) -> bool:
    return bool(settings.ENGINE.data.remote) or reaching.has_dvc_remote(root)


_READ = 64 * 1024**2  # bytes of objects that are read for a page
_HERE = "in the DVC cache"
_ALIKE = "one of its size is in the DVC cache; its checksum is compared when it is brought back"
_AWAY = "not in the DVC cache; a remote may have it"
_NOT_KEPT = "its bytes were not kept"
_NOWHERE = "its bytes are not kept: the DVC cache does not have them, and no remote is set"


def _size(entry: Mapping[str, Any]) -> int:
    size = entry.get("size_bytes")
    return size if isinstance(size, int) else 0


def _pointers(opened: Repository, path: str) -> list[tuple[Version, bytes]]:
    """A ``.dvc`` file's versions with their texts, the newest first."""
    found = [each for each in past.recorded_at(opened.root, path, _POINTERS) if each.blob]
    texts = blobs.texts(opened, [each.blob for each in found], most_bytes=_POINTER)
    return [(each, raw) for each, raw in zip(found, texts, strict=True) if raw is not None]
