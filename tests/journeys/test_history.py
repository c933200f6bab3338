"""A researcher looks back: what changed, who changed it, and an earlier version had again; also without JavaScript."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.catalog.recorded import Past
from tests.catalog.service import Service, Serving, eventually
from tests.journeys import story
from tests.journeys.browsing import CHROMIUM, DESKTOP, PHONE, chromium, sign_in
from tests.journeys.story import DATASET

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"), pytest.mark.timeout(600)]

DOCUMENT = f"{DATASET}/.metadata/dataset_administrative.json"
LOOKS = tuple((scheme, size) for size in (DESKTOP, PHONE) for scheme in ("light", "dark"))


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
    browser: Browser, served: tuple[Service, Serving], script: bool, tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

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
    main = page.locator("main")
    assert f"Dataset title: {first} → {second}" in main.inner_text()
    addresses = {"history": page.url}
    page.locator("tbody tr").nth(1).get_by_role("link", name="Compare").click()
    page.get_by_text("Choose the version to compare").wait_for()
    page.locator("tbody tr").nth(0).get_by_role("link", name="Compare").click()
    addresses["differences"] = page.url
    assert [each.inner_text() for each in page.locator("tbody td").all()] == [first, second]
    page.get_by_role("link", name="History", exact=True).click()
    page.locator("tbody tr").nth(1).locator("th a").click()
    addresses["version"] = page.url
    page.get_by_role("link", name="Restore this version").click()
    addresses["restore"] = page.url
    assert second in main.inner_text()
    page.get_by_label("Why?").fill("The longer title was wrong")
    page.get_by_role("button", name="Restore this version").click()
    page.get_by_text("The version was restored").wait_for()
    assert "Why: The longer title was wrong" in main.inner_text()
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
    shots = Path(os.environ.get("JOURNEY_SHOTS", tmp_path))
    for scheme, size in LOOKS:
        seen = sign_in(browser, serving.url, "admin", password, color_scheme=scheme, viewport=size)
        for name, address in addresses.items():
            seen.page.goto(address)
            seen.page.screenshot(path=shots / f"history-{name}-{scheme}-{size['width']}.png", full_page=True)
            wide = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is wider than the screen by {wide} px"
            cut = "all => all.some(each => each.scrollWidth > each.clientWidth)"
            is_cut = seen.page.locator(".scroll").evaluate_all(cut)
            assert not is_cut, f"{name} is to be scrolled sideways at {size['width']} px"
            found = Axe().run(seen.page)
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert seen.wrong == []
        seen.close()
