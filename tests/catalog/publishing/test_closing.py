"""Whatever happens to a record, an index or this program: what is not certain to be public is not."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog import index, indexing
from catalog.editing import targets
from catalog.index import published, refreshing
from catalog.index.published import compare_all, lift_embargoes
from catalog.models import Dataset, Published, PublishedThing, Rebuild
from catalog.publishing import whitelist
from ingest import documents, publication
from ingest.records import Record
from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, OF_DATASET, Ready

pytestmark = pytest.mark.django_db
TITLE = OF_DATASET["dataset_title"].encode()
NAME = b"Rosa Luz"


def page(ready: Ready) -> Any:
    return Client().get(f"/datasets/{ready.row.identifier}")


def download() -> int:
    """What one of its files answers to a stranger; 404 where no row names one, 410 where it went with its dataset."""
    thing = PublishedThing.objects.filter(kind="file").first()
    if thing is None:
        return 404
    answer = Client().get(f"/id/file/{thing.identifier}")
    assert answer.status_code == 200 or (TITLE not in answer.content and b".csv" not in answer.content)
    return answer.status_code


def gives_nothing(ready: Ready) -> None:
    told = page(ready)
    assert (ready.row.state, ready.row.access_level, download()) == ("withdrawn", "confidential", 410)
    assert TITLE not in told.content
    assert NAME not in told.content


# --- a live record that does not say its level ---------------------------------------------------------------------


@pytest.mark.parametrize("level", ["public", "restricted", "confidential"])
def test_a_live_record_that_is_broken_or_gone_closes_the_dataset(ready: Ready, level: str) -> None:
    ready.publish()
    assert download() == 200
    ready.access(level, access_conditions="On request.")
    place = ready.root / ADMINISTRATIVE
    text = place.read_bytes()

    place.write_bytes(text[:-5])
    index.refresh([place])
    gives_nothing(ready)
    place.write_bytes(text)
    index.refresh([place])
    assert ready.row.access_level == level
    assert ready.row.state == ("withdrawn" if level == "confidential" else "published")
    place.unlink()
    index.refresh([place])
    gives_nothing(ready)
    place.write_bytes(text)
    index.refresh([place])
    assert ready.row.access_level == level
    value = ready.described.read(ADMINISTRATIVE)
    ready.described.write(ADMINISTRATIVE, {key: each for key, each in value.items() if key != "access_level"})
    index.refresh([place])
    gives_nothing(ready)


def test_a_record_that_cannot_be_read_is_not_said_to_be_confidential(ready: Ready) -> None:
    ready.publish()
    (ready.root / ADMINISTRATIVE).write_text("{")
    index.refresh([ready.root / ADMINISTRATIVE])
    assert ready.row.value["withdrawal_reason"] == "Its record cannot be read at present."


# --- a folder that is gone -----------------------------------------------------------------------------------------


def remove(ready: Ready) -> None:
    shutil.rmtree(ready.root / FOLDER)
    index.refresh([ready.root / FOLDER])
    ready.described.describe()


def test_with_its_folder_gone_a_confidential_dataset_keeps_its_title_to_itself(ready: Ready) -> None:
    ready.publish()
    ready.access("confidential")
    remove(ready)
    assert Dataset.objects.get(path=FOLDER).state == "tombstone"
    gives_nothing(ready)
    index.rebuild()
    gives_nothing(ready)


def test_with_its_folder_gone_a_public_one_says_what_it_was_unless_it_could_not_be_read(ready: Ready) -> None:
    ready.publish()
    remove(ready)
    assert TITLE in page(ready).content
    index.rebuild()
    assert TITLE in page(ready).content
    Published.objects.all().delete()  # with its rows the knowledge that it was not confidential is lost
    index.rebuild()
    gives_nothing(ready)


def test_what_was_broken_before_its_folder_went_keeps_its_title_to_itself(ready: Ready) -> None:
    ready.publish()
    (ready.root / ADMINISTRATIVE).write_text("{")
    index.refresh([ready.root / ADMINISTRATIVE])
    remove(ready)
    gives_nothing(ready)


# --- the index is rebuilt ------------------------------------------------------------------------------------------


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild that takes one document at a time."""

    def weighed(places: Any) -> Iterator[list[Any]]:
        yield from ([place] for place in places)

    monkeypatch.setattr(refreshing, "weighed", weighed)


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("level", ["public", "embargoed", "restricted", "confidential"])
def test_a_rebuild_changes_nothing_public_at_any_step(ready: Ready, level: str) -> None:
    ready.publish()
    ready.access(level, access_conditions="On request.", embargo_end_date="2998-01-01")
    before = list(Published.objects.values()), list(PublishedThing.objects.values())
    steps = 0

    def look(done: int) -> None:
        nonlocal steps
        steps += 1
        assert (list(Published.objects.values()), list(PublishedThing.objects.values())) == before
        assert page(ready).status_code == 200

    live = index.snapshot()
    index.rebuild(look)
    assert steps > 5
    assert index.snapshot() == live


