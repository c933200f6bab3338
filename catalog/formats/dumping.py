"""The dump of everything public, made ahead by the indexer a little at a time, in ``<STATE_DIR>/dumps/``.

Each record is a gzip member of its own: members one after the other are a gzip file, and what is as it was is copied.
Beside a dump stands which records it gives whole, so that none is given after one of them was closed; and which version
of the program made it, since a later one may hold back more.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson
from django.conf import settings

from catalog import rights
from catalog.formats import rendered
from catalog.models import Published
from catalog.publishing.site import Site
from ingest.publication import PUBLISHED

log = logging.getLogger(__name__)
BEFORE, AFTER, RECORDS = "catalog-", ".nq.gz", ".json"  # between them, the ETag
_LOOK_SECONDS = 0.1
_PAUSE = 5.0  # between two dumps, so that many changes at once are one
_AFTER_TROUBLE = 60.0
_AT_ONCE = 50


def folder() -> Path:
    """Where the dumps are."""
    return Path(settings.FAIRFOLDER_STATE_DIR) / "dumps"


def etag(known: Mapping[str, str], here: Site) -> str:
    """Of a dump of these records, by the etag of each."""
    told = hashlib.sha256(orjson.dumps(known, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return rendered.name_of(told, "dump", here)[:32]


def current(here: Site) -> str:
    """The ETag of a dump of what is public now."""
    return etag(dict(rights.published().values_list("identifier", "etag")), here)


def path(tag: str) -> Path:
    """Where the dump of this ETag is, if it is."""
    return folder() / f"{BEFORE}{tag}{AFTER}"


def may_be_given(tag: str) -> bool:
    """Whether every record that a dump gives whole is still published: what was closed since is in none."""
    whole = _whole(tag)
    return whole is not None and whole <= set(
        rights.published().filter(state=PUBLISHED).values_list("identifier", flat=True)
    )


def _whole(tag: str) -> frozenset[str] | None:
    """The records a dump gives whole; None where that cannot be read, or another version of the program made it."""
    try:
        told = orjson.loads((folder() / f"{BEFORE}{tag}{RECORDS}").read_bytes())
        return frozenset(told["whole"]) if told["edition"] == rendered.edition() else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _is_there(tag: str) -> bool:
    return path(tag).exists() and _whole(tag) is not None


@dataclass
class Dumping:
    """Makes the dump anew when something changed; no look takes longer than a moment, so that nothing else waits."""

    here: Site
    is_behind: bool = True
    due: float = 0.0
    going: Iterator[None] | None = None

    def look(self, *, rows_changed: bool) -> None:
        """Goes on with the dump that is being made, or begins one that is due."""
        self.is_behind = self.is_behind or rows_changed
        now = time.monotonic()
        if self.going is None and (not self.is_behind or now < self.due):
            return
        try:
            if self.going is None:
                self.is_behind, self.going = False, _building(self.here)
            while time.monotonic() < now + _LOOK_SECONDS:
                if next(self.going, self) is self:
                    self.going, self.due = None, time.monotonic() + _PAUSE
                    return
        except OSError as error:
            log.error("the dump of what is public cannot be made: %s", error)
            self.going, self.is_behind, self.due = None, True, time.monotonic() + _AFTER_TROUBLE


def build(here: Site) -> None:
    """Makes the dump at once, where it is not there."""
    for _ in _building(here):
        pass


def _building(here: Site) -> Iterator[None]:
    """A step for each record; they are as they are when each is written, which may be later than when it began."""
    identifiers = sorted(rights.published().values_list("identifier", flat=True))
    if not identifiers or _is_there(current(here)):
        return
    folder().mkdir(mode=0o700, exist_ok=True)
    draft, listed = (folder() / f".{secrets.token_hex(8)}" for _ in range(2))
    written: dict[str, str] = {}
    whole: list[str] = []
    try:
        with draft.open("wb") as file:
            for row in _rows(identifiers):
                file.write(_member(row, here))
                written[row.identifier] = row.etag
                if row.state == PUBLISHED:
                    whole.append(row.identifier)
                yield
            _settle(file)
        made = path(etag(written, here))
        with listed.open("wb") as file:
            file.write(orjson.dumps({"edition": rendered.edition(), "whole": whole}))
            _settle(file)
        os.replace(listed, made.with_name(f"{BEFORE}{etag(written, here)}{RECORDS}"))
        os.replace(draft, made)
    finally:
        draft.unlink(missing_ok=True)
        listed.unlink(missing_ok=True)
    _tidy(made)


def _settle(file: BinaryIO) -> None:
    """Nothing gets its name before its bytes are on the disk: half a dump would be given as a whole one."""
    file.flush()
    os.fsync(file.fileno())


def _rows(identifiers: list[str]) -> Iterator[Published]:
    for start in range(0, len(identifiers), _AT_ONCE):
        yield from rights.published().filter(identifier__in=identifiers[start : start + _AT_ONCE])


def _tidy(made: Path) -> None:
    """Drops the dumps before this one, and what a killed process left."""
    kept = made.name.removesuffix(AFTER)
    for old in folder().iterdir():
        if not old.name.startswith(f"{kept}."):
            with suppress(OSError):
                old.unlink()


def _member(row: Published, here: Site) -> bytes:
    """A record's part; nothing of one that cannot be drawn, which keeps no other from being told."""
    try:
        return rendered.kept(row.etag, "dump", here, lambda: _compressed(row, here))
    except Exception:  # the others are told all the same
        log.exception("%s is left out of the dump, it cannot be drawn", row.identifier)
        return b""


def _compressed(row: Published, here: Site) -> bytes:
    # Here: a plain page does not pay for the RDF engine.
    from catalog.graph.quads import record_quads
    from catalog.graph.serialising import text

    return gzip.compress(text(record_quads(row.value, here), "nquads"), 6, mtime=0)
