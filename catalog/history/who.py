"""Whoever made a change, and whatever led to it, as people call them."""

from __future__ import annotations

from collections.abc import Mapping

# The names the recorder gives to what is no person; see :mod:`ingest.provenance.actions`.
SERVICE, DISK = "Fairfolder", "filesystem"


# What the recorder calls a trigger; see :class:`ingest.provenance.actions.Action`.
_TRIGGERS: Mapping[str, str] = {
    "0": "a new project",
    "1": "a new dataset",
    "2": "files that came, changed or went",
    "3": "a new run",
    "4": "a run that is complete",
    "5": "a complete metadata file",
    "form": "a form",
    "publish": "publishing or withdrawing it",
    "bulk": "a change of several records at once",
    "restore": "a version that was restored",
    "filesystem": "a change on disk",
    "recovery": "a change that was recorded later",
}


def told_as(trigger: str) -> str:
    """One trigger in words; one that is none of ours as it is."""
    return _TRIGGERS.get(trigger, trigger)


def is_service(by: str) -> bool:
    """Whether the service itself made a change."""
    return by == SERVICE or by.partition(":")[0] == "system"


def spoken(by: str) -> str:
    """``system:trigger-2`` is the service, ``filesystem`` somebody with an editor, everything else a user name."""
    if by == DISK:
        return "changed on disk"
    if is_service(by):
        return SERVICE
    return by or "unknown"
