"""What on disk is not as the newest recorded version has it: the way everything is made up for, whatever was missed."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import orjson

from ingest.documents import decode_path
from ingest.errors import DocumentError
from ingest.layout import METADATA, Layout
from ingest.provenance import credentials, ours
from ingest.provenance.data import pointers
from ingest.provenance.notes import FileStamp, remember, remembered
from ingest.provenance.repository import Heads, Repository, batch_check, recorded, tree_blobs
from ingest.provenance.waiting import raw_objects_there

_log = logging.getLogger("fairfolder.provenance")

_PORTION_BYTES, _PORTION_PATHS = 100_000_000, 20_000
_MANY_GROUPS = 200
_RACY_NS = 2_000_000_000  # a file changed this shortly before it was read may change again under the same stamp


@dataclass(frozen=True)
class Difference:
    """A path whose text on disk (None: gone) is not the recorded blob ("": none); ``apart``: that is not in the tip.

    ``now`` is the blob of that text, and ``stamp`` what its file was like before it was read.
    """

    path: str
    text: bytes | None
    blob: str
    apart: bool
    now: str = ""
    stamp: FileStamp | None = None


Groups = dict[tuple[str, str, str], list[Difference]]

JustRead = Mapping[str, tuple[FileStamp, str]]
"""Path → what its file was like before it was read, and the blob its text is."""


def expanded(repository: Repository, heads: Heads, paths: Sequence[str]) -> list[str]:
    """The files that some paths stand for: folders give what is in them on disk, and what was recorded in them."""
    layout, folders, gone = repository.layout, [], []
    for path in paths:
        try:
            mode = os.lstat(f"{repository.root}/{path}").st_mode
        except OSError:
            mode = 0
        if not ours.is_ours(path, layout) or stat.S_ISDIR(mode):
            folders.append(path)
        elif not mode:
            gone.append(path)
    if gone and heads.tip:
        kinds = batch_check(repository, [f"{heads.tip}:{p}" for p in gone])
        folders += [p for p, (_, kind) in zip(gone, kinds, strict=True) if kind == "tree"]
    known = frozenset(folders)
    found = dict.fromkeys(p for p in paths if p not in known)
    for folder in folders:
        found |= dict.fromkeys(ours.files_below(repository.root, folder, layout))
    if folders:
        for commit in (heads.tip, heads.apart):
            found |= dict.fromkeys(p for p in tree_blobs(repository, commit, folders) if ours.is_ours(p, layout))
    return list(found)


def moved_along(repository: Repository, heads: Heads, moved: Sequence[tuple[str, str]]) -> list[str]:
    """Everything of ours that was recorded below folders, where it was and where it is now (``old``, ``new`` or "")."""
    found: dict[str, None] = {}
    for old, new in moved:
        below = [p for p in tree_blobs(repository, heads.tip, [old]) if ours.is_ours(p, repository.layout)]
        found |= dict.fromkeys(below)
        if new:
            found |= dict.fromkeys(new + p.removeprefix(old) for p in below)
    return list(found)


def portions(root: Path, paths: Sequence[str]) -> Iterator[list[str]]:
    """The paths in as many parts as their texts fit into memory one by one."""
    part: list[str] = []
    size = 0
    for path in paths:
        part.append(path)
        with suppress(OSError):
            size += os.lstat(root / path).st_size
        if size >= _PORTION_BYTES or len(part) >= _PORTION_PATHS:
            yield part
            part, size = [], 0
    if part:
        yield part


def differences(
    repository: Repository, heads: Heads, paths: Sequence[str], kept: Mapping[str, bytes] | None = None
) -> list[Difference]:
    """Those of some paths that are not as recorded, and ours: other people's DVC and ignore files are theirs.

    Args:
        kept: texts that count in the place of what is on disk now.
    """
    known = recorded(repository, heads, paths)
    stamps: dict[str, FileStamp | None] = {}
    kept = kept or {}

    def stamped() -> Iterator[str]:
        for path in paths:
            if path not in kept:
                stamps[path] = _stamp_if_there(f"{repository.root}/{path}")
                yield path

    found = []
    former = ((path, kept[path]) for path in paths if path in kept)
    for path, text in chain(former, ours.texts(repository.root, stamped())):
        in_tip, apart = known[path]
        blob = in_tip or apart
        now = "" if text is None else ours.blob_id(repository.algorithm, text)
        if path == credentials.CONFIG and text is not None and credentials.secrets_in(text):
            _log.warning("%s", credentials.withheld(repository.root))
        elif now != blob:
            found.append(Difference(path, text, blob, not in_tip and bool(apart), now, stamps.get(path)))
    foreign = _foreign(repository, found)
    return [each for each in found if each.path not in foreign] if foreign else found


def _foreign(repository: Repository, found: Sequence[Difference]) -> set[str]:
    """The paths that are not ours, neither by the text on disk nor by the recorded one."""
    asked = [d for d in found if ours.is_by_text(d.path) and not ours.says_it_is_ours(d.path, d.text)]
    old = _texts_of(repository, asked)
    return {d.path for d in asked if not ours.says_it_is_ours(d.path, old.get(d.blob))}


def _texts_of(repository: Repository, found: Sequence[Difference]) -> dict[str, bytes | None]:
    """The recorded text of each by its blob; None for one that a damaged history lost."""
    blobs = sorted({d.blob for d in found if d.blob})
    return dict(zip(blobs, raw_objects_there(repository, blobs), strict=True))


def grouped(
    repository: Repository, found: Sequence[Difference], changed_by: Callable[[str, bytes | None, bytes | None], str]
) -> Groups:
    """Differences by project, dataset and who made them: one commit each."""
    old = _texts_of(repository, found)
    groups: Groups = {}
    for each in found:
        before = old.get(each.blob)
        key = (*_place(each.path, each.text or before), changed_by(each.path, before, each.text))
        groups.setdefault(key, []).append(each)
    return groups


def fewer(groups: Groups) -> Groups:
    """The same by project, or by who made them, when they are very many: a root with years of records is adopted."""
    for keep in (1, 0):
        if len(groups) > _MANY_GROUPS:
            wider: Groups = {}
            for (project, _, by), group in groups.items():
                wider.setdefault((project if keep else "", "", by), []).extend(group)
            groups = wider
    return groups


def _place(path: str, text: bytes | None) -> tuple[str, str]:
    """Project and dataset a path belongs to; a registry entry belongs where it says."""
    parts = path.split("/")
    if parts[:2] == [METADATA, "registry"] and text is not None:
        try:
            value = orjson.loads(text)
            parts = decode_path(str(value["path"]), value.get("path_encoding")).split("/")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return "", ""
        return parts[0], "/".join(parts) if len(parts) > 1 else ""
    if ours.is_by_text(path) and len(parts) == 2:  # project/<dataset>.dvc
        return parts[0], path.removesuffix(pointers.SUFFIX)
    at = next((i for i, part in enumerate(parts) if part in ours.FOLDERS), min(len(parts) - 1, 2))
    return (parts[0] if at else "", "/".join(parts[:2]) if at > 1 else "")


# --- everything ---------------------------------------------------------------------------------------------


def suspects(repository: Repository, heads: Heads, layout: Layout, memory: Path, just: JustRead) -> list[str]:
    """Every path of ours that may not be as recorded, on disk or in the tip, without reading what nobody touched.

    Args:
        memory: a file that remembers which blob the bytes under a file's stamp are; losing it costs reading them.
        just: what this process read itself a moment ago.

    A root that has no metadata (an empty mount point) has no suspects: nothing is taken for deleted there.
    """
    if not (repository.root / METADATA).is_dir():
        return []
    blobs = {**tree_blobs(repository, heads.apart), **tree_blobs(repository, heads.tip)}
    blobs = {p: b for p, b in blobs.items() if ours.is_ours(p, layout)}
    known = remembered(memory)
    here, found = {}, []
    for path in dict.fromkeys([*ours.on_disk(repository.root, layout), *blobs]):
        try:
            stamp = _stamp(f"{repository.root}/{path}")
        except DocumentError as error:
            _log.warning("not recorded: %s", error)
            continue
        blob = known[path][1] if stamp is not None and path in known and known[path][0] == stamp else None
        if blob is None and stamp is not None and path in just and just[path][0] == stamp[:-1]:
            blob = just[path][1]  # the next time it is read: what changed in this very moment shows then
        if blob is None and stamp is not None:
            blob = next(
                (ours.blob_id(repository.algorithm, t) for _, t in ours.texts(repository.root, [path]) if t), ""
            )
        if stamp is not None and blob:
            here[path] = (stamp, blob)
        if (blob or "") != blobs.get(path, ""):
            found.append(path)
    if here != known:
        remember(memory, here)
    return found


def _stamp_if_there(path: str) -> FileStamp | None:
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return _told(info)


def _told(info: os.stat_result) -> FileStamp:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _stamp(path: str) -> FileStamp | None:
    """What tells an unchanged file; None for one that is gone; one just changed has one that never comes again.

    Raises:
        DocumentError: when it cannot be told whether it is there.
    """
    info = ours.standing(path)
    if info is None:
        return None
    now = time.time_ns()
    return *_told(info), now if now - info.st_ctime_ns < _RACY_NS else 0


def count(repository: Repository, commit: str) -> int:
    """How many documents a commit holds."""
    return len(tree_blobs(repository, commit))
