"""Whether a remote that a setting names can be one: looked at before anything is pushed, without reaching out.

What a remote answers is told when something is pushed to it; here only what could never be answered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from configparser import ConfigParser, Error
from pathlib import Path
from urllib.parse import urlsplit

from ingest import documents
from ingest.errors import DocumentError, printable
from ingest.provenance import pushing
from ingest.provenance.credentials import CONFIG
from ingest.provenance.git import GitError
from ingest.provenance.repository import open_repository

_OF_GIT = ("file", "http", "https", "ssh")
# https://dvc.org/doc/user-guide/data-management/remote-storage; "remote" names another remote, and a path in it.
_OF_DVC = ("azure", "file", "gdrive", "gs", "hdfs", "http", "https", "oss", "remote", "s3", "ssh", "webdav", "webdavs",
           "webhdfs")  # fmt: skip
_LOCAL_CONFIG = ".dvc/config.local"
_SECTION = re.compile(r"""['"]*\s*remote\s+["']?(.*?)["']*""")


def of_git(root: Path, name: str) -> str:
    """Why the history of a root can never be pushed to a remote of this name, "" when it may be.

    While there is no repository nobody can have given it a remote.
    """
    try:
        repository = open_repository(root, make=False)
        address = "" if repository is None else pushing.address(repository, name)
    except GitError as error:
        return f"FAIRFOLDER_GIT_REMOTE is {name!r}: {error}"
    if not address or not (why := _unfit(address, _OF_GIT, root)):
        return ""
    mend = f"set the right one with: git -C {documents.shell_word(str(root))} remote set-url {name} ADDRESS"
    return f"FAIRFOLDER_GIT_REMOTE is {name!r}, whose address {_shown(address)} {why}; {mend}."


def of_dvc(root: Path, name: str) -> str:
    """The same of the remote that data is pushed to, by the configurations in a root.

    One that stands in neither may stand in the account's own, and DVC says what is wrong with it.
    """
    address = _dvc_remotes(root).get(name, "")
    if not address or not (why := _unfit(address, _OF_DVC, root / ".dvc")):
        return ""
    mend = f"set the right one in {documents.shell_word(str(root))} with: dvc remote modify {name} url ADDRESS"
    return f"FAIRFOLDER_DVC_REMOTE is {name!r}, whose address {_shown(address)} {why}; {mend}."


def has_dvc_remote(root: Path) -> bool:
    """Whether a root's configurations of DVC know any remote: without one, what the cache lacks is nowhere."""
    return bool(_dvc_remotes(root))


def _dvc_remotes(root: Path) -> dict[str, str]:
    """The addresses of the remotes by their names."""
    found: dict[str, str] = {}
    for config in (CONFIG, _LOCAL_CONFIG):  # what stands in the second counts
        try:
            text = documents.read_bytes(root / config).decode("utf-8", "replace")
            parser = ConfigParser(interpolation=None, strict=False)
            parser.read_string(text)
        except (OSError, DocumentError, Error):
            continue  # DVC says what is wrong with it
        for section in parser.sections():
            if match := _SECTION.fullmatch(section):
                found[match[1]] = parser[section].get("url", found.get(match[1], "")).strip()
    return found


def _unfit(address: str, schemes: Collection[str], base: Path) -> str:
    """Why nothing can be pushed to an address, "" when something may be; a path is relative to ``base``."""
    if pushing.is_folder(address) or address.startswith("file://"):
        path = base / address.removeprefix("file://")
        return "" if path.is_dir() else "is a folder that does not exist"
    if re.search(r"[\x00-\x20\x7f]", address):
        return "has a blank in it"
    scheme, separator, _ = address.partition("://")
    if not separator:  # [user@]host:path
        host = address.partition(":")[0].rpartition("@")[2]
        return "" if host and "ssh" in schemes else "names no host"
    if scheme.lower() not in schemes:
        return f"begins with {scheme}://, which is none of {', '.join(sorted(schemes))}"
    try:
        parts = urlsplit(address)
        names_port = parts.port is None or parts.port > 0
    except ValueError:
        names_port = False
    if not names_port:
        return "has a host or a port that cannot be one"
    return "" if parts.hostname else "names no host"


def _shown(address: str) -> str:
    """An address without the key that may stand in it."""
    hidden = re.sub(r"(://)[^/@]*@", r"\1…@", address)
    return repr(printable(os.fsdecode(os.fsencode(hidden)))[:200])
