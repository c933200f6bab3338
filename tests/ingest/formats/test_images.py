"""PNG, JPEG, GIF, TIFF: against Pillow and tifffile, on images they write and on those scikit-image ships."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy
import pytest
import skimage
import tifffile
from PIL import Image

from ingest.prefilling import from_headers
from tests.ingest.formats.engine import axes, describe, describe_bytes, warnings

SHIPPED = sorted(
    path
    for path in (Path(skimage.__file__).parent / "data").iterdir()
    if path.suffix in {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff"}
)
# Pillow does not read the pages of floats of this one; tifffile does.
FOR_PILLOW = [path for path in SHIPPED if path.name != "multipage_rgb.tif"]
DEPTHS = {"1": 1, "L": 8, "P": 8, "RGB": 8, "RGBA": 8, "LA": 8, "I;16": 16, "CMYK": 8}


@pytest.mark.parametrize("path", FOR_PILLOW, ids=lambda path: path.name)
def test_shipped_images_have_the_size_pillow_reads(path: Path) -> None:
    with Image.open(path) as image:
        facts = describe(path)
        assert (axes(facts)["width"], axes(facts)["height"]) == image.size
        assert facts["mime_type"] == Image.MIME[image.format]
    assert warnings(facts) == []


@pytest.mark.parametrize("path", [path for path in SHIPPED if "tif" in path.suffix], ids=lambda path: path.name)
def test_shipped_tiffs_have_the_pages_tifffile_reads(path: Path) -> None:
    with tifffile.TiffFile(path) as oracle:
        page = oracle.pages[0]
        facts = describe(path)
        assert (axes(facts)["width"], axes(facts)["height"]) == (page.imagewidth, page.imagelength)
        assert axes(facts).get("pages", 1) == len(oracle.pages)
        assert (facts["bit_depth"], facts["channels"]) == (page.bitspersample, page.samplesperpixel)


@pytest.mark.parametrize(
    ("mode", "depth", "channels"),
    [("1", 1, 1), ("L", 8, 1), ("P", 8, 1), ("RGB", 8, 3), ("RGBA", 8, 4), ("LA", 8, 2), ("I;16", 16, 1)],
)
def test_png_samples(tmp_path: Path, mode: str, depth: int, channels: int) -> None:
    path = tmp_path / "a.png"
    image = Image.new(mode, (37, 21))
    if mode == "P":
        image.putpalette(range(256))
    image.save(path)
    facts = describe(path)
    assert axes(facts) == {"width": 37, "height": 21}
    assert (facts["bit_depth"], facts["channels"]) == (depth, channels)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_frames(tmp_path: Path, mode: str, channels: int, progressive: bool) -> None:
    path = tmp_path / "a.jpg"
    Image.new(mode, (640, 31)).save(path, progressive=progressive, comment=b"x" * 60_000)
    facts = describe(path)
    assert axes(facts) == {"width": 640, "height": 31}
    assert (facts["bit_depth"], facts["channels"]) == (8, channels)


def test_a_jpeg_whose_frame_lies_behind_the_head_is_read_there(tmp_path: Path) -> None:
    path = tmp_path / "big-profile.jpg"
    Image.effect_noise((50, 40), 9).save(path, icc_profile=b"p" * 200_000)
    assert axes(describe(path)) == {"width": 50, "height": 40}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("pages", [1, 7])
def test_tiff_directories(tmp_path: Path, dtype: str, bigtiff: bool, byteorder: str, pages: int) -> None:
    path = tmp_path / "a.tif"
    data = numpy.zeros((pages, 33, 20), dtype)
    tifffile.imwrite(path, data, bigtiff=bigtiff, byteorder=byteorder, photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as oracle:
        assert len(oracle.pages) == pages
    facts = describe(path)
    assert axes(facts) == {"width": 20, "height": 33} | ({"pages": pages} if pages > 1 else {})
    assert (facts["bit_depth"], facts["channels"]) == (numpy.dtype(dtype).itemsize * 8, 1)
    assert facts["format"]["name"] == ("BigTIFF" if bigtiff else "TIFF image")


def test_ome_tiff_is_noted_with_its_axes(tmp_path: Path) -> None:
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, numpy.zeros((3, 2, 5, 16, 24), "uint16"), metadata={"axes": "TCZYX"}, ome=True)
    facts = describe(path)
    assert facts["format"]["name"] == "OME-TIFF"
    found = axes(facts)
    assert (found["T"], found["C"], found["Z"], found["width"], found["height"]) == (3, 2, 5, 24, 16)


TOLD = {271: "Carl Zeiss", 272: "LSM 880", 305: "ZEN 2.3", 306: "2026:01:12 10:11:12"}
NOT_TOLD = {315: "Anna Ek", 316: "annas-laptop", 33432: "Anna Ek"}


@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_tells_its_instrument_software_and_date_and_no_person(tmp_path: Path, big: bool) -> None:
    path = tmp_path / "a.tif"
    texts = [(tag, "s", 0, text, True) for tag, text in (NOT_TOLD | TOLD).items() if tag not in (305, 306)]
    tifffile.imwrite(
        path,
        numpy.zeros((4, 4), "uint8"),
        bigtiff=big,
        metadata=None,
        software=TOLD[305],
        datetime=TOLD[306],
        extratags=texts,
    )
    assert describe(path)["instrument_metadata"] == [
        {"name": "Make", "value": "Carl Zeiss", "source": "TIFF 271"},
        {"name": "Model", "value": "LSM 880", "source": "TIFF 272"},
        {"name": "Software", "value": "ZEN 2.3", "source": "TIFF 305"},
        {"name": "DateTime", "value": "2026-01-12T10:11:12", "source": "TIFF 306"},
    ]
    instrument = {"instrument_identifier": "i1", "model": {"name": "lsm 880"}, "manufacturers": [{"name": "Zeiss"}]}
    assert from_headers([describe(path)], [instrument]) == {
        "experiment_dates": {"start": "2026-01-12", "end": "2026-01-12"},
        "software_used": [{"name": "ZEN", "version": "2.3", "purpose": "acquisition"}],
        "instruments_used": ["i1"],
    }


@pytest.mark.parametrize(
    "entry",
    [
        struct.pack("<HHII", 271, 2, 2**32 - 1, 8),
        struct.pack("<HHII", 271, 2, 100, 2**32 - 1),
        struct.pack("<HHII", 271, 7, 4, 0x41414141),
        struct.pack("<HHI4s", 271, 2, 4, b"\xff\xfe\xff\xfe"),
        struct.pack("<HHI4s", 271, 2, 4, b"\0abc"),
        struct.pack("<HHII", 271, 2, 0, 0),
    ],
    ids=["endless", "outside", "no text", "no UTF-8", "nothing before NUL", "empty"],
)
def test_a_hostile_text_in_a_tiff_tells_nothing(entry: bytes) -> None:
    sides = struct.pack("<HHII", 256, 3, 1, 10) + struct.pack("<HHII", 257, 3, 1, 10)
    facts = describe_bytes("a.tif", b"II*\0" + struct.pack("<IH", 8, 3) + sides + entry + struct.pack("<I", 0))
    assert axes(facts) == {"width": 10, "height": 10}
    assert "instrument_metadata" not in facts


def test_a_tiff_whose_directories_point_at_themselves_ends() -> None:
    entries = struct.pack("<HHII", 256, 3, 1, 10) + struct.pack("<HHII", 257, 3, 1, 10)
    loop = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + entries + struct.pack("<I", 8)
    facts = describe_bytes("loop.tif", loop)
    assert axes(facts) == {"width": 10, "height": 10}


@pytest.mark.parametrize("suffix", ["png", "gif", "jpg", "tif"])
def test_an_image_that_is_cut_off_says_so(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.effect_noise((200, 200), 50).save(path)
    content = path.read_bytes()
    for length in (len(content) - 5, 40, 20, 16):
        cut = tmp_path / f"cut{length}.{suffix}"
        cut.write_bytes(content[:length])
        facts = describe(cut)
        assert facts["mime_type"].startswith("image/") or length < 20
        # TIFF and JPEG do not mark their end in a way a header shows.
        assert warnings(facts) or (suffix in {"jpg", "tif"} and length > 40) or not facts.get("dimensions")


def test_animated_gif_sizes(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    frames = [Image.new("P", (30, 20), color) for color in (1, 2, 3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    facts = describe(path)
    assert axes(facts) == {"width": 30, "height": 20}
    with path.open("rb") as file:
        assert facts["format"]["version"] == file.read(6)[3:].decode()


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}, {"exif": Image.Exif(), "lossless": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp_has_the_size_pillow_reads(tmp_path: Path, mode: str, options: dict[str, object]) -> None:
    path = tmp_path / "a.webp"
    Image.effect_noise((321, 123), 50).convert(mode).save(path, **options)  # type: ignore[arg-type]
    facts = describe(path)
    assert (facts["mime_type"], axes(facts), warnings(facts)) == ("image/webp", {"width": 321, "height": 123}, [])
    content = path.read_bytes()
    for length in (len(content) - 5, 40, 20):
        cut = describe_bytes("cut.webp", content[:length])
        assert cut["mime_type"] == "image/webp"
        assert warnings(cut)


@pytest.mark.parametrize(("mode", "bits"), [("1", 1), ("L", 8), ("RGB", 24)])
def test_bmp_has_the_size_and_bits_pillow_reads(tmp_path: Path, mode: str, bits: int) -> None:
    path = tmp_path / "a.bmp"
    Image.effect_noise((321, 123), 50).convert(mode).save(path)
    facts = describe(path)
    assert (facts["mime_type"], axes(facts), facts["bit_depth"]) == ("image/bmp", {"width": 321, "height": 123}, bits)


def test_a_text_that_begins_with_the_letters_of_a_bitmap_is_a_text() -> None:
    assert describe_bytes("a.txt", b"BM is short for bitmap, and this is a text.\n")["mime_type"] == "text/plain"
