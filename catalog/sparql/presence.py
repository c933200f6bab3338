"""Whether whoever asked still waits: WSGI does not tell a view that its client has gone, the kernel's table does.

The table names connections by address and port, and WSGI names the client's address only. So this tells for certain
when no connection from that address is left, and nothing where others are (as behind a proxy): there a query that
nobody waits for runs until its limit.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def absence(meta: Mapping[str, Any]) -> Callable[[], bool]:
    """A look at whether the client of a request has gone."""
    try:
        address, port = _plain(ipaddress.ip_address(str(meta.get("REMOTE_ADDR", "")))), int(meta.get("SERVER_PORT", 0))
    except ValueError:
        return lambda: False
    if not _is_connected(address, port):
        return lambda: False  # it came another way, such as by a UNIX socket
    return lambda: not _is_connected(address, port)


def _is_connected(address: Address, port: int) -> bool:
    return any(peer == address for peer in _peers(port))


def _peers(port: int) -> Iterator[Address]:
    """Who is connected to a port of this machine."""
    for table in _TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, remote, state, *_ = line.split()
            if state == _ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
                yield _address(remote.rpartition(":")[0])


def _address(text: str) -> Address:
    """An address as the kernel writes it: words of four bytes in the order of the machine."""
    words = [bytes.fromhex(text[start : start + 8]) for start in range(0, len(text), 8)]
    return _plain(ipaddress.ip_address(b"".join(w[::-1] if sys.byteorder == "little" else w for w in words)))


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
