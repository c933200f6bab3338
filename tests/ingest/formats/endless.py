"""A reader that never comes to an end: tests put it in the place of one that may take too long, on any machine."""

from __future__ import annotations

import time

from ingest.formats.facts import Facts


def extract(fd: int, size: int, facts: Facts) -> None:
    """Sleeps until it is killed."""
    while True:
        time.sleep(1)
