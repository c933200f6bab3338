"""Previews of real files of each kind, and of files that want to break out, eat memory or lead elsewhere."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import os
import shutil
import socket
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import openpyxl
import orjson
import pytest
from django.core.cache import caches
from django.test import Client
from PIL import Image
from pytest_django import Settings

from catalog import index
from catalog.models import File
from catalog.pages import previews
from ingest.formats import first_rows, sandbox, sheet_rows
from ingest.formats.compressed import Unpacker
from ingest.formats.facts import Facts
from ingest.reconcile import reconcile
from ingest.workspace import open_workspace
from tests.catalog.hostile import CORPUS, see
from tests.catalog.tree import Tree, entry, identifier

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = "p_Alpha/plate"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """And time enough: how long a page waits is the matter of one test alone."""
    monkeypatch.setattr(previews, "SECONDS", 300.0)
    caches["previews"].clear()


@pytest.fixture
def folder(tree: Tree) -> Path:
    path = tree.root / FOLDER
    path.mkdir(parents=True)
    return path


def describe(tree: Tree, settings: Settings) -> None:
    with open_workspace(tree.root, settings.ENGINE) as workspace:
        reconcile(workspace, on_recorded=index.refresh)


def shown(name: str) -> previews.Preview | None:
    row = File.objects.select_related("dataset", "document").get(path=name)
    return previews.of_file(row, orjson.loads(row.document.text))


def address(name: str) -> str:
    return f"/files/{File.objects.get(path=name).identifier}/"


def reason(name: str) -> str:
    found = shown(name)
    assert isinstance(found, previews.Nothing), found
    return found.reason


def gradient(mode: str = "RGB", size: tuple[int, int] = (1000, 700)) -> Image.Image:
    y, x = numpy.mgrid[0 : size[1], 0 : size[0]]
    return Image.fromarray(numpy.stack([x % 256, y % 256, (x + y) % 256], -1).astype("uint8")).convert(mode)


# --- pictures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "tiff", "bmp", "webp"])
def test_an_image_has_a_small_picture_of_its_own(
    reader: Client, tree: Tree, folder: Path, settings: Settings, form: str
) -> None:
    gradient().save(folder / f"image.{form}")
    describe(tree, settings)
    page = see(reader, address(f"image.{form}"))
    assert "A small picture made from the file" in page.words
    response = reader.get(f"{address(f'image.{form}')}preview")
    with Image.open(io.BytesIO(response.content)) as small:
        assert small.size == (640, 448)
        assert f"image/{(small.format or '').lower()}" == response["Content-Type"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["ETag"] == f'"{File.objects.get().checksum}"'
    again = reader.get(f"{address(f'image.{form}')}preview", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_sixteen_bit_grey_is_spread_from_black_to_white(tree: Tree, folder: Path, settings: Settings) -> None:
    values = numpy.linspace(1_000, 5_000, 300 * 200).reshape(200, 300).astype("uint16")
    for name in ("grey.tif", "grey.png"):
        Image.fromarray(values).save(folder / name)
    describe(tree, settings)
    for name in ("grey.tif", "grey.png"):
        found = shown(name)
        assert isinstance(found, previews.Picture)
        assert (found.black, found.white) == pytest.approx((1_014, 4_986), abs=3)
        with Image.open(io.BytesIO(found.content)) as small:
            assert (small.mode, small.size, small.getextrema()) == ("L", (300, 200), (0, 255))


def test_floating_point_images_with_holes_are_shown(tree: Tree, folder: Path, settings: Settings) -> None:
    values = numpy.linspace(-1.5, 2.5, 10_000).reshape(100, 100).astype("float32")
    values[10:20, 10:20] = numpy.nan
    Image.fromarray(values).save(folder / "field.tif")
    describe(tree, settings)
    found = shown("field.tif")
    assert isinstance(found, previews.Picture)
    assert found.black == pytest.approx(-1.5, abs=0.1)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_every_kind_of_pixel_is_shown(tree: Tree, folder: Path, settings: Settings, mode: str) -> None:
    gradient(mode, (90, 60)).save(folder / "image.tif")
    describe(tree, settings)
    found = shown("image.tif")
    assert isinstance(found, previews.Picture)
    assert (found.width, found.height) == (90, 60)


def test_a_picture_carries_nothing_of_the_original_but_its_pixels(tree: Tree, folder: Path, settings: Settings) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "the secret place", 6  # described, and turned by 90°
    gradient(size=(200, 100)).save(folder / "photo.jpg", exif=exif, comment=b"the secret place")
    describe(tree, settings)
    found = shown("photo.jpg")
    assert isinstance(found, previews.Picture)
    assert (found.width, found.height) == (100, 200)
    assert b"secret" not in found.content


def test_a_picture_needs_the_same_rights_as_its_file(
    client: Client, reader: Client, django_user_model: Any, tree: Tree, folder: Path, settings: Settings
) -> None:
    gradient().save(folder / "image.png")
    describe(tree, settings)
    place = f"{address('image.png')}preview"
    assert reader.get(place).status_code == 200
    assert Client().get(place).status_code == 302
    stranger = django_user_model.objects.create_user("stranger")
    from catalog.models.people import Profile, Role

    Profile.objects.update_or_create(user=stranger, defaults={"role": Role.MEMBER})
    client.force_login(stranger)
    etag = f'"{File.objects.get().checksum}"'
    assert client.get(place).status_code == 404
    assert client.get(place, headers={"If-None-Match": etag}).status_code == 404


# --- pictures that mean harm ------------------------------------------------------------------------------------


def png_of(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_size_at_once(reader: Client, tree: Tree, folder: Path, settings: Settings) -> None:
    packed = zlib.compressobj(9)
    zeros = b"".join(packed.compress(bytes(1 << 20)) for _ in range(200)) + packed.flush()
    (folder / "bomb.png").write_bytes(png_of(60_000, 60_000, zeros))
    describe(tree, settings)
    assert "60,000 × 60,000 pixels, more than 80,000,000" in reason("bomb.png")
    assert "No preview: the image has 60,000" in see(reader, address("bomb.png")).words
    see(reader, f"{address('bomb.png')}preview", 404)


def test_an_image_that_takes_too_long_is_stopped(
    tree: Tree, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (9, 9)).save(folder / "slow.png")
    describe(tree, settings)
    monkeypatch.setitem(sandbox.JOBS, "thumbnail", "tests.ingest.formats.endless")
    monkeypatch.setattr(previews, "SECONDS", 0.5)
    assert "took longer than" in reason("slow.png")


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "tiff", "webp"])
def test_a_cut_off_image_has_no_preview_and_says_so(
    reader: Client, tree: Tree, folder: Path, settings: Settings, form: str
) -> None:
    whole = io.BytesIO()
    gradient().save(whole, form)
    (folder / "image").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    describe(tree, settings)
    assert "No preview: the image is damaged or cut off" in see(reader, address("image")).words


def test_what_only_claims_to_be_an_image_is_not_shown(tree: Tree, folder: Path, settings: Settings) -> None:
    script = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script></svg>"
    (folder / "drawing.png").write_text(script)
    (folder / "head.png").write_bytes(b"\x89PNG\r\n\x1a\n<script>alert(1)</script>")
    describe(tree, settings)
    assert not isinstance(shown("drawing.png"), previews.Picture)
    assert isinstance(shown("head.png"), previews.Nothing)


def test_a_manifest_that_calls_a_script_an_image_gets_no_preview(reader: Client, tree: Tree, folder: Path) -> None:
    (folder / "page.html").write_text("<script>alert(1)</script>")
    info = (folder / "page.html").stat()
    modified = datetime.datetime.fromtimestamp(int(info.st_mtime), datetime.UTC).isoformat().replace("+00:00", "Z")
    tree.dataset(FOLDER, [entry("page.html", info.st_size, "image/png", modified_utc=modified)])
    index.refresh(tree.documents())
    assert reason("page.html") == "its content is not an image that can be shown"
    see(reader, f"{address('page.html')}preview", 404)


def test_damaged_bytes_anywhere_end_in_a_picture_or_a_reason(
    tree: Tree, folder: Path, settings: Settings, rng: Any
) -> None:
    for form in ("png", "jpeg", "gif", "tiff", "webp", "bmp"):
        whole = io.BytesIO()
        gradient(size=(60, 40)).save(whole, form)
        for number in range(6):
            broken = bytearray(whole.getvalue())
            for _ in range(rng.randrange(1, 30)):
                broken[rng.randrange(12, len(broken))] = rng.randrange(256)
            (folder / f"{form}-{number}").write_bytes(bytes(broken))
    describe(tree, settings)
    for row in File.objects.select_related("dataset", "document"):
        found = previews.of_file(row, orjson.loads(row.document.text))
        assert found is None or found.form in ("picture", "nothing", "text", "table")


def test_a_worker_that_lies_is_not_believed() -> None:
    fair = {"media_type": "image/png", "width": 1, "height": 1, "content": "iVBORw0KGgo="}
    assert previews._received(fair) is not None
    for lie in (
        {"media_type": "text/html"},
        {"media_type": "image/svg+xml"},
        {"media_type": []},
        {"content": "PHNjcmlwdD4="},
        {"content": "not base64!"},
        {"content": 7},
        {"width": 10**9},
        {"height": "1"},
        {"width": True},
    ):
        assert previews._received({**fair, **lie}) is None, lie


# --- the file itself --------------------------------------------------------------------------------------------


def test_a_file_that_changed_since_is_not_shown(tree: Tree, folder: Path, settings: Settings) -> None:
    (folder / "a.csv").write_text("a,b\n1,2\n1,2\n1,2\n")
    describe(tree, settings)
    (folder / "a.csv").write_text("a,b\nsecret,2\n")
    assert "has changed since it was described" in reason("a.csv")
    (folder / "a.csv").write_text("x,y\n3,4\n3,4\n3,4\n")
    os.utime(folder / "a.csv", (1_000_000, 1_000_000))
    assert "has changed since it was described" in reason("a.csv")
    (folder / "a.csv").unlink()
    assert reason("a.csv") == "the file is not at its place"


@pytest.mark.parametrize("where", ["file", "folder", "dataset", "project"])
def test_a_link_put_in_the_place_of_any_step_is_not_followed(
    tree: Tree, folder: Path, settings: Settings, tmp_path: Path, where: str
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.csv").write_text("a,b\n1,2\n1,2\n1,2\n")
    describe(tree, settings)
    assert isinstance(shown("sub/a.csv"), previews.Table)
    step = {"file": folder / "sub" / "a.csv", "folder": folder / "sub", "dataset": folder, "project": folder.parent}
    elsewhere = tmp_path / "elsewhere"
    shutil.move(step[where], elsewhere)
    step[where].symlink_to(elsewhere)
    assert reason("sub/a.csv") == "a link stands where the file or one of its folders was; links are never followed"


def test_pipes_sockets_and_folders_are_not_read_and_hold_nothing_up(
    tree: Tree, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pipe.txt", "socket.txt", "folder.txt"):
        (folder / name).write_text("")
        (folder / name).write_text("text\n" * 9)
    describe(tree, settings)
    for name in ("pipe.txt", "socket.txt", "folder.txt"):
        (folder / name).unlink()
    os.mkfifo(folder / "pipe.txt")
    (folder / "folder.txt").mkdir()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.txt")
        assert [reason(f"{name}.txt") for name in ("pipe", "folder")] == ["it is not a regular file"] * 2
        assert reason("socket.txt")  # to read the pipe would take for ever


@pytest.mark.parametrize(
    "path",
    [
        "../../outside.csv",
        "/etc/passwd",
        "sub/../../../outside.csv",
        "..",
        ".",
        "a//b",
        ".hidden.csv",
        ".metadata/x.csv",
    ],
)
def test_a_recorded_path_that_leads_out_is_refused(tree: Tree, folder: Path, path: str) -> None:
    (tree.root.parent / "outside.csv").write_text("a,b\n1,2\n")
    (folder / ".hidden.csv").write_text("a,b\n1,2\n")
    tree.dataset(FOLDER, [entry(path, 8, "text/csv", modified_utc=None)])
    index.refresh(tree.documents())
    assert reason(path) == "its recorded path is not that of a data file"


def test_a_name_that_is_no_text_is_read_all_the_same(tree: Tree, folder: Path, settings: Settings) -> None:
    (folder / "caf\udce9.csv").write_text("a,b\n1,2\n1,2\n1,2\n")
    describe(tree, settings)
    assert isinstance(shown("caf%E9.csv"), previews.Table)


def test_a_kept_picture_is_not_shown_for_another_place_with_its_checksum(tree: Tree, folder: Path) -> None:
    """A manifest is a file that people may edit: a checksum alone must not lead to another project's picture."""
    secret, forged = tree.root / "p_Beta" / "secret", folder
    secret.mkdir(parents=True)
    gradient(size=(50, 50)).save(secret / "image.png")
    size = (secret / "image.png").stat().st_size
    (forged / "other.png").write_bytes(bytes(size))
    more: dict[str, Any] = {"modified_utc": None, "checksum": {"algorithm": "sha256", "value": "ab" * 32}}
    tree.dataset("p_Beta/secret", [entry("image.png", size, "image/png", **more)])
    tree.dataset(FOLDER, [entry("other.png", size, "image/png", **more)])
    index.refresh(tree.documents())
    assert isinstance(shown("image.png"), previews.Picture)
    assert isinstance(shown("other.png"), previews.Nothing)


