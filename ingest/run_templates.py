"""What a new run may start from: the packaged templates, and a site's own in ``<root>/.run_templates/*.json``.

A template is an object with ``title``, ``description`` and ``value``: the beginning of a run's record. It chooses and
offers (a run type, rows to fill in), and it must leave a valid draft. One of a site's own replaces the packaged one of
the same name; one that cannot be used is refused with its reason, and the others stay.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import schemas
from ingest import blanks, documents
from ingest.documents import EXPERIMENT, SYSTEM_KEYS
from ingest.errors import DocumentError, printable
from ingest.layout import RUN_TEMPLATES, TEMPLATE_SCHEMAS
from ingest.schema import SchemaSet

MAX_BYTES = 256 * 1024
MAX_TEMPLATES = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
# What a template cannot say because the run itself does.
_OF_THE_RUN = SYSTEM_KEYS[EXPERIMENT] | {"status", "run_label", "data_files"}
_EXAMPLE = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class RunTemplate:
    """A beginning of a run's record; ``origin`` is the file it came from, None for a packaged one."""

    name: str
    title: str
    description: str
    value: Mapping[str, Any]
    origin: Path | None = None


@dataclass(frozen=True)
class Refused:
    """A file that is no usable template, and why, in a sentence."""

    path: Path
    reason: str


def templates(root: Path, schema_set: SchemaSet | None = None) -> list[RunTemplate]:
    """Every template that may be used under a root: the packaged ones first, then a site's own by name.

    Args:
        schema_set: the schemas in force; those of the root are read when it is left out.
    """
    named = {name: _packaged(name) for name in schemas.RUN_TEMPLATES}
    named |= {each.name: each for each in look(root, schema_set) if isinstance(each, RunTemplate)}
    return list(named.values())


def refused(root: Path, schema_set: SchemaSet | None = None) -> list[Refused]:
    """What stands in the folder of a site's own templates and cannot be used."""
    return [each for each in look(root, schema_set) if isinstance(each, Refused)]


def look(root: Path, schema_set: SchemaSet | None = None) -> Iterator[RunTemplate | Refused]:
    """A site's own templates, each as it may be used or refused."""
    folder = root / RUN_TEMPLATES
    if folder.is_symlink():
        yield Refused(folder, "It is a symbolic link; put the folder itself there.")
        return
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        yield Refused(folder, f"It cannot be read: {error.strerror}; grant the service access to it.")
        return
    judge = schema_set or SchemaSet(root / TEMPLATE_SCHEMAS)
    for name in names[:MAX_TEMPLATES]:
        yield _of_site(folder / name, judge)
    for name in names[MAX_TEMPLATES:]:
        yield Refused(folder / name, f"There are more than {MAX_TEMPLATES} templates; remove those nobody uses.")


def _packaged(name: str) -> RunTemplate:
    value = documents.parse(Path(f"{name}.json"), schemas.run_template(name).encode())
    return RunTemplate(name, value["title"], value["description"], value["value"])


def _of_site(path: Path, judge: SchemaSet) -> RunTemplate | Refused:
    name = path.name.removesuffix(".json")
    if not _NAME.fullmatch(name):
        return Refused(path, "Its name is not made of letters, digits, '-', '_' and '.'; rename it.")
    try:
        info = os.lstat(path)
        if stat.S_ISREG(info.st_mode) and info.st_size > MAX_BYTES:
            return Refused(path, f"It has {info.st_size:,} bytes, more than {MAX_BYTES:,}; make it shorter.")
        value = documents.read_document(path).value
    except (OSError, DocumentError) as error:
        return Refused(path, printable(str(error)))
    reason = _wrong(value, judge)
    if reason:
        return Refused(path, printable(reason))
    return RunTemplate(name, value["title"].strip(), str(value.get("description", "")), value["value"], path)


def _wrong(value: Mapping[str, Any], judge: SchemaSet) -> str:
    """Why a JSON object is no usable template; "" when it is one."""
    title, begun = value.get("title"), value.get("value")
    if not isinstance(title, str) or not title.strip():
        return "It has no title; give it one, as people choose by it."
    if not isinstance(value.get("description", ""), str):
        return "Its description is not a text; write it in quotes."
    if not isinstance(begun, dict):
        return 'It has no "value"; put the fields the run shall begin with there, in { }.'
    own = sorted(_OF_THE_RUN & set(begun))
    if own:
        return f"Its value sets {own[0]!r}, which every run has of its own; take it out."
    draft = {**blanks.experiment_template(_EXAMPLE, "run", _EXAMPLE, "en"), **begun}
    stamps = dict.fromkeys(("created_date", "last_modified_date"), "2000-01-01T00:00:00Z")
    stamps |= dict.fromkeys(("created_by", "last_modified_by"), "system:trigger-3")
    problems = judge.problems(EXPERIMENT, {**draft, "$schema": judge.schema_id(EXPERIMENT), **stamps})
    if problems:
        return f"A run that begins with it is no valid draft: {problems[0].pointer}: {problems[0].message}"
    return ""
