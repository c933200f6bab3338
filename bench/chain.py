"""The whole chain: files nobody has seen are described, validated, indexed, committed to Git and tracked by DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench import trees
from bench.measuring import Bench, BenchError, Figure, Target, alternate, seconds
from bench.reconcile_from_nothing import SETTLED
from bench.service import command

MOST_OVERHEAD, LEAST_TIMES_DATALAD = 1.25, 5.0


def run(bench: Bench) -> Iterator[Figure]:
    """What Git adds to a first reconcile; then everything, beside DataLad saving the same files."""
    datasets, each = bench.scale.pick(100, 10, 2), bench.scale.pick(100, 100, 10)
    tree = _Tree(bench.folder / "data", bench.folder / "state", datasets, each)
    trees.plant(tree.root, datasets, each)
    time.sleep(SETTLED)
    yield _with_git(bench, tree)
    if bench.scale.name != "toy" or not _lacking():
        yield _beside_datalad(bench, tree)


class _Tree:
    """A planted tree, described from nothing again and again by ``manage.py reconcile``."""

    def __init__(self, root: Path, state: Path, datasets: int, each: int) -> None:
        self.root, self.state, self.datasets, self.each = root, state, datasets, each
        self.files = datasets * each

    def forget(self) -> None:
        """Everything but the research files."""
        trees.forget(self.root, self.state)
        for name in (".git", ".dvc"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        (self.root / ".dvcignore").unlink(missing_ok=True)
        for folder in (trees.dataset_path(self.root, number) for number in range(self.datasets)):
            (folder / ".gitignore").unlink(missing_ok=True)
            for pointer in folder.glob("*.dvc"):
                pointer.unlink()

    def reconcile(self, git: str, dvc: str) -> float:
        """Seconds from the start of the process to its end."""
        self.forget()
        started = time.perf_counter()
        answer = command(self.root, self.state, "reconcile", FAIRFOLDER_GIT=git, FAIRFOLDER_DVC=dvc)
        spent = time.perf_counter() - started
        if answer["roots"][0]["described"] != self.files or answer["not_indexed"]:
            raise BenchError(f"{self.files} files were to be described, but: {answer}")
        if git == "on":
            self._check(dvc)
        return spent

    def _check(self, dvc: str) -> None:
        recorded = _git(self.root, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
        pointers = sum(name.endswith(".dvc") for name in recorded)
        if pointers != (self.files if dvc == "file" else 0) or _git(self.root, "status", "--porcelain"):
            raise BenchError(f"{self.files} files were to be committed, {pointers} are")


def _git(root: Path, *words: str) -> str:
    return os.fsdecode(subprocess.run(["git", *words], cwd=root, capture_output=True, check=True).stdout)


def _with_git(bench: Bench, tree: _Tree) -> Figure:
    mine, theirs = alternate(bench.runs, lambda: tree.reconcile("on", "off"), lambda: tree.reconcile("off", "off"))
    figure = Figure("", "s", mine, "", theirs, 0, "")
    ratio = figure.value / figure.yardstick_value
    return Figure(
        title=f"{tree.files:,} files in {tree.datasets} datasets described, indexed and committed to Git",
        unit="s",
        values=mine,
        yardstick="the same without a history",
        yardstick_values=theirs,
        ratio=ratio,
        ratio_words="its time",
        targets=(Target.at_most(ratio, MOST_OVERHEAD, "× its time"),),
    )


def _beside_datalad(bench: Bench, tree: _Tree) -> Figure:
    """Both from the same files to a clean ``git status``; DataLad's setting up of the dataset is left out."""
    for program in _lacking():
        raise BenchError(f"The yardstick needs {program}, which is not installed here: apt-get install {program}.")
    number = iter(range(10_000))

    def save() -> float:
        copy = bench.folder / f"datalad{next(number)}"
        trees.plant(copy, tree.datasets, tree.each)
        who = {f"GIT_{role}_{what}": "bench" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env = {**os.environ, **who, "HOME": str(bench.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        _datalad(["create", "--force", "."], copy, env)
        spent = seconds(lambda: _datalad(["save", "-m", "everything"], copy, env))
        subprocess.run(["chmod", "-R", "u+w", "--", str(copy)], check=True)
        shutil.rmtree(copy)
        return spent

    mine, theirs = alternate(bench.runs, lambda: tree.reconcile("on", "file"), save)
    figure = Figure("", "s", mine, "", theirs, 0, "")
    ratio = figure.yardstick_value / figure.value
    return Figure(
        title=f"{tree.files:,} files described, validated, indexed, committed and tracked by DVC, whole process",
        unit="s",
        values=mine,
        yardstick=f"datalad save of the same files ({_version()})",
        yardstick_values=theirs,
        ratio=ratio,
        ratio_words="times as fast",
        targets=(Target.at_least(ratio, LEAST_TIMES_DATALAD, "× its speed"),),
    )


def _datalad(words: list[str], folder: Path, env: dict[str, str]) -> None:
    done = subprocess.run(["datalad", *words], cwd=folder, env=env, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise BenchError(
            f"datalad {words[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}"
        )


def _lacking() -> list[str]:
    return [program for program in ("datalad", "git-annex") if shutil.which(program) is None]


def _version() -> str:
    said = subprocess.run(["datalad", "--version"], capture_output=True, text=True).stdout.split()
    return " ".join(said) or "unknown version"
