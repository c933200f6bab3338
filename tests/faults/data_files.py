"""Research data as `find` and `sha256sum` see it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

TEMPORARY = re.compile(rb"(?s).*~|~\$.*|.*\.part|.*\.filepart|.*\.crdownload|.*\.dvc|Thumbs\.db|desktop\.ini|\..*")


def is_data(inner: bytes) -> bool:
    """Whether a path in a dataset is research data, and neither hidden nor temporary."""
    return not any(TEMPORARY.fullmatch(part) for part in inner.split(b"/"))


def data_files(folder: Path) -> dict[str, str]:
    """Path in the folder → SHA-256 of every research file below it, as `find` and `sha256sum` see it."""
    listed = subprocess.run(
        ["find", ".", "-type", "f", "-print0"], cwd=folder, capture_output=True, check=True
    ).stdout.split(b"\0")
    names = [name.removeprefix(b"./") for name in listed if name]
    wanted = b"".join(b"./" + name + b"\0" for name in names if is_data(name))
    if not wanted:
        return {}
    sums = subprocess.run(
        ["xargs", "-0", "sha256sum", "-z", "--"], input=wanted, cwd=folder, capture_output=True, check=True
    ).stdout.split(b"\0")
    return {os.fsdecode(line[66:].removeprefix(b"./")): line[:64].decode() for line in sums if line}
