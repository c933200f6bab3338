"""FA-27: every flipped bit, cut file and damaged object is found and told; no recorded checksum changes by it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

from ingest.provenance.data.fixity import Trouble, all_objects, verify
from ingest.provenance.data.keeping import Tracked
from ingest.reading import Throttle
from ingest.rows import Stamp
from tests.ingest.provenance.data.conftest import DATASET, Lab


def freely(size: int) -> None:
    """No rate."""


def flip(path: str, rng: random.Random) -> None:
    """One bit, unseen by the modification time."""
    info = os.stat(path)
    os.chmod(path, 0o644)
    with open(path, "r+b") as handle:
        handle.seek(at := rng.randrange(info.st_size))
        byte = handle.read(1)[0]
        handle.seek(at)
        handle.write(bytes([byte ^ 1 << rng.randrange(8)]))
    os.chmod(path, info.st_mode & 0o777)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def silently(lab: Lab, file: Tracked) -> Tracked:
    """As if the disk had done it: the stamp it was described under is the one it has now."""
    return file._replace(stamp=Stamp.of(os.lstat(lab.root / file.path)))


def test_all_damage_is_found_and_nothing_is_mended(
    by_file: Lab, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    number = count(60, 1000)
    by_file.fill({f"f{i}": rng.randbytes(1 + i * 7) for i in range(number)} | {"z.zarr/.zgroup": b"{}"})
    by_file.catch_up()
    files, cache = by_file.described(), by_file.tracker.project.cache()
    records = {path: path.read_bytes() for path in by_file.root.rglob("*.dvc") if path.is_file()}
    objects = list(all_objects(cache))
    clean = verify(by_file.root, files, freely, cache=cache, objects=objects)
    assert clean.intact
    assert clean.files == len(files)
    assert clean.objects == len(objects) == len(set(objects))

    flipped = [f.path for f in files if f.path.startswith(f"{DATASET}/f")][::2]
    for path in flipped:
        flip(str(by_file.root / path), rng)
    files = [silently(by_file, f) if f.path in flipped else f for f in files]
    cut, lost = f"{DATASET}/f{number - 1}", f"{DATASET}/z.zarr"
    os.truncate(by_file.root / cut, 3)
    (by_file.root / lost / ".zgroup").write_bytes(b"[]")
    damaged = objects[::3]
    for md5 in damaged:
        flip(cache.path_of(md5), rng)
    os.unlink(cache.path_of(objects[1]))

    report = verify(by_file.root, files, freely, cache=cache, objects=objects)
    found = {(m.path, m.trouble) for m in report.mismatches}
    expected = {(path, Trouble.DAMAGED) for path in flipped if path != cut}
    expected |= {(cut, Trouble.CHANGED), (lost, Trouble.CHANGED), (cache.path_of(objects[1]), Trouble.CACHE_MISSING)}
    expected |= {(cache.path_of(md5), Trouble.CACHE_DAMAGED) for md5 in damaged}
    assert found == expected
    assert all(m.recorded != m.found for m in report.mismatches)
    assert {path: path.read_bytes() for path in records} == records


def test_missing_and_replaced_files_are_told(by_file: Lab) -> None:
    by_file.fill({"a": b"1", "b": b"2", "c": b"3"})
    files = by_file.described()
    (by_file.root / DATASET / "a").unlink()
    (by_file.root / DATASET / "b").unlink()
    os.mkfifo(by_file.root / DATASET / "b")
    report = verify(by_file.root, files, freely)
    assert [(m.path.rpartition("/")[2], m.trouble) for m in report.mismatches] == [
        ("a", Trouble.MISSING),
        ("b", Trouble.CHANGED),
    ]
    assert all(m.words.endswith(".") for m in report.mismatches)


def test_a_touched_file_with_the_same_bytes_is_intact(by_file: Lab) -> None:
    by_file.fill({"a": b"1"})
    files = by_file.described()
    os.utime(by_file.root / DATASET / "a")
    assert verify(by_file.root, files, freely).intact


def test_reading_keeps_to_the_rate(by_file: Lab) -> None:
    by_file.fill({f"f{i}": bytes(50_000) for i in range(10)})
    throttle, began = Throttle(1_000_000), time.monotonic()
    report = verify(by_file.root, by_file.described(), throttle.spend)
    assert report.bytes == 500_000
    assert time.monotonic() - began >= 0.4  # all but the first and the last piece are waited for
