"""Curators at work in the admin: forms, changes of many records, spreadsheets; for nobody else, and nothing runs."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog import index
from catalog.editing import reviews, targets
from catalog.models import BulkChange, Dataset, Instrument, PlannedChange, Profile, Review
from catalog.models.people import Role
from ingest import documents
from tests.catalog.hostile import CORPUS
from tests.catalog.tree import AUDIT, Tree, entry, identifier, put

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "https://w3id.org/fairfolder"


def head(kind: str, type_: str, number: str) -> dict[str, Any]:
    return {
        "$schema": f"{HEAD}/schemas/{kind}/1.0.0",
        "@context": f"{HEAD}/contexts/{kind}/1.0.0.jsonld",
        "@id": f"urn:uuid:{number}",
        "@type": type_,
        "metadata_language": "en",
        "status": "draft",
        **AUDIT,
    }


def run(tree: Tree, dataset: str, label: str, **fields: Any) -> str:
    number = identifier("run", dataset, label)
    own = {"run_id": number, "run_label": label, "dataset_identifier": identifier("dataset", dataset)}
    path = tree.root / dataset / ".metadata/runs" / label / "experiment_contextual.json"
    put(path, {**head(documents.EXPERIMENT, "Run", number), **own, **fields})
    return number


def instrument(tree: Tree, slug: str, **fields: Any) -> str:
    number = identifier("instrument", slug)
    own = {"instrument_identifier": number, "landing_page": f"https://example.org/{slug}", **fields}
    path = tree.root / ".metadata/instruments" / slug / "instrument_technical.json"
    put(path, {**head(documents.INSTRUMENT, "Instrument", number), "identifiers": [], **own})
    return number


@pytest.fixture
def filled(tree: Tree) -> Tree:
    tree.project("p_Alpha", 1, project_title="Alpha")
    for n in range(3):
        tree.dataset(f"p_Alpha/d{n}", [entry(f"f{n}.csv")], n + 2, dataset_title=f"Set {n}")
    run(tree, "p_Alpha/d0", "r1", experiment_name="First run")
    instrument(tree, "scope", instrument_name="Scope")
    index.refresh(tree.documents())
    return tree


@pytest.fixture
def steward(client: Client, django_user_model: Any) -> Client:
    """A browser of a curator who is no administrator."""
    user = django_user_model.objects.create_user("steward", is_staff=True)
    Profile.objects.update_or_create(user=user, defaults={"role": Role.CURATOR})
    client.force_login(user)
    return client


LISTS = {
    "project": "project",
    "dataset": "dataset",
    "files": "dataset",
    "instrument": "instrument",
    "run": "run",
}
RECORDS = {
    "project": identifier("project", "p_Alpha"),
    "dataset": identifier("dataset", "p_Alpha/d0"),
    "files": identifier("dataset", "p_Alpha/d0"),
    "instrument": identifier("instrument", "scope"),
    "run": identifier("run", "p_Alpha/d0", "r1"),
}


def value(number: str, word: str = "dataset") -> dict[str, Any]:
    target = targets.find(word, number)
    assert target is not None
    return target.read().value


def begin(client: Client, action: str = "change_fields", which: str = "dataset", **more: Any) -> Any:
    keys = [str(key) for key in Dataset.objects.order_by("path").values_list("pk", flat=True)]
    return client.post(f"/admin/catalog/{which}/", {"action": action, "_selected_action": keys, **more})


# --- forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", RECORDS)
def test_every_record_has_its_form_in_the_admin(steward: Client, filled: Tree, word: str) -> None:
    address = f"/admin/catalog/{LISTS[word]}/{word}/{RECORDS[word]}/"
    answer = steward.get(address)
    html = answer.content.decode()
    assert (answer.status_code, '<form id="form"' in html, 'class="breadcrumbs"' in html) == (200, True, True)
    assert address in steward.get(f"/admin/catalog/{LISTS[word]}/").content.decode()
    assert steward.get(f"/admin/catalog/{LISTS[word]}/{word}/{identifier('nobody')}/").status_code == 404


def test_a_form_saves_through_the_store(steward: Client, filled: Tree) -> None:
    address = f"/admin/catalog/project/project/{RECORDS['project']}/"
    html = steward.get(address).content.decode()
    base = re.search(r'name="base" value="([^"]+)"', html)
    name = re.search(r'name="([^"]*project_title)"', html)
    assert base is not None
    assert name is not None
    answer = steward.post(address, {"base": base[1], name[1]: "A new title", "do": "save"})
    assert answer.status_code in (200, 302)
    found = value(RECORDS["project"], "project")
    assert (found["project_title"], found["last_modified_by"]) == ("A new title", "steward")


def test_the_link_by_row_leads_to_the_form_and_to_the_row_where_there_is_no_document(
    steward: Client, filled: Tree
) -> None:
    row = Instrument.objects.get()
    form = f"/admin/catalog/instrument/instrument/{row.identifier}/"
    assert steward.get(f"/admin/catalog/instrument/{row.pk}/change/")["Location"] == form
    (filled.root / ".metadata/instruments/scope/instrument_technical.json").unlink()
    assert steward.get(form).status_code == 404
    index.refresh([filled.root / ".metadata/instruments/scope/instrument_technical.json"])
    assert steward.get(f"/admin/catalog/instrument/{row.pk}/change/").status_code == 302


def test_a_run_is_listed_with_its_dataset_and_project(steward: Client, filled: Tree) -> None:
    html = steward.get("/admin/catalog/run/?q=first").content.decode()
    assert all(word in html for word in ("First run", "Set 0", "Alpha", "not there yet"))
    assert "First run" not in steward.get("/admin/catalog/run/?complete_metadata_is=outdated").content.decode()
    assert "First run" in steward.get("/admin/catalog/run/?complete_metadata_is=none").content.decode()


# --- many at once ---------------------------------------------------------------------------------------------


def test_fields_of_the_ticked_records_are_changed_after_a_preview_and_taken_back(steward: Client, filled: Tree) -> None:
    plan = begin(steward)["Location"]
    assert "Licence" in steward.get(plan).content.decode()
    fields = {"field": ["license", "keywords", "data_steward"]}
    html = steward.post(plan, {**fields, "do": "fields"}, follow=True).content.decode()
    assert all(f'name="operation:{key}"' in html for key in ("license", "keywords", "data_steward"))
    assert "selected" not in html.split('method="post" novalidate')[1]
    unfinished = {**fields, "operation:license": "set", "value:license": "", "do": "preview"}
    refused = steward.post(plan, unfinished, follow=True).content.decode()
    assert all(words in refused for words in ("Licence: the value is empty", "Keywords: choose what to do"))
    answers = {
        **fields,
        "do": "preview",
        "operation:license": "set",
        "value:license": "cc by 4.0",
        "operation:keywords": "add",
        "value:keywords": "heat\r\n\r\ncold\r\n",
        "operation:data_steward": "set",
        "name:data_steward": "Data Desk",
        "type:data_steward": "Organization",
        "email:data_steward": "data@example.org",
    }
    preview = steward.post(plan, answers)["Location"]
    shown = steward.get(preview).content.decode()
    assert all(word in shown for word in ("Set 0", "CC-BY-4.0", "heat; cold", "Data Desk (data@example.org)"))
    assert "license" not in value(RECORDS["dataset"])
    result = steward.post(preview)["Location"]
    found = [value(identifier("dataset", f"p_Alpha/d{n}")) for n in range(3)]
    assert [(each["license"], each["keywords"]) for each in found] == [("CC-BY-4.0", ["heat", "cold"])] * 3
    assert len({each["data_steward"]["@id"] for each in found}) == 1
    page = steward.get(result).content.decode()
    assert ("3 records changed" in page, ">Undo<" in page or 'value="Undo"' in page) == (True, True)
    done = BulkChange.objects.get()
    undone = steward.post(f"/admin/catalog/bulkchange/{done.pk}/undo/", follow=True).content.decode()
    assert "Taken back by steward" in undone
    assert not {"license", "keywords", "data_steward"} & set(value(RECORDS["dataset"]))
    assert steward.get("/admin/catalog/bulkchange/").status_code == 200


def test_what_was_typed_stays_when_the_fields_are_chosen_anew_and_after_the_preview(
    steward: Client, filled: Tree
) -> None:
    plan = begin(steward)["Location"]
    typed = {"operation:license": "set", "value:license": "MIT", "operation:keywords": "add", "value:keywords": "heat"}
    steward.post(plan, {"field": ["license", "keywords"], "do": "fields"})
    more = steward.post(plan, {**typed, "field": ["license", "keywords", "methods"], "do": "fields"}, follow=True)
    assert all(each in more.content.decode() for each in ('value="MIT"', ">heat</textarea>", "operation:methods"))
    fewer = steward.post(plan, {**typed, "field": "license", "do": "fields"}, follow=True).content.decode()
    assert ('value="MIT"' in fewer, "operation:keywords" in fewer) == (True, False)
    again = {"field": ["license", "keywords"], "operation:license": "set", "value:license": "CC0-1.0", "do": "fields"}
    both = steward.post(plan, again, follow=True).content.decode()
    assert all(each in both for each in ('value="CC0-1.0"', ">heat</textarea>")), "what was typed for it is back"
    wanted = {**typed, "field": ["license", "keywords"], "value:license": "CC0-1.0", "do": "preview"}
    preview = steward.post(plan, wanted, follow=True).content.decode()
    assert f'href="{plan}"' in preview
    back = steward.get(plan).content.decode()
    assert all(each in back for each in ('value="CC0-1.0"', ">heat</textarea>", 'value="add" selected'))


def test_all_records_of_a_search_can_be_chosen(steward: Client, filled: Tree) -> None:
    plan = begin(steward, select_across="1")
    assert plan.status_code == 302
    assert len(PlannedChange.objects.get().identifiers) == 3


def test_someone_the_catalog_knows_can_be_picked(steward: Client, filled: Tree) -> None:
    filled.edit(
        filled.document("p_Alpha/d0", documents.ADMINISTRATIVE),
        {"creators": [{"@id": "https://orcid.org/0000-0002-1825-0097", "@type": "Person", "name": "Ada"}]},
    )
    index.refresh(filled.documents())
    plan = begin(steward)["Location"]
    html = steward.post(plan, {"field": "creators", "do": "fields"}, follow=True).content.decode()
    token = re.search(r'<option value="([^"]+)">Ada', html)
    assert token is not None
    answers = {"field": "creators", "operation:creators": "add", "known:creators": token[1], "do": "preview"}
    preview = steward.post(plan, answers)["Location"]
    steward.post(preview)
    assert {value(identifier("dataset", f"p_Alpha/d{n}"))["creators"][0]["@id"] for n in range(3)} == {
        "https://orcid.org/0000-0002-1825-0097"
    }


@pytest.mark.parametrize(("which", "word"), [("dataset", "files"), ("instrument", "instrument"), ("run", "run")])
def test_other_kinds_of_records_are_changed_alike(steward: Client, filled: Tree, which: str, word: str) -> None:
    key, text = {"files": ("scope", "Whole"), "instrument": ("description", "Big"), "run": ("notes", "Rain")}[word]
    action = "change_files_fields" if word == "files" else "change_fields"
    row = re.search(r'name="_selected_action" value="(\d+)"', steward.get(f"/admin/catalog/{which}/").content.decode())
    assert row is not None
    plan = steward.post(f"/admin/catalog/{which}/", {"action": action, "_selected_action": [row[1]]})["Location"]
    answers = {"field": key, f"operation:{key}": "set", f"value:{key}": text, "do": "preview"}
    preview = steward.post(plan, answers)["Location"]
    steward.post(preview)
    assert value(RECORDS[word], word)[key] == text


# --- spreadsheets ---------------------------------------------------------------------------------------------


def test_records_go_out_as_a_spreadsheet_and_come_back(steward: Client, filled: Tree) -> None:
    answer = begin(steward, "export_xlsx")
    assert answer["Content-Disposition"] == 'attachment; filename="fairfolder-dataset-records.xlsx"'
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    names = [cell.value for cell in sheet[1]]
    assert [row[1].value for row in sheet.iter_rows(min_row=2)] == ["p_Alpha/d0", "p_Alpha/d1", "p_Alpha/d2"]
    sheet.cell(3, names.index("dataset_title") + 1).value = "Renamed"
    out = io.BytesIO()
    book.save(out)
    address = "/admin/catalog/bulkchange/import/dataset/"
    assert b"XLSX or CSV file" in steward.get(address).content
    preview = steward.post(address, {"file": SimpleUploadedFile("mine.xlsx", out.getvalue())})["Location"]
    shown = steward.get(preview).content.decode()
    assert all(word in shown for word in ("From the spreadsheet mine.xlsx", "Renamed", "1 record will be changed"))
    steward.post(preview)
    assert value(identifier("dataset", "p_Alpha/d1"))["dataset_title"] == "Renamed"


def test_a_csv_export_says_what_it_is(steward: Client, filled: Tree) -> None:
    answer = begin(steward, "export_csv")
    assert (answer["Content-Type"], answer.content[:3]) == ("text/csv; charset=utf-8", b"\xef\xbb\xbf")
    files = begin(steward, "export_files_xlsx")
    assert files["Content-Disposition"] == 'attachment; filename="fairfolder-files-records.xlsx"'


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"a,b\n1,2\n", "missing"), (b"\xff\xff", "UTF-8"), (None, "No file")]
)
def test_a_file_that_cannot_be_imported_is_answered_in_words(
    steward: Client, filled: Tree, data: bytes | None, words: str
) -> None:
    given = {"file": SimpleUploadedFile("x.csv", data or b" ")} if data is not None else {}
    answer = steward.post("/admin/catalog/bulkchange/import/dataset/", given)
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert steward.get("/admin/catalog/bulkchange/import/nonsense/").status_code == 404


# --- who may --------------------------------------------------------------------------------------------------


def addresses(plan: int, done: int, review: int) -> list[tuple[str, str]]:
    return [
        ("get", f"/admin/catalog/bulkchange/plan/{plan}/"),
        ("post", f"/admin/catalog/bulkchange/plan/{plan}/"),
        ("get", f"/admin/catalog/bulkchange/plan/{plan}/preview/"),
        ("post", f"/admin/catalog/bulkchange/plan/{plan}/preview/"),
        ("get", f"/admin/catalog/bulkchange/{done}/change/"),
        ("post", f"/admin/catalog/bulkchange/{done}/undo/"),
        ("get", "/admin/catalog/bulkchange/import/dataset/"),
        ("post", "/admin/catalog/bulkchange/import/dataset/"),
        ("get", f"/admin/catalog/review/{review}/change/"),
        ("post", f"/admin/catalog/review/{review}/change/"),
        *(("get", f"/admin/catalog/{LISTS[word]}/{word}/{number}/") for word, number in RECORDS.items()),
        *(("post", f"/admin/catalog/{LISTS[word]}/{word}/{number}/") for word, number in RECORDS.items()),
    ]


@pytest.fixture
def work(steward: Client, filled: Tree, django_user_model: Any) -> list[tuple[str, str]]:
    """The addresses of a plan, a change that was made and a review, all of the steward."""
    plan = begin(steward)["Location"]
    answers = {"field": "license", "operation:license": "set", "value:license": "MIT", "do": "preview"}
    preview = steward.post(plan, answers)["Location"]
    steward.post(preview)
    begin(steward)
    target = targets.find("dataset", RECORDS["dataset"])
    assert target is not None
    reviews.send(target, django_user_model.objects.get(username="steward"))
    return addresses(PlannedChange.objects.latest("pk").pk, BulkChange.objects.get().pk, Review.objects.get().pk)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
@pytest.mark.parametrize("staff", [True, False])
def test_whoever_is_no_curator_gets_none_of_it(
    work: list[tuple[str, str]], filled: Tree, django_user_model: Any, role: Role, staff: bool
) -> None:
    user = django_user_model.objects.create_user("other", is_staff=staff)
    Profile.objects.update_or_create(user=user, defaults={"role": role})
    client = Client()
    client.force_login(user)
    before = {path: path.read_bytes() for path in filled.documents()}
    for method, address in work:
        assert getattr(client, method)(address).status_code in (302, 403, 404), address
    assert begin(client).status_code in (302, 403)
    assert begin(client, "export_csv").status_code in (302, 403)
    assert {path: path.read_bytes() for path in filled.documents()} == before
    assert BulkChange.objects.get().undone is None


def test_a_plan_of_another_curator_is_not_there(work: list[tuple[str, str]], django_user_model: Any) -> None:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("other"))
    plans = [(method, address) for method, address in work if "/plan/" in address]
    assert {getattr(client, method)(address).status_code for method, address in plans} == {404}


def test_every_post_needs_its_token(work: list[tuple[str, str]], django_user_model: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.get(username="steward"))
    posts = [address for method, address in work if method == "post"]
    assert {client.post(address).status_code for address in posts} == {403}


def test_what_changes_something_is_never_a_get(work: list[tuple[str, str]], steward: Client) -> None:
    done = BulkChange.objects.get()
    assert steward.get(f"/admin/catalog/bulkchange/{done.pk}/undo/").status_code == 405


# --- hostile texts --------------------------------------------------------------------------------------------


class Admin(HTMLParser):
    """Notices what may not be in a page of the admin: inline scripts and styles, handlers, addresses that run."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        inline = tag == "script" and "src" not in given and given.get("type") != "application/json"
        if tag in ("style", "iframe", "base", "object") or inline:
            self.wrong.append(f"<{tag}>")
        if tag == "img" and "/static/" not in str(given.get("src")):
            self.wrong.append(f"<img src={given.get('src')!r}>")
        for name, text in attrs:
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.wrong.append(f"{name} on <{tag}>")
            allowed = ("/", "?", "#", "http://testserver", ".")
            if name in ("href", "src", "action") and text and not text.startswith(allowed):
                self.wrong.append(f"{name}={text!r}")


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_hostile_texts_stay_texts_on_every_page(steward: Client, tree: Tree, text: str, django_user_model: Any) -> None:
    tree.project("p_Alpha", 1, project_title=text)
    tree.dataset("p_Alpha/d0", [entry("f.csv")], 2, dataset_title=text, methods=text, keywords=[text])
    run(tree, "p_Alpha/d0", "r1", experiment_name=text)
    instrument(tree, "scope", instrument_name=text)
    index.refresh(tree.documents())
    plan = begin(steward)["Location"]
    fields = {"field": ["methods", "keywords", "creators", text], "do": "preview"}
    answers = {**fields, "operation:methods": "set", "value:methods": f"{text} more", "operation:keywords": "clear"}
    creators = {"operation:creators": "add", "name:creators": text or "x", "type:creators": "Person"}
    refused = steward.post(plan, {**answers, "operation:creators": text, "name:creators": text}, follow=True)
    target = targets.find("dataset", RECORDS["dataset"])
    assert target is not None
    reviews.send(target, django_user_model.objects.get(username="steward"), text)
    pages = [steward.get(f"/admin/catalog/{name}/") for name in {*LISTS.values(), "review", "bulkchange"}]
    pages += [refused, steward.get(plan), steward.get(f"/admin/catalog/review/{Review.objects.get().pk}/change/")]
    pages += [steward.get(f"/admin/catalog/{LISTS[word]}/{word}/{number}/") for word, number in RECORDS.items()]
    preview = steward.post(plan, {**answers, **creators})
    pages += [steward.get(preview["Location"]), steward.post(preview["Location"], follow=True)]
    upload = SimpleUploadedFile(
        f"x{text[:40]}x", f'identifier,etag,"{text[:30].replace(chr(34), "")}"\nx,y,z\n'.encode()
    )
    pages.append(steward.post("/admin/catalog/bulkchange/import/dataset/", {"file": upload}, follow=True))
    assert [page.status_code for page in pages] == [200] * len(pages)
    assert [wrong for page in pages for wrong in Admin(page.content.decode()).wrong] == []
