"""What changes while an answer is made from it, and who asks at the same time as many others."""

from __future__ import annotations

import errno
import gzip
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from catalog.formats import dumping, rendered
from catalog.formats.dumping import Dumping
from catalog.formats.table import FORMATS
from catalog.models import Published, PublishedThing
from catalog.pages.public import rows, sending
from catalog.places import Places
from catalog.publishing.iris import AGENT, PROJECT
from catalog.publishing.site import site
from catalog.sparql.answering import OFF
from ingest.opening import described_file
from ingest.rows import Condition, FileRow, Stamp
from ingest.seen import Seen, state_folder
from tests.catalog.public.shown import FOLDER, WRITTEN, Shown

CSV = "counts.csv"
DUMP = "/dumps/catalog.nq.gz"


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


# --- bytes that are not the published ones ------------------------------------------------------------------------


@pytest.mark.parametrize("later", [-1.0, -0.4, 1.0, 1.4])
def test_other_bytes_of_the_same_size_in_another_second_are_not_given(
    shown: Shown, client: Client, later: float
) -> None:
    file = shown.on_disk(CSV)
    file.write_bytes(b"y" * len(shown.contents[CSV]))
    os.utime(file, (WRITTEN.timestamp() + later,) * 2)
    answer = client.get(shown.file(CSV))
    assert answer.status_code == 409
    assert "has changed" in answer.content.decode()


def seen_as_it_is(shown: Shown, settings: Settings, **other: Any) -> None:
    """What the engine remembers of the file."""
    seen = Seen(state_folder(settings.ENGINE.state_dir, shown.tree.root))
    place = seen.put_place("dataset", FOLDER, 1, 1, shown.identifier)
    info = shown.on_disk(CSV).stat()
    stamp = Stamp.of(info)._replace(dev=info.st_dev + 1)  # another number of the same device changes nothing
    digest = rows.file(shown.ids[CSV])[1]["checksum"]["value"]  # type: ignore[index]
    row = FileRow(place.id, CSV, stamp, digest, shown.ids[CSV], Condition.DESCRIBED, "", 0.0)
    seen.put_files([row._replace(**other)])
    seen.close()


@pytest.mark.parametrize("later", [0.0, 0.4])
def test_other_bytes_with_the_time_put_back_are_not_given(
    shown: Shown, client: Client, settings: Settings, later: float
) -> None:
    seen_as_it_is(shown, settings)
    answer = client.get(shown.file(CSV))
    assert content(answer) == shown.contents[CSV]
    file = shown.on_disk(CSV)
    file.write_bytes(b"y" * len(shown.contents[CSV]))
    os.utime(file, (WRITTEN.timestamp() + later,) * 2)
    answer = client.get(shown.file(CSV))
    assert (answer.status_code, answer.get("Repr-Digest")) == (409, None)


def test_a_file_that_waits_to_be_read_again_is_not_given(shown: Shown, client: Client, settings: Settings) -> None:
    seen_as_it_is(shown, settings, condition=Condition.PENDING)
    assert client.get(shown.file(CSV)).status_code == 409


def test_where_it_cannot_be_told_whether_it_changed_it_is_not_given(
    shown: Shown, client: Client, settings: Settings
) -> None:
    seen_as_it_is(shown, settings)
    (state_folder(settings.ENGINE.state_dir, shown.tree.root) / "seen.sqlite").write_bytes(b"no database " * 100)
    answer = client.get(shown.file(CSV))
    assert (answer.status_code, answer["Retry-After"]) == (503, "600")


def test_a_time_beyond_all_calendars_is_told_as_changed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"x")
    os.utime(tmp_path / "d" / "f", (10**12, 10**12))
    with pytest.raises(Exception, match="has changed"), described_file(tmp_path, "d", "f", 1, WRITTEN):
        pass


# --- a record that changes between two looks at it ----------------------------------------------------------------


