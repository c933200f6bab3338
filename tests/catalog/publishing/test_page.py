"""The page and the command: who may, what they are told, what is done."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalog import accounts
from catalog.models import Published, Review
from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, PROJECT, Ready

pytestmark = pytest.mark.django_db


def browser(name: str, role: str = "member", ready: Ready | None = None) -> Client:
    accounts.add(name, role)
    if ready is not None:
        accounts.join(accounts.named(name), ready.dataset.project_identifier, "researcher")
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture
def curie(ready: Ready) -> Client:
    return browser("curie", "curator")


def text(response: Any) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def address(ready: Ready) -> str:
    return reverse("publish", args=[ready.identifier])


def confirm(client: Client, ready: Ready) -> Any:
    """Presses the button of the page as it is shown."""
    page = client.get(address(ready)).content.decode()
    found = re.search(r'name="seen" value="([^"]+)"', page)
    return client.post(address(ready), {"do": "publish", "seen": found[1] if found else ""}, follow=True)


def test_a_curator_publishes_withdraws_and_publishes_again(ready: Ready, curie: Client) -> None:
    page = text(curie.get(address(ready)))
    assert "Everything that is needed is there." in page
    assert "What is public then" in page
    assert "Counts of living cells" in page
    assert "plate1/b.csv" in page
    assert "private@example.org" not in page
    assert "Version 1 is published." in text(confirm(curie, ready))
    assert ready.row.state == "published"
    assert ready.entry()["last_modified_by"] == "curie"
    again = curie.post(address(ready), {"do": "withdraw", "reason": "A wrong plate <b>."}, follow=True)
    assert "A wrong plate <b>." in text(again)
    assert b"<b>." not in again.content
    assert ready.row.state == "withdrawn"
    assert "Publish again" in text(again)
    confirm(curie, ready)
    assert ready.row.state == "published"


def test_when_nothing_would_change_it_is_said_and_there_is_no_button(
    ready: Ready, curie: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.publish()
    page = curie.get(address(ready))
    assert "Nothing has changed since version 1 was published" in text(page)
    assert 'value="publish"' not in page.content.decode()
    call_command("publish", str(ready.root / FOLDER), "--check")
    assert capsys.readouterr().out.splitlines()[-1].endswith("nothing has changed since version 1 was published")
    ready.change(ADMINISTRATIVE, methods="Counted by eye.")
    ready.finalise("first")
    assert "Publish version 2" in text(curie.get(address(ready)))
    ready.withdraw()
    assert "Publish again" in text(curie.get(address(ready)))


def test_a_change_without_a_revision_is_said_in_one_way(
    ready: Ready, curie: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.publish()
    ready.change(ADMINISTRATIVE, methods="Counted by eye.")
    page = text(curie.get(address(ready)))
    assert "The dataset has changed: methods" in page
    assert "without one, nothing new would be published" in page
    assert "Nothing has changed" not in page
    call_command("publish", str(ready.root / FOLDER), "--check")
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .endswith("nothing new would be published until a new revision of the run is written")
    )


def test_a_published_dataset_has_a_button_called_publication(ready: Ready, curie: Client) -> None:
    page = reverse("dataset", args=[ready.identifier])
    assert ">Publish</a>" in curie.get(page).content.decode()
    ready.publish()
    for client in (curie, browser("vera", "viewer")):
        assert f'href="{address(ready)}">Publication</a>' in client.get(page).content.decode()


def test_a_withdrawn_dataset_is_not_called_public(ready: Ready, curie: Client) -> None:
    ready.publish()
    assert '<span class="badge plain">public</span>' in curie.get(address(ready)).content.decode()
    ready.withdraw()
    assert '<span class="badge plain">public</span>' not in curie.get(address(ready)).content.decode()


def test_the_preview_shows_where_the_data_are_kept(ready: Ready, curie: Client) -> None:
    ready.change(PROJECT, data_storage_strategy="Mirrored tapes in two towns.")
    ready.change(ADMINISTRATIVE, preservation_location="The archive of the library.")
    ready.finalise("first")
    page = text(curie.get(address(ready)))
    assert "Data storage strategy Mirrored tapes in two towns." in page
    assert "Preservation location The archive of the library." in page


def test_withdrawing_asks_why(ready: Ready, curie: Client) -> None:
    ready.publish()
    for reason, told in (("", "Say why"), ("x" * 1_001, "at most 1,000 are kept")):
        answer = curie.post(address(ready), {"do": "withdraw", "reason": reason})
        assert answer.status_code == 422
        assert told in text(answer)
    assert ready.row.state == "published"


def test_what_stands_in_the_way_is_shown_with_its_mend(ready: Ready, curie: Client) -> None:
    ready.change(ADMINISTRATIVE, license=None, status="draft")
    ready.finalise("first")
    answer = curie.get(address(ready))
    assert "things stand in the way" in text(answer)
    assert f'href="{reverse("edit", args=["dataset", ready.identifier])}#f-license"' in answer.content.decode()
    assert 'value="publish"' not in answer.content.decode()
    refused = curie.post(address(ready), {"do": "publish"})
    assert refused.status_code == 409
    assert "It cannot be published yet." in text(refused)
    assert not Published.objects.exists()


def test_what_changed_since_the_page_was_shown_is_not_published(ready: Ready, curie: Client) -> None:
    page = curie.get(address(ready)).content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    ready.run("second", ("later.csv",))
    answer = curie.post(address(ready), {"do": "publish", "seen": seen[1]})
    assert answer.status_code == 409
    assert "changed while you looked at it" in text(answer)
    assert not Published.objects.exists()


def test_the_dataset_page_tells_the_state_and_leads_there(ready: Ready, curie: Client) -> None:
    here = reverse("dataset", args=[ready.identifier])
    page = curie.get(here).content.decode()
    assert f'href="{address(ready)}"' in page
    assert "unpublished" in page
    ready.publish()
    assert '<span class="badge good">published</span>' in curie.get(here).content.decode()


def test_a_researcher_sees_the_list_and_asks_a_curator(ready: Ready, curie: Client) -> None:
    rosa = browser("rosaluz", ready=ready)
    page = rosa.get(address(ready))
    assert "Everything that is needed is there." in text(page)
    assert 'value="publish"' not in page.content.decode()
    for do in ("publish", "withdraw"):
        assert rosa.post(address(ready), {"do": do, "reason": "x"}).status_code == 404
    assert not Published.objects.exists()
    asked = {"do": "send", "back": address(ready), "text": "Please publish this dataset."}
    answer = rosa.post(reverse("review", args=["dataset", ready.identifier]), asked, follow=True)
    assert answer.redirect_chain[-1][0] == address(ready)
    assert Review.objects.get(identifier=ready.identifier).comments.get().text == "Please publish this dataset."


def test_a_viewer_sees_the_list_and_no_button(ready: Ready) -> None:
    page = browser("viewer", "viewer").get(address(ready)).content.decode()
    assert "Curators publish datasets." in page
    assert "<textarea" not in page


def test_an_edit_of_the_registry_by_hand_is_told(ready: Ready, curie: Client) -> None:
    ready.publish()
    path = f".metadata/registry/{ready.identifier}.json"
    ready.described.write(path, {**ready.entry(), "publication": {"state": "unpublished"}})
    ready.described.describe()
    assert "No more is public than both of them say" in text(curie.get(address(ready)))


# --- the command ------------------------------------------------------------------------------------------------------


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Exit code and JSON object."""
    code = 0
    try:
        call_command("publish", *arguments, "--json")
    except SystemExit as left:
        code = int(left.code or 0)
    return code, json.loads(capsys.readouterr().out)


