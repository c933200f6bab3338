"""A registry entry and the memory of the store disagree: the stricter is public, and no withdrawal is written over."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import index
from catalog.models import Published
from catalog.publishing import standing
from ingest import disagreement, documents
from ingest.publication import STATES, publish, state_of, versions, withdraw
from tests.catalog.publishing import example
from tests.catalog.publishing.ready import ADMINISTRATIVE, Ready

Publication = dict[str, Any]
_NEVER: Publication = {"state": "unpublished"}


class Memory:
    """The store's memory of what it wrote, put aside and put back as an older state folder is."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self._aside = ready.root.parent / "older"

    @property
    def folder(self) -> Path:
        (found,) = (self._ready.root.parent / "state" / "roots").glob("*/publications")
        return found

    def put_aside(self) -> None:
        shutil.copytree(self.folder, self._aside)

    def put_back(self) -> None:
        folder = self.folder
        shutil.rmtree(folder)
        shutil.copytree(self._aside, folder)
        edit(self._ready)


def edit(ready: Ready) -> None:
    """Something else about the dataset changes, and the index looks at everything again."""
    now = ready.described.read(ADMINISTRATIVE).get("version_notes", "")
    ready.change(ADMINISTRATIVE, version_notes=f"{now}x")
    index.refresh([documents.registry_document(ready.root, ready.identifier)])
    index.rebuild()


@pytest.fixture
def memory(ready: Ready) -> Memory:
    return Memory(ready)


def files(ready: Ready) -> int:
    return ready.row.file_count if ready.row.state == "published" else 0


@pytest.mark.django_db
def test_an_older_state_undoes_no_withdrawal(ready: Ready, memory: Memory) -> None:
    ready.publish()
    memory.put_aside()
    ready.withdraw()
    withdrawn = ready.entry()["publication"]
    memory.put_back()
    assert ready.row.state == "withdrawn"
    assert ready.entry()["publication"] == withdrawn
    assert standing.of(ready.dataset).edited, "a curator is told"
    edit(ready)
    assert (ready.row.state, ready.entry()["publication"]) == ("withdrawn", withdrawn)
    assert ready.publish().state == "published", "a curator settles it"
    assert not standing.of(ready.dataset).edited
    edit(ready)
    assert ready.row.state == "published"


@pytest.mark.django_db
def test_a_state_from_before_it_was_public_undoes_no_withdrawal(ready: Ready, memory: Memory) -> None:
    memory.put_aside()
    ready.publish()
    ready.withdraw()
    withdrawn = ready.entry()["publication"]
    memory.put_back()
    assert not Published.objects.exists()
    assert ready.entry()["publication"] == withdrawn
    ready.publish()
    assert len(versions(ready.entry())) == 1, "what was published before is not forgotten"


@pytest.mark.django_db
def test_an_older_state_publishes_nothing_that_a_later_version_left_out(ready: Ready, memory: Memory) -> None:
    ready.run("second", ("later.csv",))
    ready.publish()
    memory.put_aside()
    ready.withdraw()
    shutil.rmtree(ready.root / "p_Alpha/ds/.metadata/runs/second")
    (ready.root / "p_Alpha/ds/later.csv").unlink()
    kept = ready.entry()["publication"]
    newest = {**kept["versions"][0], "number": 2}
    newest["data_objects"] = [each for each in newest["data_objects"] if each["run_id"] == ready.run_id()]
    again = {**kept, "state": "published", "versions": [*kept["versions"], newest]}
    known = [{**kept, "state": "published"}]
    told = disagreement.shown(again, known)
    assert [each["run_id"] for each in told["versions"][-1]["data_objects"]] == [ready.run_id()]
    assert disagreement.kept(again, known) == again


@pytest.mark.django_db
def test_a_run_that_only_the_entry_publishes_waits_for_a_curator(ready: Ready, memory: Memory) -> None:
    ready.publish()
    memory.put_aside()
    ready.run("second", ("later.csv",))
    ready.publish()
    told = ready.entry()["publication"]
    memory.put_back()
    assert files(ready) == 2
    assert ready.entry()["publication"] == told, "no version is lost"
    ready.publish()
    assert (files(ready), ready.entry()["publication"]) == (3, told)
    assert not standing.of(ready.dataset).edited


