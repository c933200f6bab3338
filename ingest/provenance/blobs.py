"""Many recorded texts read at once: one process, no checkout, no filter, nothing written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.provenance.git import GitError
from ingest.provenance.repository import Repository


@dataclass(frozen=True)
class Size:
    """A recorded text that was looked for: its object id and its bytes' number; "" and 0 where there is none."""

    blob: str
    bytes: int


def sizes(repository: Repository, names: Sequence[str]) -> list[Size]:
    """What stands under each name (``commit:path`` or an object id); links and folders count as nothing.

    Raises:
        GitError: when the repository cannot be read.
    """
    if not names:
        return []
    raw = [os.fsencode(name) for name in names]
    asked = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    out = repository.run("cat-file", asked, "-z", data=b"".join(name + b"\0" for name in raw)).out
    found: list[Size] = []
    at = 0
    for name in raw:
        # What is not there is given back as it was asked for, with the newlines in its name.
        absent = next(
            (name + words for words in (b" missing\n", b" ambiguous\n") if out.startswith(name + words, at)), b""
        )
        if absent:
            at += len(absent)
            found.append(Size("", 0))
            continue
        end = out.index(b"\n", at)
        oid, kind, size = out[at:end].decode().split(" ")
        found.append(Size(oid, int(size)) if kind == "blob" else Size("", 0))
        at = end + 1
    return found


def texts(repository: Repository, names: Sequence[str], *, most_bytes: int) -> list[bytes | None]:
    """The text under each name; None where there is none, or where it has more than ``most_bytes``.

    Raises:
        GitError: when the repository cannot be read.
    """
    known = sizes(repository, names)
    wanted = list(dict.fromkeys(each.blob for each in known if each.blob and each.bytes <= most_bytes))
    if not wanted:
        return [None] * len(known)
    out = repository.run("cat-file", "--batch", data="".join(f"{oid}\n" for oid in wanted).encode()).out
    read: dict[str, bytes] = {}
    at = 0
    for oid in wanted:
        end = out.index(b"\n", at)
        words = out[at:end].split(b" ")
        if len(words) != 3:
            raise GitError(f"The history of {repository.root} is damaged: {oid} cannot be read.")
        stop = end + 1 + int(words[2])
        read[oid] = out[end + 1 : stop]
        at = stop + 1
    return [read.get(each.blob) for each in known]
