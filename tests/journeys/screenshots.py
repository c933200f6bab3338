"""Takes the pictures of the documentation: ``python -m tests.journeys.screenshots [FOLDER]``.

FOLDER is docs/screenshots if left out.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.journeys import tour
from tests.journeys.browsing import CHROMIUM, DESKTOP, LOOKS, PHONE, Watched, chromium

# Page of the tour → name of its pictures.
SHOWN = {
    "projects": "projects",
    "project": "project",
    "dataset-demo": "dataset",
    "file": "file",
    "edit-project": "form-project",
    "edit-dataset": "form-dataset",
    "edit-run-draft": "form-run",
    "start-run": "start-a-run",
    "run-outdated": "run",
    "not-complete": "not-complete",
    "revision-2": "revision",
    "merge": "merge",
    "instruments": "instruments",
    "review": "review",
    "members": "members",
    "profile": "profile",
    "login": "login",
    "status": "status",
    "admin-datasets": "admin-list",
    "admin-form": "admin-form",
    "review-queue": "review-queue",
    "bulk-preview": "bulk-preview",
}
# Shown from this place on.
FROM = {"revision-2": "#changes"}
_COLOURS = 160


def main(folder: Path) -> None:
    """One picture of each page and look, as one sees it without scrolling."""
    folder.mkdir(parents=True, exist_ok=True)
    base = Path(tempfile.gettempdir()) / "lab"  # its name is in the pictures
    base.mkdir()
    try:
        _walk(base, folder)
    finally:
        shutil.rmtree(base)


def _walk(base: Path, folder: Path) -> None:
    with chromium() as browser, tour.furnished(base, browser) as house:
        for name, watched in tour.pages(house, browser):
            if name in SHOWN:
                _take(watched, folder, SHOWN[name], FROM.get(name, "body"))


def _take(watched: Watched, folder: Path, name: str, place: str) -> None:
    for scheme, size in LOOKS:
        tour.look(watched.page, scheme, size)
        watched.page.evaluate("document.activeElement?.blur()")
        watched.page.locator(place).evaluate("e => e.scrollIntoView({ behavior: 'instant' })")
        tags = ("-phone" if size is PHONE else "") + ("-dark" if scheme == "dark" else "")
        picture = Image.open(io.BytesIO(watched.page.screenshot())).convert("RGB")
        picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(folder / f"{name}{tags}.png", optimize=True)
    tour.look(watched.page, "light", DESKTOP)


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("There is no chromium on this machine; install it, as with: apt-get install chromium")
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "docs" / "screenshots")
