"""Messages between the processes of SPARQL: a length, a JSON object, and at most one open file beside it."""

from __future__ import annotations

import json
import math
import os
import select
import socket
from collections.abc import Iterable, Mapping
from typing import Any

_LONGEST = 8 << 20
_LENGTH = 4


def send(door: socket.socket, value: Mapping[str, Any], *, fd: int = -1) -> None:
    """One message; the other side gets a copy of the open file `fd`.

    Raises:
        OSError: when nobody is there any more.
    """
    data = json.dumps(value).encode()
    data = len(data).to_bytes(_LENGTH, "big") + data
    sent = socket.send_fds(door, [data], [fd] if fd >= 0 else [])
    if sent < len(data):  # whoever has all of it may answer and close at once
        door.sendall(data[sent:])


def receive(door: socket.socket) -> tuple[dict[str, Any], int] | None:
    """One message and the open file that came with it (-1 for none); None when the other side has gone.

    Raises:
        OSError: when the connection broke, or its time is over.
    """
    data, fds, _, _ = socket.recv_fds(door, 65_536, 4)
    try:
        while data and (len(data) < _LENGTH or len(data) < _LENGTH + _length(data)):
            if len(data) >= _LENGTH and _length(data) > _LONGEST:
                raise OSError("a message is too long")
            more = door.recv(65_536)
            data = data + more if more else b""
        value = json.loads(data[_LENGTH:]) if data else None
    except BaseException:
        _close(fds)
        raise
    if not isinstance(value, dict):
        _close(fds)
        return None
    _close(fds[1:])
    return value, fds[0] if fds else -1


def ready(doors: Iterable[socket.socket], seconds: float) -> list[socket.socket]:
    """Those of the doors that have something to read or whose other side has gone; waits `seconds` for the first."""
    poll = select.poll()  # select.select takes no descriptor from 1024 on
    by_number = {door.fileno(): door for door in doors}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(math.ceil(seconds * 1000))]


def _length(data: bytes) -> int:
    return int.from_bytes(data[:_LENGTH], "big")


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
