"""Who changed a document that nobody announced: told by the audit stamp, which only the store moves on.

A document that merely came to stand elsewhere brings the stamp of its last save along, and so does an older text that
somebody put in its place: neither was written by whom it names, nor then.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Container, Iterable, Mapping, Sequence

import orjson

from ingest.layout import RUN_TEMPLATES, TEMPLATE_SCHEMAS
from ingest.provenance import actions, ours
from ingest.provenance.actions import FILESYSTEM, Action
from ingest.provenance.building import Content, Step
from ingest.provenance.comparing import Difference
from ingest.provenance.repository import Heads, Repository, batch_check, tree_blobs

_log = logging.getLogger("fairfolder.provenance")

_SUBJECT = "Record changes made on disk"
_RECENT = 200  # commits in which the text of a document that was moved is looked for
_CHANGED = re.compile(rb":[0-7]{6} [0-7]{6} ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [A-Z]")
_STAMP = ("last_modified_by", "last_modified_date")


def changed_by(path: str, old: bytes | None, new: Content, *, moved: Container[str] = ()) -> str:
    """The user, ``system:…`` or ``filesystem`` behind a change of a document from its recorded text to its present one.

    The store moves the stamp on with everything it writes; where it stands still or goes back, someone used an editor.

    Args:
        moved: the paths of documents that came from elsewhere as they are; see :func:`came_from_elsewhere`.
    """
    if not path.endswith(".json"):
        return "system:recovery" if path.endswith((".dvc", ".gitignore")) else FILESYSTEM
    if {TEMPLATE_SCHEMAS, RUN_TEMPLATES} & set(path.split("/")) or not isinstance(new, bytes):
        return FILESYSTEM
    now, before = _stamp(new), _stamp(old) if old is not None else None
    if now is None or path in moved or (before is not None and (before == now or before[1] > now[1])):
        return FILESYSTEM
    return now[0]


def came_from_elsewhere(repository: Repository, heads: Heads, found: Sequence[Difference]) -> frozenset[str]:
    """The paths of new documents whose very text is recorded already, at another path: their folder was moved.

    Git may hold a text that no commit has, of a commit that came to nothing; so those that are held are looked for in
    the newest commits, and where everything stands now.

    Raises:
        GitError: when the repository cannot be read.
    """
    new = [d for d in found if not d.blob and d.text is not None and d.path.endswith(".json")]
    ids = [ours.blob_id(repository.algorithm, d.text or b"") for d in new]
    held = {oid for oid, kind in batch_check(repository, ids) if kind == "blob"}
    if not held:
        return frozenset()
    recorded = {oid for tip in (heads.tip, heads.apart) for oid in tree_blobs(repository, tip).values()}
    if not held <= recorded and heads.tip:
        asked = ("--raw", "-z", "--no-abbrev", "--no-renames", "--diff-merges=first-parent", "--no-show-signature")
        told = repository.run("log", *asked, "--format=", f"--max-count={_RECENT}", "--end-of-options", heads.tip).out
        recorded |= {oid.decode() for pair in _CHANGED.findall(told) for oid in pair}
    return frozenset(d.path for d, oid in zip(new, ids, strict=True) if oid in held & recorded)


def moment_of(text: Content) -> str:
    """When a document says it was last modified, "" when it does not say."""
    stamp = _stamp(text) if isinstance(text, bytes) else None
    return stamp[1] if stamp else ""


def found_step(project: str, dataset: str, by: str, texts: Iterable[Content]) -> Step:
    """The commit of what was found changed; its moment is the one the store gave the documents."""
    by_hand = by == FILESYSTEM
    moment = "" if by_hand else max(map(moment_of, texts), default="")
    action = Action(by, _SUBJECT, "filesystem" if by_hand else "recovery", project, dataset)
    return Step(actions.author(by), actions.seconds(moment), actions.message(action), {})


def _stamp(text: bytes) -> tuple[str, str] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    found = [value.get(key) for key in _STAMP] if isinstance(value, Mapping) else []
    return (str(found[0]), str(found[1])) if found and all(isinstance(each, str) for each in found) else None
