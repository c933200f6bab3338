"""An unmounted disk must not look like ten thousand deletions: when to freeze, and how the freeze is lifted."""

from __future__ import annotations

import os

from ingest.workspace import Workspace

_MANY = 100


def guard_root(ws: Workspace, *, accept: bool) -> str:
    """Why nothing may be recorded now ("" when all is well); remembers the root's device for next time.

    Args:
        accept: an administrator says that what is there now is what should be there.
    """
    reason = _trouble(ws, accept)
    if reason:
        ws.seen.put("frozen", reason)
        return reason
    ws.seen.put("root_device", os.stat(ws.root).st_dev)
    if ws.seen.get("frozen"):
        ws.seen.put("frozen", "")
    return ""


def _trouble(ws: Workspace, accept: bool) -> str:
    try:
        info = os.stat(ws.root)
        empty = not any(not name.startswith(".") for name in os.listdir(ws.root))
    except OSError as error:
        return (
            f"The watched folder {ws.name} cannot be read ({error.strerror}): it may be unmounted. Nothing is recorded "
            "until it is back."
        )
    known = ws.seen.get("root_device")
    described = ws.seen.present_count()
    if accept or known is None or described == 0:
        return ""
    if info.st_dev != known:
        return _frozen(ws, "is on another device than before", described)
    return _frozen(ws, "is empty", described) if empty else ""


def _frozen(ws: Workspace, what: str, described: int) -> str:
    return (
        f"The watched folder {ws.name} {what}, although {described:,} files are described in it: it may be unmounted. "
        "Nothing is recorded until they are back; if they are really gone, run: reconcile --accept-deletions"
    )


def is_mass_loss(ws: Workspace, vanished: int) -> str:
    """The alarm when more than half and more than 100 of all files vanished in one scan, else ""."""
    present = ws.seen.present_count()
    if vanished <= _MANY or vanished * 2 <= present:
        if ws.seen.get("mass_loss"):
            ws.seen.put("mass_loss", "")
        return ""
    alarm = (
        f"{vanished:,} of {present:,} files in {ws.name} vanished at once: a disk may be unmounted. Their deletion is "
        "not recorded; if they are really gone, run: reconcile --accept-deletions"
    )
    ws.seen.put("mass_loss", alarm)
    return alarm
