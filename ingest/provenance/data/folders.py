"""A folder as one DVC object: a listing of its files with their MD5, itself an object whose name ends in ``.dir``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from ingest.provenance.data.pointers import DIRECTORY


class Member(NamedTuple):
    """One file of a folder: its path in it is the key it goes by."""

    md5: str
    sha256: str
    size: int


def listing(members: Mapping[str, Member]) -> tuple[str, bytes]:
    """The name (MD5 and ``.dir``) and the bytes of a folder's listing, byte for byte as DVC makes them."""
    entries = [{"md5": members[path].md5, "relpath": path} for path in sorted(members)]
    data = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest() + DIRECTORY, data


def fingerprint(files: Iterable[tuple[str, str]]) -> str:
    """The SHA-256 that stands for a folder's files, each ``(path, SHA-256)``: that of what sha256sum prints of them."""
    lines = sorted((path, f"{sha256}  ./{path}\n") for path, sha256 in files)
    return hashlib.sha256("".join(line for _, line in lines).encode()).hexdigest()


def to_bytes(members: Mapping[str, Member]) -> bytes:
    """Members as they are remembered beside the cache: DVC's own listing knows no SHA-256 and no size."""
    return orjson.dumps({path: list(member) for path, member in members.items()})


def from_bytes(raw: bytes) -> dict[str, Member] | None:
    """Members as they were remembered; None when that is not what the bytes hold."""
    try:
        value = orjson.loads(raw)
        return {path: Member(str(md5), str(sha256), int(size)) for path, (md5, sha256, size) in value.items()}
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
        return None
