"""What a record may say: the packaged JSON Schemas, one per category, and the parts they share.

Data with a loader, nothing else. The rules for local schemas, and validation itself, are in :mod:`ingest.schema`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

BASE = "https://w3id.org/fairfolder/schemas/"
"""Every packaged ``$id`` is ``BASE`` + name + ``/`` + version."""

CATEGORIES = (
    "project_descriptive",
    "dataset_administrative",
    "dataset_structural",
    "file_technical",
    "instrument_technical",
    "experiment_contextual",
)
"""The six categories; the schema of each may be replaced by a local one."""

NAMES = (*CATEGORIES, "registry", "complete_metadata", "core", "definitions")
"""Every packaged schema; the last four are never replaced."""


RUN_TEMPLATES = ("plain", "computational", "sequencing", "microscopy")
"""What a new run may start from, in the order in which they are offered."""


@cache
def run_template(name: str) -> str:
    """A packaged run template as it is, UTF-8.

    Raises:
        KeyError: for a name that is not in :data:`RUN_TEMPLATES`.
    """
    if name not in RUN_TEMPLATES:
        raise KeyError(name)
    return files(__package__).joinpath(f"run_templates/{name}.json").read_text(encoding="utf-8")


@cache
def text(name: str) -> str:
    """The packaged file as it is, UTF-8.

    Raises:
        KeyError: for a name that is not in :data:`NAMES`.
    """
    if name not in NAMES:
        raise KeyError(name)
    return files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")


def load(name: str) -> dict[str, Any]:
    """A fresh copy of the packaged schema, the caller's to change.

    Raises:
        KeyError: for a name that is not in :data:`NAMES`.
    """
    schema: dict[str, Any] = json.loads(text(name))
    return schema
