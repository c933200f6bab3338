"""The whole chain: files nobody has seen are described, validated, indexed, committed to Git and tracked by DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import trees
from bench.measuring import Bench, BenchError, Figure, Target, alternate, seconds
from bench.reconcile_from_nothing import SETTLED
from bench.service import command

MOST_OVERHEAD, LEAST_TIMES_DATALAD = 1.25, 5.0


def run(bench: Bench) -> Iterator[Figure]:
    """What Git adds to a first reconcile; then everything, beside DataLad saving the same files."""
    forest = _Trees(bench.folder, bench.scale.pick(100, 10, 2), bench.scale.pick(100, 100, 10))
    yield _with_git(bench, forest)
    if bench.scale.name != "toy" or not _lacking():
        yield _beside_datalad(bench, forest)


@dataclass
class _Trees:
    """The same research files planted in a new folder for every run, and described there by ``manage.py reconcile``.

    Nothing is removed in between: ext4 looks long for a free inode while many were given up just now.
    """

    folder: Path
    datasets: int
    each: int
    count: int = 0

    @property
    def files(self) -> int:
        return self.datasets * self.each

    def planted(self) -> Path:
        """A new tree at rest."""
        self.count += 1
        root = self.folder / f"data{self.count}"
        trees.plant(root, self.datasets, self.each)
        os.sync()
        time.sleep(SETTLED)
        return root

    def reconcile(self, git: str, dvc: str) -> float:
        """Seconds from the start of the process to its end."""
        root = self.planted()
        state = self.folder / f"state{self.count}"
        started = time.perf_counter()
        answer = command(root, state, "reconcile", FAIRFOLDER_GIT=git, FAIRFOLDER_DVC=dvc)
        spent = time.perf_counter() - started
        if answer["roots"][0]["described"] != self.files or answer["not_indexed"]:
            raise BenchError(f"{self.files} files were to be described, but: {answer}")
        if git == "on":
            self._check(root, dvc)
        return spent

    def _check(self, root: Path, dvc: str) -> None:
        recorded = _git(root, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
        pointers = sum(name.endswith(".dvc") for name in recorded)
        if pointers != (self.files if dvc == "file" else 0) or _git(root, "status", "--porcelain"):
            raise BenchError(f"{self.files} files were to be committed, {pointers} are")


def _git(root: Path, *words: str) -> str:
    return os.fsdecode(subprocess.run(["git", *words], cwd=root, capture_output=True, check=True).stdout)


def _with_git(bench: Bench, tree: _Trees) -> Figure:
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


def _beside_datalad(bench: Bench, tree: _Trees) -> Figure:
    """Both from the same files to a clean ``git status``; DataLad's setting up of the dataset is left out."""
    for program in _lacking():
        raise BenchError(f"The yardstick needs {program}, which is not installed here: apt-get install {program}.")

    def save() -> float:
        copy = tree.planted()
        who = {f"GIT_{role}_{what}": "bench" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env = {**os.environ, **who, "HOME": str(bench.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        _datalad(["create", "--force", "."], copy, env)
        spent = seconds(lambda: _datalad(["save", "-m", "everything"], copy, env))
        subprocess.run(["chmod", "-R", "u+w", "--", str(copy)], check=True)  # git-annex takes that away
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
