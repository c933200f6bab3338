"""FA-33 and FA-35: whoever saves over a newer version sees both, and neither side loses anything."""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import pytest
from django.test import Client

from catalog import index
from catalog.editing import targets
from catalog.models import UnsavedForm
from ingest import documents
from tests.catalog.forms import Form, _Inputs, form_of, open_form
from tests.catalog.hostile import Page
from tests.catalog.service import Service, Serving
from tests.catalog.tree import Tree, entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dataset(tree: Tree) -> str:
    tree.project()
    number = tree.dataset(entries=[entry("a.csv")], dataset_title="Before", keywords=["a"])
    index.rebuild()
    return number


def value_of(tree: Tree, kind: str = documents.ADMINISTRATIVE) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(tree.document("p_Alpha/plate_1", kind).read_bytes())
    return value


def edit_on_disk(tree: Tree, **fields: Any) -> None:
    tree.edit(tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE), fields)


def merge_form(form: Form) -> Form:
    """The form of the page with two versions, its hidden inputs read."""
    page = _Inputs()
    page.feed(form.text.replace('<form method="post" action="/edit', '<form id="form" method="post" action="/edit'))
    page.close()
    page.sent.pop("csrfmiddlewaretoken", None)
    return Form(form.client, form.address, form.response, dict(page.sent), page.buttons, page)


