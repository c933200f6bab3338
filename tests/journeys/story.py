"""The whole way of a researcher: from a folder that just appeared to the complete metadata file of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from playwright.sync_api import Locator, Page
from referencing import Registry, Resource

import schemas
from tests.catalog.service import Service, eventually
from tests.journeys.browsing import Watched
from tests.journeys.hands import Hand

PROJECT, DATASET = "p_Alpha", "p_Alpha/heat_shock"
# A record goes by its title once it has one.
PROJECT_LINK = re.compile("Heat shock response|p_Alpha")
DATASET_LINK = re.compile("Absorbance|heat_shock")
ORCID = "https://orcid.org/0000-0002-1825-0097"
ABSTRACT = "Absorbance of heat-shocked and of untouched seedlings, three plates, read every ten minutes."


@dataclass
class Researcher:
    """Someone at a page, with a hand that uses it."""

    watched: Watched
    hand: Hand
    has_scripts: bool = True
    seen: set[str] = field(default_factory=set)

    @property
    def page(self) -> Page:
        return self.watched.page

    def named(self, name: str) -> Locator:
        """An input, by its place in the document."""
        return self.page.locator(f'[name="{name}"]')

    def fill(self, name: str, text: str) -> None:
        self.hand.fill(self.named(name), text)

    def choose(self, name: str, label: str) -> None:
        self.hand.choose(self.named(name), label)

    def follow(self, name: str | re.Pattern[str]) -> None:
        """A link to another page."""
        link = self.page.locator("main, nav[aria-label=Main]").get_by_role("link", name=name).first
        self._leave(link)

    def press(self, name: str) -> None:
        """A button that sends what is on the page."""
        self._leave(self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first)

    def do(self, value: str) -> None:
        """A button of a list: ``add:/creators``."""
        button = self.page.locator(f'button[value="{value}"]')
        if self.has_scripts:
            pressed = button.element_handle()
            self.hand.press(button)
            pressed.wait_for_element_state("hidden")  # the list was put in place anew
        else:
            self._leave(button)

    def pick(self, name: str, text: str, label: str) -> None:
        """What is known already, found by a part of its name."""
        self.hand.fill(self.named(f"{name}#pick"), text)
        if not self.has_scripts:
            self._leave(self.page.locator(f'button[value="find:{name}"]'))
        self._leave(self.page.locator(f'button[value^="take:{name}="]', has_text=label).first)

    def take_oneself(self, name: str) -> None:
        """The button "That is me": the person of one's profile."""
        self._leave(self.page.locator(f'button[value="take:{name}=me"]'))

    def open(self, place: Locator) -> None:
        """What is folded."""
        if place.get_attribute("open") is None:
            self.hand.press(place.locator("> summary"))
            assert place.get_attribute("open") is not None

    def _leave(self, place: Locator) -> None:
        with self.page.expect_navigation():
            self.hand.press(place)
        self.seen.add(self.page.url)

    def said(self) -> str:
        """What the notices on the page say."""
        return " ".join(self.page.locator(".notice").all_inner_texts())


# --- the chapters ------------------------------------------------------------------------------------------------


def sign_in(who: Researcher, name: str, password: str) -> None:
    who.watched.go("login/")
    who.hand.fill(who.page.get_by_label("User name"), name)
    who.hand.fill(who.page.get_by_label("Password"), password)
    who.press("Sign in")
    assert who.page.url == who.watched.base


def say_who_one_is(who: Researcher) -> None:
    who.watched.go("profile/")
    who.hand.fill(who.page.get_by_label("ORCID"), "0000-0002-1825-0097")
    who.hand.fill(who.page.locator("#name"), "Rosa Carberry")
    who.press("Save")


def describe_the_project(who: Researcher) -> None:
    who.watched.go("")
    who.follow(PROJECT_LINK)
    who.follow("Describe it")
    who.fill("/project_title", "Heat shock response in seedlings")
    who.fill("/project_description", "How seedlings answer to an hour at 42 degrees Celsius.")
    who.choose("/project_status", "Active")
    who.take_oneself("/principal_investigator")
    who.press("Mark complete")
    assert "Saved and marked complete." in who.said()


