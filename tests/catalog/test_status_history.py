"""What the status page says of the history and of the versions of data files, in every state they can be in."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import Settings

from ingest.catching_up import VERSIONS
from ingest.provenance.data.remotes import PushState
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.data.telling import DataState
from ingest.provenance.recorder import Recorder
from ingest.provenance.telling import RecorderState
from ingest.seen import Seen, state_folder
from tests.catalog.hostile import see
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db(transaction=True)

THERE = RecorderState(True, there=True, branch="main", head="3f2a1b9c7d10aabb")
HARM = "<b>x</b>"


def shown(reader: Client) -> str:
    """The words of the page; where a tag ends before a comma there is no blank."""
    return re.sub(r" ([,.;])(?= )", r"\1", see(reader, "/status/").words)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RecorderState(False), "History not kept: FAIRFOLDER_GIT is off"),
        (RecorderState(True), "History begins with the first change"),
        (THERE, "History Git, branch main, at 3f2a1b9c7d Versions"),
        (replace(THERE, branch="", busy="HEAD is detached"), "Git, at 3f2a1b9c7d. HEAD is detached"),
        (
            replace(THERE, pending=1200, busy="a rebase is in progress"),
            "1,200 waiting a rebase is in progress; they are put on the branch as soon as that is over",
        ),
        (
            replace(THERE, pending=1),
            "1 waiting because another git command was at work; it is put on the branch with the next change",
        ),
        (replace(THERE, apart=1), "1 document stands in a submodule or cannot stand in this history, and is recorded"),
        (replace(THERE, apart=2), "2 documents stand in submodules or cannot stand in this history, and are recorded"),
        (replace(THERE, notice=f"HEAD is on the branch {HARM}"), f"look HEAD is on the branch {HARM}"),
        (replace(THERE, lock=f"{HARM} is held by another git command"), f"{HARM} is held by another git command"),
        (
            replace(THERE, push=f"The history could not be pushed to {HARM}"),
            f"The history could not be pushed to {HARM}",
        ),
        (replace(THERE, trouble=f"The storage of {HARM} is full."), f"The storage of {HARM} is full."),
        (RecorderState(True, trouble="There is no git program."), "There is no git program."),
    ],
    ids=[
        "off", "new", "well", "detached", "pending", "pending for a lock", "one apart", "apart", "notice", "lock",
        "push failed", "trouble", "no git",
    ],
)  # fmt: skip
def test_the_status_page_tells_how_the_history_stands(
    reader: Client, tree: Tree, monkeypatch: pytest.MonkeyPatch, state: RecorderState, words: str
) -> None:
    monkeypatch.setattr(Recorder, "state", lambda recorder: state)
    assert words in shown(reader)


KEPT = DataState(True, "file", True, "Versions are reflinks: they take no room.", clones=True)


def failed(why: str) -> PushState:
    return PushState("failed", "archive", 1_790_000_000.0, why)


@pytest.mark.parametrize(
    ("mode", "state", "push", "words"),
    [
        (Mode.OFF, None, None, "not kept: FAIRFOLDER_DVC is off, or DVC is not installed; install it with ./scripts/"),
        (Mode.FILE, None, None, "Versions of data files told after the next scan"),
        (Mode.FILE, KEPT, None, "Versions of data files Versions are reflinks: they take no room."),
        (
            Mode.FILE, replace(KEPT, installed=False, words="No versions are kept: DVC is not installed."), None,
            "No versions are kept: DVC is not installed.",
        ),
        (Mode.FILE, KEPT, failed(f"{HARM} is no remote."), f"not pushed {HARM} is no remote."),
        (Mode.FILE, KEPT, PushState("done", HARM, 1_790_000_000.0), f"pushed to {HARM} at "),
        (Mode.FILE, KEPT, PushState("pushing", "archive", 1_790_000_000.0), "being pushed to archive since "),
        (
            Mode.FILE, replace(KEPT, untracked={f"p_x/d/{HARM}": "it is a link"}, untracked_count=300), None,
            f"Files whose versions are not kept: 300 p_x/d/{HARM} it is a link",
        ),
        (Mode.FILE, replace(KEPT, foreign=[f"{HARM} is not ours."]), None, f"that are not ours: 1 {HARM} is not ours."),
    ],
    ids=["off", "not told", "kept", "no DVC", "push failed", "pushed", "pushing", "untracked", "foreign"],
)  # fmt: skip
def test_the_status_page_tells_how_versions_of_data_are_kept(
    reader: Client, tree: Tree, settings: Settings, mode: Mode, state: DataState | None, push: PushState | None,
    words: str,
) -> None:  # fmt: skip
    settings.ENGINE = replace(settings.ENGINE, data=DataSettings(mode))
    folder = state_folder(settings.ENGINE.state_dir, tree.root)
    with closing(Seen(folder)) as seen:
        if state is not None:
            seen.put(VERSIONS, state.as_json())
    if push is not None:
        beside: dict[str, Any] = {"at": time.time(), "push": push, "reading": {}}
        (folder / "upkeep.json").write_bytes(orjson.dumps(beside))
    assert words in shown(reader)
