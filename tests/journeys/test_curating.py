"""A curator at work in a real browser: many records changed and taken back, a review decided, a form in the admin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.catalog.service import Service, Serving, eventually
from tests.journeys.browsing import CHROMIUM, DESKTOP, Watched, barriers, says, shoot, sign_in

HOSTILE = '"><img src=x onerror=alert(1)>'

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    service = Service(tmp_path_factory.mktemp("curating"))
    for dataset in ("plate_1", "plate_2", HOSTILE.replace("/", "")):
        folder = service.root / "p_Heat" / dataset
        folder.mkdir(parents=True)
        (folder / "wells.csv").write_text("well,signal\nA01,1.5\n")
    service.run("reconcile")
    with service.serving() as serving:
        yield serving


def curator(browser: Browser, served: Serving, size: dict[str, int] = DESKTOP, scheme: str = "light") -> Watched:
    options = {"viewport": size, "color_scheme": scheme}
    watched = sign_in(browser, served.url, "admin", str(served.value["password"]), **options)
    eventually(lambda: "plate_2" in watched.go("admin/catalog/dataset/").inner_text("#content"))
    return watched


def choose(page: Page) -> None:
    """Ticks every dataset and begins a bulk change of two fields."""
    page.get_by_label("Select all objects on this page for an action").check()
    page.get_by_label("Action:").select_option("change_fields")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("Licence", exact=True).check()
    page.get_by_label("Keywords").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Next").click()


def test_a_curator_changes_many_records_by_mouse_and_takes_it_back(browser: Browser, served: Serving) -> None:
    watched = curator(browser, served)
    page = watched.page
    choose(page)
    licence, keywords = (
        page.get_by_role("group", name="Licence", exact=True),
        page.get_by_role("group", name="Keywords"),
    )
    licence.get_by_label("What to do").select_option("set")
    licence.get_by_label("Value").fill("cc by 4.0")
    keywords.get_by_label("What to do").select_option("add")
    keywords.get_by_label("Values, one on each line").fill("heat\nshock")
    page.get_by_role("button", name="Preview").click()
    says(page, "3 records will be changed", "#content")
    expect(page.locator("td", has_text="CC-BY-4.0")).to_have_count(3)
    page.get_by_role("button", name="Change 3 records").click()
    says(page, "3 records changed", "#content")
    page.get_by_role("button", name="Undo").click()
    says(page, "Taken back by admin", "#content")
    assert watched.wrong == []
    watched.close()


def test_a_record_is_reviewed_from_the_queue(browser: Browser, served: Serving) -> None:
    watched = curator(browser, served)
    page = watched.page
    href = page.get_by_role("link", name="dataset", exact=True).first.get_attribute("href") or ""
    number = href.rstrip("/").rpartition("/")[2]
    page = watched.go(f"review/dataset/{number}/")
    page.get_by_label("What the curator should know").fill("Please look.")
    with page.expect_navigation():
        page.get_by_role("button", name="Send for review").click()
    page = watched.go("admin/catalog/review/")
    page.locator("#result_list tbody th a").first.click()
    says(page, "Please look.", "#content")
    page.get_by_label("Comment").fill("The licence is missing.")
    page.get_by_role("button", name="Return with the comment").click()
    says(page, "The record was returned", "body")
    assert watched.wrong == []
    watched.close()


def pages(watched: Watched) -> Iterator[tuple[str, Page]]:
    """Every page of a curator's work, one after the other."""
    for name in ("project", "dataset", "file", "instrument", "run", "review", "bulkchange", "document", "changelog"):
        yield name, watched.go(f"admin/catalog/{name}/")
    page = watched.go("admin/catalog/dataset/")
    form = page.get_by_role("link", name="dataset", exact=True).first.get_attribute("href") or ""
    yield "form", watched.go(form)
    yield "review-page", watched.go(f"review/dataset/{form.rstrip('/').rpartition('/')[2]}/")
    page.get_by_label("What the curator should know").fill("A line\nand another one.")
    with page.expect_navigation():
        page.get_by_role("button", name="Send for review").click()
    page = watched.go("admin/catalog/review/")
    with page.expect_navigation():
        page.locator("#result_list tbody th a").first.click()
    yield "review-decide", page
    page.get_by_label("Comment").fill("Not yet.")
    with page.expect_navigation():
        page.get_by_role("button", name="Return with the comment").click()
    yield "import", watched.go("admin/catalog/bulkchange/import/dataset/")
    page = watched.go("admin/catalog/dataset/")
    choose(page)
    yield "choose", page
    page.get_by_label("Creators").check()
    page.get_by_label("Data steward").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Change the choice of fields").click()
    yield "choose-people", page
    for name in ("Creators", "Data steward"):
        page.get_by_role("checkbox", name=name, exact=True).uncheck()
    page.get_by_role("button", name="Change the choice of fields").click()
    page.get_by_label("What to do").nth(0).select_option("set")
    page.get_by_label("Value", exact=True).fill("not a licence at all")
    page.get_by_label("What to do").nth(1).select_option("set")
    page.get_by_label("Values, one on each line").fill("heat")
    with page.expect_navigation():
        page.get_by_role("button", name="Preview").click()
    yield "preview", page
    yield "result", _result(watched)


def _result(watched: Watched) -> Page:
    page = watched.go("admin/catalog/dataset/")
    choose(page)
    page.get_by_label("What to do").nth(0).select_option("set")
    page.get_by_label("Value", exact=True).fill("MIT")
    page.get_by_label("What to do").nth(1).select_option("clear")
    page.get_by_role("button", name="Preview").click()
    page.locator('.submit-row input[type="submit"]').click()
    page.get_by_role("button", name="Undo").click()
    says(page, "Taken back by admin", "#content")
    return page


def test_every_column_of_a_list_is_on_the_screen_of_a_laptop(browser: Browser, served: Serving) -> None:
    watched = curator(browser, served)
    lists = ("project", "dataset", "file", "document", "changelog")
    widths = {}
    for each in lists:
        watched.go(f"admin/catalog/{each}/")
        table = watched.page.locator("#changelist .results")
        widths[each] = table.evaluate("e => [e.scrollWidth <= e.clientWidth, document.body.scrollWidth <= innerWidth]")
    assert widths == {each: [True, True] for each in lists}
    assert watched.wrong == []


def test_every_page_of_a_curator_is_whole_quiet_and_accessible(
    browser: Browser, served: Serving, size: dict[str, int], scheme: str
) -> None:
    watched = curator(browser, served, size, scheme)
    found = []
    for name, page in pages(watched):
        shoot(page, f"admin-{name}-{scheme}-{size['width']}")
        found += [f"{name}: {told}" for told in [barriers(page)] if told]
    assert "\n".join(found) == ""
    assert watched.wrong == []
    watched.close()