@pytest.mark.usefixtures("one_by_one")
def test_what_is_closed_during_a_rebuild_is_closed_at_once(ready: Ready) -> None:
    ready.publish()
    place = ready.root / ADMINISTRATIVE
    text = place.read_text().replace('"access_level": "public"', '"access_level": "confidential"')
    said = []

    def close(done: int) -> None:
        if done == 1:
            place.write_text(text)
            index.refresh([place, ready.root / ".metadata"])
            said.append(Published.objects.filter(state="published").exists() or download() == 200)

    index.rebuild(close)
    assert said == [False]
    gives_nothing(ready)


@pytest.mark.usefixtures("one_by_one")
def test_what_is_withdrawn_during_a_rebuild_is_withdrawn_at_once(ready: Ready) -> None:
    ready.publish()
    said = []

    def look(done: int) -> None:
        if not said and Dataset.objects.filter(registry__isnull=False, path=FOLDER).exists():
            index.refresh([withdraw(ready)])
            said.append(ready.row.state)

    index.rebuild(look)
    assert said == ["withdrawn"]
    assert ready.row.value["withdrawal_reason"] == "A wrong plate."
    assert TITLE in page(ready).content


def withdraw(ready: Ready) -> Path:
    """A withdrawal by the store, and the entry that says so."""
    identifier = ready.row.identifier
    told = Record("dataset", identifier, FOLDER, publication=publication.withdraw("A wrong plate."), touch=True)
    assert not targets.store(ready.root).apply([told], by="curie")[0].error
    return documents.registry_folder(ready.root) / f"{identifier}.json"


def test_what_is_left_over_goes_with_a_rebuild(ready: Ready) -> None:
    row = ready.publish()
    Published.objects.create(
        identifier="0" * 36,
        state="published",
        access_level="public",
        modified=row.modified,
        etag="x",
        value={},
        basis="",
    )
    PublishedThing.objects.create(record="0" * 36, kind="file", identifier="1" * 36)
    Published.objects.filter(pk=row.pk).update(title="Nobody should have touched this")
    live = row.etag
    index.rebuild()
    assert (ready.row.title, ready.row.etag) == (OF_DATASET["dataset_title"], live)
    assert not PublishedThing.objects.filter(record="0" * 36).exists()


def test_an_interrupted_rebuild_leaves_what_is_public_until_it_is_finished(ready: Ready) -> None:
    etag = ready.publish().etag

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.rebuild(stop)
    assert Rebuild.objects.exists()
    assert (ready.row.etag, ready.row.state) == (etag, "published")
    ready.root.joinpath(ADMINISTRATIVE).unlink()
    index.catch_up()
    assert not Rebuild.objects.exists()
    gives_nothing(ready)


