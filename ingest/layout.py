"""The path grammar: which folder is a project, which a dataset, which name is never data.

All paths here are ``os`` strings (invalid UTF-8 as surrogates), relative to the watched root, with ``/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ingest.errors import LayoutError

METADATA = ".metadata"
TEMPLATE_SCHEMAS = ".template_schemas"
RUN_TEMPLATES = ".run_templates"
IGNORE_FILE = ".fairfolderignore"

# What editors, browsers and transfer tools write before the final name is there (hidden names are caught apart).
_TEMPORARY = re.compile(r"(?s).*~|~\$.*|.*\.part|.*\.filepart|.*\.crdownload|.*\.dvc|Thumbs\.db|desktop\.ini")


class PlaceKind(StrEnum):
    """Where a path stands in the grammar."""

    ROOT = "root"
    OUTSIDE = "outside"  # below the root but in no project
    PROJECT = "project"
    STRAY = "stray"  # a file directly in a project folder
    DATASET = "dataset"
    DATA = "data"
    METADATA = "metadata"  # .metadata or .template_schemas, or anything in them
    NEVER = "never"  # hidden and temporary names


@dataclass(frozen=True)
class Place:
    """A path with its meaning: ``project`` and ``dataset`` are folder names, ``inner`` the path in the dataset."""

    kind: PlaceKind
    project: str = ""
    dataset: str = ""
    inner: str = ""

    @property
    def dataset_path(self) -> str:
        """``project/dataset``, relative to the root."""
        return f"{self.project}/{self.dataset}"


def never_data(name: str) -> bool:
    """Whether a file or folder name can never be research data (hidden, version control, temporary)."""
    return name[0] == "." or _TEMPORARY.fullmatch(name) is not None


@dataclass(frozen=True)
class Layout:
    """The two configurable prefixes, and the questions asked of them."""

    project_prefix: str = "p_"
    dataset_prefix: str = ""

    def is_project_name(self, name: str) -> bool:
        """A project folder's name: the prefix and at least one character more."""
        return name.startswith(self.project_prefix) and len(name) > len(self.project_prefix) and not never_data(name)

    def is_dataset_name(self, name: str) -> bool:
        """A dataset folder's name: not hidden, not temporary, with the dataset prefix if one is set."""
        return name.startswith(self.dataset_prefix) and len(name) > len(self.dataset_prefix) and not never_data(name)

    def place(self, relative: str, *, is_dir: bool | None = None) -> Place:
        """The meaning of a path relative to the root; ``is_dir`` decides between a dataset and a stray file."""
        parts = [p for p in relative.split("/") if p not in ("", ".")]
        if ".." in parts:
            return Place(PlaceKind.OUTSIDE)
        if not parts:
            return Place(PlaceKind.ROOT)
        if METADATA in parts or TEMPLATE_SCHEMAS in parts:
            return self._metadata_place(parts)
        project = parts[0]
        if not self.is_project_name(project):
            return Place(PlaceKind.NEVER if never_data(project) else PlaceKind.OUTSIDE)
        if len(parts) == 1:
            return Place(PlaceKind.PROJECT, project)
        return self._inside_project(parts, is_dir)

    def _inside_project(self, parts: list[str], is_dir: bool | None) -> Place:
        project, dataset, inner = parts[0], parts[1], "/".join(parts[2:])
        if any(never_data(p) for p in parts[1:]):
            return Place(PlaceKind.NEVER, project, dataset, inner)
        if len(parts) == 2 and is_dir is False:
            return Place(PlaceKind.STRAY, project, "", dataset)
        if not self.is_dataset_name(dataset):
            return Place(PlaceKind.OUTSIDE, project, "", "/".join(parts[1:]))
        return Place(PlaceKind.DATA if inner else PlaceKind.DATASET, project, dataset, inner)

    def _metadata_place(self, parts: list[str]) -> Place:
        at = min(parts.index(name) for name in (METADATA, TEMPLATE_SCHEMAS) if name in parts)
        owner = parts[:at]
        project = owner[0] if owner else ""
        dataset = owner[1] if len(owner) > 1 else ""
        return Place(PlaceKind.METADATA, project, dataset, "/".join(parts[at:]))


def relative_to_root(root: Path, path: Path) -> str:
    """``path`` (absolute, or relative to the root) as an ``os`` string relative to ``root``; nothing is resolved.

    Raises:
        LayoutError: when the path lies outside the root.
    """
    text, above = str(path), f"{root}/"
    if text.startswith(above) and "/." not in text:  # thousands are asked for at once, and most are plain
        return text.removeprefix(above)
    whole = path if path.is_absolute() else root / path
    parts: list[str] = []
    for part in whole.parts:
        if part == "..":
            if parts:
                parts.pop()
        elif part != ".":
            parts.append(part)
    try:
        return Path(*parts).relative_to(root).as_posix().removeprefix("./")
    except ValueError:
        raise LayoutError(f"{str(path)!r} is not inside the watched folder {str(root)!r}; name a path in it.") from None
