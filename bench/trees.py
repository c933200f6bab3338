"""Trees of real, valid files in ten formats, the same bytes on every machine."""

from __future__ import annotations

import os
import random
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

SIZE = 4096
_IN_ONE_PROJECT = 50


def _rows(number: int, separator: str) -> bytes:
    rows = [separator.join(("id", "value", "name"))]
    rows += [separator.join((str(number + i), f"{i * 0.25:.2f}", f"sample {i}")) for i in range(SIZE // 8)]
    return _whole_lines("\n".join(rows).encode(), b"0")


def _whole_lines(text: bytes, filling: bytes) -> bytes:
    """The lines that fit into SIZE bytes, the last one filled up."""
    kept = text[: text.rindex(b"\n", 0, SIZE)]
    return kept + filling * (SIZE - 1 - len(kept)) + b"\n"


def _json(number: int) -> bytes:
    records = ",\n".join(f'{{"id": {number + i}, "value": {i * 0.5}}}' for i in range(120))
    return f"[{records}]".encode().ljust(SIZE - 1) + b"\n"


def _xml(number: int) -> bytes:
    items = "".join(f'<item id="{number + i}">{i}</item>' for i in range(100))
    text = f'<?xml version="1.0"?><items xmlns="https://example.org/items">{items}</items>'
    return text.encode().ljust(SIZE - 1) + b"\n"


def _text(number: int) -> bytes:
    lines = [b"Note %d" % number] + [
        b"Line %d of an ordinary text%s." % (i, b", and more" * (i % 3)) for i in range(150)
    ]
    return _whole_lines(b"\n".join(lines), b".")


def _png(number: int) -> bytes:
    noise = random.Random(number)
    pixels = b"".join(b"\0" + noise.randbytes(32 * 3) for _ in range(32))
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0))
    body = _chunk(b"IDAT", zlib.compress(pixels, 0))
    room = SIZE - 8 - len(head) - len(body) - 24
    note = _chunk(b"tEXt", b"Comment\0".ljust(room, b"."))
    return b"\x89PNG\r\n\x1a\n" + head + note + body + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _fasta(number: int) -> bytes:
    lines = [b">sequence%d.%d\n%s" % (number, i, b"ACGT" * 15) for i in range(50)]
    return _whole_lines(b"\n".join(lines), b"A")


def _fastq(number: int) -> bytes:
    record = b"@read.%08d.%02d\n%s\n+\n%s\n"
    text = b"".join(record % (number, i, b"ACGT" * 8, b"IIII" * 8) for i in range(45))
    left = SIZE - len(text) - len(record % (number, 99, b"", b""))
    name, bases = left % 2, left // 2
    return text + (record % (number, 99, b"A" * bases, b"I" * bases)).replace(b"@", b"@" + b"x" * name, 1)


def _npy(number: int) -> bytes:
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (496,), }".ljust(117) + b"\n"
    return (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack("<496d", *range(number, number + 496))
    )


def _wav(number: int) -> bytes:
    sound = random.Random(number).randbytes(SIZE - 44)
    head = b"RIFF" + struct.pack("<I", SIZE - 8) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    return head + b"data" + struct.pack("<I", len(sound)) + sound


FORMATS: tuple[tuple[str, Callable[[int], bytes]], ...] = (
    ("csv", lambda number: _rows(number, ",")),
    ("tsv", lambda number: _rows(number, "\t")),
    ("json", _json),
    ("xml", _xml),
    ("txt", _text),
    ("png", _png),
    ("fasta", _fasta),
    ("fastq", _fastq),
    ("npy", _npy),
    ("wav", _wav),
)
"""Extension and content of each format: always :data:`SIZE` bytes, different ones for each number."""


def content(number: int) -> tuple[str, bytes]:
    """Extension and bytes of file `number`."""
    extension, make = FORMATS[number % len(FORMATS)]
    return extension, make(number)


def dataset_path(root: Path, number: int) -> Path:
    """Where dataset `number` of a tree lies."""
    return root / f"p_bench{number // _IN_ONE_PROJECT}" / f"dataset_{number:04}"


def plant(root: Path, datasets: int, files_each: int) -> None:
    """A tree of datasets in projects of up to 50, each with so many files of 4 KiB that mix the ten formats."""
    for number in range(datasets):
        folder = dataset_path(root, number)
        folder.mkdir(parents=True)
        fill(folder, number * files_each, files_each)


def fill(folder: Path, first: int, count: int) -> list[Path]:
    """Writes the files `first` … `first + count - 1` into a folder that is there."""
    made = []
    for number in range(first, first + count):
        extension, data = content(number)
        path = folder / f"f{number:07}.{extension}"
        path.write_bytes(data)
        made.append(path)
    return made


def plant_large(root: Path, files: int, size: int) -> None:
    """One dataset of large files of random bytes, `size` bytes each."""
    folder = dataset_path(root, 0)
    folder.mkdir(parents=True)
    block = os.urandom(1 << 20)
    for number in range(files):
        with (folder / f"large_{number:03}.bin").open("wb") as out:
            for start in range(0, size, len(block)):
                out.write(struct.pack("<QQ", number, start) + block[16 : min(len(block), size - start)])


def forget(root: Path, state: Path) -> None:
    """Removes everything the service made of a tree: all records and the state folder. The data stay."""
    found = [Path(folder) / ".metadata" for folder, names, _ in os.walk(root) if ".metadata" in names]
    for path in [*found, state]:
        shutil.rmtree(path, ignore_errors=True)
