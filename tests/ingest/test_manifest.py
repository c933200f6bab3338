"""The manifest's text form: splitting, finding, splicing, and the summary in its header."""

from __future__ import annotations

import json
import os

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import manifest
from ingest.documents import decode_path, encode_path

# Any name a file system can hold: bytes without NUL, as surrogates where they are not UTF-8.
NAMES = st.binary(min_size=1, max_size=40).filter(lambda b: b"\0" not in b).map(os.fsdecode)


def entry(path: str, size: int = 1, **more: object) -> dict[str, object]:
    return {**encode_path(path), "file_identifier": "id-of-" + str(len(path)), "size_bytes": size,
            "mime_type": "text/plain", "state": "present", **more}  # fmt: skip


def text_of(paths: list[str]) -> bytes:
    return manifest.render_value({"$schema": "x", "file_descriptions": [entry(p) for p in paths]})


@given(NAMES)
def test_every_name_round_trips(name: str) -> None:
    fields = encode_path(name)
    assert decode_path(fields["path"], fields.get("path_encoding")) == name
    assert manifest.os_path_of(manifest.key_for(fields)) == name
    json.dumps(fields).encode("utf-8")


@given(st.lists(NAMES, unique=True, max_size=12))
def test_text_is_json_with_one_sorted_line_per_entry(paths: list[str]) -> None:
    raw = text_of(paths)
    entries = json.loads(raw)["file_descriptions"]
    assert entries == sorted((entry(p) for p in paths), key=manifest.entry_order)
    parts = manifest.split(raw)
    assert parts is not None
    assert [orjson.loads(line) for line in parts.lines] == entries
    assert raw.count(b"\n") == (len(paths) + 5 if paths else 4)


@given(st.lists(NAMES, unique=True, max_size=12), st.lists(NAMES, unique=True, max_size=6), st.data())
def test_splicing_equals_rewriting_the_whole(old: list[str], touched: list[str], data: st.DataObject) -> None:
    raw = text_of(old)
    parts = manifest.split(raw)
    assert parts is not None
    expected = {p: entry(p) for p in old}
    changes: dict[bytes, bytes | None] = {}
    for path in touched:
        key = manifest.key_for(encode_path(path))
        if data.draw(st.booleans()):
            expected[path] = entry(path, size=7)
            changes[key] = manifest.entry_line(expected[path])
        else:
            expected.pop(path, None)
            changes[key] = None
    slots = manifest.find_all(parts, changes)
    spliced = b"".join(manifest.assemble(parts.header, manifest.spliced(parts, changes, slots)))
    assert spliced == manifest.render_value({"$schema": "x", "file_descriptions": list(expected.values())})


def test_find_gives_the_line_of_a_key_and_an_empty_slot_for_an_absent_one() -> None:
    raw = text_of([f"f{i:04}" for i in range(500)])
    parts = manifest.split(raw)
    assert parts is not None
    for i in (0, 1, 250, 498, 499):
        slot = manifest.find(parts, manifest.key_for({"path": f"f{i:04}"}))
        assert orjson.loads(raw[slot.start : slot.end])["path"] == f"f{i:04}"
    slot = manifest.find(parts, manifest.key_for({"path": "f0100b"}))
    assert slot.start == slot.end


@pytest.mark.parametrize("raw", [b"{}", b'{"file_descriptions": [{"path": "a"}]}', b"", b"not json"])
def test_other_forms_are_left_to_the_parser(raw: bytes) -> None:
    assert manifest.split(raw) is None


def test_totals_count_what_is_there() -> None:
    a, b, gone = entry("a", 10), entry("b", 5), entry("c", 99, state="missing")
    totals = manifest.NOTHING.changed([], [a, b, gone])
    assert (totals.count, totals.size) == (2, 15)
    after = totals.changed([a], [{**a, "state": "missing"}])
    assert after.into({})["formats"] == [{"name": "text/plain", "count": 1, "size_bytes": 5}]
    assert manifest.Totals.of_header(after.into({})).changed([b], []).into({}) == {
        "file_count": 0, "total_size_bytes": 0, "formats": []}  # fmt: skip
