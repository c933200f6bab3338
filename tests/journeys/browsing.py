"""A real browser on the real service: it reaches nothing else, and remembers whatever went wrong on a page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    expect,
    sync_playwright,
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Of the four looks the first two have both sizes and both colours; the campaign has all.
LOOKS = (("light", DESKTOP), ("dark", PHONE), ("dark", DESKTOP), ("light", PHONE))
FEW = LOOKS[:2]
# Reports what the policy refused, also where the console says nothing of it.
LISTEN = """document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
window.__hit = (what) => console.error(`a text ran as a script: ${what}`);"""
# Only what is wrong: to gather what is right as well takes three times as long. Nothing is fetched once more.
_AXE = {"preload": False, "resultTypes": ["violations"]}
# An answer that tells of a conflict, a missing page or an unfit value is no fault of the page that asked.
_ANSWERS = ("status of 40", "status of 41", "status of 42")


expect.set_options(timeout=60_000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Watched:
    """A page that remembers what went wrong while it was used: errors, refusals, dialogs, requests to elsewhere."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.base = base
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.may_be_asked_to_stay = False
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(each in message.text for each in _ANSWERS):
            self.wrong.append(f"{self.page.url}: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.asked.append(dialog.type)
        if dialog.type != "beforeunload" or not self.may_be_asked_to_stay:
            self.wrong.append(f"{self.page.url}: dialog {dialog.message!r}")
        dialog.accept()

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self.base):
            self.wrong.append(f"{self.page.url} asked {request.url}")

    def go(self, address: str) -> Page:
        self.page.goto(self.base + address.lstrip("/"))
        return self.page

    def close(self) -> None:
        self.page.context.close()


def says(page: Page, text: str, place: str = "main") -> None:
    """Waits until a part of the page shows a text: after a click the next page may have come in part."""
    expect(page.locator(place)).to_contain_text(text, use_inner_text=True)


def barriers(page: Page) -> str:
    """What axe-core finds wrong for people who cannot see, hear or point well; nothing when it is accessible."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = AxeResults(page.evaluate("options => axe.run(document, options)", _AXE))
    return str(found.generate_report()) if found.violations_count else ""


def shoot(page: Page, name: str) -> None:
    """A picture of the whole page for somebody to look at, where one asks for it: JOURNEY_SHOTS=FOLDER."""
    if folder := os.environ.get("JOURNEY_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def open_page(browser: Browser, base: str, **options: Any) -> Watched:
    """A page in a context of its own; `options` are the context's, a desktop's size if they do not say."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    if options.get("java_script_enabled", True):
        context.add_init_script(LISTEN)
    return Watched(context, base)


def sign_in(browser: Browser, base: str, name: str, password: str, **options: Any) -> Watched:
    """A page of someone who just signed in."""
    watched = open_page(browser, base, **options)
    page = watched.go("login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(base)
    return watched
