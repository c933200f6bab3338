"""Names as file systems allow them: each is described exactly once, and found again."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.ingest.watched import Watched

D = "p_Barley/leaves"

NAMES = {
    "spaces": " two  words ",
    "quotes": 'it\'s "quoted" `so`',
    "newline": "line\nbreak\r\n",
    "tab": "a\tb",
    "control": "bell\x07 escape\x1b[31m",
    "emoji": "🧬 data 👩‍🔬.txt",
    "NFC": "caf\u00e9",
    "NFD": "cafe\u0301",
    "invalid UTF-8": os.fsdecode(b"\xff\xfe\x80.bin"),
    "half a character": os.fsdecode(b"caf\xc3"),
    "overlong": os.fsdecode(b"\xc0\xaf"),
    "encoded surrogate": os.fsdecode(b"\xed\xa0\x80"),
    "percent": "100%25",
    "percent-encoded": "%FF%FE%80.bin",
    "255 bytes": "n" * 255,
    "255 bytes of emoji": "🧬" * 63 + "abc",
    "leading dash": "-rf",
    "pathspec": ":(exclude)*",
    "wildcards": "*?[a]{b,c}",
    "right to left": "invoice\u202efdp.exe",
    "zero width": "a\u200bb",
    "trailing dot": "dot.",
    "device": "CON",
    "lower": "case",
    "upper": "CASE",
    "backslash": "C:\\..\\etc\\passwd",
    "JSON": '{"path":"x","file_identifier":"y"}',
    "markup": "<img src=x onerror=alert(1)>",
    "template": "{{ 7*7 }}{% x %}",
    "private use": "\ue000\uf8ff\U0010ffff",
    "noncharacter": "\uffff\ufffe",
    "DEL": "a\x7fb",
    "NEL": "a\x85b\u2028c",
}


def test_every_name_is_described_exactly_once_and_found_again(watched: Watched) -> None:
    content = {name: f"content of {word}\n" for word, name in NAMES.items()}
    for name, text in content.items():
        watched.put(f"{D}/{name}", text)
    watched.put(f"{D}/plain.txt", "x")
    watched.reconcile()
    entries = watched.entries(D)
    assert set(entries) == {*NAMES.values(), "plain.txt"}
    assert {n: entries[n]["size_bytes"] for n in content} == {n: len(t) for n, t in content.items()}
    assert len(set(watched.identifiers(D).values())) == len(entries)
    assert watched.check() == []
    for name in content:
        assert watched.explain(f"{D}/{name}").condition == "described"
    before = watched.metadata()
    assert watched.reconcile().unchanged == len(entries)
    watched.lose_state()
    watched.reconcile()
    assert watched.metadata() == before
    assert watched.problems() == {}


def test_every_name_can_be_renamed_to_every_other(watched: Watched) -> None:
    names = list(NAMES.values())
    for name in names:
        watched.put(f"{D}/{name}", name.encode("utf-8", "surrogateescape"))
    watched.reconcile()
    before = watched.identifiers(D)
    watched.move(D, "p_Barley/old")
    watched.reconcile()
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        watched.move(f"p_Barley/old/{name}", f"p_Barley/old/new/{other}")
    report = watched.reconcile()
    assert (report.moved, report.bytes_read) == (len(names), 0)
    after = watched.identifiers("p_Barley/old")
    assert after == {f"new/{o}": before[n] for n, o in zip(names, [*names[1:], names[0]], strict=True)}
    for name in after:
        watched.remove(f"p_Barley/old/{name}")
    watched.reconcile()
    assert set(watched.states("p_Barley/old").values()) == {"missing"}


@pytest.mark.parametrize("word", sorted(NAMES))
def test_folders_may_have_every_name_too(watched: Watched, word: str) -> None:
    name = NAMES[word]
    project = "p_" + name if len(os.fsencode(name)) < 250 else "p_" + name[:-2]
    watched.put(f"{project}/{name}/{name}/a.txt", "a\n")
    watched.reconcile()
    dataset = f"{project}/{name}"
    assert set(watched.entries(dataset)) == {f"{name}/a.txt"}
    assert watched.check() == []
    identifier = watched.administrative(dataset)["dataset_identifier"]
    watched.lose_state()
    watched.move(dataset, f"{project}/plain")
    watched.reconcile()
    assert watched.administrative(f"{project}/plain")["dataset_identifier"] == identifier
    watched.move(f"{project}/plain", dataset)
    watched.put(f"{dataset}/b.txt", "b\n")
    watched.reconcile()
    assert set(watched.entries(dataset)) == {f"{name}/a.txt", "b.txt"}
    assert watched.check() == []
    assert watched.problems() == {}
    assert watched.status().as_json()


@pytest.mark.parametrize("word", ["invalid UTF-8", "newline", "right to left", "markup"])
def test_trouble_in_a_folder_of_any_name_can_be_told(watched: Watched, word: str) -> None:
    """What is said of it can be stored, printed and sent as JSON."""
    name = NAMES[word]
    dataset = f"p_{name}/{name}"
    watched.put(f"{dataset}/a.txt")
    watched.reconcile()
    for document in ("dataset_structural", "dataset_administrative"):
        (watched.root / dataset / ".metadata" / f"{document}.json").write_text("{ broken")
        report = watched.reconcile()
        assert report.findings
        for finding in report.findings:
            f"{finding.path} {finding.message}".encode()
        for path, reason in watched.problems().items():
            f"{path} {reason}".encode()
        assert watched.check()
        "".join(watched.check()).encode()
        watched.explain(f"{dataset}/a.txt").sentence.encode()


def deep_folder(root: Path, dataset: str, levels: int, name: str) -> int:
    """A folder ``levels`` deep, made step by step because its path is longer than the system takes at once."""
    (root / dataset).mkdir(parents=True, exist_ok=True)
    current = os.open(root / dataset, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=current)
        following = os.open(name, os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = following
    return current


def write_at(folder: int, name: str, content: bytes) -> None:
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, dir_fd=folder)
    os.write(fd, content)
    os.close(fd)


def remove_deep(folder: Path) -> None:
    """What is deeper than Python's own recursion goes, so that pytest can sweep its folders."""
    subprocess.run(["rm", "-rf", folder], check=True)


