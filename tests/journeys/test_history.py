"""A researcher looks back: what changed, who changed it, and an earlier version had again; also without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.catalog.recorded import Past
from tests.catalog.service import Service, Serving, eventually
from tests.journeys import story
from tests.journeys.browsing import CHROMIUM, FEW, LOOKS, barriers, chromium, says, shoot, sign_in
from tests.journeys.story import DATASET

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"), pytest.mark.timeout(600)]

DOCUMENT = f"{DATASET}/.metadata/dataset_administrative.json"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Serving]]:
    base = tmp_path_factory.mktemp("history")
    (base / "data").mkdir()
    service = Service(base, {"FAIRFOLDER_GIT": "on"})
    folder = service.root / DATASET
    folder.mkdir(parents=True)
    (folder / "plate_0.csv").write_text("well,absorbance\nA1,0.12\n")
    assert service.run("reconcile").code == 0
    with service.serving() as serving:
        eventually((service.root / DOCUMENT).is_file)
        yield service, serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def retitle(page: Page, base: str, dataset: str, title: str) -> None:
    page.goto(f"{base}edit/dataset/{dataset}/")
    page.locator("[name='/dataset_title']").fill(title)
    page.get_by_role("button", name=re.compile("^Save( draft)?$")).locator("visible=true").first.click()
    page.get_by_text("Saved.").first.wait_for()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_an_earlier_version_is_found_compared_and_had_again(
    browser: Browser, served: tuple[Service, Serving], script: bool, campaign: bool
) -> None:
    service, serving = served
    password = str(serving.value["password"])
    dataset = story.read(service, DOCUMENT)["dataset_identifier"]
    who = sign_in(browser, serving.url, "admin", password, java_script_enabled=script)
    page = who.page
    first, second = ("Heat", "Heat and salt") if script else ("Cold", "Cold and salt")
    for title in (first, second):
        retitle(page, serving.url, dataset, title)
    page = who.go(f"datasets/{dataset}/")
    page.get_by_role("link", name="History of this record").click()
    says(page, f"Dataset title: {first} → {second}")
    addresses = {"history": page.url}
    page.locator("tbody tr").nth(1).get_by_role("link", name="Compare").click()
    page.get_by_text("Choose the version to compare").wait_for()
    page.locator("tbody tr").nth(0).get_by_role("link", name="Compare").click()
    expect(page.locator("tbody td")).to_have_text([first, second])
    addresses["differences"] = page.url
    page.get_by_role("link", name="History", exact=True).click()
    with page.expect_navigation():
        page.locator("tbody tr").nth(1).locator("th a").click()
    addresses["version"] = page.url
    with page.expect_navigation():
        page.get_by_role("link", name="Restore this version").click()
    addresses["restore"] = page.url
    says(page, second)
    page.get_by_label("Why?").fill("The longer title was wrong")
    page.get_by_role("button", name="Restore this version").click()
    page.get_by_text("The version was restored").wait_for()
    says(page, "Why: The longer title was wrong")
    assert story.read(service, DOCUMENT)["dataset_title"] == first
    told = Past(service.root).git("log", "-1", "--format=%an %s", "--", DOCUMENT)
    assert told.startswith("admin Restore dataset heat_shock as of ")
    assert who.wrong == []
    who.close()
    if not script:  # axe is a script
        return
    addresses["form"] = f"{serving.url}edit/dataset/{dataset}/"
    addresses["files"] = f"{serving.url}history/files/{dataset}/version/"
    file = story.read(service, f"{DATASET}/.metadata/dataset_structural.json")["file_descriptions"][0]
    addresses["file"] = f"{serving.url}files/{file['file_identifier']}/history/"
    for scheme, size in LOOKS if campaign else FEW:
        seen = sign_in(browser, serving.url, "admin", password, color_scheme=scheme, viewport=size)
        for name, address in addresses.items():
            seen.page.goto(address)
            shoot(seen.page, f"history-{name}-{scheme}-{size['width']}")
            wide = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is wider than the screen by {wide} px"
            cut = "all => all.some(each => each.scrollWidth > each.clientWidth)"
            is_cut = seen.page.locator(".scroll").evaluate_all(cut)
            assert not is_cut, f"{name} is to be scrolled sideways at {size['width']} px"
            assert barriers(seen.page) == "", name
        assert seen.wrong == []
        seen.close()
