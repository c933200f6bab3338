"""What the repository at a root is told once: to leave research data and our temporaries out of ``git status``, and our
documents' bytes alone. Both stand in ``.git/info``, where no clone and no commit sees them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ingest.layout import Layout
from ingest.provenance.ours import FOLDERS
from ingest.provenance.repository import Repository

_BEGIN = "# >>> fairfolder: kept up to date by itself; write your own lines outside of it"
_END = "# <<< fairfolder"
_BLOCK = re.compile(rb"(?ms)^" + re.escape(_BEGIN.encode()) + rb"$.*?^" + re.escape(_END.encode()) + rb"\n?")


def leave_alone(repository: Repository, layout: Layout) -> None:
    """Write both blocks, where they are not there yet."""
    info = repository.common_dir / "info"
    _put(info / "exclude", excluded(layout))
    _put(info / "attributes", untouched(layout))


def excluded(layout: Layout) -> list[str]:
    """``gitignore(5)`` lines: what is in project and dataset folders, but for what we record."""
    project = f"/{_literal(layout.project_prefix)}*"
    dataset = f"{project}/{_literal(layout.dataset_prefix)}*"
    # Folders stay in sight, however deep: DVC passes by every .dvc file in a folder that is left out.
    lines = [f"{project}/**", f"!{project}/**/", f"!{project}/**/*.dvc", f"!{dataset}/.gitignore"]
    lines += [f"!{folder}/{own}/**" for folder in (project, dataset) for own in FOLDERS]
    # Hidden names in our own folders: locks, counters, temporaries.
    return lines + [f"**/{name}/**/{hidden}" for name in FOLDERS for hidden in (".*", "*.tmp")]


def untouched(layout: Layout) -> list[str]:
    """``gitattributes(5)`` lines: documents are checked out and compared byte for byte, on every system."""
    places = [f"**/{name}/**" for name in FOLDERS]
    if re.fullmatch(r"[\w.-]+", layout.project_prefix):  # others would have to be quoted
        places.append(f"/{layout.project_prefix}*/**/*.dvc")
    return [f"{place} -text -filter -ident -working-tree-encoding" for place in places]


def _literal(prefix: str) -> str:
    return re.sub(r"([\\*?\[\]!# ])", r"\\\1", prefix)


def _put(file: Path, lines: list[str]) -> None:
    block = os.fsencode("\n".join([_BEGIN, *lines, _END, ""]))
    try:
        old = file.read_bytes()
    except FileNotFoundError:
        old = b""
    if block in old:
        return
    rest = _BLOCK.sub(b"", old)
    if rest and not rest.endswith(b"\n"):
        rest += b"\n"
    file.parent.mkdir(exist_ok=True)
    temporary = file.with_name(f".{file.name}.fairfolder.tmp")
    temporary.write_bytes(rest + block)
    os.replace(temporary, file)