def test_a_path_longer_than_the_system_takes_at_once_is_described(watched: Watched) -> None:
    levels, name = 60, "n" * 200
    folder = deep_folder(watched.root, D, levels, name)
    try:
        write_at(folder, "deep.txt", b"deep\n")
        watched.put(f"{D}/shallow.txt")
        path = f"{name}/" * levels + "deep.txt"
        assert len(path) > 12_000
        watched.reconcile()
        first = watched.identifiers(D)
        assert set(first) == {path, "shallow.txt"}
        watched.lose_state()
        watched.reconcile()
        watched.reconcile()
        assert (watched.identifiers(D), set(watched.states(D).values())) == (first, {"present"})
        write_at(folder, "deep.txt", b"deeper\n")
        watched.reconcile()
        assert watched.entries(D)[path]["size_bytes"] == 7
        os.rename("deep.txt", "renamed.txt", src_dir_fd=folder, dst_dir_fd=folder)
        watched.reconcile()
        renamed = path.replace("deep.txt", "renamed.txt")
        assert watched.identifiers(D) == {renamed: first[path], "shallow.txt": first["shallow.txt"]}
        watched.lose_state()
        os.rename("renamed.txt", "again.txt", src_dir_fd=folder, dst_dir_fd=folder)
        watched.reconcile()
        again = path.replace("deep.txt", "again.txt")
        assert watched.identifiers(D) == {again: first[path], "shallow.txt": first["shallow.txt"]}
        assert watched.explain(f"{D}/{again}").condition == "described"
        assert watched.check() == []
        os.unlink("again.txt", dir_fd=folder)
        watched.reconcile()
        assert watched.states(D) == {again: "missing", "shallow.txt": "present"}
    finally:
        os.close(folder)
        remove_deep(watched.root)


def test_a_thousand_levels_are_walked(watched: Watched) -> None:
    folder = deep_folder(watched.root, D, 1_000, "d")
    try:
        write_at(folder, "bottom.txt", b"here\n")
        watched.reconcile()
        assert set(watched.entries(D)) == {"d/" * 1_000 + "bottom.txt"}
        assert watched.reconcile().unchanged == 1
    finally:
        os.close(folder)
        remove_deep(watched.root)


def test_a_watched_folder_whose_own_name_is_not_utf_8_works(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"data\xff")
    root.mkdir()
    watched = Watched(root, tmp_path / "state")
    watched.put(f"{D}/a.txt")
    report = watched.reconcile()
    assert report.described == 1
    assert watched.check() == []
    assert watched.status().counts["described"] == 1