@pytest.mark.django_db
def test_a_memory_that_is_no_list_makes_nothing_public(ready: Ready, memory: Memory) -> None:
    ready.publish()
    (memory.folder / f"{ready.identifier}.json").write_text("[]")
    index.rebuild()
    assert not Published.objects.exists()


# --- every pair of what two may say --------------------------------------------------------------------------------


def _histories() -> list[Publication]:
    """Publications the store writes one after the other, in two lines that part after the first act."""
    pins = [{**each} for each in example.pins(example.objects())]
    entry = {**example.entry(), "publication": dict(_NEVER)}
    found: list[Publication] = [dict(_NEVER)]
    acts: list[Callable[..., Publication]] = [
        publish(pins, {"dataset_title": "A"}),
        withdraw("Consent was taken back."),
        publish(pins[:1], {"dataset_title": "B"}),
        withdraw("Again."),
        publish(pins, {"dataset_title": "C"}),
    ]
    for step, act in enumerate(acts):
        entry["publication"] = act(entry, f"2026-11-23T05:0{step}:00Z")
        found.append(entry["publication"])
    return found


_OF_THE_STORE = _histories()
_OF_AN_EDITOR: list[Publication] = [
    {"state": "published"},
    {"state": "withdrawn"},
    {"state": "published", "versions": [{"data_objects": [1]}]},
    {"state": "withdrawn", "versions": [{}], "cited": [1], "withdrawn_date": "yesterday"},
    {"state": ["published"]},
    {**_OF_THE_STORE[1], "versions": "x"},
]


def _shows(publication: Publication) -> set[str]:
    """What of the newest version anybody may have."""
    if state_of({"publication": publication}) != "published":
        return set()
    history = versions({"publication": publication})
    return {str(each) for each in history[-1].get("data_objects", ())} if history else set()


@pytest.mark.parametrize(
    ("own", "memory"),
    list(itertools.product(range(len(_OF_THE_STORE) + len(_OF_AN_EDITOR)), range(len(_OF_THE_STORE)))),
)
def test_whatever_the_two_say_the_stricter_is_public(own: int, memory: int) -> None:
    said, remembered = [*_OF_THE_STORE, *_OF_AN_EDITOR][own], _OF_THE_STORE[memory]
    if said == remembered:
        return
    shown, kept = disagreement.shown(said, [remembered]), disagreement.kept(said, [remembered])
    assert _shows(shown) <= _shows(remembered)
    own_state, state = state_of({"publication": said}), state_of({"publication": shown})
    if own_state == "withdrawn" or remembered["state"] == "withdrawn":
        assert state != "published"
        assert state_of({"publication": kept}) == "withdrawn" or remembered["state"] == "unpublished"
    if own_state == "withdrawn" and own < len(_OF_THE_STORE) and own > memory:
        assert kept == said, "no withdrawal is written over"
    if own_state == "published" and own > memory and own < len(_OF_THE_STORE):
        assert _shows(shown) <= _shows(said)
    assert state in STATES


def test_of_two_that_a_crash_left_the_stricter_is_remembered() -> None:
    published, withdrawn = _OF_THE_STORE[1], _OF_THE_STORE[2]
    for known in ([published, withdrawn], [withdrawn, published]):
        assert disagreement.shown({"state": "published"}, known) == withdrawn


@pytest.mark.parametrize("state", ["unpublished", "Withdrawn", "withdrawn ", None, ["withdrawn"]])
def test_a_withdrawal_stands_where_only_its_word_was_spoilt(state: Any) -> None:
    published, withdrawn = _OF_THE_STORE[1], _OF_THE_STORE[2]
    spoilt = {**withdrawn, "state": state}
    for told in (disagreement.shown(spoilt, [published]), disagreement.kept(spoilt, [published])):
        assert told["state"] == "withdrawn"
        assert told["withdrawal_reason"] == "Consent was taken back."


@pytest.mark.parametrize("said", [_NEVER, {}, {"state": ["published"]}, {"state": "closed"}])
def test_what_no_act_can_have_written_closes_nothing_and_opens_nothing(said: Publication) -> None:
    published, withdrawn = _OF_THE_STORE[1], _OF_THE_STORE[2]
    for remembered in (published, withdrawn, _NEVER):
        assert disagreement.shown(said, [remembered]) == remembered
        assert disagreement.kept(said, [remembered]) == remembered
