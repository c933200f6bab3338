"""Files at their own address: whole and in ranges, only the published bytes, only from inside the dataset."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from catalog.models import File
from catalog.pages.public.ranges import Span, UnsatisfiableError, asked
from tests.catalog.public.shown import WRITTEN, Shown

CSV = "counts.csv"
TIFF = "plate1/well_A01.tif"


def content(answer: object) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


def test_a_file_is_given_as_it_was_published(shown: Shown, client: Client) -> None:
    answer = client.get(shown.file(CSV))
    assert answer.status_code == 200
    assert content(answer) == shown.contents[CSV]
    digest = hashlib.sha256(shown.contents[CSV])
    assert answer["ETag"] == f'"{digest.hexdigest()}"'
    assert answer["Repr-Digest"] == f"sha-256=:{b64encode(digest.digest()).decode()}:"
    assert answer["Content-Type"] == "text/csv"
    assert answer["Content-Length"] == str(len(shown.contents[CSV]))
    assert answer["Content-Disposition"] == 'attachment; filename="counts.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert f'<http://127.0.0.1:8000{shown.page}>; rel="collection"' in answer["Link"]


def test_head_equals_get_without_the_bytes(shown: Shown, client: Client) -> None:
    get, head = client.get(shown.file(TIFF)), client.head(shown.file(TIFF))
    assert content(head) == b""
    content(get)
    assert dict(head.headers) == dict(get.headers)


SIZE = 1280  # of each file: 40 digests


@pytest.mark.parametrize(
    ("header", "status", "first", "last"),
    [
        ("bytes=0-0", 206, 0, 0),
        ("bytes=0-9", 206, 0, 9),
        ("bytes=10-", 206, 10, SIZE - 1),
        ("bytes=-10", 206, SIZE - 10, SIZE - 1),
        (f"bytes=0-{SIZE * 9}", 206, 0, SIZE - 1),
        (f"bytes=-{SIZE * 9}", 206, 0, SIZE - 1),
        (f"bytes={SIZE - 1}-", 206, SIZE - 1, SIZE - 1),
        ("BYTES=1-2", 206, 1, 2),
        ("bytes=0-1,5-6", 200, 0, SIZE - 1),
        ("bytes=9-1", 200, 0, SIZE - 1),
        ("bytes=a-b", 200, 0, SIZE - 1),
        ("bytes=", 200, 0, SIZE - 1),
        ("bytes=--1", 200, 0, SIZE - 1),
        ("bytes=0x1-2", 200, 0, SIZE - 1),
        ("bytes=١-٢", 200, 0, SIZE - 1),
        ("lines=0-1", 200, 0, SIZE - 1),
        ("bytes=0-" + "9" * 40, 200, 0, SIZE - 1),
    ],
)
def test_ranges(shown: Shown, client: Client, header: str, status: int, first: int, last: int) -> None:
    answer = client.get(shown.file(CSV), headers={"range": header})
    assert answer.status_code == status
    assert content(answer) == shown.contents[CSV][first : last + 1]
    assert answer["Content-Length"] == str(last + 1 - first)
    assert answer.get("Content-Range") == (f"bytes {first}-{last}/{SIZE}" if status == 206 else None)


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE * 2}-{SIZE * 3}"])
def test_a_range_behind_the_end_is_refused_with_the_size(shown: Shown, client: Client, header: str) -> None:
    answer = client.get(shown.file(CSV), headers={"range": header})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{SIZE}"


def test_ranges_of_an_empty_file() -> None:
    assert asked("", 0) is None
    for header in ("bytes=0-", "bytes=-5"):
        with pytest.raises(UnsatisfiableError):
            asked(header, 0)
    assert asked("bytes=0-4", 5) == Span(0, 4)


def test_a_condition_on_the_range(shown: Shown, client: Client) -> None:
    whole = client.get(shown.file(CSV))
    content(whole)
    for condition, status in (
        (whole["ETag"], 206),
        (whole["Last-Modified"], 206),
        ('"other"', 200),
        (f"W/{whole['ETag']}", 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
    ):
        answer = client.get(shown.file(CSV), headers={"range": "bytes=0-4", "if-range": condition})
        assert answer.status_code == status, condition
        content(answer)


@pytest.mark.parametrize("handed_over", [False, True])
@pytest.mark.parametrize("method", ["get", "head"])
def test_what_changes_just_then_is_told_as_changed(
    shown: Shown, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, method: str, handed_over: bool
) -> None:
    """Whoever knows the bytes, asks for the head or is sent on by the front server gets no answer of old ones."""
    settings.FAIRFOLDER_SENDFILE = "x-sendfile" if handed_over else "off"
    known = method == "get" and not handed_over

    def changing(*_: object) -> bool:
        shown.on_disk(CSV).write_bytes(b"other bytes")
        return known

    monkeypatch.setattr("catalog.pages.public.downloads.answering.is_known", changing)
    answer = getattr(client, method)(shown.file(CSV))
    assert answer.status_code == 409


def test_what_is_known_is_not_sent_again(shown: Shown, client: Client) -> None:
    etag = client.head(shown.file(CSV))["ETag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = client.get(shown.file(CSV), headers={"if-none-match": known})
        assert (answer.status_code, content(answer), answer["ETag"]) == (304, b"", etag)
    answer = client.get(shown.file(CSV), headers={"if-none-match": '"other"'})
    assert answer.status_code == 200
    content(answer)


# --- never other bytes ------------------------------------------------------------------------------------------


def test_a_changed_file_is_not_given(shown: Shown, client: Client) -> None:
    shown.on_disk(CSV).write_bytes(b"changed")
    answer = client.get(shown.file(CSV))
    assert answer.status_code == 409
    assert "not the published one" in answer.content.decode()


def test_a_file_described_anew_is_not_the_published_one(shown: Shown, client: Client) -> None:
    File.objects.filter(identifier=shown.ids[CSV]).update(checksum="0" * 64)
    assert client.get(shown.file(CSV)).status_code == 409


def test_a_file_that_is_gone_is_410(shown: Shown, client: Client) -> None:
    shown.on_disk(CSV).unlink()
    assert client.get(shown.file(CSV)).status_code == 410
    File.objects.filter(identifier=shown.ids[CSV]).delete()
    assert client.get(shown.file(CSV)).status_code == 410


@pytest.mark.parametrize("where", ["file", "folder", "dataset"])
def test_a_link_in_the_place_of_a_file_or_folder_is_not_followed(shown: Shown, client: Client, where: str) -> None:
    """The same bytes behind a link, so that nothing but the link can be what is refused."""
    file = shown.on_disk(TIFF)
    linked = {"file": file, "folder": file.parent, "dataset": file.parent.parent}[where]
    aside = shown.tree.root.parent / "aside"
    linked.rename(aside)
    linked.symlink_to(aside)
    answer = client.get(shown.file(TIFF))
    assert answer.status_code == 409
    assert shown.contents[TIFF] not in content(answer)


@pytest.mark.parametrize(
    "path",
    ["../../../secret", "/etc/passwd", "plate1/../../x", "..", ".metadata/dataset_administrative.json", "a\0b", ""],
)
def test_a_recorded_path_that_leads_elsewhere_is_refused(shown: Shown, client: Client, path: str) -> None:
    File.objects.filter(identifier=shown.ids[CSV]).update(path=path)
    answer = client.get(shown.file(CSV))
    assert answer.status_code in (409, 410)
    assert b"root:" not in content(answer)


def test_a_fifo_in_the_place_of_a_file_holds_nobody_up(shown: Shown, client: Client) -> None:
    shown.on_disk(CSV).unlink()
    os.mkfifo(shown.on_disk(CSV))
    assert client.get(shown.file(CSV)).status_code == 409


def test_a_file_changed_while_it_is_sent_cuts_the_answer_off(shown: Shown, client: Client) -> None:
    answer = client.get(shown.file(CSV))
    shown.on_disk(CSV).write_bytes(b"y" * SIZE)
    os.utime(shown.on_disk(CSV), (WRITTEN.timestamp() + 100,) * 2)
    with pytest.raises(Exception, match="has changed"):
        content(answer)


def test_no_descriptor_is_left_open(shown: Shown, client: Client) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for headers in ({}, {"range": "bytes=0-1"}, {"range": "bytes=99999-"}, {"if-none-match": "*"}):
        answer = client.get(shown.file(CSV), headers=headers)
        answer.close()
        client.head(shown.file(CSV), headers=headers)
    assert set(os.listdir("/proc/self/fd")) == before


# --- who may not ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["restricted", "embargoed"])
def test_a_file_that_is_not_open_says_how_to_ask_for_it(shown: Shown, client: Client, level: str) -> None:
    shown.restrict(level, embargo_end_date="2027-06-01") if level == "embargoed" else shown.restrict(level)
    answer = client.get(shown.file(CSV))
    assert answer.status_code == 403
    words = answer.content.decode()
    assert "data@example.org" in words
    assert shown.page in words
    assert ("2027-06-01" in words) is (level == "embargoed")
    assert shown.contents[CSV] not in answer.content


def test_a_withdrawn_file_and_an_unpublished_one_are_like_none(shown: Shown, client: Client) -> None:
    nothing = client.get("/id/file/00000000-0000-4000-8000-000000000000")
    assert nothing.status_code == 404
    shown.withdraw()
    answer = client.get(shown.file(CSV))
    assert (answer.status_code, answer.content) == (404, nothing.content)


# --- names and hand-over ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("a b.csv", 'attachment; filename="a b.csv"'),
        ('q"uote.csv', 'attachment; filename="q\\"uote.csv"'),
        ("naïve.csv", "attachment; filename*=utf-8''na%C3%AFve.csv"),
        ("x\r\nSet-Cookie: a=b", 'attachment; filename="x_u000d_u000aSet-Cookie: a=b"'),
        ("\u202egnp.exe", 'attachment; filename="_u202egnp.exe"'),
        ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
    ],
)
def test_the_name_of_a_download_is_harmless(shown: Shown, client: Client, name: str, disposition: str) -> None:
    value = shown.publish().value
    entries = [{**each, "file_name": name} if each["path"] == CSV else each for each in value["file_descriptions"]]
    shown.publish(file_descriptions=entries)
    answer = client.head(shown.file(CSV))
    assert answer["Content-Disposition"] == disposition
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("media_type", ["text/html\r\nX: y", "text/html; charset=utf-7", "", "nonsense"])
def test_a_media_type_that_is_none_is_not_passed_on(shown: Shown, client: Client, media_type: str) -> None:
    value = shown.publish().value
    entries = [{**e, "mime_type": media_type} if e["path"] == CSV else e for e in value["file_descriptions"]]
    shown.publish(file_descriptions=entries)
    assert client.head(shown.file(CSV))["Content-Type"] == "application/octet-stream"


def test_html_is_given_as_a_download_that_can_run_nothing(shown: Shown, client: Client) -> None:
    value = shown.publish().value
    entries = [{**e, "mime_type": "text/html"} if e["path"] == CSV else e for e in value["file_descriptions"]]
    shown.publish(file_descriptions=entries)
    answer = client.head(shown.file(CSV))
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_front_server_is_handed_the_file(shown: Shown, client: Client, settings: Settings) -> None:
    settings.FAIRFOLDER_SENDFILE, settings.FAIRFOLDER_SENDFILE_PREFIX = "x-accel-redirect", "/protected"
    answer = client.get(shown.file(TIFF))
    assert answer["X-Accel-Redirect"] == "/protected/0/p_HeatShock/dataset_replicate1/plate1/well_A01.tif"
    assert answer.content == b""
    assert answer["Content-Type"] == "image/tiff"
    settings.FAIRFOLDER_SENDFILE = "x-sendfile"
    answer = client.get(shown.file(TIFF))
    assert Path(answer["X-Sendfile"]) == shown.on_disk(TIFF)


def test_a_front_server_is_handed_nothing_that_may_not_be_given(
    shown: Shown, client: Client, settings: Settings
) -> None:
    settings.FAIRFOLDER_SENDFILE = "x-sendfile"
    file = shown.on_disk(TIFF)
    file.rename(shown.tree.root.parent / "aside")
    file.symlink_to(shown.tree.root.parent / "aside")
    answer = client.get(shown.file(TIFF))
    assert (answer.status_code, answer.get("X-Sendfile")) == (409, None)
    shown.restrict("restricted")
    answer = client.get(shown.file(CSV))
    assert (answer.status_code, answer.get("X-Sendfile")) == (403, None)
