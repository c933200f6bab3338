"""The versions of a data file: what its manifest said of it at each time, and where the bytes of each are.

A manifest changes with every file of its dataset, so its versions are read in portions of so many bytes; a page ends
where the portion does, and the next goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from catalog import state, words
from catalog.editing.targets import Target
from catalog.history import finding, past
from catalog.history.past import Page, Version
from catalog.history.subjects import Subject
from catalog.history.who import spoken
from catalog.models import File
from ingest import documents
from ingest.documents import STRUCTURAL
from ingest.errors import LayoutError
from ingest.layout import METADATA
from ingest.provenance import blobs
from ingest.provenance.data import versions as kept
from ingest.provenance.data.cache import Cache
from ingest.provenance.data.project import DataError, Project
from ingest.provenance.data.versions import DataVersion
from ingest.provenance.repository import Repository

AT_ONCE = 200  # versions of a manifest
_PORTION = 64 * 1024**2  # bytes of them
_POINTERS = 200  # versions of a .dvc file that are looked into
_POINTER = 1 << 20


@dataclass(frozen=True)
class FileVersion:
    """The bytes of a data file from one version of its manifest on.

    ``path`` is relative to its dataset, as recorded; ``md5`` is what DVC calls the bytes, "" where nothing was kept;
    ``kept`` says in words where they are.
    """

    version: Version
    path: str
    sha256: str
    size: int
    state: str
    md5: str = ""
    is_cached: bool = False
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
    """Some versions of a file, the newest first; ``older`` leads to where the search goes on."""

    versions: Sequence[FileVersion]
    older: str = ""
    trouble: str = ""
    remark: str = ""


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
    opened = past.repository(of.root)
    if opened is None or not some.versions:
        return FilePage((), trouble=some.trouble)
    entries = _entries(opened, some, wanted)
    looked = some.versions[: len(entries)]
    is_last = some.beyond is None and len(entries) == len(some.versions)
    ends = [at for at in range(len(entries)) if _begins(entries, at, is_last=is_last)]
    places: dict[str, Places] = {}
    found = []
    for at in ends:
        if (entry := entries[at]) is not None:
            path = str(entry.get("path", ""))
            if path not in places:  # it may have been moved
                places[path] = Places.of(of, opened, path)
            found.append(places[path].told(looked[at], entry))
    older = "" if is_last or len(looked) < 2 else past.token_after(of, looked[-2], some.number + len(looked) - 1)
    return FilePage(tuple(found), older, remark=next((each.remark for each in places.values()), ""))


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


def whole_path(of: Target, path: str) -> str:
    """A file's path below the root, of one that is recorded in a manifest."""
    return f"{of.relative.partition(f'/{METADATA}/')[0]}/{path}"


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
    return _sum(entry), entry.get("path"), entry.get("state")


def _sum(entry: Mapping[str, Any]) -> str:
    checksum = entry.get("checksum")
    return str(checksum.get("value", "")) if isinstance(checksum, dict) else ""


# --- where the bytes are ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """Bytes that were kept: when, and the commit whose ``.dvc`` file names them."""

    moment: str
    commit: str
    version: DataVersion


@dataclass(frozen=True)
class Places:
    """What DVC has of one file: its versions by their SHA-256, and of a dataset kept as a whole by their moments."""

    by_sum: Mapping[str, Kept]
    by_moment: Sequence[Kept]
    remark: str = ""

    @classmethod
    def of(cls, of: Target, opened: Repository, path: str) -> Places:
        """What the history of the ``.dvc`` files beside a file and its dataset tells."""
        dataset = of.relative.partition(f"/{METADATA}/")[0]
        whole = whole_path(of, path)
        beside, around = kept.pointer_paths(whole, dataset)
        found = [(each, texts) for each in (beside, around) if (texts := _pointers(opened, each))]
        if not found:
            return cls({}, (), "Only what the files were is recorded, not their bytes: nothing is kept with DVC here.")
        try:
            cache = Project(of.root).cache()
        except DataError as error:
            return cls({}, (), str(error))
        by_sum: dict[str, Kept] = {}
        by_moment: list[Kept] = []
        for pointer, texts in found:
            for each, text in texts:
                one = _version(pointer == beside, text, whole, dataset, cache)
                if one is not None and one.sha256:
                    by_sum.setdefault(one.sha256, Kept(each.moment, each.commit, one))
                elif one is not None:
                    by_moment.append(Kept(each.moment, each.commit, one))
        return cls(by_sum, tuple(by_moment))

    def told(self, version: Version, entry: Mapping[str, Any]) -> FileVersion:
        """A version of the file, with where its bytes are."""
        sha256 = _sum(entry)
        one = self.of_version(version, sha256)
        size = entry.get("size_bytes")
        state = str(entry.get("state", ""))
        path = str(entry.get("path", ""))
        number = size if isinstance(size, int) else 0
        if one is None:
            return FileVersion(version, path, sha256, number, state, kept="its bytes were not kept")
        is_cached = one.version.cached
        where = "in the DVC cache" if is_cached else "not in the DVC cache; a remote may have it"
        return FileVersion(version, path, sha256, number, state, one.version.md5, is_cached, where)

    def of_version(self, version: Version, sha256: str) -> Kept | None:
        """The bytes of a checksum; of a dataset kept as a whole, those kept first after the version was described."""
        if sha256 in self.by_sum:
            return self.by_sum[sha256]
        later = [each for each in self.by_moment if each.moment >= version.moment]
        return later[-1] if later else None


def _version(is_beside: bool, text: bytes, path: str, dataset: str, cache: Cache) -> DataVersion | None:
    if is_beside:
        return kept.version_beside(text, path, cache)
    return kept.version_inside(text, dataset, path, cache)


def _pointers(opened: Repository, path: str) -> list[tuple[Version, bytes]]:
    """A ``.dvc`` file's versions with their texts, the newest first."""
    found = [each for each in past.recorded_at(opened.root, path, _POINTERS) if each.blob]
    texts = blobs.texts(opened, [each.blob for each in found], most_bytes=_POINTER)
    return [(each, raw) for each, raw in zip(found, texts, strict=True) if raw is not None]
