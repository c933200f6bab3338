"""The ``.dvc`` file beside a data file: what it says, and whether it is one of ours.

The form is DVC's (https://dvc.org/doc/user-guide/project-structure/dvc-files); ``meta`` is the part it leaves to
others, and there stands the SHA-256 that the manifest has, so that the two histories can be read side by side.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SUFFIX = ".dvc"
DIRECTORY = ".dir"  # what DVC puts behind the MD5 of a folder's listing
LARGEST = 1 << 20  # bytes of a .dvc file that is looked into; ours have some hundreds
_NAME_BYTES = 255
_DVC_OWN = ("dvc.yaml", "dvc.lock")

_FORM = re.compile(
    r"outs:\n"
    r"- md5: (?P<md5>[0-9a-f]{32}(?:\.dir)?)\n"
    r"  size: (?P<size>[0-9]{1,20})\n"
    r"(?:  nfiles: (?P<files>[0-9]{1,20})\n)?"
    r"  hash: md5\n"
    r"(?P<uncached>  cache: false\n)?"
    r"  path: (?P<path>[^\n]+)\n"
    r"(?P<executable>  isexec: true\n)?"
    r"meta:\n"
    r"  fairfolder:\n"
    r"    sha256: (?P<sha256>[0-9a-f]{64})\n"
)
# What a YAML reader does not take as it stands, and the two signs with a meaning inside double quotes.
_ESCAPED = re.compile('[\x00-\x1f"\\\\\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\U0001fffe\U0001ffff]')
_ESCAPE = re.compile(r'\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(["\\]))')
# DVC writes a name without quotes where it can: so it stands after somebody's `dvc commit`.
_PLAIN = re.compile(r"[\w.][\w. +@%=,()~-]*(?<! )")


class Pointer(NamedTuple):
    """What one ``.dvc`` file says of the file or folder ``name`` beside it.

    ``md5`` is of the bytes, or of a folder's listing with ``.dir`` behind it; ``sha256`` is the file's, or of what
    :func:`ingest.provenance.data.folders.fingerprint` makes of a folder; ``files`` only of a folder.
    """

    name: str
    md5: str
    size: int
    sha256: str
    files: int | None = None
    cached: bool = True
    executable: bool = False


def text(pointer: Pointer) -> bytes:
    """The whole text of a ``.dvc`` file."""
    lines = ["outs:", f"- md5: {pointer.md5}", f"  size: {pointer.size}"]
    if pointer.files is not None:
        lines.append(f"  nfiles: {pointer.files}")
    lines.append("  hash: md5")
    if not pointer.cached:
        lines.append("  cache: false")
    lines.append(f"  path: {_quoted(pointer.name)}")
    if pointer.executable:
        lines.append("  isexec: true")
    lines += ["meta:", "  fairfolder:", f"    sha256: {pointer.sha256}", ""]
    return "\n".join(lines).encode()


def read(raw: bytes, name: str) -> Pointer | None:
    """What a ``.dvc`` file beside ``name`` says; None when it is not one of ours, or no longer."""
    try:
        found = _FORM.fullmatch(raw.decode())
    except UnicodeDecodeError:
        return None
    if found is None or _unquoted(found["path"]) != name:
        return None
    files = None if found["files"] is None else int(found["files"])
    if found["md5"].endswith(DIRECTORY) != (files is not None):
        return None
    return Pointer(
        name, found["md5"], int(found["size"]), found["sha256"], files, not found["uncached"], bool(found["executable"])
    )


def refusal(path: str, *, beside: bool = True) -> str:
    """Why DVC cannot take a file of this path, with a ``.dvc`` file ``beside`` it or without; "" when it can."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8, which DVC cannot take; rename it to have its versions kept"
    name = path.rpartition("/")[2]
    if name in _DVC_OWN:
        return f"DVC takes a file named {name} for its own; rename it to have its versions kept"
    if beside and len(name.encode()) + len(SUFFIX) > _NAME_BYTES:
        return f"its name is too long for a {SUFFIX} file beside it; shorten it to {_NAME_BYTES - len(SUFFIX)} bytes"
    return ""


def _quoted(name: str) -> str:
    return f'"{_ESCAPED.sub(_escape, name)}"'


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    if sign in '"\\':
        return f"\\{sign}"
    number = ord(sign)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _unquoted(scalar: str) -> str | None:
    if len(scalar) >= 2 and scalar[0] == scalar[-1] == '"':
        return _ESCAPE.sub(lambda e: e[4] or chr(int(e[1] or e[2] or e[3], 16)), scalar[1:-1])
    if len(scalar) >= 2 and scalar[0] == scalar[-1] == "'":
        return scalar[1:-1].replace("''", "'")
    return scalar if _PLAIN.fullmatch(scalar) else None
