"""Loaded before anything of ours: the tests see none of the developer's settings and never touch their data.

pytest loads it early (``-p tests.isolation`` in pyproject.toml) because the Django settings read the environment once.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile


def _isolate() -> None:
    for name in [n for n in os.environ if n.startswith("FAIRFOLDER_")]:
        del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    place = tempfile.mkdtemp(prefix="fairfolder-tests-")
    owner = os.getpid()
    os.environ["FAIRFOLDER_STATE_DIR"] = os.path.join(place, "state")
    os.environ["MONITOR_PATH"] = os.path.join(place, "data")
    # A history costs each action some processes; the tests of the history, the faults and the journeys turn it on.
    os.environ["FAIRFOLDER_GIT"] = os.environ["FAIRFOLDER_DVC"] = "off"
    os.mkdir(os.environ["MONITOR_PATH"])

    def sweep() -> None:
        if os.getpid() == owner:  # not in a child that a test forked
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(sweep)


_isolate()
