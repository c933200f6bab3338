"""Whether a watched folder is there at all: the rows of an unmounted disk are kept until it is back."""

from __future__ import annotations

import os
from pathlib import Path

from catalog import engine
from catalog.models import Document
from ingest import documents
from ingest.errors import StoreError
from ingest.workspace import Workspace


def absence(root: Path) -> str:
    """Why what is at a watched folder now is not to be believed, or an empty string when it is.

    The engine's own judgement comes first; where it has not looked yet, an empty folder is a mount point if files are
    known in it.

    Raises:
        StoreError: when the engine's state cannot be read.
    """
    shown = repr(documents.readable(str(root)))
    if not root.is_dir():
        return f"The watched folder {shown} is not there; mount its disk or correct MONITOR_PATH."
    try:
        with engine.looking(root) as workspace:
            return _doubt(workspace)
    except StoreError as error:
        if "no such table" in str(error.__cause__):
            return ""  # the engine sets its state up at this very moment
        raise


def _doubt(workspace: Workspace) -> str:
    frozen = workspace.seen.get("frozen") or workspace.seen.get("mass_loss")
    if frozen:
        return str(frozen)
    if _is_empty(workspace.root) and _is_known(workspace):
        return f"The watched folder {workspace.name!r} is empty, although records of it are known; mount its disk."
    return ""


def _is_empty(root: Path) -> bool:
    with os.scandir(root) as entries:
        return all(entry.name.startswith(".") for entry in entries)


def _is_known(workspace: Workspace) -> bool:
    """Whether something was here. The registry stays when every folder is rightly gone; a mount point has none."""
    if workspace.seen.present_count():
        return True
    if documents.registry_folder(workspace.root).is_dir():
        return False
    return Document.objects.filter(root=documents.readable(str(workspace.root))).exists()
