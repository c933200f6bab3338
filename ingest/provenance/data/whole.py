"""A dataset's folder as one tracked thing: which files it has, remembered beside the cache, and what changes them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import orjson

from ingest.provenance.data.cache import Cache, Look, checksums
from ingest.provenance.data.comparing import Behind
from ingest.provenance.data.folders import Member, fingerprint, from_bytes, listing, to_bytes
from ingest.provenance.data.keeping import Kept, Tracked
from ingest.provenance.data.pointers import Pointer
from ingest.provenance.data.scratch import made, scratch

_REMEMBERED = "fairfolder.listings"


def members_of(cache: Cache, pointer: Pointer, look: Look) -> dict[str, Member]:
    """The files of a tracked folder. If they are no longer remembered, their objects in the cache are read once more.

    Raises:
        StoppedError: from ``look``.
    """
    try:
        remembered = from_bytes((cache.folder / _REMEMBERED / pointer.md5).read_bytes())
    except OSError:
        remembered = None
    if remembered is not None and _fits(remembered, pointer):
        return remembered
    return _read_again(cache, pointer, look)


def _fits(members: Mapping[str, Member], pointer: Pointer) -> bool:
    return fingerprint((path, member.sha256) for path, member in members.items()) == pointer.sha256


def _read_again(cache: Cache, pointer: Pointer, look: Look) -> dict[str, Member]:
    """What can be had of a listing; a file whose object is not there, or not whole, counts as not tracked."""
    members = {}
    for path, md5 in entries(cache, pointer.md5).items():
        with suppress(OSError), open(cache.path_of(md5), "rb") as handle:
            found, sha256, size = checksums(handle.fileno(), look)
            if found == md5:
                members[path] = Member(md5, sha256, size)
    return members


def held(cache: Cache, members: Mapping[str, Member]) -> dict[str, Member]:
    """Those members whose objects are in the cache."""
    return {path: member for path, member in members.items() if cache.holds(member.md5, member.size)}


def entries(cache: Cache, md5: str) -> dict[str, str]:
    """Path → MD5 of a listing in the cache; none where there is no such listing, or it cannot be read."""
    try:
        value = orjson.loads(Path(cache.path_of(md5)).read_bytes())
        return {str(entry["relpath"]): str(entry["md5"]) for entry in value}
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return {}


def changed(
    members: Mapping[str, Member], dataset: str, kept: list[Kept], gone: set[str], moved: Mapping[str, str]
) -> dict[str, Member]:
    """The files of a folder after what happened; paths of ``kept``, ``gone`` and ``moved`` are relative to the root."""
    inside = f"{dataset}/"
    renamed = {old.removeprefix(inside): new.removeprefix(inside) for old, new in moved.items()}
    stores = {file.file.path.removeprefix(inside) for file in kept}
    leaving = {path.removeprefix(inside) for path in gone} | stores
    after: dict[str, Member] = {}
    for path, member in members.items():
        old = next((own for own in own_and_above(path) if own in renamed), None)
        if old is not None:
            after[renamed[old] + path[len(old) :]] = member
        elif not any(own in leaving for own in own_and_above(path)):
            after[path] = member
    for one in kept:
        path = one.file.path.removeprefix(inside)
        if one.members is None:
            after[path] = Member(one.md5, one.file.sha256, one.size)
        else:
            after |= {f"{path}/{inner}": member for inner, member in one.members.items()}
    return after


def behind(
    members: Mapping[str, Member], dataset: str, described: Iterable[Tracked], unlisted: Iterable[str]
) -> Behind:
    """What is to be done in a dataset tracked as a whole; ``unlisted`` are folders, relative to the root, not seen."""
    stores: dict[str, list[tuple[str, str]]] = {}
    for path, member in members.items():
        for store in own_and_above(path)[1:]:
            stores.setdefault(store, []).append((path[len(store) + 1 :], member.sha256))
    sums = {path: member.sha256 for path, member in members.items()}
    sums |= {store: fingerprint(files) for store, files in stores.items()}
    inside, missing, here = f"{dataset}/", [], set()
    for file in described:
        path = file.path.removeprefix(inside)
        here.add(path)
        if sums.get(path) != file.sha256:
            missing.append(file)
    unseen = tuple(f"{folder}/" for folder in unlisted)
    gone = [inside + path for path in members if not here.intersection(own_and_above(path))]
    return Behind(missing, [path for path in gone if not (unseen and path.startswith(unseen))])


def own_and_above(path: str) -> list[str]:
    """The path and the folders it is in: one of them may be a Zarr store, which comes and goes as a whole."""
    found = [path]
    while ".zarr/" in path:
        path = path[: path.rindex(".zarr/") + len(".zarr")]
        found.append(path)
    return found


def keep_listing(cache: Cache, name: str, members: Mapping[str, Member], before: str) -> Pointer:
    """A folder's listing is in the cache, durably, and remembered in place of the one ``before``; what points to it.

    Raises:
        OSError: when it cannot be written.
    """
    md5, data = listing(members)
    with cache.filling() as filling:
        filling.put(data, md5)
        filling.land()
    _remember(cache, md5, members, before)
    sums = fingerprint((path, member.sha256) for path, member in members.items())
    return Pointer(name, md5, sum(member.size for member in members.values()), sums, len(members))


def _remember(cache: Cache, md5: str, members: Mapping[str, Member], before: str) -> None:
    """Not made durable: lost or torn, it is read again from the objects."""
    with suppress(OSError):
        home: Path = made(cache.folder / _REMEMBERED)
        with scratch(cache.folder) as bench:
            fd = os.open("listing", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=bench)
            with open(fd, "wb") as handle:
                handle.write(to_bytes(members))
            os.replace("listing", home / md5, src_dir_fd=bench)
        if before and before != md5:
            os.unlink(home / before)
