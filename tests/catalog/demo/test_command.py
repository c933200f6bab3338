"""The command `demo`: what it publishes by itself, what only when it is asked to, and what it says of that."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from catalog import index, state
from catalog.indexing import Graph, PublicRows, version_of
from catalog.management.commands.demo import _why_not
from catalog.models import Published
from catalog.publishing.site import site
from catalog.sparql import ready
from ingest.workspace import open_workspace
from tests.catalog.described import Described

pytestmark = pytest.mark.django_db
UNANSWERED = {  # the demonstration knows no instrument, no protocol, and no file made from another
    "Datasets by instrument",
    "Everything of the instruments, as triples",
    "Who used a protocol with “imaging” in its name?",
    "Which files were made from which?",
}


@pytest.fixture(autouse=True)
def followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is brought up to date here: the thread that does it elsewhere cannot see a test's transaction."""
    follower = nullcontext(SimpleNamespace(recorded=index.refresh))
    monkeypatch.setattr("catalog.management.commands.demo.Follower", lambda: follower)


def test_an_empty_folder_gets_all_of_it_and_the_questions_are_answered(
    described: Described, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyoxigraph import Store

    from catalog.graph.snapshots import Lease
    from catalog.graph.store import QuadStore

    state.note_serving("http://127.0.0.1:8340/prefix")
    call_command("demo")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "3 public, 1 withdrawn: http://127.0.0.1:8340/prefix/datasets/"
    with QuadStore(tmp_path / "graph", version_of(site())) as store:
        Graph("public", store, PublicRows(), site()).bring_up_to_date()
        lease = Lease(store.snapshots)
        graph = Store.read_only(str(lease.path))
        asked = ready.questions(ready.of_what_is_public())
        found = {each.title: list(graph.query(each.query)) for each in asked}  # type: ignore[arg-type]
        lease.release()
    assert {title for title, answer in found.items() if not answer} <= UNANSWERED
    assert len(found["Which datasets are there, the newest first?"]) == 3  # the withdrawn one is left out


def test_beside_other_projects_it_publishes_only_when_asked(
    described: Described, capsys: pytest.CaptureFixture[str]
) -> None:
    described.put("p_Mine/ds/a.csv")
    call_command("demo", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["published"], told["withdrawn"], told["datasets"]) == ([], [], 4)
    with open_workspace(described.root, described.settings.ENGINE) as workspace:
        assert "holds other projects, such as p_Mine" in _why_not(workspace)
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("demo", "--publish", "--unpublished")


def test_where_something_is_public_nothing_is_added_unasked(described: Described) -> None:
    with open_workspace(described.root, described.settings.ENGINE) as workspace:
        assert _why_not(workspace) == ""
        Published.objects.create(identifier="x", modified=datetime(2026, 11, 1, tzinfo=UTC), sequence=1, value={})
        assert "something is public here already" in _why_not(workspace)


def test_only_a_running_service_has_an_address(described: Described, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state.serving_url() == ""
    state.note_serving("http://127.0.0.1:1")
    assert state.serving_url() == "http://127.0.0.1:1"
    monkeypatch.setattr("catalog.state._began", lambda process: "0")  # another process with the number of that one
    assert state.serving_url() == ""
    monkeypatch.undo()
    monkeypatch.setattr("os.getpid", lambda: 2**31 - 1)
    state.note_serving("http://127.0.0.1:1")
    assert state.serving_url() == ""


def test_words_that_do_not_fit_between_quotes_are_not_taken() -> None:
    assert [ready._is_plain(each) for each in ("heat shock", 'a"b', "a\\b", "a\nb", "\u202eb", 3, "")] == [
        True, False, False, False, False, False, False,
    ]  # fmt: skip
