"""Whoever made a change, as people call them."""

from __future__ import annotations

# The names the recorder gives to what is no person; see :mod:`ingest.provenance.actions`.
SERVICE, DISK = "Fairfolder", "filesystem"


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
