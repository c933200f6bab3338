"""One read, and the checksums it gives."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from ingest.processes import ReadingProcesses
from ingest.readers import Readers
from ingest.reading import Facts, Throttle, read_file
from ingest.rows import PlaceRow, Stamp


def facts_of(path: Path, *, md5: bool) -> Facts:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        stamp = Stamp.of(os.lstat(path))
        facts = read_file(folder, os.fsencode(path.name), stamp, Throttle(None), md5=md5)
    finally:
        os.close(folder)
    assert isinstance(facts, Facts)
    return facts


@pytest.mark.parametrize("size", [0, 1, 70_000, (5 << 20) + 3])
def test_both_checksums_are_of_the_same_bytes(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "x").write_bytes(data)
    with_md5, without = facts_of(tmp_path / "x", md5=True), facts_of(tmp_path / "x", md5=False)
    assert with_md5.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert with_md5.sha256 == hashlib.sha256(data).hexdigest()
    assert without == with_md5._replace(md5="")


def test_the_processes_that_help_make_it_too(tmp_path: Path) -> None:
    folder = tmp_path / "p_A" / "set"
    folder.mkdir(parents=True)
    names = [f"f{i}" for i in range(3_000)]
    for name in names:
        (folder / name).write_text(name)
    info = os.stat(folder)
    place = PlaceRow(1, "dataset", "p_A/set", info.st_dev, info.st_ino, "x", gone=False)
    processes = ReadingProcesses()
    readers = Readers(tmp_path, Throttle(None), threading.Event(), lambda: False, processes=processes, md5=True)
    try:
        stamps = {os.fsencode(name): Stamp.of(os.lstat(folder / name)) for name in names}
        results = [*readers.read(place, stamps), *readers.rest()]
    finally:
        readers.close()
        processes.close()
    found = {read.path.decode(): read.result.md5 for read in results if isinstance(read.result, Facts)}
    assert found == {name: hashlib.md5(name.encode(), usedforsecurity=False).hexdigest() for name in names}