def test_an_edit_made_on_disk_meanwhile_is_not_written_over(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    edit_on_disk(tree, dataset_title="On disk", methods="By hand", site_key=[1, {"x": None}])
    conflict = form.press("save", **{"/dataset_title": "In the form", "/keywords": "a\nb"})
    assert conflict.response.status_code == 412
    assert value_of(tree)["dataset_title"] == "On disk"
    assert Page(conflict.text).wrong == []
    for told in ("Before", "On disk", "In the form", "By hand"):
        assert told in conflict.text
    assert "checked" not in conflict.text, "nothing is chosen that nobody chose"
    merging = merge_form(conflict)
    unanswered = merging.press("merge")
    assert unanswered.response.status_code == 422
    assert "Choose one of the two" in unanswered.text
    saved = merging.press("merge", **{"choice-0": "mine"})
    assert "Saved." in saved.text
    value = value_of(tree)
    assert (value["dataset_title"], value["keywords"], value["methods"]) == ("In the form", ["a", "b"], "By hand")
    assert value["site_key"] == [1, {"x": None}]
    assert UnsavedForm.objects.count() == 0


def test_their_side_can_be_chosen_and_a_third_version_is_seen_too(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    edit_on_disk(tree, dataset_title="Second")
    merging = merge_form(form.press("save", **{"/dataset_title": "Mine", "/methods": "M"}))
    edit_on_disk(tree, dataset_title="Third")
    again = merging.press("merge", **{"choice-0": "theirs"})
    assert again.response.status_code == 412
    assert "Third" in again.text
    saved = merge_form(again).press("merge")
    assert "Saved." in saved.text
    assert (value_of(tree)["dataset_title"], value_of(tree)["methods"]) == ("Third", "M")


def test_rows_keep_what_no_form_shows_where_two_versions_break_a_rule_together(
    tree: Tree, dataset: str, curator: Client
) -> None:
    doi = "https://doi.org/10.1234/x"
    first, second = (
        {"@id": f"urn:x-site:{each}", "identifier": doi, "scheme": "URL", "site_note": each} for each in "ab"
    )
    edit_on_disk(tree, related_identifiers=[first, second])
    form = open_form(curator, "dataset", dataset).press("add:/related_identifiers")
    form = form.press("up:/related_identifiers/2").press("up:/related_identifiers/1")
    edit_on_disk(tree, related_identifiers=[first, {**second, "scheme": "DOI"}], methods="Theirs")
    added = {"/related_identifiers/0/identifier": "https://c.example/", "/related_identifiers/0/scheme": "URL"}
    both = form.press("save", **added, **{"/related_identifiers/2/identifier": "https://b.example/"})
    together = merge_form(both).press("merge")
    assert "Together the two versions break a rule" in together.text
    as_it_was = together.press("save")
    assert "Together the two versions break a rule" in as_it_was.text
    assert value_of(tree)["related_identifiers"][1]["scheme"] == "DOI", "nothing was saved"
    mended = as_it_was.press("save", **{"/related_identifiers/2/scheme": "URL"})
    assert "Saved." in mended.text
    assert value_of(tree)["methods"] == "Theirs"
    assert value_of(tree)["related_identifiers"] == [
        {"identifier": "https://c.example/", "scheme": "URL"},
        first,
        {**second, "identifier": "https://b.example/"},
    ]


def test_two_versions_are_of_one_record_and_one_person(
    tree: Tree, dataset: str, curator: Client, django_user_model: Any
) -> None:
    form = open_form(curator, "dataset", dataset)
    edit_on_disk(tree, dataset_title="On disk")
    mine = merge_form(form.press("save", **{"/dataset_title": "Mine"})).sent["mine"]
    files = open_form(curator, "files", dataset)
    other = Client()
    other.force_login(django_user_model.objects.create_superuser("other"))
    another = open_form(other, "dataset", dataset)
    before = {path: path.read_bytes() for path in tree.documents()}
    for sent in (files, another):
        answer = sent.post({"base": sent.sent["base"], "mine": mine, "choice-0": "mine", "do": "merge"})
        assert answer.response.status_code == 400
        assert "The two versions could not be read again" in answer.text
    assert {path: path.read_bytes() for path in tree.documents()} == before


def test_of_two_tabs_of_ones_own_the_later_one_is_told_so(
    tree: Tree, dataset: str, curator: Client, django_user_model: Any
) -> None:
    first, second = (open_form(curator, "dataset", dataset) for _ in range(2))
    other = Client()
    other.force_login(django_user_model.objects.create_superuser("other"))
    third = open_form(other, "dataset", dataset)
    assert "Saved." in first.press("save", **{"/dataset_title": "In the first tab"}).text
    met = second.press("save", **{"/dataset_title": "In the second tab"})
    assert met.response.status_code == 412
    assert "You saved a newer version yourself" in met.text
    assert "in another tab or window" in met.text
    assert "Someone else" not in met.text
    of_another = third.press("save", **{"/dataset_title": "Of another"})
    assert "Someone else changed this dataset too" in of_another.text
    assert "yourself" not in of_another.text


def test_every_page_after_a_save_is_one_a_browser_can_go_back_to(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    incomplete = form.press("complete", **{"/dataset_title": "T"})
    assert [status for _, status in incomplete.response.redirect_chain] == [302]
    assert "Saved." in incomplete.text
    assert "It is not complete yet:" in incomplete.text
    left = incomplete.press("draft", **{"/metadata_language": "not a language", "/methods": "M"})
    assert [status for _, status in left.response.redirect_chain] == [302]
    assert "Saved, except 1 field." in left.text
    again = form_of(curator, form.address, curator.get(left.response.redirect_chain[0][0]))
    assert again.sent["/metadata_language"] == "not a language"
    assert "/metadata_language" in again.page.invalid
    assert "not a language" in again.text
    stale = open_form(curator, "dataset", dataset)
    edit_on_disk(tree, dataset_title="On disk")
    both = stale.press("save", **{"/dataset_title": "Mine", "/keywords": "k"})
    assert [status for _, status in both.response.redirect_chain] == [302]
    asked = merge_form(both).press("merge")
    assert [status for _, status in asked.response.redirect_chain] == [302]
    assert "Choose one of the two" in asked.text
    address = both.response.redirect_chain[0][0]
    assert merge_form(asked).press("merge", **{"choice-0": "mine"}).response.redirect_chain[0][1] == 302
    assert "Mine" in curator.get(address).content.decode(), "going back after it leads to the form as it is saved"
    assert UnsavedForm.objects.filter(posted__has_key="/keywords").count() <= 1


def test_choices_made_stay_chosen_while_others_are_open(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    edit_on_disk(tree, dataset_title="On disk", methods="By hand")
    both = merge_form(form.press("save", **{"/dataset_title": "Mine", "/methods": "Typed"}))
    asked = both.press("merge", **{"choice-1": "theirs"})
    assert asked.response.status_code == 422
    assert re.findall(r'name="(choice-\d)" value="(\w+)" checked', asked.text) == [("choice-1", "theirs")]
    edit_on_disk(tree, methods="By hand, again")
    anew = curator.get(asked.response.redirect_chain[0][0])
    assert (anew.status_code, "checked" in anew.content.decode()) == (412, False), "another version, another question"


def test_what_could_not_be_kept_is_shown_beside_both_versions(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/spatial_coverage")
    edit_on_disk(tree, dataset_title="On disk")
    conflict = form.press("save", **{"/methods": "M", "/spatial_coverage/0/west": "far out"})
    assert conflict.response.status_code == 412
    assert "far out" in conflict.text
    assert "is not a number" in conflict.text


def test_a_burst_of_files_never_breaks_an_open_form(tree: Tree, dataset: str, curator: Client) -> None:
    about, files = open_form(curator, "dataset", dataset), open_form(curator, "files", dataset)
    tree.files("p_Alpha/plate_1", [entry(f"f{n}.csv") for n in range(300)])
    edit_on_disk(tree, last_modified_date="2026-11-24T00:00:00Z", last_modified_by="system:trigger-2")
    assert "Saved." in about.press("save", **{"/dataset_title": "T"}).text
    assert "Saved." in files.press("save", **{"/scope": "Everything"}).text
    manifest = value_of(tree, documents.STRUCTURAL)
    assert (manifest["scope"], len(manifest["file_descriptions"]), manifest["file_count"]) == ("Everything", 300, 300)


@pytest.mark.parametrize("is_burst", [True, False], ids=["by a burst", "by a person"])
def test_what_could_not_be_kept_stays_though_the_document_was_written_again_at_once(
    tree: Tree, dataset: str, curator: Client, monkeypatch: pytest.MonkeyPatch, is_burst: bool
) -> None:
    save = targets.save

    def save_and_be_followed(*args: Any, **keywords: Any) -> Any:
        outcome = save(*args, **keywords)
        manifest = tree.document("p_Alpha/plate_1", documents.STRUCTURAL)
        tree.edit(manifest, {"last_modified_by": "system:trigger-2"} if is_burst else {"scope": "Theirs"})
        return outcome

    form = open_form(curator, "files", dataset)
    with monkeypatch.context() as patch:
        patch.setattr(targets, "save", save_and_be_followed)
        kept = form.press("save", **{"/metadata_language": "not a language", "/scope": "Mine"})
    assert "What you typed there is kept in this form" in kept.text
    assert (kept.sent["/metadata_language"], kept.sent["/scope"]) == ("not a language", "Mine")
    posted = UnsavedForm.objects.values_list("posted", flat=True)
    assert [each["/metadata_language"] for each in posted] == ["not a language"]
    mended = kept.press("save", **{"/metadata_language": "en"})
    if not is_burst:
        assert mended.response.status_code == 412
        mended = merge_form(mended).press("merge")
    manifest = value_of(tree, documents.STRUCTURAL)
    assert (manifest["metadata_language"], manifest["scope"]) == ("en", "Mine" if is_burst else "Theirs")


def test_of_twenty_who_save_one_version_one_succeeds(service: Service) -> None:
    folder = service.root / "p_Alpha" / "plate_1"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("a,b\n1,2\n")
    service.run("reconcile")
    document = folder / ".metadata" / "dataset_administrative.json"
    address = f"edit/dataset/{orjson.loads(document.read_bytes())['dataset_identifier']}/"
    versions = successes = 0
    with service.serving() as serving:
        session = Session(serving)
        for first in (0, 20):  # words of their own each time: who sends what stands there already changes nothing
            before = document.read_bytes()
            form = inputs(session.get(address)[1])
            answers = together(session, address, form, range(first, first + 20))
            assert Counter(status for status, _ in answers.values()) == {302: 1, 412: 19}
            winner = next(number for number, (status, _) in answers.items() if status == 302)
            value = orjson.loads(document.read_bytes())
            assert (value["dataset_title"], f"word{winner}" in value["keywords"]) == (f"Title {winner}", True)
            for number, (status, text) in answers.items():
                assert status == 302 or (f"Title {number}" in text and f"Title {winner}" in text)
            versions += document.read_bytes() != before
            successes += 1
        loser, (_, text) = next(each for each in answers.items() if each[1][0] == 412)
        choices = {f"choice-{number}": "theirs" for number in range(text.count("<fieldset"))}
        status, text = session.post(address, {**inputs(text), **choices, "do": "merge"})
        assert status == 302, text
    assert versions == successes == 2
    assert {f"word{winner}", f"word{loser}"} <= set(orjson.loads(document.read_bytes())["keywords"])


class Session:
    """Someone signed in to a running service, as a browser keeps their cookies; only to two versions it is led on."""

    def __init__(self, serving: Serving) -> None:
        self.base = serving.url
        self.cookies: dict[str, str] = {}
        token = inputs(self.get("login/")[1])["csrfmiddlewaretoken"]
        form = {"csrfmiddlewaretoken": token, "username": "admin", "password": serving.value["password"]}
        assert self.post("login/", form)[0] == 302

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path, None)

    def post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        return self._ask("POST", path, urlencode(form).encode())

    def _ask(self, verb: str, path: str, body: bytes | None) -> tuple[int, str]:
        host = urlsplit(self.base)
        connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=120)
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": kept, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(verb, f"/{path}", body, headers)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            both = answer.headers.get("Location", "")
            text = answer.read().decode(errors="replace")  # an image, maybe
        finally:
            connection.close()
        return self.get(both.lstrip("/")) if "against=" in both else (answer.status, text)


def inputs(page: str) -> dict[str, str]:
    """What the forms of a page would send."""
    found = _Inputs()
    found.feed(page.replace("<form ", '<form id="form" ', 1) if 'id="form"' not in page else page)
    return {**found.sent, **dict(re.findall(r'name="(csrfmiddlewaretoken|base|mine)" value="([^"]*)"', page))}


def together(session: Session, address: str, form: dict[str, str], numbers: range) -> dict[int, tuple[int, str]]:
    """Many saves of one form at the same moment, each with its own words: number → status and page."""
    answers: dict[int, tuple[int, str]] = {}
    start = threading.Barrier(len(numbers))

    def save(number: int) -> None:
        words = "\n".join(filter(None, [form["/keywords"], f"word{number}"]))
        start.wait()
        changed = {
            "/dataset_title": f"Title {number}",
            "/keywords": words,
            "opening": f"tab{number % 20}",
            "do": "save",
        }
        answers[number] = session.post(address, {**form, **changed})

    threads = [threading.Thread(target=save, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_unsaved_changes_made_of_an_old_version_still_meet_the_new_one(
    tree: Tree, dataset: str, curator: Client
) -> None:
    form = open_form(curator, "dataset", dataset)
    curator.post(f"{form.address}keep", {**form.sent, "/dataset_title": "Kept"})
    edit_on_disk(tree, dataset_title="On disk")
    link = re.search(r'href="(\?unsaved=[^"]+)"', open_form(curator, "dataset", dataset).text)
    assert link is not None
    went_on = open_form(curator, "dataset", dataset, link[1])
    assert went_on.press("save").response.status_code == 412
    assert form_of(curator, form.address, curator.get(form.address)).sent["/dataset_title"] == "On disk"
