"""Text or binary, the encoding, the lines: against Python's own codecs and splitlines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import formats
from tests.ingest.formats.engine import describe, describe_bytes, warnings

TEXT = "Größe;Δx\nπ ≈ 3.14\nende\n"


@pytest.mark.parametrize(
    ("codec", "mark", "named"),
    [
        ("ascii", b"", "us-ascii"),
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16le"),
        ("utf-16-be", b"\xfe\xff", "utf-16be"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "utf-32le"),
        ("utf-32-be", b"\x00\x00\xfe\xff", "utf-32be"),
    ],
)
def test_encoding_is_found_from_the_content(codec: str, mark: bytes, named: str) -> None:
    text = TEXT if codec != "ascii" else "plain\nold\nlines\n"
    facts = describe_bytes("notes", mark + text.encode(codec))
    assert (facts["mime_type"], facts["encoding"], facts["number_of_records"]) == ("text/plain", named, 3)
    assert warnings(facts) == []


@pytest.mark.parametrize(("codec", "named"), [("utf-16-le", "utf-16le"), ("utf-16-be", "utf-16be")])
def test_utf16_without_a_mark_is_found_by_its_zero_bytes(codec: str, named: str) -> None:
    facts = describe_bytes("notes", "one line\nand another\n".encode(codec))
    assert (facts["encoding"], facts["number_of_records"]) == (named, 2)


def test_latin1_is_a_guess_and_says_so() -> None:
    facts = describe_bytes("notes.txt", "Schlüssel und Straße, ganz ohne Umlaute geht es nicht\n".encode("latin-1"))
    assert facts["encoding"] == "iso-8859-1"
    assert warnings(facts) == ["the encoding is a guess: the bytes are neither ASCII nor UTF-8"]


@pytest.mark.parametrize("content", [bytes(range(256)), b"abc\x00def", b"text\x01text", b"\x80" * 100])
def test_what_is_not_text_is_octets(content: bytes) -> None:
    facts = describe_bytes("notes.txt", content)
    assert facts["mime_type"] == "application/octet-stream"
    assert "encoding" not in facts


def test_an_empty_file_is_empty() -> None:
    assert describe_bytes("empty.csv", b"") == {
        "mime_type": "application/x-empty",
        "extraction": {"extractor": "empty", "version": formats.VERSION, "warnings": []},
    }


@pytest.mark.parametrize(
    ("content", "lines"),
    [("a", 1), ("a\n", 1), ("a\nb", 2), ("a\r\nb\r\n", 2), ("a\rb\r", 2), ("\n\n\n", 3), ("a\n\nb\n", 3)],
)
def test_lines_are_counted_as_they_end(content: str, lines: int) -> None:
    assert len(content.splitlines()) == lines
    assert describe_bytes("notes", content.encode())["number_of_records"] == lines


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\x85\u2028\u2029"))))
def test_any_number_of_lines_is_counted(lines: list[str]) -> None:
    content = "# start\n" + "".join(line + "\n" for line in lines)
    facts = describe_bytes("notes.md", content.encode())
    assert facts["number_of_records"] == len(lines) + 1


@pytest.mark.parametrize("chunk", [1 << 20, 65_536, 977])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_large_text_is_counted_while_it_is_read(tmp_path: Path, chunk: int, end: str) -> None:
    path = tmp_path / "large.log"
    path.write_bytes("".join(f"line {number} of the log{end}" for number in range(9_000)).encode() + b"last")
    facts = describe(path, chunk)
    assert facts["number_of_records"] == 9_001
    assert facts["encoding"] == "us-ascii"


@pytest.mark.parametrize("chunk", [1 << 20, 4096, 4097])
def test_the_encoding_of_a_large_text_is_checked_to_its_end(tmp_path: Path, chunk: int) -> None:
    start = b"only ascii here\n" * 5_000
    utf8, broken = tmp_path / "utf8.log", tmp_path / "broken.log"
    utf8.write_bytes(start + "späte Überraschung €\n".encode() * 3_000)
    broken.write_bytes(start + "spät".encode("latin-1") + b"\n" + start)
    assert describe(utf8, chunk)["encoding"] == "utf-8"
    facts = describe(broken, chunk)
    assert "encoding" not in facts
    assert warnings(facts) == ["the text starts as UTF-8 but later bytes are not: the encoding is unknown"]


def test_a_head_that_ends_inside_a_character_is_still_utf8(tmp_path: Path) -> None:
    path = tmp_path / "edge.txt"
    path.write_bytes(b"a" * (formats.HEAD_BYTES - 1) + "€".encode() + b" b\n" * 10)
    assert describe(path)["encoding"] == "utf-8"


def test_a_large_utf16_text_says_that_it_was_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes(b"\xff\xfe" + "a,b\n1,2\n".encode("utf-16-le") * 10_000)
    facts = describe(path)
    assert facts["encoding"] == "utf-16le"
    assert "number_of_records" not in facts
    assert warnings(facts) == ["rows were not counted: the file is utf-16le and larger than 64 kB"]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("analysis.py", "text/x-python"),
        ("README.md", "text/markdown"),
        ("model.R", "text/x-r-source"),
        ("notes.jpg", "text/plain"),
        ("notes", "text/plain"),
        ("config.yaml", "application/yaml"),
    ],
)
def test_the_extension_decides_only_between_kinds_of_text(name: str, media_type: str) -> None:
    assert describe_bytes(name, b"import this\nfrom that take it\n")["mime_type"] == media_type
    assert describe_bytes(name, b"%PDF-1.7\n...")["mime_type"] == "application/pdf"


def test_names_with_surrogates_do_no_harm() -> None:
    facts = describe_bytes(b"caf\xe9.txt".decode("utf-8", "surrogateescape"), b"text\n")
    assert facts["mime_type"] == "text/plain"
