"""The story of one document among many, however long it is."""

from __future__ import annotations

import os
import time

import pytest

from ingest.provenance import trails
from ingest.provenance.repository import open_repository
from tests.ingest.provenance.kept import Kept, stamped

pytestmark = pytest.mark.timeout(300)

VERSIONS, MOST_SECONDS = 10_000, 3.0  # a tenth of it on a machine that does nothing else: bench/git.py


def story(kept: Kept) -> None:
    """10,000 versions of one document, and as many commits of others between them, by git itself."""
    kept.git("init", "-q", "-b", "main")
    pieces: list[bytes] = []
    for number in range(2 * VERSIONS):
        path = kept.document() if number % 2 else kept.document(f"p_x/other{number % 100}")
        text = stamped(number).encode()
        message = f"Save {number}\n\nTrigger: form\n".encode()
        when = b"Alice <alice@users.fairfolder.invalid> %d +0000" % (1_700_000_000 + number)
        pieces.append(
            b"commit refs/heads/main\nauthor %s\ncommitter %s\ndata %d\n%s\n" % (when, when, len(message), message)
        )
        pieces.append(b"M 100644 inline %s\ndata %d\n%s\n" % (os.fsencode(path), len(text), text))
    kept.git("fast-import", "--quiet", "--date-format=raw", data=b"".join(pieces))


def test_ten_thousand_versions_open_at_once(kept: Kept) -> None:
    story(kept)
    repository = open_repository(kept.root)
    assert repository is not None
    times = []
    for _ in range(5):
        started = time.perf_counter()
        newest = trails.versions(repository, kept.document(), limit=50)
        times.append(time.perf_counter() - started)
    assert [v.subject for v in newest] == [f"Save {n}" for n in range(2 * VERSIONS - 1, 2 * VERSIONS - 100, -2)]
    assert (newest[0].by, newest[0].trigger) == ("alice", "form")
    assert kept.git("cat-file", "blob", newest[0].blob) == stamped(2 * VERSIONS - 1)
    assert min(times) <= MOST_SECONDS, times
    following = trails.versions(repository, kept.document(), limit=50, before=newest[-1].commit)
    assert following[0].subject == f"Save {2 * VERSIONS - 101}"
