"""Every page, form and admin page: accessible, quiet, no wider than the screen; light and dark, desktop and phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys import tour
from tests.journeys.browsing import CHROMIUM, DESKTOP, FEW, LOOKS, barriers, chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

KINDS = {
    "projects", "project", "members", "dataset", "files", "file", "run", "run-outdated", "run-files", "revision",
    "revision-2", "start-run", "start-run-refused", "not-complete", "instruments", "instrument", "new-instrument",
    "edit-project", "edit-dataset", "edit-files", "edit-run", "edit-run-draft", "edit-run-not-complete", "merge",
    "publish", "review", "profile", "password", "second-factor", "tokens",
    "why", "not-found", "login", "locked-out", "status",
    "admin", "admin-projects", "admin-datasets", "admin-files", "admin-runs", "admin-instruments", "admin-accounts",
    "history", "history-version", "file-history",
    "review-queue", "admin-review", "admin-form", "bulk", "bulk-preview", "dataset-demo",
}  # fmt: skip


@pytest.mark.timeout(600)
def test_every_page_is_accessible_quiet_and_fits_the_screen(
    tmp_path: Path, campaign: bool, count: Callable[[int, int], int]
) -> None:
    looks = LOOKS if campaign else FEW
    seen, wrong = set(), []
    with chromium() as browser, tour.furnished(tmp_path, browser) as house:
        for name, watched in tour.pages(house, browser):
            wrong += watched.wrong
            for scheme, size in looks:
                tour.look(watched.page, scheme, size)
                over = watched.page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                if over > 0:
                    wrong.append(f"{name} is wider than {size['width']} px by {over}")
                if found := barriers(watched.page):
                    wrong.append(f"{name}, {scheme}, {size['width']} px: {found}")
            tour.look(watched.page, "light", DESKTOP)
            watched.wrong.clear()
            seen.add(name)
    assert wrong == []
    assert seen == KINDS
