"""Tracks a dataset as a pass does, in a process of its own: ``python -m … ROOT MODE``; it can be traced and killed."""

from __future__ import annotations

import sys
from pathlib import Path

from ingest.provenance.data.settings import Mode
from tests.ingest.provenance.data.conftest import Lab

if __name__ == "__main__":
    lab = Lab(Path(sys.argv[1]), Mode(sys.argv[2]))
    lab.tracker.state()  # asks DVC where its cache is, so that what is killed is our work, not the start of DVC
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    lab.catch_up()
