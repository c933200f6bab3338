"""The engine as a process of its own, to be killed, starved and listened to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.ingest.provenance.historic import Historic
from tests.ingest.watched import Watched

CHECKOUT = Path(__file__).resolve().parents[2]
# Says a word when everything is imported and the pass begins, so that what follows hits the pass.
_DRIVER = "import sys; from ingest.__main__ import main; print('begun', flush=True); sys.exit(main(sys.argv[1:]))"


def environment(watched: Watched) -> dict[str, str]:
    own = {
        "FAIRFOLDER_STATE_DIR": str(watched.state),
        "FAIRFOLDER_SETTLE_SECONDS": str(watched.settle_seconds),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if isinstance(watched, Historic):
        own |= {"FAIRFOLDER_GIT": "on", "FAIRFOLDER_DVC": watched.mode.value}
    return {**os.environ, **own}


def reconcile_command(watched: Watched) -> list[str]:
    return [sys.executable, "-c", _DRIVER, "reconcile", str(watched.root)]


def start_reconcile(watched: Watched) -> subprocess.Popen[bytes]:
    """A running pass that has just begun."""
    process = subprocess.Popen(
        reconcile_command(watched),
        cwd=CHECKOUT,
        env=environment(watched),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    return process


def run_reconcile(watched: Watched, *before: str) -> subprocess.CompletedProcess[str]:
    """A whole pass, under another program if one is given."""
    command = [*before, *reconcile_command(watched)]
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment(watched), capture_output=True, text=True, errors="replace", timeout=300
    )


def broken_documents(root: Path) -> list[str]:
    """Metadata documents that are no JSON at this moment, whatever else is unfinished."""
    broken = []
    for path in root.rglob(".metadata/**/*.json"):
        if not path.name.startswith("."):
            try:
                json.loads(path.read_bytes())
            except ValueError:
                broken.append(str(path))
    return broken
