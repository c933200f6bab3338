"""Forms in a real browser: from an empty folder to a complete metadata file, and what may go wrong on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

import schemas
from tests.catalog.service import Service, Serving, eventually
from tests.journeys import story
from tests.journeys.browsing import CHROMIUM, open_page, sign_in
from tests.journeys.hands import Hand, Keyboard, Mouse
from tests.journeys.story import DATASET, PROJECT, Researcher

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

PROJECT_FILE = f"{PROJECT}/.metadata/project_descriptive.json"
DATASET_FILE = f"{DATASET}/.metadata/dataset_administrative.json"
MANIFEST = f"{DATASET}/.metadata/dataset_structural.json"


@dataclass
class House:
    """A served folder with one project, and those who work on it."""

    service: Service
    serving: Serving
    passwords: dict[str, str]

    def put(self, path: str, text: str = "well,absorbance\nA1,0.12\n") -> Path:
        file = self.service.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def account(self, name: str) -> None:
        """A researcher of the project, as soon as the project is known."""
        self.passwords[name] = self.service.run("user", "add", name, "--role", "member", "--json").value["password"]
        eventually(lambda: self.service.run("user", "join", name, PROJECT).code == 0)

    def read(self, path: str) -> dict[str, Any]:
        return story.read(self.service, path)

    def edit_by_hand(self, path: str, **fields: Any) -> None:
        """What an editor does: another file takes the document's place."""
        file = self.service.root / path
        draft = file.with_name(f"{file.name}.tmp~")
        draft.write_text(json.dumps({**json.loads(file.read_bytes()), **fields}))
        draft.replace(file)

    def described(self) -> dict[str, str]:
        """Path → checksum of every file the manifest has."""
        entries = self.read(MANIFEST)["file_descriptions"]
        return {each["path"]: each["checksum"]["value"] for each in entries}

    def form(self, browser: Browser, name: str, word: str, **options: Any) -> Researcher:
        """Someone at the form of the project, the dataset or its files."""
        who = Researcher(sign_in(browser, self.serving.url, name, self.passwords[name], **options), Mouse())
        kind = PROJECT_FILE if word == "project" else DATASET_FILE
        key = "project_identifier" if word == "project" else "dataset_identifier"
        who.watched.go(f"edit/{word}/{self.read(kind)[key]}/")
        return who


