"""HDF5, NetCDF-4, PDF and XLSX, read in the worker: against h5py, pypdf's writer and openpyxl."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy
import openpyxl
import pypdf
import pytest

from tests.ingest.formats.engine import axes, describe, describe_bytes, variables, warnings


def test_datasets_have_names_shapes_types_and_units(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry/data"] = numpy.zeros((3, 4), ">f4")
        file["entry/data"].attrs["units"] = "counts"
        file["entry/data"].attrs["operator"] = "Jane Doe"
        file["names"] = ["a", "b"]
        file["scalar"] = 1
        file["table"] = numpy.zeros(5, [("x", "f8"), ("y", "i2")])
        file["linked"] = h5py.SoftLink("/entry/data")
        file["outside"] = h5py.ExternalLink("/etc/passwd", "/x")
        file["again"] = file["entry/data"]
        file["entry/loop"] = file["entry"]
    facts = describe(path)
    assert facts["mime_type"] == "application/x-hdf5"
    assert facts["number_of_records"] == 4
    found = variables(facts)
    assert sorted(found.values()) == ["compound(x, y)", "float32", "int64", "string"]
    assert axes(facts)["/table[0]"] == 5
    assert [row["unit"] for row in facts["variables"] if "unit" in row] == ["counts"]
    assert "Jane" not in str(facts)
    assert warnings(facts) == []


@pytest.mark.parametrize("block", [512, 1024, 2048])
def test_a_file_with_a_user_block_is_hdf5(tmp_path: Path, block: int) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=block) as file:
        file["x"] = [1]
    with path.open("r+b") as raw:
        raw.write(b"\x01\x02MATLAB 7.3 MAT-file\0")
    facts = describe(path)
    assert (facts["mime_type"], axes(facts)) == ("application/x-hdf5", {"/x[0]": 1})


def test_netcdf4_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with h5py.File(path, "w") as file:
        file.attrs["_NCProperties"] = "version=2,netcdf=4.9.2,hdf5=1.14"
        file["tas"] = numpy.zeros((2, 3))
    facts = describe(path)
    assert (facts["mime_type"], facts["format"]["name"]) == ("application/x-netcdf", "NetCDF-4")


def test_eight_declared_terabytes_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (2**40,), "f8", chunks=(1024,))
        file.create_dataset("endless", (0,), "f8", maxshape=(None,), chunks=(8,))
    assert path.stat().st_size < 10_000
    facts = describe(path)
    assert axes(facts) == {"/huge[0]": 2**40, "/endless[0]": 0}


def test_many_datasets_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(700):
            file[f"d{number}"] = number
    facts = describe(path)
    assert (facts["number_of_records"], len(facts["variables"])) == (700, 200)
    assert warnings(facts) == ["only the first 200 of 700 datasets are described"]


def test_deep_groups_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["/".join("g" * 200) + "/d"] = 1
    assert warnings(describe(path)) == ["groups more than 50 deep were left out"]


def _pdf(pages: int, password: str = "") -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    writer.add_metadata({"/Author": "Jane Doe", "/Title": "Secret"})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("pages", [1, 2, 250])
def test_pdf_pages(tmp_path: Path, pages: int) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(_pdf(pages))
    facts = describe(path)
    assert (facts["mime_type"], axes(facts)) == ("application/pdf", {"pages": pages})
    assert facts["format"]["version"] == "1.3"
    assert "Jane" not in str(facts)


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(_pdf(3, "secret"))
    assert warnings(describe(path)) == ["the PDF is encrypted: its pages were not counted"]


LOOPS = [
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
    b"trailer<</Root 1 0 R>>",
    b"%PDF-1.4\n1 0 obj 1 0 R endobj\ntrailer<</Root 1 0 R>>",
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 9999999999999999999999>>"
    b"endobj\ntrailer<</Root 1 0 R>>",
    b"%PDF-1.7\n" + b"[" * 100_000,
    b"%PDF-1.7\n" + b"<<" * 50_000,
    b"%PDF-1.7\nstartxref\n9\n%%EOF",
]


@pytest.mark.parametrize("content", LOOPS)
def test_a_pdf_that_loops_ends(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    facts = describe(path)
    assert facts["mime_type"] == "application/pdf"


def test_sheets_and_their_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Plate 1"
    for row in range(7):
        book.active.append([row, "Jane Doe", row * 2])
    book.create_sheet("Empty")
    book.save(path)
    facts = describe(path)
    assert facts["mime_type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    found = axes(facts)
    assert (found["sheets"], found["Plate 1: rows"], found["Plate 1: columns"]) == (2, 7, 3)
    assert "Jane" not in str(facts)
    assert warnings(facts) == []


def test_a_sheet_without_a_stated_dimension_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Log")
    for row in range(3_000):
        sheet.append([row] * 28)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        assert b"<dimension" not in archive.read("xl/worksheets/sheet1.xml")
    assert axes(describe(path)) == {"sheets": 1, "Log: rows": 3_000, "Log: columns": 28}


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b "c">]><workbook/>'),
        ("xl/workbook.xml", "<workbook><sheets>"),
        ("xl/workbook.xml", '<!DOCTYPE a SYSTEM "file:///etc/passwd"><workbook/>'),
        ("xl/_rels/workbook.xml.rels", "\xff\xfe"),
        ("xl/worksheets/sheet1.xml", "<worksheet>" + "<a>" * 300_000),
    ],
)
def test_a_hostile_workbook_is_named(tmp_path: Path, part: str, text: str) -> None:
    source, path = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    openpyxl.Workbook().save(source)
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(path, "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, text if name == part else archive.read(name))
    facts = describe(path)
    assert facts["mime_type"].endswith("spreadsheetml.sheet")
    assert warnings(facts)


def test_a_reader_that_is_not_installed_is_named_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest import formats
    from ingest.formats import sandbox

    (tmp_path / "missing_reader.py").write_text("def extract(fd, size, facts):\n    import no_such_reader\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(sandbox.JOBS, "pdf", "missing_reader")
    formats.shutdown()
    path = tmp_path / "a.pdf"
    path.write_bytes(_pdf(1))
    facts = describe(path)
    formats.shutdown()
    assert facts["mime_type"] == "application/pdf"
    assert warnings(facts) == [
        "not described: no_such_reader is not installed; .venv/bin/pip install '.[formats]' mends it"
    ]


def test_readers_inside_a_compressed_file_are_left_out() -> None:
    import gzip

    facts = describe_bytes("a.pdf.gz", gzip.compress(_pdf(1)))
    assert (facts["mime_type"], facts["compression"]) == ("application/pdf", "application/gzip")
    assert warnings(facts) == ["the content was not described: it is inside a compressed file"]
