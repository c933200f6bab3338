"""FA-23: a process that keeps a file open and writes on, through description, commit and tracking: it loses nothing."""

from __future__ import annotations

import hashlib
import select
import subprocess
import sys
from collections.abc import Callable

import pytest

from ingest.provenance.data.settings import Mode
from tests.faults.history_oracle import dvc_disagrees
from tests.faults.oracle import violations
from tests.faults.processes import run_reconcile
from tests.ingest.provenance.historic import Historic

pytestmark = pytest.mark.timeout(600)
D = "p_Barley/leaves"
# Pauses now and then, until it is told to go on, so that it is described and tracked while it is open.
_WRITER = """
import sys, time
with open(sys.argv[1], "ab", buffering=0) as handle:
    for number in range(int(sys.argv[2])):
        handle.write(b"line %d\\n" % number)
        time.sleep(0.005)
        if number % 40 == 39:
            print(number, flush=True)
            sys.stdin.readline()
"""


@pytest.mark.parametrize("mode", list(Mode))
def test_every_byte_is_in_the_file_and_in_the_end_in_the_cache(
    historic: Historic, mode: Mode, count: Callable[[int, int], int]
) -> None:
    historic.mode = mode
    path = historic.put(f"{D}/growing.log", b"head\n")
    historic.put(f"{D}/other.txt", b"other\n")
    inode = path.stat().st_ino
    lines, described = count(160, 2_000), set()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _WRITER, path, str(lines)], stdin=pipe, stdout=pipe) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for _ in range(lines // 40):
            while not select.select([writer.stdout], [], [], 0.05)[0]:  # it writes
                assert not [p for p in historic.reconcile().findings if "growing" not in p.path]
            writer.stdout.readline()
            assert not [p for p in historic.reconcile().findings if "growing" not in p.path]
            described.add(historic.entries(D).get("growing.log", {}).get("size_bytes", 0))
            writer.stdin.write(b"on\n")
            writer.stdin.flush()
    assert writer.returncode == 0
    assert len(described - {0}) > 1, "it was never described while it was open"
    assert run_reconcile(historic).returncode == 0
    expected = b"head\n" + b"".join(b"line %d\n" % number for number in range(lines))
    assert path.read_bytes() == expected
    info = path.stat()
    assert (info.st_ino, info.st_nlink, info.st_mode & 0o777) == (inode, 1, 0o644)
    assert historic.entries(D)["growing.log"]["checksum"]["value"] == hashlib.sha256(expected).hexdigest()
    assert violations(historic.root, historic.state) == []
    if mode in (Mode.FILE, Mode.FOLDER):
        md5 = hashlib.md5(expected, usedforsecurity=False).hexdigest()
        assert (historic.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).read_bytes() == expected
    if mode is not Mode.OFF:
        assert dvc_disagrees(historic.root) == ""
