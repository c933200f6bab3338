"""Played in a mount namespace of its own, which the caller makes: ``python -m … MODE FOLDER``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ingest.provenance.data.settings import Mode
from tests.ingest.provenance.data.conftest import DATASET, Lab, run

if __name__ == "__main__":
    base = Path(sys.argv[2])
    root, cache = base / "watched", base / "small"
    root.mkdir()
    cache.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", cache], check=True)
    run("git", "init", "-q", cwd=root)
    lab = Lab(root, Mode(sys.argv[1]))
    lab.dvc("init", "-q")
    lab.dvc("cache", "dir", str(cache))
    filler = cache / "filler"
    filler.write_bytes(bytes(1_200_000))
    lab.fill({f"f{i}": b"%d" % i * 300_000 for i in range(6)} | {"huge": bytes(100 << 20)})
    before = lab.contents()
    lab.catch_up()
    told = lab.tracker.untracked
    assert f"{DATASET}/huge" in told, told
    assert 4 <= len(told) <= 6, told
    assert all("is full; free some space" in why for why in told.values()), told
    assert lab.contents() == before
    assert list((cache / "fairfolder").iterdir()) == []
    filler.unlink()
    (root / DATASET / "huge").unlink()
    lab.catch_up()
    assert lab.tracker.untracked == {}
    assert lab.up_to_date()
