"""Documents are read strictly, found where they live, and told in words when they cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest import documents, finding
from ingest.documents import encode_path, kind_of, read_document
from ingest.errors import DocumentError
from ingest.finding import Found
from ingest.layout import Layout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "is not valid JSON"),
        (b"", "is not valid JSON"),
        (b"[1]", "holds list, not a JSON object"),
        (b'"x"', "holds str, not a JSON object"),
        (b'{"a": NaN}', "is not valid JSON"),
        (b'{"a": Infinity}', "is not valid JSON"),
        (b'{"a": "\\ud800"}', "is not valid JSON"),
        (b'{"a": "\xff"}', "is not valid JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "is not valid JSON"),
        (b'{"a": 1} {"b": 2}', "is not valid JSON"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        (b'{"x": {"a": 1, "a": 2}}', "the key 'a' stands twice in one object"),
        (b'{"a": ' * 3000 + b"1" + b"}" * 3000, "JSON"),
    ],
)
def test_text_that_is_no_strict_json_object_is_refused(tmp_path: Path, text: bytes, told: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text)
    with pytest.raises(DocumentError, match=told) as caught:
        read_document(path)
    assert caught.value.path == path
    assert str(path) in str(caught.value)


def test_a_syntax_error_is_told_with_its_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{\n  "a": 1,\n}\n')
    with pytest.raises(DocumentError, match=r"at line 2, column 9; correct it by hand or restore an earlier version"):
        read_document(path)


def test_what_is_no_regular_file_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    for name, told in (("folder", "is a folder where a file belongs"), ("pipe", "is not a regular file"),
                       ("link", "is a symbolic link; metadata is never read through links")):  # fmt: skip
        with pytest.raises(DocumentError, match=told):
            read_document(tmp_path / f"{name}.json")
    with pytest.raises(FileNotFoundError):
        read_document(tmp_path / "absent.json")
    with pytest.raises(DocumentError, match="cannot be read: File name too long"):
        read_document(tmp_path / f"{'x' * 300}.json")
    before = set(os.listdir("/proc/self/fd"))
    for name in ("folder", "pipe", "link"):
        with pytest.raises(DocumentError):
            read_document(tmp_path / f"{name}.json")
    assert set(os.listdir("/proc/self/fd")) == before, "no descriptor is left open"


def test_a_document_knows_its_bytes_and_versions(tmp_path: Path) -> None:
    path = tmp_path / ".metadata" / "project_descriptive.json"
    path.parent.mkdir()
    path.write_bytes(b'{"project_title": "x", "created_by": "y"}')
    document = read_document(path)
    assert document.value == {"project_title": "x", "created_by": "y"}
    assert document.raw == path.read_bytes()
    import hashlib

    assert document.sha256 == hashlib.sha256(document.raw).hexdigest()
    path.write_bytes(b'{"created_by": "z", "project_title": "x"}')
    assert read_document(path).etag == document.etag


def test_every_document_is_found_where_it_lives_and_nothing_else(tmp_path: Path) -> None:
    there = {
        ".metadata/registry/0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10.json": "registry",
        ".metadata/instruments/scope-1/instrument_technical.json": "instrument_technical",
        "p_X/.metadata/project_descriptive.json": "project_descriptive",
        "p_X/d/.metadata/dataset_administrative.json": "dataset_administrative",
        "p_X/d/.metadata/dataset_structural.json": "dataset_structural",
        "p_X/d/.metadata/runs/run 1/experiment_contextual.json": "experiment_contextual",
    }
    others = [
        ".metadata/registry/.sequence", ".metadata/registry/.x.json.0a0a0a0a0a0a.tmp", ".metadata/x.json",
        "X/.metadata/project_descriptive.json", "p_X/.metadata/dataset_structural.json", "p_X/d/x.json",
        "p_X/d/sub/.metadata/dataset_structural.json", "p_X/.hidden/.metadata/dataset_structural.json",
        "p_X/d/.metadata/notes.json", "p_X/d/.metadata/runs/experiment_contextual.json",
    ]  # fmt: skip
    for path in (*there, *others):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    (tmp_path / "p_X" / "linked").symlink_to("d")
    (tmp_path / "p_X" / "e").mkdir()
    (tmp_path / "p_X" / "e" / ".metadata").symlink_to("../d/.metadata")
    found = list(finding.find_documents(tmp_path, Layout()))
    assert sorted(found, key=lambda f: f.path) == sorted(
        (Found(tmp_path / path, kind) for path, kind in there.items()), key=lambda f: f.path
    )
    assert {path: kind_of(tmp_path / path) for path in there} == there
    assert kind_of(tmp_path / "p_X/d/.metadata/notes.json") is None


def test_an_empty_or_absent_root_has_no_documents(tmp_path: Path) -> None:
    assert list(finding.find_documents(tmp_path, Layout())) == []
    assert list(finding.find_documents(tmp_path / "absent", Layout())) == []


def test_a_name_that_is_no_utf_8_is_kept_percent_encoded() -> None:
    assert encode_path("a/é.txt") == {"path": "a/é.txt"}
    assert encode_path(os.fsdecode(b"a/\xff %.txt")) == {"path": "a/%FF %25.txt", "path_encoding": "percent"}
    assert documents.decode_path("a/%FF %25.txt", "percent") == os.fsdecode(b"a/\xff %.txt")
    assert documents.decode_path("%FF") == "%FF"
