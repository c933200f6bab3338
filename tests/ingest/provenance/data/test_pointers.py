"""The text of a .dvc file: what any YAML reader makes of it, and whose it is."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingest.provenance.data import ignoring, pointers
from ingest.provenance.data.folders import Member, fingerprint, from_bytes, listing, to_bytes
from ingest.provenance.data.pointers import Pointer

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60
).filter(lambda name: name not in {".", ".."})  # fmt: skip


@given(name=NAMES, size=st.integers(0, 2**63), files=st.none() | st.integers(1, 10**9), cached=st.booleans())
def test_a_yaml_reader_finds_every_name_as_it_is(name: str, size: int, files: int | None, cached: bool) -> None:
    md5 = "0123456789abcdef" * 2 + ("" if files is None else ".dir")
    pointer = Pointer(name, md5, size, "a" * 64, files, cached)
    text = pointers.text(pointer)
    value = yaml.load(text, Loader=yaml.CSafeLoader)
    expected = {"md5": md5, "size": size, "hash": "md5", "path": name}
    expected |= {} if files is None else {"nfiles": files}
    expected |= {} if cached else {"cache": False}
    assert value == {"outs": [expected], "meta": {"fairfolder": {"sha256": "a" * 64}}}
    assert pointers.read(text, name) == pointer


@given(name=NAMES, change=st.binary(max_size=20), at=st.integers(0, 400))
def test_whatever_is_not_our_form_is_not_ours(name: str, change: bytes, at: int) -> None:
    text = pointers.text(Pointer(name, "0" * 32, 1, "a" * 64))
    found = pointers.read(text[:at] + change + text[at:], name)
    assert found is None or found.name == name


def test_what_dvc_itself_writes_for_the_same_is_ours_too() -> None:
    text = pointers.text(Pointer("a b.csv", "0" * 32, 1, "a" * 64)).replace(b'"a b.csv"', b"a b.csv")
    assert pointers.read(text, "a b.csv") == Pointer("a b.csv", "0" * 32, 1, "a" * 64)
    quoted = pointers.text(Pointer("it's", "0" * 32, 1, "a" * 64)).replace(b'"it\'s"', b"'it''s'")
    assert pointers.read(quoted, "it's") is not None


def test_a_listing_is_dvcs_byte_for_byte() -> None:
    members = {"b/ü": Member("1" * 32, "2" * 64, 3), "a": Member("4" * 32, "5" * 64, 6)}
    md5, data = listing(members)
    assert data == (
        b'[{"md5": "' + b"4" * 32 + b'", "relpath": "a"}, {"md5": "' + b"1" * 32 + b'", "relpath": "b/\\u00fc"}]'
    )
    assert md5.endswith(".dir")
    assert from_bytes(to_bytes(members)) == members
    assert from_bytes(b"[1]") is None
    assert fingerprint([]) != fingerprint([("a", "5" * 64)])


def test_our_block_of_a_dvcignore_comes_and_goes_and_leaves_the_rest() -> None:
    theirs = b"# mine\n*.log"
    ours = ignoring.dvcignore(theirs, ["/a", "/b"])
    assert ours.startswith(theirs + b"\n")
    assert ignoring.lines_of(ours) == ["/a", "/b"]
    assert ignoring.lines_of(ignoring.dvcignore(ours, ["/c"])) == ["/c"]
    assert ignoring.dvcignore(ours, []) == theirs + b"\n"
    assert ignoring.anchored("p_A/x [1]*\n ") == "/p_A/x \\[1\\]\\*?\\ "
