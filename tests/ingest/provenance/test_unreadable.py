"""What cannot be read now is not gone, and keeps nothing else from being recorded."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ingest import documents
from tests.ingest.provenance.kept import Kept, stamped

pytestmark = pytest.mark.timeout(120)


def deny(monkeypatch: pytest.MonkeyPatch, below: Path, number: int, *, itself: bool = False) -> None:
    """The system says no to everything below a folder, as for another account or on a failing disk."""

    def guarded(call: Any) -> Any:
        def attempt(path: Any, *arguments: Any, **more: Any) -> Any:
            if isinstance(path, str | os.PathLike):
                asked = os.fspath(path)
                if asked.startswith(f"{below}/") or (asked == str(below) and (itself or call is scandir)):
                    raise OSError(number, os.strerror(number), asked)
            return call(path, *arguments, **more)

        return attempt

    scandir = os.scandir
    for name in ("stat", "lstat", "open", "scandir", "listdir"):
        monkeypatch.setattr(os, name, guarded(getattr(os, name)))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("folder", ["p_x/d/.metadata", "p_x/d", "p_x"])
@pytest.mark.parametrize("itself", [False, True])
def test_an_unreadable_folder_loses_nothing_and_holds_up_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, folder: str, number: int, itself: bool
) -> None:
    kept.save(1)
    kept.save(2, dataset="p_y/e")
    kept.put(kept.document("p_y/e"), stamped(3))
    kept.put(".template_schemas/note.json", "{}")
    with monkeypatch.context() as patch:
        deny(patch, kept.path(folder), number, itself=itself)
        assert kept.recorder.catch_up() >= 1
        assert kept.recorder.state().trouble == ""
        paths = [kept.path(kept.document()), kept.path("p_x/d/.metadata"), kept.path(kept.document("p_y/e"))]
        assert kept.recorder.catch_up(paths) == 0
    assert kept.log("%H", "--diff-filter=D", "--name-only") == [""]
    assert kept.blob(kept.document("p_y/e")) == stamped(3).encode()
    assert kept.blob(".template_schemas/note.json") == b"{}"
    assert kept.recorder.catch_up() == 0
    assert kept.status() == []


def test_one_unreadable_document_is_told_in_the_log(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept.save(1)
    assert documents.read_bytes(kept.path(kept.document()))
    with monkeypatch.context() as patch:
        deny(patch, kept.path(kept.document()), errno.EIO, itself=True)
        assert kept.recorder.catch_up() == 0
    assert f"{kept.path(kept.document())} cannot be looked at" in caplog.text
    assert len(kept.log("%H")) == 1