def opened(service: Service, serving: Serving, *names: str) -> House:
    """Two files come into an empty folder; accounts are made once they are described."""
    house = House(service, serving, {"admin": serving.value["password"]})
    for number in range(2):
        house.put(f"{DATASET}/plate_{number}.csv")
    for name in names:
        house.account(name)
    eventually(lambda: (service.root / MANIFEST).is_file() and len(house.described()) == 2)
    return house


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[House]:
    """A house of one's own."""
    (tmp_path / "data").mkdir()
    service = Service(tmp_path)
    with service.serving() as serving:
        yield opened(service, serving, "rosa")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all that leaves no lasting trace in it."""
    service = Service(tmp_path_factory.mktemp("forms"))
    service.root.mkdir()
    with service.serving() as serving:
        yield opened(service, serving, "rosa", "sam")


@pytest.mark.parametrize(
    ("hand", "has_scripts"),
    [(Mouse(), True), (Keyboard(), True), (Mouse(), False)],
    ids=["by mouse", "by keyboard alone", "without JavaScript"],
)
def test_from_an_empty_folder_to_the_complete_metadata_file(
    browser: Browser, empty: House, hand: Hand, has_scripts: bool
) -> None:
    who = Researcher(open_page(browser, empty.serving.url, java_script_enabled=has_scripts), hand, has_scripts)
    story.sign_in(who, "rosa", empty.passwords["rosa"])
    story.say_who_one_is(who)
    story.describe_the_project(who)
    story.describe_the_dataset(who)
    instrument = story.describe_an_instrument(who)
    story.start_a_run(who)
    story.complete_the_run(who)
    story.check_the_record(empty.service, instrument)
    who.follow("Heat shock, replicate 1")
    who.follow("Revision 1")
    assert "Heat shock, replicate 1" in who.page.inner_text("main")
    assert who.watched.wrong == []


# --- several at once ------------------------------------------------------------------------------------------------


def test_two_people_edit_one_record_and_both_see_what_the_other_did(browser: Browser, house: House) -> None:
    rosa, sam = (house.form(browser, name, "project") for name in ("rosa", "sam"))
    sam.fill("/project_title", "Title of Sam")
    sam.fill("/data_storage_strategy", "On the group's share.")
    sam.press("Save draft")
    rosa.fill("/project_title", "Title of Rosa")
    rosa.fill("/project_description", "Written by Rosa.")
    with rosa.page.expect_response(lambda answer: answer.status == 412):
        rosa.press("Save draft")
    assert "sam saved a newer version" in rosa.page.inner_text("main")
    assert "On the group's share." in rosa.page.inner_text("main")
    assert not rosa.page.locator("input[type=radio]:checked").count()
    rosa.page.get_by_label("Theirs").check()
    sam.fill("/laboratory/name", "Lab of Sam") if sam.named("/laboratory/name").is_visible() else None
    sam.fill("/data_collection_method", "Read every ten minutes.")
    rosa.press("Save both together")
    with sam.page.expect_response(lambda answer: answer.status == 412):
        sam.press("Save draft")
    assert "rosa saved a newer version" in sam.page.inner_text("main")
    sam.press("Save both together")
    value = house.read(PROJECT_FILE)
    said = ("project_title", "project_description", "data_storage_strategy", "data_collection_method")
    assert [value.get(key) for key in said] == [
        "Title of Sam",
        "Written by Rosa.",
        "On the group's share.",
        "Read every ten minutes.",
    ]
    assert rosa.watched.wrong == sam.watched.wrong == []


def test_a_person_edits_while_a_thousand_files_arrive(browser: Browser, empty: House) -> None:
    who, files = empty.form(browser, "rosa", "dataset"), empty.form(browser, "rosa", "files")
    who.fill("/dataset_title", "Typed meanwhile")
    files.fill("/naming_convention", "plate_<number>.csv")
    for number in range(1_000):
        empty.put(f"{DATASET}/burst/{number:04}.csv", f"well,absorbance\nA1,{number}\n")
        if number == 500:
            who.press("Save draft")
            files.press("Save")
    assert who.said().startswith("Saved")
    assert files.said().startswith("Saved")
    files.fill("/scope", "Plates of one week.")
    eventually(lambda: len(empty.described()) > 600, 180)
    files.press("Save")
    assert files.said().startswith("Saved")
    eventually(lambda: len(empty.described()) == 1_002, 180)
    folder = empty.service.root / DATASET
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*.csv")}
    assert empty.described() == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()}
    manifest = empty.read(MANIFEST)
    assert (manifest["naming_convention"], manifest["scope"]) == ("plate_<number>.csv", "Plates of one week.")
    assert empty.read(DATASET_FILE)["dataset_title"] == "Typed meanwhile"
    assert who.watched.wrong == files.watched.wrong == []


def test_an_edit_with_an_editor_is_merged_like_any_other(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "dataset")
    who.fill("/dataset_title", "Title of the form")
    who.fill("/methods", "Said in the form.")
    house.edit_by_hand(DATASET_FILE, dataset_title="Title of the editor", a_key_of_ours="kept")
    entry = f".metadata/registry/{house.read(DATASET_FILE)['dataset_identifier']}.json"
    eventually(lambda: house.read(entry)["last_modified_by"] == "filesystem")
    with who.page.expect_response(lambda answer: answer.status == 412):
        who.press("Save draft")
    assert "changed, with an editor" in who.page.inner_text("main")
    assert "Title of the editor" in who.page.inner_text("main")
    who.page.get_by_label("Yours").check()
    who.press("Save both together")
    value = house.read(DATASET_FILE)
    said = ("dataset_title", "methods", "a_key_of_ours", "last_modified_by")
    assert [value[key] for key in said] == ["Title of the form", "Said in the form.", "kept", "rosa"]
    assert who.watched.wrong == []


# --- the schema in force --------------------------------------------------------------------------------------------


def test_a_field_that_a_site_adds_is_asked_for_at_once_and_enforced(browser: Browser, empty: House) -> None:
    who = empty.form(browser, "rosa", "project")
    assert not who.named("/grant_code").count()
    ours = schemas.load("project_descriptive")["$id"]
    local = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/schemas/project/1.0.0",
        "$ref": ours,
        "properties": {"grant_code": {"title": "Grant code", "type": "string", "pattern": "^B[0-9]+$"}},
        "if": {"properties": {"status": {"const": "complete"}}, "required": ["status"]},
        "then": {"required": ["grant_code"]},
    }
    empty.put(".template_schemas/project_descriptive.json", json.dumps(local))
    eventually(lambda: who.page.reload() and who.page.get_by_label("Grant code").is_visible())
    who.fill("/project_title", "With a grant")
    who.fill("/project_description", "Its site wants to know the grant.")
    who.fill("/principal_investigator/name", "Rosa Carberry")
    who.press("Mark complete")
    assert "Grant code" in who.said()
    assert empty.read(PROJECT_FILE)["status"] == "draft"
    who.fill("/grant_code", "B7")
    who.press("Mark complete")
    assert "Saved and marked complete." in who.said()
    value = empty.read(PROJECT_FILE)
    assert (value["status"], value["grant_code"], value["$schema"]) == ("complete", "B7", local["$id"])
    assert who.watched.wrong == []


# --- while someone types ----------------------------------------------------------------------------------------------


def test_what_was_typed_is_offered_again_after_the_browser_died(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "dataset")
    with who.page.expect_response(lambda answer: answer.url.endswith("/keep") and answer.ok):
        who.fill("/version_notes", "Typed and not saved.")
    who.watched.close()
    who = house.form(browser, "rosa", "dataset")
    assert who.named("/version_notes").input_value() == ""
    who.follow("Go on with them")
    assert who.named("/version_notes").input_value() == "Typed and not saved."
    who.press("Save draft")
    assert house.read(DATASET_FILE)["version_notes"] == "Typed and not saved."
    who.page.reload()
    assert "unsaved changes" not in who.said()
    assert who.watched.wrong == []


def test_leaving_with_unsaved_changes_asks_first_and_after_saving_no_more(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "dataset")
    who.watched.may_be_asked_to_stay = True
    who.fill("/dataset_version", "1.0")
    who.watched.go("profile/")
    assert who.watched.asked == ["beforeunload"]
    who.page.go_back()
    who.fill("/dataset_version", "1.1")
    who.press("Save draft")
    who.watched.go("profile/")
    assert who.watched.asked == ["beforeunload"]


def test_a_wrong_value_is_told_as_it_is_left_and_a_mended_one_no_more(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "project")
    who.fill("/principal_investigator/orcid", "0000-0002-1825-0098")
    who.named("/principal_investigator/name").focus()
    error = who.page.locator("#f-principal_investigator-orcid-error")
    error.get_by_text("0000-0002-1825-0098").wait_for()
    assert who.named("/principal_investigator/orcid").get_attribute("aria-invalid") == "true"
    who.fill("/principal_investigator/orcid", "0000-0002-1825-0097")
    who.named("/principal_investigator/name").focus()
    error.locator("p").wait_for(state="detached")
    assert who.named("/principal_investigator/orcid").get_attribute("aria-invalid") is None
    assert who.watched.wrong == []


def test_a_start_that_is_changed_marks_its_end_and_takes_the_mark_away(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "dataset")
    end, error = who.named("/temporal_coverage/end"), who.page.locator("#f-temporal_coverage-end-error p")
    who.fill("/temporal_coverage/start", "2026-01-01")
    who.fill("/temporal_coverage/end", "2026-06-30")
    who.fill("/temporal_coverage/start", "2026-07-01")
    who.named("/dataset_version").focus()
    error.get_by_text("2026-07-01").wait_for()
    marked = who.page.locator("#f-temporal_coverage-end[aria-invalid=true]")
    marked.wait_for()
    assert end.evaluate("e => e.closest('.field').classList.contains('wrong')")
    who.fill("/temporal_coverage/start", "2026-06-01")
    who.named("/dataset_version").focus()
    error.wait_for(state="detached")
    marked.wait_for(state="detached")
    assert not end.evaluate("e => e.closest('.field').classList.contains('wrong')")
    assert who.watched.wrong == []


def test_a_field_that_an_answer_brings_appears_and_goes(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "dataset")
    assert not who.named("/embargo_end_date").count()
    who.choose("/access_level", "Embargoed")
    who.named("/embargo_end_date").wait_for()
    who.named("/embargo_end_date").evaluate("e => { e.type = 'text'; e.value = 'soon' }")
    who.named("/embargo_end_date").dispatch_event("change")
    error = who.page.locator("#f-embargo_end_date-error p")
    error.get_by_text("soon").wait_for()
    who.fill("/embargo_end_date", "")
    who.named("/access_level").focus()
    error.wait_for(state="detached")
    who.choose("/access_level", "Public")
    who.named("/embargo_end_date").wait_for(state="detached")
    assert who.watched.wrong == []


# --- signed out meanwhile, and going back ----------------------------------------------------------------------


def test_whoever_is_signed_out_meanwhile_is_told_and_finds_what_was_typed(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "project")
    other = who.page.context.new_page()
    other.goto(who.watched.base)
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/login/**")
    other.close()
    before = house.read(PROJECT_FILE)
    with who.page.expect_response(lambda answer: answer.url.endswith("/keep") and answer.status == 401):
        who.fill("/project_description", "Typed after signing out.")
    who.page.locator("#kept", has_text="You are signed out").wait_for()
    who.press("Save draft")
    assert "What you typed is kept for rosa" in who.said()
    who.hand.fill(who.page.get_by_label("User name"), "rosa")
    who.hand.fill(who.page.get_by_label("Password"), house.passwords["rosa"])
    who.press("Sign in")
    assert who.named("/project_description").input_value() == "Typed after signing out."
    assert "These are your unsaved changes." in who.said()
    assert house.read(PROJECT_FILE) == before
    who.press("Save draft")
    assert house.read(PROJECT_FILE)["project_description"] == "Typed after signing out."


def test_going_back_after_a_refused_mark_complete_shows_a_page(browser: Browser, house: House) -> None:
    who = house.form(browser, "rosa", "dataset")
    who.fill("/methods", "For going back.")
    who.press("Mark complete")
    assert "It is not complete yet" in who.said()
    who.watched.go("profile/")
    answer = who.page.go_back()
    assert answer is None or answer.ok
    assert "It is not complete yet" in who.said()
    assert who.watched.wrong == []