def changing(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Lets `act` happen once, after the row was read and before its document is."""
    read, acts = rows.record, [act]

    def record(identifier: object) -> Any:
        found = read(identifier)
        if acts:
            acts.pop()()
        return found

    monkeypatch.setattr(rows, "record", record)


@pytest.mark.parametrize("suffix", ["", ".ttl", ".csl.json", "/linkset"])
def test_nothing_is_kept_under_the_etag_of_another_state(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    address = shown.page + suffix
    shown.publish(dataset_title="First")
    wanted = client.get(address)
    shown.publish(dataset_title=f"Second {suffix}")  # the state before the tombstone: nothing of it is kept yet
    with monkeypatch.context() as patched:
        changing(patched, shown.withdraw)
        during = client.get(address)
    assert during.content == client.get(address).content
    assert during["ETag"] == client.get(address)["ETag"]
    shown.publish(dataset_title=f"Second {suffix}")
    after = client.get(address)
    assert after.status_code == 200
    assert after["ETag"] != during["ETag"]
    assert b"wrong plate" not in after.content
    shown.publish(dataset_title="First")
    assert client.get(address).content == wanted.content


def test_a_record_that_never_stands_still_is_told_in_words(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(row: object) -> None:
        raise rows.ChangedError

    shown.publish(dataset_title="Never still")  # nothing of it is kept yet
    monkeypatch.setattr(rows, "value_of", never)
    answer = client.get(f"{shown.page}.ttl")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_dump_is_named_by_what_is_in_it(shown: Shown, client: Client) -> None:
    steps = dumping._building(site())
    next(steps)  # the record is written
    shown.publish(dataset_title="In between")
    assert list(steps) == []
    during = client.get(DUMP)
    assert b"In between" not in gzip.decompress(content(during))
    dumping.build(site())
    now = client.get(DUMP)
    assert b"In between" in gzip.decompress(content(now))
    assert during["ETag"] != now["ETag"]


# --- many records, many readers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/id/agent/{}", "/datasets/?project={}"])
def test_what_many_records_name_loads_few_of_them(shown: Shown, client: Client, address: str) -> None:
    kind = AGENT if "agent" in address else PROJECT
    PublishedThing.objects.create(record=shown.identifier, kind=kind, identifier=shown.ids[CSV])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get(address.format(shown.ids[CSV]))
    naming = [each["sql"] for each in asked if 'ORDER BY "catalog_published"."title"' in each["sql"]]
    assert naming
    assert all("LIMIT" in each for each in naming)


def test_downloads_take_places_and_give_them_back(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DOWNLOADS_HERE", Places(2, 2))
    dumping.build(site())
    for _ in range(3):
        held = [client.get(shown.file(CSV)), client.get(DUMP)]
        assert [each.status_code for each in held] == [200, 200]
        for address in (shown.file(CSV), DUMP):
            refused = client.get(address)
            assert (refused.status_code, refused["Retry-After"]) == (503, "30")
            assert "Too many files are being sent" in refused.content.decode()
            assert client.head(address).status_code == 200
        assert client.get(shown.page).status_code == 200
        for each in held:
            each.close()
    again = client.get(shown.file(CSV))
    assert content(again) == shown.contents[CSV]
    again.close()


def test_who_reads_too_slowly_is_cut_off(shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PATIENCE", -1.0)
    answer = client.get(shown.file(CSV))
    with pytest.raises(sending.SlowReaderError):
        content(answer)
    answer.close()


# --- dumps --------------------------------------------------------------------------------------------------------


def until_made(dump: Dumping) -> None:
    """The indexer's looks, until there is nothing left to do."""
    dump.due = 0.0
    dump.look(rows_changed=True)
    while dump.going is not None:
        dump.look(rows_changed=False)


def test_nobody_waits_for_a_dump(shown: Shown, client: Client) -> None:
    for ask in (client.head, client.get):
        answer = ask(DUMP)
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    dump = Dumping(site())
    assert not list(dumping.folder().glob("*"))  # asking for it makes none
    until_made(dump)
    first = client.get(DUMP)
    content(first)
    shown.publish(dataset_title="Changed")
    before = client.get(DUMP)
    assert before["ETag"] == first["ETag"]
    assert b"Changed" not in gzip.decompress(content(before))
    until_made(dump)
    assert b"Changed" in gzip.decompress(content(client.get(DUMP)))
    assert len(list(dumping.folder().glob("catalog-*.gz"))) == 1


def test_a_dump_from_before_a_dataset_was_closed_is_given_to_nobody(shown: Shown, client: Client) -> None:
    dump = Dumping(site())
    until_made(dump)
    content(client.get(DUMP))
    shown.withdraw()
    assert client.get(DUMP).status_code == 503
    until_made(dump)
    text = gzip.decompress(content(client.get(DUMP)))
    assert b"counts.csv" not in text
    assert b"WITHDRAWN" in text


def test_a_dump_of_another_version_is_given_to_nobody(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_made(Dumping(site()))
    content(client.get(DUMP))
    monkeypatch.setattr(rendered, "edition", lambda: "another")
    assert client.get(DUMP).status_code == 503
    until_made(Dumping(site()))
    assert client.get(DUMP).status_code == 200


def test_a_dump_is_made_one_record_after_the_other(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look ends soon, whatever is left; what a killed process left is thrown away."""
    monkeypatch.setattr(dumping, "_LOOK_SECONDS", 0.0)
    dumping.folder().mkdir()
    (dumping.folder() / ".abandoned").write_bytes(b"half")
    dump = Dumping(site())
    dump.look(rows_changed=True)
    assert dump.going is not None
    monkeypatch.undo()
    until_made(dump)
    assert sorted(each.suffix for each in dumping.folder().iterdir()) == [".gz", ".json"]


def test_on_a_full_disk_the_dump_before_stays(shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = Dumping(site())
    until_made(dump)
    first = client.get(DUMP)
    content(first)
    shown.publish(dataset_title="Changed")

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dumping.os, "replace", full)
    until_made(dump)
    assert dump.is_behind
    again = client.get(DUMP)
    assert again["ETag"] == first["ETag"]
    content(again)


# --- what an answer is made with ----------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["catalog/templatetags/x.py", "catalog/names.py", "schemas/x.json", "ingest/x.py"])
def test_another_version_of_any_part_makes_answers_anew(tmp_path: Path, settings: Settings, part: str) -> None:
    settings.BASE_DIR = tmp_path
    edition = rendered.edition.__wrapped__
    (tmp_path / part).parent.mkdir(parents=True)
    (tmp_path / part).write_text("one")
    before = edition()
    info = (tmp_path / part).stat()
    (tmp_path / part).write_text("two")
    os.utime(tmp_path / part, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert edition() != before


def test_the_list_and_sparql_lead_to_each_other(shown: Shown, client: Client) -> None:
    assert 'href="/sparql"' in client.get("/datasets/").content.decode()
    assert 'href="/datasets/"' in client.get("/sparql", headers={"accept": "text/html"}).content.decode()


def test_where_no_sparql_is_answered_nothing_leads_there(shown: Shown, client: Client, settings: Settings) -> None:
    settings.FAIRFOLDER_SPARQL = False
    settings.FAIRFOLDER_SPARQL_QUERY_URL = "http://127.0.0.1:9/"
    page = f"/datasets/{shown.identifier}"
    ways = ["/datasets/", page, "/.well-known/void", "/dcat/catalog", "/id/catalog"]
    dumping.build(site())
    for address in (*ways, *(f"{page}.{each.suffix}" for each in FORMATS)):
        answer = client.get(address)
        body = content(answer)
        found = re.findall(rb".{0,60}(?<!geo)sparql.{0,60}", body, re.IGNORECASE)
        assert found == [], address
        assert "sparql" not in str(answer.headers).lower(), address


@pytest.mark.parametrize(
    "address", ["/sparql", "/sparql?query=ASK{}", "/sparql/picture?node=http://e/1", "/sparql/internal"]
)
@pytest.mark.parametrize("accept", ["text/html", "text/turtle", "application/sparql-results+json"])
def test_where_no_sparql_is_answered_its_addresses_say_so_in_one_sentence(
    db: None, client: Client, settings: Settings, address: str, accept: str
) -> None:
    settings.FAIRFOLDER_SPARQL = False
    answer = client.get(address, headers={"accept": accept})
    assert answer.status_code == 404
    said = answer.content.decode()
    assert said.count(OFF) == 1
    if "html" not in answer.headers["Content-Type"]:
        assert said == f"{OFF}\n"
    else:
        assert 'href="/sparql' not in said
        assert "<form" not in said


# --- words of every language --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("Zürich", ("zürich", "ZÜRICH", "Zu\u0308rich", "ürich")),
        ("Straße", ("STRASSE", "straße")),
        ("日本語のデータ", ("日本語", "データ")),
        ("Ёлка", ("ёлка", "ЁЛКА")),
        ("100%_\\", ("100%", "%_\\")),
    ],
)
@pytest.mark.parametrize("key", ["dataset_title", "dataset_abstract", "keywords"])
def test_words_of_every_language_are_found(
    shown: Shown, client: Client, key: str, word: str, others: tuple[str, ...]
) -> None:
    shown.publish(**{key: ["other", f"in {word} now"] if key == "keywords" else f"in {word} now"})
    for asked in (word, *others):
        assert '<li class="card">' in client.get("/datasets/", {"q": asked}).content.decode(), asked
    for asked in ("%%", "_%", "u00fc", "dataset_title", "Żürich"):
        assert '<li class="card">' not in client.get("/datasets/", {"q": asked}).content.decode(), asked


def test_what_was_published_before_is_found_by_its_words(shown: Shown) -> None:
    fill = import_module("catalog.migrations.0011_published_words").fill
    shown.publish(keywords=["Zürich"])
    Published.objects.update(words="")
    fill(apps, None)
    assert "zürich" in Published.objects.get().words