def describe_the_dataset(who: Researcher) -> None:
    """Lists of things are added to, moved, taken from, folded and unfolded on the way."""
    who.watched.go("")
    who.follow(PROJECT_LINK)
    who.follow(DATASET_LINK)
    who.follow("Describe it")
    who.fill("/dataset_title", "Absorbance of heat-shocked seedlings")
    who.fill("/dataset_abstract", ABSTRACT)
    who.fill("/keywords", "heat shock")
    for number, name in enumerate(("Nobody", "Second", "First")):
        who.do("add:/creators")
        who.choose(f"/creators/{number}/@type", "Person")
        who.fill(f"/creators/{number}/name", name)
    who.do("remove:/creators/0")
    who.do("up:/creators/1")
    row = who.page.locator("#f-creators-1")
    who.open(row)
    who.hand.press(row.locator("> summary"))
    assert row.get_attribute("open") is None
    who.pick("/data_steward", "Rosa", "Rosa Carberry")
    who.fill("/data_steward/email", "rosa@example.org")
    who.fill("/publisher/name", "Brown University")
    who.fill("/license", "CC-BY-4.0")
    who.choose("/access_level", "Public")
    who.fill("/data_retention_schedule/period", "P10Y")
    who.choose("/data_retention_schedule/action", "Review")
    if not who.has_scripts:
        who.press("Save draft")  # then the page asks what the period needs
    who.choose("/data_retention_schedule/start_event", "Created")
    who.press("Mark complete")
    assert "Saved and marked complete." in who.said(), who.said()


def describe_an_instrument(who: Researcher) -> str:
    """Its identifier."""
    who.watched.go("instruments/")
    who.follow("Add an instrument")
    who.hand.fill(who.page.get_by_label("Name"), "Plate reader 2")
    who.press("Add it")
    identifier = who.page.url.rstrip("/").rpartition("/")[2]
    for key, name in (("owners", "Brown University"), ("manufacturers", "Tecan")):
        who.do(f"add:/{key}")
        who.fill(f"/{key}/0/name", name)
    who.press("Mark complete")
    assert "Saved and marked complete." in who.said(), who.said()
    return identifier


def start_a_run(who: Researcher) -> None:
    who.watched.go("")
    who.follow(PROJECT_LINK)
    who.follow(DATASET_LINK)
    who.follow("Start a run")
    who.hand.fill(who.page.get_by_label("What is it called?"), "Heat shock, replicate 1")
    who.hand.press(who.page.get_by_label("Plain run"))
    who.hand.press(who.page.get_by_label("Every file that no other run has"))
    who.press("Start the run")
    assert "has begun" in who.said()


def complete_the_run(who: Researcher) -> None:
    who.choose("/run_type", "Instrument")
    who.fill("/experiment_dates/start", "2026-01-12")
    if not who.named("/experimenters/0/name").count():
        who.do("add:/experimenters")
        who.fill("/experimenters/0/name", "Rosa Carberry")
    who.fill("/no_protocol_reason", "Exploratory run, no protocol yet.")
    who.pick("/instruments_used", "Plate", "Plate reader 2")
    who.press("Mark complete")
    assert "Saved and marked complete." in who.said(), who.said()


# --- what must stand on disk at the end ---------------------------------------------------------------------------


def read(service: Service, path: str) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads((service.root / path).read_bytes())
    return value


def complete_files(service: Service) -> list[Path]:
    """The complete metadata files of the dataset."""
    return sorted((service.root / DATASET / ".metadata" / "runs").glob("*/data_object_*_v2_metadata*.json"))


def errors_of(value: dict[str, Any]) -> list[str]:
    """What plain ``jsonschema`` has against a complete metadata file, under the schema that is published."""
    published = {schemas.load(name)["$id"]: schemas.load(name) for name in schemas.NAMES}
    registry: Registry[Any] = Registry().with_resources(
        (identifier, Resource.from_contents(schema)) for identifier, schema in published.items()
    )
    checker = Draft202012Validator(published[value["$schema"]], registry=registry, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


def check_the_record(service: Service, instrument: str) -> dict[str, Any]:
    """The one complete metadata file: valid, with all five parts, and nothing in it that nobody said."""
    (path,) = eventually(lambda: complete_files(service))
    value: dict[str, Any] = orjson.loads(path.read_bytes())
    assert errors_of(value) == []
    assert value["project"]["project_title"] == "Heat shock response in seedlings"
    assert value["project"]["principal_investigator"]["orcid"] == ORCID
    assert value["dataset"]["dataset_title"] == "Absorbance of heat-shocked seedlings"
    assert [each["name"] for each in value["dataset"]["creators"]] == ["First", "Second"]
    assert value["dataset"]["license"] == "CC-BY-4.0"
    assert [each["path"] for each in value["structure"]["file_descriptions"]] == ["plate_0.csv", "plate_1.csv"]
    assert [each["instrument_identifier"] for each in value["instruments"]] == [instrument]
    assert value["experiment"]["experiment_dates"] == {"start": "2026-01-12"}
    assert [each["name"] for each in value["experiment"]["experimenters"]] == ["Rosa Carberry"]
    said = [value[part]["status"] for part in ("project", "dataset", "experiment")]
    assert said == ["complete", "complete", "complete"]
    assert value["generated_by"] == "rosa"
    return value
