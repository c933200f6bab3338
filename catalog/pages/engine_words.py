"""What the engine says of a project or dataset, for its page; one that cannot be asked is told of in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalog import engine, queries
from catalog.models import Dataset, File, Project
from ingest import documents
from ingest.errors import FairfolderError
from ingest.fixity import Marks, marks

_NEVER = ("link", "special")


@dataclass(frozen=True)
class EngineWords:
    """`broken` are sentences on documents; `waiting` will be described, `never` will not; `strays` are paths."""

    broken: Sequence[str] = ()
    waiting: Sequence[engine.Undescribed] = ()
    never: Sequence[engine.Undescribed] = ()
    strays: Sequence[str] = field(default=())


def of_record(record: Project | Dataset) -> EngineWords:
    """What index and engine know to be wrong in a folder, each document once."""
    told = {each.path: each.problem for each in queries.broken_below(record)}
    root = engine.root_named(record.root)
    if root is None:
        return EngineWords(list(told.values()))
    folder = documents.decode_path(record.path, record.path_encoding)
    try:
        for path, reason in _troubles(root, folder):
            if reason not in told.values():
                told.setdefault(path, reason)
        if isinstance(record, Project):
            return EngineWords(list(told.values()), strays=engine.strays(root, folder))
        seen = engine.undescribed(root, folder)
    except FairfolderError as error:
        return EngineWords([*told.values(), str(error)])
    waiting = [each for each in seen if each.condition not in _NEVER]
    return EngineWords(list(told.values()), waiting, [each for each in seen if each.condition in _NEVER])


def marks_of(record: Dataset, file: File | None = None) -> Marks:
    """What reading its data again found to be other than it is recorded; none where the engine cannot be asked.

    That it cannot stands on the dataset's page already.
    """
    root = engine.root_named(record.root)
    if root is None:
        return Marks()
    path = documents.decode_path(record.path, record.path_encoding)
    if file is not None:
        path = f"{path}/{documents.decode_path(file.path, file.path_encoding)}"
    try:
        with engine.looking(root) as workspace:
            return marks(workspace, path)
    except FairfolderError:
        return Marks()


def marked(record: Dataset, found: Marks, rows: Sequence[File]) -> set[int]:
    """Keys of those files of one page that an alarm names."""
    folder = documents.decode_path(record.path, record.path_encoding)
    names = {row.pk: f"{folder}/{documents.decode_path(row.path, row.path_encoding)}" for row in rows}
    return {key for key, name in names.items() if name in found.named}


def _troubles(root: Path, folder: str) -> list[tuple[str, str]]:
    """``(path as the index has it, reason)`` of the engine's troubles with a folder itself and its own documents."""
    with engine.looking(root) as workspace:
        found = workspace.seen.troubles()
    own = [each for each in found if each.path == folder or each.path.startswith(f"{folder}/.metadata/")]
    return [(documents.encode_path(each.path)["path"], each.reason) for each in own]