def test_previews_can_be_turned_off(reader: Client, tree: Tree, folder: Path, settings: Settings) -> None:
    gradient().save(folder / "image.png")
    (folder / "a.csv").write_text("a,b\n1,2\n1,2\n1,2\n")
    describe(tree, settings)
    settings.FAIRFOLDER_PREVIEWS = False
    for name in ("image.png", "a.csv"):
        assert "Preview" not in see(reader, address(name)).words
        see(reader, f"{address(name)}preview", 404)


def test_arrays_have_no_preview(tree: Tree, folder: Path, settings: Settings) -> None:
    numpy.save(folder / "mask.npy", numpy.zeros((3, 3)))
    describe(tree, settings)
    assert shown("mask.npy") is None


# --- tables and texts -------------------------------------------------------------------------------------------


def rows_of(name: str) -> first_rows.Rows:
    found = shown(name)
    assert isinstance(found, previews.Table), found
    return found.rows


def test_the_first_rows_and_columns_of_a_table(reader: Client, tree: Tree, folder: Path, settings: Settings) -> None:
    names = [f"c{n}" for n in range(30)]
    lines = [",".join(names), *(",".join(str(n * m) for m in range(30)) for n in range(50))]
    (folder / "wide.csv").write_text("\n".join(lines) + "\n")
    (folder / "plain.tsv").write_text("1\t2.5\n2\t\n")
    describe(tree, settings)
    wide = rows_of("wide.csv")
    assert wide.header == tuple(names[:20])
    assert wide.rows[19] == tuple(str(19 * m) for m in range(20))
    assert (len(wide.rows), wide.more_rows, wide.more_columns) == (20, True, True)
    assert rows_of("plain.tsv") == first_rows.Rows((), (("1", "2.5"), ("2", "")), False, False)
    assert "first 20 rows, first 20 columns" in see(reader, address("wide.csv")).words


