"""Who changed a document that nobody announced: told by the audit stamp, which only the store moves on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import orjson

from ingest.layout import RUN_TEMPLATES, TEMPLATE_SCHEMAS
from ingest.provenance import actions
from ingest.provenance.actions import FILESYSTEM, Action
from ingest.provenance.building import Content, Step

_log = logging.getLogger("fairfolder.provenance")

_SUBJECT = "Record changes made on disk"
_STAMP = ("last_modified_by", "last_modified_date")


def changed_by(path: str, old: bytes | None, new: Content) -> str:
    """The user, ``system:…`` or ``filesystem`` behind a change of a document from its recorded text to its present one.

    The store moves the stamp on with everything it writes; where it stands still, someone used an editor.
    """
    if not path.endswith(".json"):
        return "system:recovery" if path.endswith((".dvc", ".gitignore")) else FILESYSTEM
    if {TEMPLATE_SCHEMAS, RUN_TEMPLATES} & set(path.split("/")) or not isinstance(new, bytes):
        return FILESYSTEM
    now = _stamp(new)
    if now is None or (old is not None and _stamp(old) == now):
        return FILESYSTEM
    return now[0]


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
