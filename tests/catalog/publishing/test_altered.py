"""Published files that are not as they were published: told wherever a curator looks, and over once they are back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Dataset, File, Rebuild, Run
from catalog.publishing.altered import altered
from tests.catalog.publishing.ready import FOLDER, Ready
from tests.catalog.publishing.test_page import address, browser, command, text

pytestmark = pytest.mark.django_db

CONTENT, OTHER = "a,b\n1,2\n", "a,b\n3,4,5\n"
CHANGED = (
    "One published file has other bytes than were published, so nobody is given it: 'a.csv'. Put the published bytes "
    "back, or write a new revision of the run and publish again."
)
RENEWED = (
    "One published file has other bytes than were published, so nobody is given it: 'a.csv'. A newer revision of the "
    "run names them: publish it."
)


@pytest.fixture
def published(ready: Ready) -> Ready:
    ready.publish()
    return ready


def write(ready: Ready, content: str) -> None:
    ready.described.put(f"{FOLDER}/a.csv", content)
    ready.described.describe()


def told(ready: Ready) -> tuple[str, ...]:
    return tuple(sentence for each in altered(ready.identifier) for sentence in each.sentences)


def download(ready: Ready) -> int:
    identifier = File.objects.get(path="a.csv").identifier
    answer = Client().get(f"/id/file/{identifier}")
    if answer.streaming:
        b"".join(answer.streaming_content)  # type: ignore[arg-type]
    return answer.status_code


def status(capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    code = 0
    try:
        call_command("status", "--json")
    except SystemExit as left:
        code = int(left.code or 0)
    return code, json.loads(capsys.readouterr().out)


def test_a_file_that_is_put_back_is_given_again(published: Ready) -> None:
    assert (download(published), told(published)) == (200, ())
    write(published, OTHER)
    assert (download(published), told(published)) == (409, (CHANGED,))
    assert Run.objects.get().outdated
    write(published, CONTENT)
    assert (download(published), told(published)) == (200, ())
    assert Run.objects.get().outdated == []


def test_it_is_told_by_both_commands_and_on_both_pages(published: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(published.root / FOLDER)
    assert status(capsys)[1]["published"] == []
    write(published, OTHER)
    code, looked = command(capsys, folder, "--check")
    assert (code, looked["altered"]) == (1, [CHANGED])
    code, said = status(capsys)
    assert code == 1
    assert said["published"] == [{"path": folder, "dataset": published.identifier, "sentences": [CHANGED]}]
    curie = browser("curie", "curator")
    assert CHANGED in text(curie.get(address(published)))
    page = curie.get(reverse("status"))
    assert CHANGED in text(page)
    assert address(published) in page.content.decode()


def test_the_lines_for_people_say_it_too(published: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    write(published, OTHER)
    folder = str(published.root / FOLDER)
    for arguments, line in ((("publish", folder, "--check"), f"! {CHANGED}"), (("status",), f"{folder}: {CHANGED}")):
        with pytest.raises(SystemExit):
            call_command(*arguments)
        assert line in capsys.readouterr().out.splitlines()


def test_files_are_looked_at_again_only_when_their_manifest_changed(published: Ready) -> None:
    def looks(address: str) -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            assert curie.get(address).status_code == 200
        return [each["sql"] for each in asked if '"catalog_file"."checksum"' in each["sql"]]

    curie = browser("curie", "curator")
    for page in (reverse("status"), f"/datasets/{published.identifier}"):
        assert (len(looks(page)), len(looks(page))) == (1, 0), page
        write(published, OTHER)
        assert (len(looks(page)), len(looks(page))) == (1, 0), page
        write(published, CONTENT)
        curie.get(page)


def test_a_new_revision_that_is_not_published_yet_is_what_is_missing(published: Ready) -> None:
    write(published, OTHER)
    published.finalise("first")
    assert told(published) == (RENEWED,)
    published.publish()
    assert (told(published), download(published)) == ((), 200)


def test_a_file_that_is_gone_is_told_as_gone(published: Ready) -> None:
    (published.root / FOLDER / "a.csv").unlink()
    (published.root / FOLDER / "plate1/b.csv").unlink()
    published.described.describe()
    (sentence,) = told(published)
    assert sentence == (
        "2 published files are not at their places, so nobody is given them: 'a.csv', 'plate1/b.csv'. "
        "Put them back, or write a new revision of the run and publish again."
    )


def test_of_what_nobody_may_have_it_is_not_said_that_nobody_is_given_it(published: Ready) -> None:
    published.access("restricted", access_conditions="Ask.")
    write(published, OTHER)
    (sentence,) = told(published)
    assert "has other bytes than were published: 'a.csv'" in sentence


def test_what_is_withdrawn_is_not_looked_at(published: Ready) -> None:
    published.withdraw()
    write(published, OTHER)
    assert altered() == []


def test_the_public_page_marks_them_also_where_it_was_kept_before(published: Ready) -> None:
    (published.root / FOLDER / "plate1/b.csv").unlink()
    published.described.describe()
    page = f"/datasets/{published.identifier}"
    gone = Client().get(page)
    assert "1 of these files is not as published" in text(gone)
    assert gone.content.count(b"Not at its place at present") == 1
    write(published, OTHER)
    known = {"If-None-Match": gone["ETag"], "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    both = Client().get(page, headers=known)
    assert "2 of these files are not as published" in text(both)
    assert both.content.count(b"Not the published file at present") == 1
    assert "Those marked below are not given at present." in text(both)
    published.described.put(f"{FOLDER}/plate1/b.csv", "x\n1\n")
    write(published, CONTENT)
    assert b"at present" not in Client().get(page).content


def test_what_nobody_may_have_is_not_marked(published: Ready) -> None:
    published.access("restricted", access_conditions="Ask.")
    write(published, OTHER)
    assert b"at present" not in Client().get(f"/datasets/{published.identifier}").content


def test_the_curators_pages_promise_no_more(published: Ready) -> None:
    curie, page = browser("curie", "curator"), reverse("dataset", args=[published.identifier])
    assert "Published files of it are missing" not in text(curie.get(page))
    assert "Everybody may download these files:" in text(curie.get(address(published)))
    write(published, OTHER)
    assert "Published files of it are missing or have other bytes" in text(curie.get(page))
    assert "but for 1 that is missing or changed" in text(curie.get(address(published)))
    published.described.put(f"{FOLDER}/a.csv", CONTENT)
    (published.root / FOLDER / "plate1/b.csv").unlink()
    published.described.describe()
    assert "Published files of it are missing or have other bytes" in text(curie.get(page))


def test_while_the_index_is_rebuilt_nothing_is_called_gone(published: Ready) -> None:
    file, page = f"/id/file/{File.objects.get(path='a.csv').identifier}", f"/datasets/{published.identifier}"
    Rebuild.objects.create(started=datetime(2026, 11, 1, tzinfo=UTC))
    Dataset.objects.update(manifest_sha256="")
    File.objects.all().delete()
    for _ in range(2):  # the dataset before its files, and not even the dataset
        answer = Client().get(file)
        assert (answer.status_code, answer["Retry-After"]) == (503, "600")
        assert "Not at its place" not in text(Client().get(page))
        assert altered() == []
        Dataset.objects.all().delete()
    Rebuild.objects.all().delete()
    assert Client().get(file).status_code == 410
    assert "Not at its place at present" in text(Client().get(page))
