"""Which files of a dataset a run is about: all that no other run has, those that are there now, or some of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from catalog.models import Dataset, File, Run
from ingest import documents
from ingest.errors import LayoutError

MOST_TICKED = 200  # files offered one by one
MOST_PATTERNS = 50  # with * or ?
MOST_LISTED = 20  # files named of a choice

# What the person's words stand for.
REST, NOW, THESE = "rest", "now", "these"


@dataclass(frozen=True)
class Choice:
    """What a person asks for; ``ticked`` are identifiers of files, ``patterns`` folders, paths or ``*`` patterns."""

    how: str = ""
    ticked: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @classmethod
    def posted(cls, data: QueryDict) -> Choice:
        """As a form sends it."""
        lines = (line.strip() for line in data.get("patterns", "").splitlines())
        return cls(data.get("files", ""), tuple(data.getlist("file")), tuple(line for line in lines if line))


@dataclass(frozen=True)
class Free:
    """One file that no other run has claimed; ``path`` is its ``os`` path below the dataset."""

    identifier: str
    path: str
    recorded: str
    size_bytes: int


@dataclass(frozen=True)
class Shown:
    """What a choice comes to, to be looked at before it is made."""

    count: int
    size_bytes: int
    first: Sequence[Free]


def free(dataset: Dataset, run: str = "") -> list[Free]:
    """The files that are there and belong to no run but this one, by path."""
    taken = _listed_elsewhere(dataset, run)
    rows = File.objects.filter(dataset=dataset, run__in=("", run)).exclude(state="missing").order_by("path", "id")
    return [
        Free(identifier, documents.decode_path(path, encoding), path, size)
        for identifier, path, encoding, size in rows.values_list("identifier", "path", "path_encoding", "size_bytes")
        if path not in taken
    ]


def _listed_elsewhere(dataset: Dataset, run: str) -> set[str]:
    """The recorded paths that drafts of other runs list as theirs."""
    drafts = Run.objects.filter(dataset_identifier=dataset.identifier, revision=0).exclude(identifier=run)
    listed: set[str] = set()
    for each in drafts.select_related("document"):
        listed.update(recorded(each.document.value if each.document is not None else None) or ())
    return listed


def recorded(run: Mapping[str, Any] | None) -> list[str] | None:
    """The recorded paths a run's document lists; None where it lists none and so has all that is left."""
    files = (run or {}).get("data_files")
    return [each for each in files if isinstance(each, str)] if isinstance(files, list) else None


def chosen(choice: Choice, among: Sequence[Free]) -> tuple[str, ...] | None:
    """The ``os`` paths a choice stands for; None for every file that no other run has, also those yet to come.

    Raises:
        LayoutError: when nothing was chosen, or a folder, path or pattern fits no file.
    """
    if choice.how == REST:
        return None
    if choice.how == NOW:
        return tuple(each.path for each in among)
    if choice.how != THESE:
        raise LayoutError("Which files belong to the run? Choose one of the three ways.")
    wanted = _matching(choice.patterns, among) | _ticked(choice.ticked, among)
    if not wanted:
        raise LayoutError("No file is chosen; tick some, or name a folder or a pattern such as plate1/* below.")
    return tuple(each.path for each in among if each.path in wanted)


def _ticked(identifiers: Iterable[str], among: Sequence[Free]) -> set[str]:
    wanted = set(identifiers)
    found = {each.identifier: each.path for each in among if each.identifier in wanted}
    if wanted - set(found):
        raise LayoutError("A file that was ticked is gone or belongs to another run by now; look at the list again.")
    return set(found.values())


def _matching(lines: Sequence[str], among: Sequence[Free]) -> set[str]:
    asked = [line.strip().strip("/") for line in lines]
    rules = {each: _rule(each) for each in asked if "*" in each or "?" in each}
    if len(rules) > MOST_PATTERNS:
        told = f"There are {len(rules):,} lines with * or ?, and each is looked for in every file"
        raise LayoutError(f"{told}; at most {MOST_PATTERNS} are accepted: name folders instead.")
    fitting = _named(set(asked) - set(rules), among)
    for each, rule in rules.items():
        fitting[each] = {file.path for file in among if rule.fullmatch(file.recorded)}
    for line, each in zip(lines, asked, strict=True):
        if not fitting[each]:
            raise LayoutError(f"{line!r} fits no file that is free; correct it, or take the line out.")
    return set().union(*fitting.values())


def _named(names: Iterable[str], among: Sequence[Free]) -> dict[str, set[str]]:
    """Path, or folder and all below it → the files it stands for; each file is looked at once."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for file in among if found else ():
        name = file.recorded
        while name:
            if name in found:
                found[name].add(file.path)
            name = name.rpartition("/")[0]
    return found


def _rule(pattern: str) -> re.Pattern[str]:
    """A pattern in which ``*`` stands for any text and ``?`` for one character; a folder it fits means all below it.

    Each star takes as little as it can and never gives it back, so that no pattern takes long to fail.
    """
    first, *others = (_literal(part) for part in re.sub(r"\*+", "*", pattern).split("*"))
    body = first + "".join(f"(?>[^/]*?{part})" for part in others[:-1]) + (f"[^/]*{others[-1]}" if others else "")
    return re.compile(f"(?s:{body}(?:/.*)?)")


def _literal(part: str) -> str:
    return "[^/]".join(map(re.escape, part.split("?")))


def shown(choice: Choice, among: Sequence[Free]) -> Shown:
    """What a choice comes to now.

    Raises:
        LayoutError: see :func:`chosen`.
    """
    paths = chosen(choice, among)
    wanted = None if paths is None else set(paths)
    files = [each for each in among if wanted is None or each.path in wanted]
    return Shown(len(files), sum(each.size_bytes for each in files), files[:MOST_LISTED])
