"""gzip, bzip2, xz, Zstandard, tar and ZIP: against the standard library's own readers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import zstandard

from tests.ingest.formats.engine import axes, describe, describe_bytes, variables, warnings

TABLE = b"id,value\n" + b"".join(b"%d,%d.5\n" % (n, n) for n in range(400))
PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gz": ("application/gzip", gzip.compress),
    "bz2": ("application/x-bzip2", bz2.compress),
    "xz": ("application/x-xz", lzma.compress),
    "zst": ("application/zstd", zstandard.ZstdCompressor().compress),
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_inside_is_described(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv.{suffix}"
    path.write_bytes(PACKERS[suffix][1](TABLE))
    facts = describe(path)
    assert (facts["mime_type"], facts["compression"]) == ("text/csv", PACKERS[suffix][0])
    assert (facts["number_of_records"], variables(facts)) == (400, {"id": "integer", "value": "number"})
    assert warnings(facts) == []


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_what_is_inside_is_counted_to_its_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv.{suffix}"
    rows = b"".join(b"%d,%d\n" % (n, random.Random(n).getrandbits(60)) for n in range(60_000))
    path.write_bytes(PACKERS[suffix][1](b"id,value\n" + rows))
    assert path.stat().st_size > 65_536
    assert describe(path)["number_of_records"] == 60_000


def test_members_one_after_the_other_are_one_content(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n") + b"\0" * 512)
    assert describe(path)["number_of_records"] == 2


def test_unknown_content_keeps_the_wrapper_s_name() -> None:
    facts = describe_bytes("a.gz", gzip.compress(bytes(range(256)) * 10))
    assert (facts["mime_type"], facts["compression"]) == ("application/octet-stream", "application/gzip")
    assert facts["format"]["name"] == "gzip"


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_costs_bounded_time_and_memory(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bomb.txt.{suffix}"
    path.write_bytes(PACKERS[suffix][1](b"0123456789abcde\n" * (1 << 16)) * 70)
    facts = describe(path)
    assert facts["mime_type"] == "text/plain"
    assert "number_of_records" not in facts
    assert warnings(facts) == [
        "the number of records was left out: the file is larger than 8 MB compressed or 64 MB unpacked"
    ]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("large", [False, True])
def test_compressed_data_that_is_cut_off_says_so(tmp_path: Path, suffix: str, large: bool) -> None:
    rows = b"".join(b"%d,%d\n" % (n, random.Random(n).getrandbits(60)) for n in range(60_000 if large else 600))
    packed = PACKERS[suffix][1](rows)
    path = tmp_path / f"t.csv.{suffix}"
    path.write_bytes(packed[: len(packed) - 20])
    facts = describe(path)
    assert "number_of_records" not in facts
    assert warnings(facts) == ["extract failed: the compressed data ends too early: the file is cut off"]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_a_flipped_bit_is_noticed(tmp_path: Path, suffix: str) -> None:
    packed = bytearray(PACKERS[suffix][1](TABLE * 500))
    packed[-30] ^= 0x10
    path = tmp_path / f"t.csv.{suffix}"
    path.write_bytes(packed)
    assert any("the compressed data" in warning for warning in warnings(describe(path)))


def _tar(members: dict[str, int], form: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, size in members.items():
            member = tarfile.TarInfo(name)
            member.size = size
            archive.addfile(member, io.BytesIO(b"x" * size))
    return out.getvalue()


MEMBERS = {f"plate/well_{n:03d}.tif": n * 37 for n in range(200)} | {"notes.txt": 0, "README": 513}
LONG = "é" * 90 + ".csv"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2"])
@pytest.mark.parametrize("chunk", [1 << 20, 65_536, 700])
def test_tar_members_are_those_tarfile_reads(tmp_path: Path, form: int, suffix: str, chunk: int) -> None:
    path = tmp_path / f"plate.tar{suffix}"
    members = MEMBERS if form == tarfile.USTAR_FORMAT else MEMBERS | {LONG: 1}
    content = _tar(members, form)
    path.write_bytes(PACKERS[suffix[1:]][1](content) if suffix else content)
    with tarfile.open(path) as archive:
        files = [member for member in archive if member.isfile()]
    facts = describe(path, chunk)
    assert facts["mime_type"] == "application/x-tar"
    found = axes(facts)
    assert (found["files"], found["unpacked size"]) == (len(files), sum(member.size for member in files))
    assert (found["files .tif"], found["files without extension"]) == (200, 1)
    assert found.get("files .csv", 0) == (LONG in members)
    assert warnings(facts) == []


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil"])
def test_members_that_point_outside_are_named_as_a_danger(name: str) -> None:
    assert "outside" in warnings(describe_bytes("a.tar", _tar({name: 1}, tarfile.PAX_FORMAT)))[0]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"x")
    assert "outside" in warnings(describe_bytes("a.zip", out.getvalue()))[0]


def test_a_tar_that_is_cut_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(_tar(MEMBERS, tarfile.PAX_FORMAT)[:100_300])
    assert warnings(describe(path)) == ["the archive ends inside a member: it is cut off"]


@pytest.mark.parametrize("members", [0, 1, 500, 70_000])
def test_zip_members_are_those_zipfile_reads(tmp_path: Path, members: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(members):
            archive.writestr(f"folder/{number}.txt", b"x" * (number % 7))
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    facts = describe(path)
    assert facts["mime_type"] == "application/zip"
    assert (facts["number_of_records"], axes(facts)["unpacked size"]) == (members, size)
    assert axes(facts).get("files .txt", 0) == members


def test_a_zip_behind_other_bytes_is_read_from_its_end(tmp_path: Path) -> None:
    out = io.BytesIO()
    numpy.savez(out, first=numpy.zeros((3, 4)), second=numpy.arange(5, dtype="int16"))
    facts = describe_bytes("a.npz", out.getvalue())
    assert variables(facts) == {"first": "float64", "second": "int16"}
    assert axes(facts) == {"first[0]": 3, "first[1]": 4, "second[0]": 5}


def test_a_zip64_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("big.bin", "w", force_zip64=True) as member:
        member.write(b"x" * 10)
    assert axes(describe(path))["unpacked size"] == 10


def test_a_zip_bomb_is_only_counted(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.bin", b"\0" * (10 << 20))
    facts = describe(path)
    assert axes(facts)["unpacked size"] == 20 * (10 << 20)


def test_a_zip_that_is_cut_off_says_so() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"x" * 1000)
    assert warnings(describe_bytes("a.zip", out.getvalue()[:500])) == [
        "the ZIP archive has no end record: it is cut off"
    ]


def test_office_documents_are_told_apart() -> None:
    for member, media_type in {
        "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "META-INF/MANIFEST.MF": "application/java-archive",
    }.items():
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("[Content_Types].xml", b"")
            archive.writestr(member, b"")
        assert describe_bytes("file.zip", out.getvalue())["mime_type"] == media_type


def test_open_document_names_itself() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", b"application/vnd.oasis.opendocument.text")
    facts = describe_bytes("a", out.getvalue())
    assert facts["mime_type"] == "application/vnd.oasis.opendocument.text"


def test_gzip_of_deflate_garbage_is_plain_facts() -> None:
    facts = describe_bytes("a.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zlib.compress(b"x")[::-1] * 20)
    assert facts["compression"] == "application/gzip"
    assert "damaged" in warnings(facts)[0]
