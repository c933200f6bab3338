"""An unmounted disk must not look like ten thousand deletions: when to freeze, and how the freeze is lifted."""

from __future__ import annotations

import os

from ingest.folders import identity_of
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
    ws.seen.put("root_device", identity_of(os.stat(ws.root))[0])
    if ws.seen.get("frozen"):
        ws.seen.put("frozen", "")
    return ""


def _trouble(ws: Workspace, accept: bool) -> str:
    try:
        device, _ = identity_of(os.stat(ws.root))
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
    if device != known:
        if not _same_folders(ws, device):
            return _frozen(ws, "is on another device than before", described)
        ws.seen.renumber_device(known, device)
    return _frozen(ws, "is empty", described) if empty else ""


def _same_folders(ws: Workspace, device: int) -> bool:
    """Whether the known folders are where they were, with their inodes: then only the device's number is new."""
    places = ws.seen.places(include_gone=False)
    same = 0
    for place in places:
        try:
            info = os.lstat(ws.root / place.path)
        except OSError:
            continue
        same += identity_of(info) == (device, place.ino)
    return same * 2 > len(places)


def _frozen(ws: Workspace, what: str, described: int) -> str:
    return (
        f"The watched folder {ws.name} {what}, although {described:,} files are described in it: it may be unmounted. "
        "Nothing is recorded until they are back; if they are really gone, run: reconcile --accept-deletions"
    )


def is_mass_loss(ws: Workspace, vanished: int, *, whole_root: bool) -> str:
    """The alarm when more than half and more than 100 of all files vanished in one scan, else "".

    Args:
        whole_root: the scan was of everything: only then can it say that an earlier alarm is over.
    """
    present = ws.seen.present_count()
    if vanished <= _MANY or vanished * 2 <= present:
        if whole_root and ws.seen.get("mass_loss"):
            ws.seen.put("mass_loss", "")
        return ""
    alarm = (
        f"{vanished:,} of {present:,} files in {ws.name} vanished at once: a disk may be unmounted. Their deletion is "
        "not recorded; if they are really gone, run: reconcile --accept-deletions"
    )
    ws.seen.put("mass_loss", alarm)
    return alarm
