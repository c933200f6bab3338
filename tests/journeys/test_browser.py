"""A person's way through the pages in a real browser: all readable, nothing refused, nothing fetched elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.catalog.service import Service, Serving, eventually
from tests.journeys import browsing
from tests.journeys.browsing import CHROMIUM, DESKTOP, Watched, barriers, says, shoot

HOSTILE = "<img src=x onerror=alert(1)>\u202egpj.\n'\".csv"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Serving]]:
    service = Service(tmp_path_factory.mktemp("browser"))
    folder = service.root / "p_Climate" / "stations"
    (folder / "sub").mkdir(parents=True)
    for number in range(130):
        (folder / "sub" / f"station_{number:03}.csv").write_text(f"day,temperature\n1,{number}\n")
    (folder / HOSTILE.replace("/", "")).write_text("a,b\n")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (service.root / "p_Climate" / "stray.txt").write_text("x")
    service.run("reconcile")
    broken = service.root / "p_Climate" / "odd" / ".metadata" / "dataset_administrative.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    with service.serving() as serving:
        yield service, serving


def sign_in(browser: Browser, serving: Serving, size: dict[str, int], scheme: str = "light") -> Watched:
    options = {"viewport": size, "color_scheme": scheme}
    return browsing.sign_in(browser, serving.url, "admin", str(serving.value["password"]), **options)


def all_pages(watched: Watched) -> dict[str, str]:
    """Name → address of one page of each kind."""
    page = watched.go("")
    project = page.get_by_role("link", name="p_Climate").first.get_attribute("href") or ""
    dataset = watched.go(project).get_by_role("link", name=re.compile("stations")).first.get_attribute("href") or ""
    page = watched.go(f"{dataset}files/?name=station_00")
    file = page.get_by_role("link", name=re.compile("station_000")).get_attribute("href") or ""
    page = watched.go(f"{dataset}files/?name=onerror")
    hostile = page.locator("tbody a").get_attribute("href") or ""
    page = watched.go(f"{dataset}files/?name=broken")
    warned = page.locator("tbody a").get_attribute("href") or ""
    return {
        "projects": "/",
        "project": project,
        "dataset": dataset,
        "files": f"{dataset}files/?sort=size&order=down",
        "no-files": f"{dataset}files/?name=nothing+like+it",
        "file": file,
        "hostile": hostile,
        "warned": warned,
        "status": "/status/",
        "why": "/why/",
        "answer": "/why/?path=p_Climate/stray.txt",
        "refused": "/why/?path=/etc/passwd",
        "not-found": "/nothing-here",
    }


def test_every_page_is_whole_quiet_and_accessible(
    browser: Browser, served: tuple[Service, Serving], size: dict[str, int], scheme: str
) -> None:
    watched = sign_in(browser, served[1], size, scheme)
    for name, address in all_pages(watched).items():
        page = watched.go(address)
        shoot(page, f"{name}-{scheme}-{size['width']}")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{name} is wider than the screen by {overflow} px"
        assert barriers(page) == "", name
    assert watched.wrong == []


def test_a_person_finds_a_file_by_name_size_and_page(browser: Browser, served: tuple[Service, Serving]) -> None:
    watched = sign_in(browser, served[1], DESKTOP)
    page = watched.go("")
    page.get_by_role("link", name="p_Climate").click()
    page.get_by_role("link", name=re.compile("stations")).click()
    page.get_by_role("link", name="All 132 files").click()
    says(page, "1–100 of 132 files")
    page.get_by_role("link", name="Next").click()
    says(page, "101–132 of 132 files")
    page.get_by_role("link", name="Previous").click()
    says(page, "1–100 of 132 files")
    page.get_by_role("link", name="Size").click()
    expect(page.locator("th[aria-sort]")).to_have_text(re.compile(r"^\s*Size"))
    page.get_by_label("Name contains").fill("station_042")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=re.compile("station_042.csv")).click()
    says(page, "Checksum")
    assert watched.wrong == []


def test_the_keyboard_reaches_the_content_first(browser: Browser, served: tuple[Service, Serving]) -> None:
    watched = sign_in(browser, served[1], DESKTOP)
    page = watched.go("/status/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_file_copied_now_is_on_its_page_seconds_later(browser: Browser, served: tuple[Service, Serving]) -> None:
    service, serving = served
    watched = sign_in(browser, serving, DESKTOP)
    (service.root / "p_Climate" / "stations" / "fresh.json").write_text('{"fresh": true}')
    dataset = all_pages(watched)["dataset"]
    eventually(lambda: "fresh.json" in watched.go(f"{dataset}files/?name=fresh").inner_text("main"))
    watched.page.get_by_role("link", name="fresh.json").click()
    says(watched.page, "JSON")


def test_the_status_page_names_the_broken_document(browser: Browser, served: tuple[Service, Serving]) -> None:
    page = sign_in(browser, served[1], DESKTOP).go("/status/")
    assert "dataset_administrative.json" in page.inner_text("main")
    assert "is not valid JSON" in page.inner_text("main")


def test_signing_out_closes_the_pages(browser: Browser, served: tuple[Service, Serving]) -> None:
    watched = sign_in(browser, served[1], DESKTOP)
    watched.page.get_by_role("button", name="Sign out").click()
    watched.page.wait_for_url("**/login/**")
    page = watched.go("/status/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_admin_works_under_the_same_policy(browser: Browser, served: tuple[Service, Serving]) -> None:
    watched = sign_in(browser, served[1], DESKTOP)
    for address in ("/admin/", "/admin/catalog/file/", "/admin/catalog/dataset/", "/admin/auth/user/"):
        watched.go(address)
    assert watched.wrong == []
