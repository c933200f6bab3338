"""The history: one window of 1,000 documents committed, and a document of 10,000 versions opened."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import Bench, BenchError, Figure, Target, alternate, seconds
from ingest.provenance import trails
from ingest.provenance.actions import Action
from ingest.provenance.recorder import Recorder
from ingest.provenance.repository import Repository, open_repository
from ingest.provenance.settings import GitSettings

DOCUMENT = "dataset_administrative.json"
TEXT = (
    '{{\n  "title": "Dataset {0}",\n  "version": {1},\n  "description": "'
    + "Lorem ipsum dolor sit amet. " * 50
    + '"\n}}\n'
)
PAGE = 50
MOST_SHARE, MOST_SECONDS = 1.5, 0.3


def run(bench: Bench) -> Iterator[Figure]:
    """Both commit the same documents of a tree in which as many times five are tracked already."""
    yield _window(bench)
    yield _story(bench)


def _window(bench: Bench) -> Figure:
    changed = bench.scale.pick(1_000, 100, 10)
    mine, theirs = bench.folder / "ours", bench.folder / "by hand"
    for root in (mine, theirs):
        _write(root, 5 * changed, 0)
        (root / ".metadata").mkdir()
    _by_hand(theirs, changed, first=True)
    recorder = Recorder(mine, bench.folder / "state", GitSettings())
    recorder.catch_up()
    numbers = iter(range(1, 2 * bench.runs + 1))

    def ours() -> float:
        paths = [mine / p for p in _names(changed)]
        action = Action("system:2", f"Describe new files in {changed} datasets", trigger="2")
        before = seconds(lambda: recorder.begin(paths, action))
        _write(mine, changed, next(numbers))
        return before + seconds(lambda: recorder.record(paths, action))

    def by_hand() -> float:
        _write(theirs, changed, next(numbers))
        return seconds(lambda: _by_hand(theirs, changed))

    values, yardstick = alternate(bench.runs, ours, by_hand)
    for root in (mine, theirs):
        if _git(root, "diff", "--shortstat", "HEAD~1", "HEAD").split()[:1] != [str(changed).encode()]:
            raise BenchError(f"The last commit in {root} does not hold {changed} documents.")
    share = Figure("", "s", values, "", yardstick, 0, "").value / max(1e-9, sorted(yardstick)[len(yardstick) // 2])
    return Figure(
        title=f"one window that changed {changed:,} documents, recorded",
        unit="s",
        values=values,
        yardstick="git add and git commit of the same by hand",
        yardstick_values=yardstick,
        ratio=1 / share,
        ratio_words="as fast",
        targets=(Target.at_most(share, MOST_SHARE, "× the time by hand"),),
        notes=("what stood before is compared and the action noted first, which is in the figure",),
    )


def _story(bench: Bench) -> Figure:
    versions = bench.scale.pick(10_000, 1_000, 100)
    root = bench.folder / "story"
    root.mkdir()
    _git(root, "init", "-q", "-b", "main")
    pieces = []
    for number in range(versions):
        text = TEXT.format(0, number).encode()
        who = f"Rosa <rosa@users.fairfolder.invalid> {1_700_000_000 + number} +0000"
        pieces.append(f"commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata 4\nSave\n".encode())
        pieces.append(b"M 100644 inline %s\ndata %d\n%s\n" % (_names(1)[0].encode(), len(text), text))
    _git(root, "fast-import", "--quiet", "--date-format=raw", data=b"".join(pieces))
    repository = open_repository(root)
    if repository is None:
        raise BenchError(f"There is no repository in {root}.")
    values, yardstick = alternate(bench.runs, lambda: _page(repository), lambda: _log(root))
    figure = Figure("", "s", values, "", yardstick, 0, "")
    return Figure(
        title=f"the newest {PAGE} of a document's {versions:,} versions",
        unit="s",
        values=values,
        yardstick="git log of the document, all of it",
        yardstick_values=yardstick,
        ratio=figure.yardstick_value / figure.value,
        ratio_words="as fast",
        targets=(Target.at_most(figure.value, MOST_SECONDS, "s"),),
    )


def _page(repository: Repository) -> float:
    def look() -> None:
        if len(trails.versions(repository, _names(1)[0], limit=PAGE)) != PAGE:
            raise BenchError("The history does not hold the versions it was given.")

    return seconds(look)


def _log(root: Path) -> float:
    return seconds(lambda: _git(root, "log", "--", _names(1)[0]))


def _names(count: int) -> list[str]:
    return [f"p_bench/d{number:05}/.metadata/{DOCUMENT}" for number in range(count)]


def _write(root: Path, count: int, version: int) -> None:
    for number, name in enumerate(_names(count)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(TEXT.format(number, version))


def _by_hand(root: Path, count: int, *, first: bool = False) -> None:
    if first:
        _git(root, "init", "-q", "-b", "main")
    _git(root, "add", "--", *(["."] if first else _names(count)))
    _git(root, "commit", "-q", "-m", "Describe new files")


def _git(root: Path, *arguments: str, data: bytes = b"") -> bytes:
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    names = {f"GIT_{who}_{what}": "bench@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            env={**os.environ, **own, **names},
            input=data,
            capture_output=True,
            check=True,
        )
    except FileNotFoundError:
        raise BenchError("The benchmark needs the program git, which is not installed here; install it.") from None
    except subprocess.CalledProcessError as error:
        raise BenchError(f"git {arguments[0]} failed: {error.stderr.decode(errors='replace')}") from error
    return done.stdout
