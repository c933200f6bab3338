"""Mutated, truncated and random files of every format: valid JSON, bounded time, and the service lives (FA-73)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy
import openpyxl
import pydicom
import pytest
import tifffile
from astropy.io import fits
from PIL import Image
from scipy.io import netcdf_file

from ingest import formats
from tests.ingest.formats.engine import describe
from tests.ingest.formats.test_containers import _pdf
from tests.ingest.formats.test_sequences import FASTA, FASTQ, VCF, _bam, bgzf

SECONDS_A_FILE = 60


def _image(kind: str) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).save(out, kind)
    return out.getvalue()


def _saved(write: Callable[[Path], Any], folder: Path) -> bytes:
    path = folder / "seed"
    write(path)
    return path.read_bytes()


def _hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a/b"] = numpy.zeros((3, 4))
        file["a/b"].attrs["units"] = "K"
        file["names"] = ["x", "y"]
        file.create_dataset("c", (10, 10), chunks=(5, 5), compression="gzip", data=numpy.ones((10, 10)))


def _netcdf(path: Path) -> None:
    with netcdf_file(path, "w") as file:
        file.createDimension("x", 4)
        file.createVariable("v", "f", ("x",)).units = "m"


def _xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([1, 2])
    with path.open("wb") as file:
        book.save(file)


def _nifti(path: Path) -> None:
    nibabel.Nifti1Image(numpy.zeros((2, 3, 4), "int16"), numpy.eye(4)).to_file_map(
        {"image": nibabel.FileHolder(str(path)), "header": nibabel.FileHolder(str(path))}
    )


def _fits(path: Path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("a", "D", array=numpy.zeros(3))])
    with path.open("wb") as file:
        fits.HDUList([fits.PrimaryHDU(numpy.zeros((3, 4))), table]).writeto(file)


def _npz(path: Path) -> None:
    with path.open("wb") as file:
        numpy.savez_compressed(file, a=numpy.zeros(3), b=numpy.zeros((2, 2)))


def _npy(path: Path) -> None:
    with path.open("wb") as file:
        numpy.save(file, numpy.zeros((3, 4)))


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", b"text" * 50)
        archive.writestr("c.csv", b"a,b\n1,2\n")


def _tar(path: Path) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("é" * 80, "b.txt"):
            member = tarfile.TarInfo(name)
            member.size = 600
            archive.addfile(member, io.BytesIO(b"x" * 600))


def _dicom(path: Path) -> None:
    shipped = Path(pydicom.__file__).parent / "data" / "test_files" / "MR_small.dcm"
    path.write_bytes(shipped.read_bytes())


WAV = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0\x44\xac\0\0\x10\xb1\2\0\4\0\x10\0data\x08\0\0\0" + bytes(8)
TABLE = b'id,name,when\n1,"a ""b""",2026-01-05\n2,"c\nd",2026-01-06\n3,e,2026-01-07\n'
SEEDS: dict[str, Callable[[Path], bytes]] = {
    "png": lambda folder: _image("PNG"),
    "jpg": lambda folder: _image("JPEG"),
    "gif": lambda folder: _image("GIF"),
    "tif": lambda folder: _saved(
        lambda path: tifffile.imwrite(path, numpy.zeros((3, 9, 8), "uint16"), photometric="minisblack"), folder
    ),
    "bigtif": lambda folder: _saved(lambda path: tifffile.imwrite(path, numpy.zeros((9, 8)), bigtiff=True), folder),
    "h5": lambda folder: _saved(_hdf5, folder),
    "nc": lambda folder: _saved(_netcdf, folder),
    "pdf": lambda folder: _pdf(2),
    "dcm": lambda folder: _saved(_dicom, folder),
    "xlsx": lambda folder: _saved(_xlsx, folder),
    "nii": lambda folder: _saved(_nifti, folder),
    "fits": lambda folder: _saved(_fits, folder),
    "npz": lambda folder: _saved(_npz, folder),
    "npy": lambda folder: _saved(_npy, folder),
    "zip": lambda folder: _saved(_zip, folder),
    "tar": lambda folder: _saved(_tar, folder),
    "wav": lambda folder: WAV,
    "fastq": lambda folder: FASTQ.encode(),
    "fasta": lambda folder: FASTA.encode(),
    "vcf": lambda folder: VCF.encode(),
    "fastq.gz": lambda folder: gzip.compress(FASTQ.encode()),
    "vcf.gz": lambda folder: bgzf(VCF.encode()),
    "bam": lambda folder: _bam("@HD\tVN:1.6\n@PG\tID:x\n", 3),
    "csv": lambda folder: TABLE,
    "csv.bz2": lambda folder: bz2.compress(TABLE),
    "tsv.xz": lambda folder: lzma.compress(TABLE.replace(b",", b"\t")),
    "tar.gz": lambda folder: gzip.compress(_saved(_tar, folder)),
    "json": lambda folder: b'[{"a": 1, "b": [1.5, null]}, {"a": 2}]',
    "jsonl": lambda folder: b'{"a": 1}\n{"a": 2}\n',
    "xml": lambda folder: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a xmlns="urn:x"><b>&b;</b></a>',
    "txt": lambda folder: "Zeile eins\nÜber zwei\n".encode(),
}


