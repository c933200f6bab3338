"""Counted places: how many requests of this process may hold a thread for long at once, so that pages always find one.

A web process has a few threads (:mod:`catalog.serving`). Each kind of long request has threads of its own on top, and
as many places; one address gets a part of them, so that a single client leaves some to the others.
"""

from __future__ import annotations

import threading
from collections import Counter

DOWNLOADS = 8  # files and dumps that are sent at once; who reads slowly holds a thread for as long
_OF_ONE_ADDRESS = 4


class Places:
    """The places, and who has them."""

    def __init__(self, most: int, of_one: int) -> None:
        self._most, self._of_one = most, of_one
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, address: str) -> bool:
        """Whether there is a place for a request from this address; then it has it until :meth:`give_back`."""
        with self._lock:
            if self._taken.total() >= self._most or self._taken[address] >= self._of_one:
                return False
            self._taken[address] += 1
            return True

    def give_back(self, address: str) -> None:
        with self._lock:
            self._taken[address] -= 1
            self._taken += Counter()  # drops who has none


DOWNLOADS_HERE = Places(DOWNLOADS, _OF_ONE_ADDRESS)