def test_the_command_checks_publishes_and_withdraws(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(ready.root / FOLDER)
    code, told = command(capsys, folder, "--check")
    assert (code, told["may_be_published"], told["state"]) == (0, True, "unpublished")
    assert not Published.objects.exists()
    code, told = command(capsys, folder)
    assert (code, told["state"], told["version"], told["access_level"]) == (0, "published", "1", "public")
    assert ready.entry()["last_modified_by"] == "system:publish"
    code, told = command(capsys, ready.identifier, "--withdraw", "--reason", "A wrong plate.")
    assert (code, told["state"]) == (0, "withdrawn")
    code, told = command(capsys, ready.identifier)
    assert (code, told["state"], told["version"]) == (0, "published", "1")


def test_the_command_ends_with_1_where_something_stands_in_the_way(
    ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.access("confidential")
    for more in (("--check",), ()):
        code, told = command(capsys, str(ready.root / FOLDER), *more)
        assert (code, told["may_be_published"]) == (1, False)
        assert "never published" in told["refusals"][0]
    assert not Published.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--check", "--withdraw"), "--check looks before"),
        (("--reason", "x"), "--reason goes with --withdraw"),
        (("--withdraw", "--reason", "x"), "only what is published can be withdrawn"),
        (("--by", "nobody"), "nobody"),
    ],
)
def test_wrong_usage_ends_with_2(
    ready: Ready, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    code, answer = command(capsys, str(ready.root / FOLDER), *arguments)
    assert code == 2
    assert told in answer["error"]


@pytest.mark.parametrize("text", ["p_Alpha", "nowhere/at/all", "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "", "\0"])
def test_what_is_no_dataset_is_said_so(ready: Ready, capsys: pytest.CaptureFixture[str], text: str) -> None:
    code, answer = command(capsys, text)
    assert code == 2
    assert "error" in answer


@pytest.mark.parametrize(
    "text", ["p_Alpa/ds", "P_ALPHA/DS", "p_Alpha/dss", "p_Alpha", "Counts of livin cells", "/nowhere/p_Alpha/ds"]
)
def test_a_mistyped_dataset_is_answered_with_what_may_be_meant(
    ready: Ready, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    code, answer = command(capsys, text)
    assert code == 2
    assert answer["error"] == (
        f"{text!r} is no dataset that is described here. Did you mean 'p_Alpha/ds'? Name its folder, such as "
        "p_MyProject/dataset_1, or its identifier, which stands in the address of its page."
    )


def test_a_part_of_an_identifier_is_enough_to_be_reminded(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = command(capsys, ready.identifier[:13])
    assert code == 2
    assert "Did you mean 'p_Alpha/ds'?" in answer["error"]
    assert "Did you mean" not in command(capsys, "zzzz")[1]["error"]