def test_an_embargo_is_not_lifted_from_half_an_index(ready: Ready) -> None:
    ready.change(ADMINISTRATIVE, access_level="embargoed", embargo_end_date="2998-06-01")
    ready.finalise("first")
    row = ready.publish()
    Rebuild.objects.create(started=row.modified)
    assert lift_embargoes(row.modified.replace(year=2999)) == 0
    assert ready.row.etag == row.etag


def test_the_graph_of_all_records_waits_for_a_rebuild_and_then_catches_up(ready: Ready) -> None:
    told: list[str] = []

    class Rows:
        def etags(self) -> dict[str, str]:
            told.append("read")
            return {}

    class Nothing:
        def etags(self) -> dict[str, str]:
            return {}

        def graphs(self) -> dict[str, str]:
            return {}

        def apply(self, changes: Any) -> int:
            return len(list(changes))

    graph: Any = indexing.Graph("all", Nothing(), Rows(), None, waits_for_rebuild=True)  # type: ignore[arg-type]
    note = Rebuild.objects.create(started=ready.publish().modified)
    graph.look(rows_changed=True)
    assert told == []
    note.delete()
    graph.look(rows_changed=False)
    assert told == ["read"]


def test_the_indexer_lifts_embargoes_by_itself(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.change(ADMINISTRATIVE, access_level="embargoed", embargo_end_date="2998-06-01")
    ready.finalise("first")
    ready.publish()
    ready.described.settings.FAIRFOLDER_SPARQL = False
    stop = threading.Event()
    stop.set()
    indexing.follow(stop)
    assert ready.row.access_level == "embargoed"
    that_day = datetime(2998, 6, 1, tzinfo=UTC)
    monkeypatch.setattr("catalog.index.published.timezone.now", lambda: that_day)
    indexing.follow(stop)
    assert (ready.row.access_level, ready.row.embargo_end) == ("public", None)


# --- another version of this program -------------------------------------------------------------------------------


def test_a_version_that_holds_a_key_back_takes_it_back_at_the_indexers_start(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "keywords" in ready.publish().value
    keys = {key: each for key, each in whitelist.DATASET.public.items() if key != "keywords"}
    monkeypatch.setattr(whitelist, "DATASET", replace(whitelist.DATASET, public=keys))
    changed = tmp_path / "published.py"
    changed.write_text("another version")
    monkeypatch.setattr(published, "_CODE", (changed,))
    published._code.cache_clear()
    ready.described.settings.FAIRFOLDER_SPARQL = False
    stop = threading.Event()
    stop.set()
    try:
        indexing.follow(stop)
    finally:
        published._code.cache_clear()
    assert "keywords" not in ready.row.value


def test_the_code_that_decides_is_part_of_what_a_row_was_made_from() -> None:
    names = {path.name for each in published._CODE for path in (each.glob("*.py") if each.is_dir() else (each,))}
    assert {"record.py", "access.py", "whitelist.py", "published.py"} <= names


# --- the moment of the last change ---------------------------------------------------------------------------------


def test_who_holds_the_tombstone_is_told_that_it_is_public_again(ready: Ready) -> None:
    ready.publish()
    shown = [ready.row.modified]
    ready.withdraw()
    stone = page(ready)
    shown.append(ready.row.modified)
    assert b"was withdrawn" in stone.content
    ready.publish()
    shown.append(ready.row.modified)
    again = Client().get(f"/datasets/{ready.identifier}", HTTP_IF_MODIFIED_SINCE=stone["Last-Modified"])
    assert again.status_code == 200
    value = ready.described.read(ADMINISTRATIVE)
    for level in ("restricted", "public"):  # an editor's change has no moment of its own
        ready.described.write(ADMINISTRATIVE, {**value, "access_level": level, "access_conditions": "On request."})
        index.refresh([ready.root / ADMINISTRATIVE])
        assert ready.row.access_level == level
        shown.append(ready.row.modified)
    assert shown == sorted(set(shown))
    etag = ready.row.etag
    compare_all(afresh=True)
    assert (ready.row.etag, ready.row.modified) == (etag, shown[-1])
