"""What strangers see: accessible, quiet, no wider than the screen, light and dark; and no text runs as a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.catalog.conftest import tree as tree
from tests.catalog.hostile import CORPUS
from tests.catalog.public.conftest import shown as shown
from tests.catalog.public.conftest import unpublished as unpublished
from tests.catalog.public.shown import Shown
from tests.catalog.public.test_hostile import planted
from tests.journeys.browsing import CHROMIUM, FEW, LOOKS, barriers, open_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module", autouse=True)
def rows_beside_a_browser() -> Iterator[None]:
    """The browser's library keeps a loop in this thread, in which Django would not touch its database otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


def _base(live_server: LiveServer) -> str:
    return live_server.url.replace("localhost", "127.0.0.1")  # the browser resolves no names


def _wrong(browser: Browser, base: str, address: str, looks: object) -> list[str]:
    wrong = []
    watched = open_page(browser, base)
    watched.page.goto(base + address)
    for scheme, size in looks:  # type: ignore[attr-defined]
        watched.page.emulate_media(color_scheme=scheme)
        watched.page.set_viewport_size(size)
        for each in watched.page.query_selector_all("details"):
            each.evaluate("element => { element.open = true }")
        over = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wrong.append(f"{address} is wider than {size['width']} px by {over}")
        if found := barriers(watched.page):
            wrong.append(f"{address}, {scheme}, {size['width']} px: {found}")
    wrong += watched.wrong
    watched.page.context.close()
    return wrong


@pytest.mark.timeout(300)
def test_public_pages_are_accessible_quiet_and_fit_the_screen(
    shown: Shown, live_server: LiveServer, browser: Browser, campaign: bool
) -> None:
    looks = LOOKS if campaign else FEW
    wrong = []
    base = _base(live_server)
    for address in (shown.page, "/datasets/", "/datasets/?q=nothing", "/terms"):
        wrong += _wrong(browser, base, address, looks)
    shown.restrict("restricted")
    wrong += _wrong(browser, base, shown.page, looks)
    shown.withdraw()
    wrong += _wrong(browser, base, shown.page, looks)
    assert wrong == []


@pytest.mark.timeout(300)
def test_no_text_of_a_record_runs_as_a_script(
    shown: Shown, live_server: LiveServer, browser: Browser, count: Callable[[int, int], int]
) -> None:
    """FA-67, of public pages: each text in the place of every text of a record, in a real browser."""
    watched = open_page(browser, base := _base(live_server))
    texts = CORPUS if count(0, 1) else CORPUS[:12]
    for text in texts:
        shown.publish(**planted(shown.publish().value, text))
        for address in (shown.page, "/datasets/"):
            watched.page.goto(base + address)
    assert watched.wrong == []