def test_a_table_inside_gzip_is_shown(tree: Tree, folder: Path, settings: Settings) -> None:
    text = "gene,count\n" + "".join(f"G{n},{n}\n" for n in range(100_000))
    with gzip.open(folder / "counts.csv.gz", "wt") as packed:
        packed.write(text)
    describe(tree, settings)
    assert rows_of("counts.csv.gz").rows[:2] == (("G0", "0"), ("G1", "1"))


def test_a_gzip_bomb_costs_no_more_than_the_bound(
    tree: Tree, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gzip.open(folder / "bomb.txt.gz", "wb", compresslevel=9) as packed:
        packed.write(b"line\n")
        for _ in range(300):
            packed.write(b" " * (1 << 20))
    describe(tree, settings)
    unpacked: list[int] = []
    true_feed = Unpacker.feed

    def counting(unpacker: Unpacker, data: bytes) -> Iterator[bytes]:
        for piece in true_feed(unpacker, data):
            unpacked.append(len(piece))
            yield piece

    monkeypatch.setattr(Unpacker, "feed", counting)
    found = shown("bomb.txt.gz")
    assert isinstance(found, previews.Text)
    assert found.lines.lines == ("line",)
    assert 0 < sum(unpacked) <= first_rows.READ_BYTES


def test_json_lines_are_a_table(tree: Tree, folder: Path, settings: Settings) -> None:
    values = [{"t": 1, "name": "a"}, {"t": 2, "more": [1, {"x": None}]}, {"t": None}]
    (folder / "events.jsonl").write_text("".join(json.dumps(value) + "\n" for value in values))
    describe(tree, settings)
    assert rows_of("events.jsonl") == first_rows.Rows(
        ("t", "name", "more"), (("1", "a", ""), ("2", "", '[1,{"x":null}]'), ("", "", "")), False, False
    )


def test_a_workbook_shows_values_and_dates_of_its_first_sheet(
    reader: Client, tree: Tree, folder: Path, settings: Settings
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Plate layout"
    sheet.append(["Well", "Treated", "At", "Dose", "Used", "Sum"])
    sheet.append(["A1", datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 13, 30), 0.5, True, "=1+1"])
    sheet.append([None, None, None, None, None, None])
    sheet.append(["<b>bold</b>", "=HYPERLINK(1)", "@cmd", 1e9, False, "é"])
    for n in range(40):
        sheet.append([n])
    book.create_sheet("Hidden").append(["other"])
    book.save(folder / "layout.xlsx")
    describe(tree, settings)
    rows = rows_of("layout.xlsx")
    assert rows.rows[0] == ("Well", "Treated", "At", "Dose", "Used", "Sum")
    assert rows.rows[1] == ("A1", "2026-01-02", "2026-01-02 13:30:00", "0.5", "TRUE", "")
    assert rows.rows[3][0] == "<b>bold</b>"
    assert (len(rows.rows), rows.more_rows) == (20, True)
    assert "Sheet Plate layout , first 20 rows" in see(reader, address("layout.xlsx")).words


def test_a_workbook_bomb_costs_no_more_than_the_bound(
    tree: Tree, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    small = io.BytesIO()
    book.save(small)
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(folder / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name.endswith("sheet1.xml"):
                head, tail = old.read(name).split(b"<sheetData>")
                with new.open(name, "w", force_zip64=True) as part:
                    part.write(head + b"<sheetData>")
                    for _ in range(200):
                        part.write(b" " * (1 << 20))
                    part.write(tail)
            else:
                new.writestr(name, old.read(name))
    describe(tree, settings)
    found = shown("bomb.xlsx")
    assert found is None or found.form in ("nothing", "table")
    unpacked: list[int] = []
    true_read = zipfile.ZipExtFile.read

    def counting(member: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        piece = true_read(member, n)
        unpacked.append(len(piece))
        return piece

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counting)
    with (folder / "bomb.xlsx").open("rb") as file:  # what the worker does, where it can be counted
        sheet_rows.extract(file.fileno(), os.stat(file.fileno()).st_size, Facts())
    assert 0 < sum(unpacked) < 16 << 20


def test_a_line_of_300_megabytes_is_not_read(
    tree: Tree, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "line.csv").open("wb") as sparse:
        sparse.write(b"a,b,c,")
        sparse.truncate(300_000_000)
    info = (folder / "line.csv").stat()
    tree.dataset(FOLDER, [entry("line.csv", info.st_size, "text/csv", modified_utc=None, encoding="us-ascii")])
    index.refresh(tree.documents())
    read: list[int] = []
    true_pread = os.pread

    def counting(fd: int, length: int, offset: int) -> bytes:
        read.append(offset + length)
        return true_pread(fd, length, offset)

    monkeypatch.setattr(os, "pread", counting)
    assert reason("line.csv") == "its first line is longer than 256 kB"
    assert read
    assert max(read) <= first_rows.READ_BYTES


def test_a_file_of_which_only_the_beginning_is_there_needs_no_more(
    tree: Tree, folder: Path, settings: Settings
) -> None:
    """The end of a sparse file of 4 TB could never be read in time."""
    with (folder / "huge.csv").open("wb") as sparse:
        sparse.write(b"a,b\n" + b"1,2\n" * 100)
        sparse.truncate(4 << 40)
    size = (folder / "huge.csv").stat().st_size
    tree.dataset(FOLDER, [entry("huge.csv", size, "text/csv", modified_utc=None)])
    index.refresh(tree.documents())
    assert len(rows_of("huge.csv").rows) == 20


def test_a_text_shows_forty_lines_each_cut(reader: Client, tree: Tree, folder: Path, settings: Settings) -> None:
    (folder / "long.txt").write_text("x" * 1_000 + "\n" + "".join(f"line {n}\n" for n in range(100)))
    (folder / "umlaut.txt").write_bytes("Größe\nin Köln\n".encode("utf-16"))
    describe(tree, settings)
    found = shown("long.txt")
    assert isinstance(found, previews.Text)
    assert found.lines.lines[0] == "x" * 399 + "…"
    assert (len(found.lines.lines), found.lines.more) == (40, True)
    assert shown("umlaut.txt") == previews.Text(first_rows.Lines(("Größe", "in Köln"), False))
    assert "First 40 lines" in see(reader, address("long.txt")).words


@pytest.mark.parametrize("text", CORPUS)
def test_hostile_cells_and_lines_stay_text(
    reader: Client, tree: Tree, folder: Path, settings: Settings, text: str
) -> None:
    book = openpyxl.Workbook()
    book.active.append([text if text.isprintable() else "odd", "=1+1"])
    book.save(folder / "book.xlsx")
    cell = text.replace('"', '""')
    (folder / "table.csv").write_text(f'"{cell}",b\n' * 3, newline="")
    (folder / "text.txt").write_text(f"some words first\n{text}\n")
    (folder / "lines.jsonl").write_text((json.dumps({text: text}) + "\n") * 2)
    describe(tree, settings)
    for name in ("book.xlsx", "table.csv", "text.txt", "lines.jsonl"):
        see(reader, address(name))


@pytest.mark.parametrize(
    "mime_type",
    [
        "image/png",
        "text/csv",
        "text/tab-separated-values",
        "application/x-ndjson",
        "text/plain",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ],
)
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 400_000, b'"' * 400_000, b"[" * 400_000, b"\xff\xfe\n" * 99, b"a\r" * 99]
)
def test_any_content_under_any_type_ends_in_a_preview_or_a_reason(
    reader: Client, tree: Tree, folder: Path, mime_type: str, content: bytes
) -> None:
    (folder / "odd").write_bytes(content)
    odd: dict[str, Any] = {"modified_utc": None, "encoding": "rot13", "variables": [{"name": 7}, "x"]}
    tree.dataset(FOLDER, [entry("odd", len(content), mime_type, **odd)])
    index.refresh(tree.documents())
    see(reader, f"/files/{identifier('file', 'odd')}/")
