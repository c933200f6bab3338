"""Versions of a document beside each other, as pages and commands tell them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from catalog import engine
from catalog.editing import fields
from catalog.editing.targets import Target
from catalog.history import manifests, past
from catalog.history.differences import Difference, Words, differences, nameless
from catalog.history.manifests import Files
from catalog.history.past import Page, Text
from catalog.models import Project
from ingest.documents import COMPLETE, STRUCTURAL

MOST_DIFFERENCES = 300


@dataclass(frozen=True)
class Compared:
    """What a version says otherwise than an earlier one; ``problem`` says why that cannot be told."""

    fields: Sequence[Difference] = ()
    left_out: int = 0
    files: Files | None = None
    problem: str = ""

    @property
    def is_same(self) -> bool:
        return not (self.fields or self.problem or (self.files is not None and self.files.differ))


def words_of(target: Target) -> Words:
    """The words for the fields of a document, by the schema in force."""
    if target.kind == COMPLETE:
        return Words(nameless(COMPLETE), {})
    tree, labels = fields.tree(engine.schemas(target.root), target.kind), engine.labels(target.root, target.kind)
    return Words(tree, labels, titles(target))


def titles(target: Target) -> dict[str, str]:
    """Identifier → title of the project a document belongs to: who sees the document sees that, and maybe no other."""
    row = Project.objects.filter(identifier=target.project_identifier).first() if target.project_identifier else None
    return {} if row is None else {target.project_identifier: str(row)}


def compared(target: Target, older: Text, newer: Text) -> Compared:
    """What two versions say differently."""
    problem = older.problem or newer.problem
    if problem:
        return Compared(problem=f"The two cannot be compared field by field: {problem}")
    found = differences(words_of(target), older.value, newer.value)
    files = None
    if target.kind == STRUCTURAL:
        files = manifests.files(manifests.lines(older.raw, older.value), manifests.lines(newer.raw, newer.value))
    return Compared(found[:MOST_DIFFERENCES], max(0, len(found) - MOST_DIFFERENCES), files)


def along(target: Target, page: Page) -> list[tuple[str, ...] | None]:
    """What each version of a page says otherwise than the one before it, in one line a place.

    None where it is not told: of texts too large to be read for a list, and of those that cannot be read.
    """
    texts = past.small_texts(target, page)
    words = words_of(target)
    told: list[tuple[str, ...] | None] = []
    for number in range(len(page.versions)):
        newer, older = texts[number], texts[number + 1] if number + 1 < len(texts) else None
        if newer is None or newer.problem or (older is not None and older.problem):
            told.append(None)
        elif older is None:
            told.append(() if number + 1 >= len(texts) else None)
        else:
            lines = [f"{each.place}: {_short(each.before)} → {_short(each.after)}" for each in
                     differences(words, older.value, newer.value)]  # fmt: skip
            if target.kind == STRUCTURAL:
                lines += _files_line(older, newer)
            told.append(tuple(lines))
    return told


def described(text: Text) -> Iterator[str]:
    """The paths of the files a manifest describes, as recorded."""
    for line in manifests.lines(text.raw, text.value):
        entry = orjson.loads(line)
        yield str(entry.get("path", "")) if isinstance(entry, dict) else ""


def _files_line(older: Text, newer: Text) -> list[str]:
    files = manifests.files(manifests.lines(older.raw, older.value), manifests.lines(newer.raw, newer.value))
    return [files.sentence] if files.differ else []


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
