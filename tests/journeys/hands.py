"""Two ways of using a page: with the mouse, and with the keyboard alone. Both do the same things."""

from __future__ import annotations

from typing import Protocol

from playwright.sync_api import Locator, Page

MOST_STEPS = 400
# Which key comes next; the choices of one question are one stop, and the arrows go on among them.
_STEP = """e => e === document.activeElement ? (e.matches(':focus-visible') ? '' : 'hidden')
  : e.type === 'radio' && document.activeElement.name === e.name ? 'ArrowDown' : 'Tab'"""


class Hand(Protocol):
    """What someone does to a page."""

    def fill(self, place: Locator, text: str) -> None: ...

    def press(self, place: Locator) -> None:
        """A button, a link, a summary, a tick."""

    def choose(self, place: Locator, label: str) -> None:
        """One option of a choice."""


class Mouse:
    def fill(self, place: Locator, text: str) -> None:
        place.click()
        place.fill(text)

    def press(self, place: Locator) -> None:
        place.click()

    def choose(self, place: Locator, label: str) -> None:
        place.select_option(label=label)


class Keyboard:
    """Tab, Enter, Space, the arrows and text; nothing else."""

    def fill(self, place: Locator, text: str) -> None:
        page = reach(place)
        page.keyboard.press("ControlOrMeta+a")
        if place.evaluate("e => e.type") == "date":  # the parts of a date are typed as the browser shows them
            year, month, day = text.split("-")
            text = f"{month}{day}{year}"
        page.keyboard.type(text)

    def press(self, place: Locator) -> None:
        page = reach(place)
        is_tick = place.evaluate("e => e.matches('input')")
        page.keyboard.press("Space" if is_tick else "Enter")

    def choose(self, place: Locator, label: str) -> None:
        page = reach(place)
        for _ in range(place.locator("option").count()):
            if place.evaluate("e => e.selectedOptions[0].label") == label:
                return
            page.keyboard.press("ArrowDown")
        raise AssertionError(f"{label!r} is no option")


def reach(place: Locator) -> Page:
    """Goes to a control by Tab, from wherever the focus is.

    Raises:
        AssertionError: when Tab does not come to it, or when the focus cannot be seen on the way.
    """
    place.wait_for()
    page = place.page
    for _ in range(MOST_STEPS):
        step = place.evaluate(_STEP)
        if not step:
            return page
        assert step != "hidden", f"the focus on {place} cannot be seen"
        page.keyboard.press(step)
    raise AssertionError(f"Tab does not come to {place}")