def mutate(content: bytes, rng: random.Random) -> bytes:
    """One to eight changes: bytes, bits, runs of extreme numbers, pieces cut, doubled, moved, or the end cut off."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if not data:
            break
        at = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(len(data), 600))
        length = rng.choice((1, 2, 4, 8, 16, 64))
        kind = rng.randrange(7)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[at : at + length] = rng.choice((b"\xff", b"\0", b"\x7f", b"\x80")) * length
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            data[at:at] = data[at : at + length]
        elif kind == 5:
            data[at : at + length] = rng.randbytes(length)
        else:
            del data[max(at, 1) :]
    return bytes(data)


@pytest.mark.parametrize("suffix", SEEDS)
def test_the_files_that_are_mutated_are_sound(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(SEEDS[suffix](tmp_path))
    facts = describe(path)
    assert facts["mime_type"] != "application/octet-stream"
    assert facts["extraction"]["warnings"] == []
    assert facts.get("dimensions") or facts.get("number_of_records") or facts.get("instrument_metadata")


@pytest.mark.parametrize("suffix", SEEDS)
@pytest.mark.timeout(0)
def test_mutated_files_keep_their_plain_facts(
    tmp_path: Path, suffix: str, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    seed = SEEDS[suffix](tmp_path)
    path = tmp_path / f"a.{suffix}"
    for _ in range(count(12, 1_000)):
        content = mutate(seed, rng)
        path.write_bytes(content)
        assert describe(path)["mime_type"]


@pytest.mark.parametrize("suffix", SEEDS)
def test_every_truncation_keeps_its_plain_facts(
    tmp_path: Path, suffix: str, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    seed = SEEDS[suffix](tmp_path)
    path = tmp_path / f"a.{suffix}"
    lengths = [0, 1, 2, 3, 4, 7, 8, 12, *(rng.randrange(len(seed)) for _ in range(count(10, 500)))]
    for length in lengths:
        path.write_bytes(seed[:length])
        assert describe(path)["mime_type"]


def test_any_start_of_a_known_format_is_survived(
    tmp_path: Path, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    from ingest.formats import registry

    path = tmp_path / "a"
    starts = [signature.start for signature in registry.SIGNATURES] + list(registry.WRAPPER_STARTS.values())
    for _ in range(count(2, 100)):
        for start in starts:
            path.write_bytes(start + rng.randbytes(rng.choice((0, 5, 200, 70_000))))
            assert describe(path)["mime_type"]


def test_the_main_process_keeps_no_open_files(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    _hdf5(path)
    describe(path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        describe(path)
    formats.shutdown()
    describe(path)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
