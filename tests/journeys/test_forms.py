"""Forms in a real browser on the real service: from an empty folder to a complete metadata file, and what may go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.catalog.service import Service, Serving, eventually
from tests.journeys import story
from tests.journeys.browsing import CHROMIUM, Watched, chromium, open_page
from tests.journeys.hands import Hand, Keyboard, Mouse
from tests.journeys.story import DATASET, PROJECT, Researcher

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@dataclass
class House:
    """A served folder with one project that Rosa works on."""

    service: Service
    serving: Serving
    passwords: dict[str, str]

    def put(self, path: str, text: str = "well,absorbance\nA1,0.12\n") -> Path:
        file = self.service.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def account(self, name: str) -> None:
        """A researcher of the project."""
        self.passwords[name] = self.service.run("user", "add", name, "--role", "member", "--json").value["password"]
        joined = self.service.run("user", "join", name, PROJECT)
        assert joined.code == 0, joined.err

    def seen(self, path: str) -> bool:
        """Whether the service has described a file."""
        entries = story.read(self.service, f"{DATASET}/.metadata/dataset_structural.json")["file_descriptions"]
        return any(each["path"] == path for each in entries)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """It begins with an empty folder; project and files come while it is served."""
    (tmp_path / "data").mkdir()
    service = Service(tmp_path)
    with service.serving() as serving:
        house = House(service, serving, {"admin": serving.value["password"]})
        for number in range(2):
            house.put(f"{DATASET}/plate_{number}.csv")
        eventually(lambda: (service.root / DATASET / ".metadata" / "dataset_structural.json").is_file())
        eventually(lambda: house.seen("plate_0.csv") and house.seen("plate_1.csv"))
        eventually(lambda: service.run("user", "add", "rosa", "--role", "member", "--json").code == 0)
        house.passwords["rosa"] = service.run("user", "password", "rosa", "--json").value["password"]
        eventually(lambda: service.run("user", "join", "rosa", PROJECT).code == 0)
        yield house


@pytest.mark.parametrize(
    ("hand", "has_scripts"),
    [(Mouse(), True), (Keyboard(), True), (Mouse(), False)],
    ids=["by mouse", "by keyboard alone", "without JavaScript"],
)
def test_from_an_empty_folder_to_the_complete_metadata_file(
    browser: Browser, house: House, hand: Hand, has_scripts: bool
) -> None:
    who = Researcher(open_page(browser, house.serving.url, java_script_enabled=has_scripts), hand, has_scripts)
    story.sign_in(who, "rosa", house.passwords["rosa"])
    story.say_who_one_is(who)
    story.describe_the_project(who)
    story.describe_the_dataset(who)
    instrument = story.describe_an_instrument(who)
    story.start_a_run(who)
    story.complete_the_run(who, instrument)
    story.check_the_record(house.service, instrument)
    who.follow("Heat shock, replicate 1")
    who.follow("Revision 1")
    assert "The first revision" in who.page.inner_text("main") or "Revision 1" in who.page.inner_text("h1")
    assert who.watched.wrong == []
