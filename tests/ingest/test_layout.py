"""The path grammar: what every path means, with the prefixes as they are and as they may be set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import LayoutError
from ingest.layout import Layout, Place, PlaceKind, never_data, relative_to_root

ROOT = Path("/srv/data")


@pytest.mark.parametrize(
    ("path", "is_dir", "expected"),
    [
        ("", True, Place(PlaceKind.ROOT)),
        (".", True, Place(PlaceKind.ROOT)),
        ("notes", True, Place(PlaceKind.OUTSIDE)),
        ("p_", True, Place(PlaceKind.OUTSIDE)),
        (".hidden", True, Place(PlaceKind.NEVER)),
        ("p_X", True, Place(PlaceKind.PROJECT, "p_X")),
        ("p_X/", True, Place(PlaceKind.PROJECT, "p_X")),
        ("p_X/readme.txt", False, Place(PlaceKind.STRAY, "p_X", "", "readme.txt")),
        ("p_X/d", True, Place(PlaceKind.DATASET, "p_X", "d")),
        ("p_X/d", None, Place(PlaceKind.DATASET, "p_X", "d")),
        ("p_X/p_Y", True, Place(PlaceKind.DATASET, "p_X", "p_Y")),
        ("p_X/d/a.txt", False, Place(PlaceKind.DATA, "p_X", "d", "a.txt")),
        ("p_X/d/s/a.txt", False, Place(PlaceKind.DATA, "p_X", "d", "s/a.txt")),
        ("p_X/./d//s/a.txt", False, Place(PlaceKind.DATA, "p_X", "d", "s/a.txt")),
        ("p_X/d/.git/config", False, Place(PlaceKind.NEVER, "p_X", "d", ".git/config")),
        ("p_X/.cache/a.txt", False, Place(PlaceKind.NEVER, "p_X", ".cache", "a.txt")),
        ("p_X/d/big.part", False, Place(PlaceKind.NEVER, "p_X", "d", "big.part")),
        (".metadata/registry/x.json", False, Place(PlaceKind.METADATA, "", "", ".metadata/registry/x.json")),
        (".template_schemas/x.json", False, Place(PlaceKind.METADATA, "", "", ".template_schemas/x.json")),
        ("p_X/.metadata/x.json", False, Place(PlaceKind.METADATA, "p_X", "", ".metadata/x.json")),
        ("p_X/d/.metadata/runs/r/x.json", False, Place(PlaceKind.METADATA, "p_X", "d", ".metadata/runs/r/x.json")),
        ("p_X/../../etc", True, Place(PlaceKind.OUTSIDE)),
    ],
)
def test_every_path_has_one_meaning(path: str, is_dir: bool | None, expected: Place) -> None:
    assert Layout().place(path, is_dir=is_dir) == expected


def test_a_dataset_prefix_leaves_other_folders_out() -> None:
    layout = Layout("study-", "ds_")
    assert layout.place("study-1/ds_a/x", is_dir=False) == Place(PlaceKind.DATA, "study-1", "ds_a", "x")
    assert layout.place("study-1/notes/x", is_dir=False).kind is PlaceKind.OUTSIDE
    assert layout.place("study-1/ds_", is_dir=True).kind is PlaceKind.OUTSIDE
    assert layout.place("p_X/d", is_dir=True).kind is PlaceKind.OUTSIDE


def test_a_dataset_knows_its_path() -> None:
    assert Layout().place("p_X/d/s/a.txt").dataset_path == "p_X/d"


@pytest.mark.parametrize(
    "name",
    [
        ".x", ".metadata", ".git", ".dvc", ".gitignore", "a~", ".a.swp", ".a.swx", "a.part", "a.filepart",
        "a.crdownload", ".~lock.a#", ".a.Xy12Zq", ".nfs0001", "a.csv.dvc", "~$a.docx", "Thumbs.db", "line\nbreak~",
    ],
)  # fmt: skip
def test_names_that_are_never_data(name: str) -> None:
    assert never_data(name)


@pytest.mark.parametrize(
    "name", ["a", "a.partial", "part", "dvc", "a.dvcx", "~a", "a~b", "$a", "CON", "thumbs.txt", "metadata", " ", "-"]
)
def test_names_that_look_like_it_and_are_data(name: str) -> None:
    assert not never_data(name)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/data", ""),
        ("/srv/data/p_X/d", "p_X/d"),
        ("p_X/d", "p_X/d"),
        ("./p_X/../p_Y", "p_Y"),
        ("/srv/data/../data/p_X", "p_X"),
        ("p_X/..", ""),
    ],
)
def test_a_path_below_the_root(path: str, expected: str) -> None:
    assert relative_to_root(ROOT, Path(path)) in (expected, expected or ".")


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "..", "../other", "p_X/../../other", "/srv/database", "/srv/data/../x"]
)
def test_a_path_outside_the_root_is_refused_by_name(path: str) -> None:
    with pytest.raises(LayoutError, match="is not inside the watched folder '/srv/data'; name a path in it"):
        relative_to_root(ROOT, Path(path))


@given(st.binary(min_size=1, max_size=30).filter(lambda b: b"\0" not in b).map(os.fsdecode))
def test_no_path_confuses_the_grammar(path: str) -> None:
    place = Layout().place(path)
    assert place.kind in PlaceKind
    if place.kind is PlaceKind.DATA:
        assert ".." not in place.inner.split("/")
        assert not place.inner.startswith("/")
