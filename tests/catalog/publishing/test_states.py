"""Any sequence of acts: the states a dataset can be in, what no sequence loses, and what a crash leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import index
from catalog.models import Published
from catalog.publishing.checking import preflight
from catalog.publishing.record import compose
from ingest import publication
from ingest.acts import Acts
from ingest.documents import to_bytes
from ingest.errors import DocumentError
from ingest.publication import STATES, publish, state_of, version_iri, versions, withdraw
from ingest.schema import SchemaSet
from ingest.seen import state_folder
from tests.catalog.publishing import example
from tests.catalog.publishing.ready import FOLDER, Ready

SCHEMAS = SchemaSet()
ACTS = st.one_of(
    st.tuples(st.just("publish"), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("withdraw"), st.sampled_from(("Consent was taken back.", "A wrong plate.", " ")), st.booleans()),
    st.tuples(st.just("gone"), st.just(0), st.booleans()),
    st.tuples(st.just("back"), st.just(0), st.booleans()),
)


def objects(revision: int, both: bool) -> list[dict[str, Any]]:
    found = [{**each, "revision": revision} for each in example.pins(example.objects())]
    return found if both else found[:1]


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTS, max_size=12))
def test_no_sequence_of_acts_loses_what_was_public(sequence: list[tuple[str, Any, bool]]) -> None:
    entry = {**example.entry(), "publication": {"state": "unpublished"}}
    ever, first, state = False, "", "unpublished"
    for step, (what, value, both) in enumerate(sequence):
        moment = f"2026-11-23T05:{step:02}:00Z"
        before = entry["publication"]
        match what:
            case "publish":
                entry["publication"] = publish(objects(value, both), {"dataset_title": "A"})(entry, moment)
                ever, first, state = True, first or moment, "published"
                again = publish(objects(value, both), {"dataset_title": "A"})(entry, "2027-01-01T00:00:00Z")
                assert again == entry["publication"]
            case "withdraw" if state == "published" and value.strip():
                entry["publication"] = withdraw(value)(entry, moment)
                state = "withdrawn"
            case "withdraw":
                with pytest.raises(DocumentError):
                    withdraw(value)(entry, moment)
            case "gone":
                entry |= {"state": publication.gone(entry), "missing_since": moment}
                assert entry["state"] == ("tombstone" if ever else "missing")
            case "back":
                entry = {k: v for k, v in entry.items() if k != "missing_since"} | {"state": "present"}
        holds(entry, before, ever, first, state)


def holds(entry: dict[str, Any], before: dict[str, Any], ever: bool, first: str, state: str) -> None:
    """What is true after every act."""
    own = entry["publication"]
    assert state_of(entry) == state in STATES
    assert SCHEMAS.problems("registry", entry) == []
    history = versions(entry)
    assert history[: len(before.get("versions", ()))] == before.get("versions", [])
    assert [each["number"] for each in history] == list(range(1, len(history) + 1))
    assert bool(history) == ever
    assert own.get("date_published", "") == first
    assert ("withdrawal_reason" in own) == (state == "withdrawn")
    if len(history) > 1:
        assert own["previous_version"] == version_iri(entry["identifier"], len(history) - 1)
    made = compose(entry, example.dataset(), example.objects(), example.NOW)
    assert (made is not None) == ever
    if made is not None:
        assert made.value["@id"] == f"urn:uuid:{example.DATASET}"
        if state == "withdrawn" or entry["state"] != "present":
            assert (made.state, made.files) == ("withdrawn", ())


def test_nothing_is_published_without_a_complete_run() -> None:
    with pytest.raises(DocumentError, match="No run of it is complete"):
        publish([], {})(example.entry(), "2026-11-23T05:00:00Z")


# --- a crash between any two writes -------------------------------------------------------------------------------

ACT = """
import os, sys
from pathlib import Path
import orjson
from ingest.publication import publish, withdraw
from ingest.records import Record
from ingest.schema import SchemaSet
from ingest.store import Store

root, state, identifier, at, what, pins = sys.argv[1:]
left = int(at)

def dying(function):
    def call(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        return function(*arguments, **named)
    return call

os.replace, os.rename = dying(os.replace), dying(os.rename)
act = publish(orjson.loads(pins), {"dataset_title": "A"}) if what == "publish" else withdraw("Why.")
record = Record("dataset", identifier, "p_Alpha/ds", publication=act, touch=True)
outcome = Store(Path(root), SchemaSet(), state=Path(state)).apply([record], by="curie")[0]
sys.exit(1 if outcome.error else 0)
"""


@pytest.mark.django_db
def test_killed_between_any_two_writes_it_is_public_or_not_and_can_be_done_again(ready: Ready, settings: Any) -> None:
    identifier = ready.identifier
    state = state_folder(settings.FAIRFOLDER_STATE_DIR, ready.root)
    pins = to_bytes({"pins": list(preflight(ready.dataset, timezone.now()).objects)}).decode()
    pins = pins[pins.index("[") : pins.rindex("]") + 1]
    died = 0
    for what in ("publish", "withdraw"):
        code, at = 9, 0
        while code == 9:
            at += 1
            told = [sys.executable, "-c", ACT, str(ready.root), str(state), identifier, str(at), what, pins]
            code = subprocess.run(told, check=False, cwd=Path(__file__).parents[3]).returncode
            died += code == 9
            index.catch_up()
            said = state_of(ready.entry())
            shown = Published.objects.filter(identifier=identifier).values_list("state", flat=True).first()
            assert (shown or "unpublished") == said
            assert Acts(ready.root, state).is_obeyed(ready.entry())
            if code == 9 and said == {"publish": "published", "withdraw": "withdrawn"}[what]:
                break  # it was done before the process died; a second time is refused or changes nothing
        assert state_of(ready.entry()) == {"publish": "published", "withdraw": "withdrawn"}[what]
    assert died >= 4
    assert (ready.root / FOLDER / "a.csv").exists()
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live
