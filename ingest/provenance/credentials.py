"""Keys and passwords in DVC's configuration: a history, and every copy of it, is no place for them."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.documents import read_bytes, shell_word
from ingest.errors import DocumentError

CONFIG = ".dvc/config"

# The options of https://dvc.org/doc/command-reference/remote/modify whose value opens something; a path does not.
_SECRET = re.compile(
    r".*(?:password|passphrase|passwd|secret|token|sas|private_key|access_key|account_key|key_id|connection_string"
    r"|sse_customer_key|credentials?(?:_data)?)",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?i)ask_.*|.*(?:_path|_file|_url|_uri|path|_expiry|_endpoint)")
_KEYED_ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^/?#\s@]*:[^/?#\s@]+@|[?&;](?:sig|signature|access_?key|token)=")
_OPTION = re.compile(r"\s*([\w.-]+)\s*[=:]\s*(.*?)\s*")
_REMOTE = re.compile(r"""\s*\[\s*['"]*\s*remote\s+["']?(.*?)["']*\s*\]\s*""")
_EMPTY = frozenset({"", "''", '""', "true", "false", "none"})


def secrets_in(text: bytes) -> list[tuple[str, str]]:
    """The options of a DVC configuration that hold a key or a password: the remote ("": none) and the option's name."""
    found, remote = [], ""
    for line in text.decode("utf-8", "replace").splitlines():
        if line.lstrip().startswith("["):
            section = _REMOTE.fullmatch(line)
            remote = section[1] if section is not None else ""
        option = _OPTION.fullmatch(line)
        # What is commented out would be read in the history like the rest.
        option = option or _OPTION.fullmatch(line.lstrip().lstrip("#;"))
        if option is not None and _is_secret(option[1], option[2]):
            found.append((remote, option[1]))
    return list(dict.fromkeys(found))


def _is_secret(name: str, value: str) -> bool:
    if _KEYED_ADDRESS.search(value):
        return True
    return value.lower() not in _EMPTY and _SECRET.fullmatch(name) is not None and _NO_SECRET.fullmatch(name) is None


def withheld(root: Path) -> str:
    """What to tell of a configuration that is not recorded because of what it holds, with the mend; else ""."""
    try:
        found = secrets_in(read_bytes(root / CONFIG))
    except (OSError, DocumentError):
        return ""
    if not found:
        return ""
    listed = ", ".join(f"{name} of the remote {remote!r}" if remote else name for remote, name in found)
    remote, name = next(((remote, name) for remote, name in found if remote), ("REMOTE", found[0][1]))
    word = shell_word(remote)
    return (
        f"{root / CONFIG} holds {listed}; it is not recorded in the history as long as it does. Keep such a value in "
        f"the local configuration, in {root}: dvc remote modify --local {word} {name} VALUE, then take it out of this "
        f"one: dvc remote modify --unset {word} {name} (for an address: dvc remote modify {word} url ADDRESS)."
    )
