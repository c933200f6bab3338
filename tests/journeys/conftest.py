"""One browser for all tests of a module, and the looks in which a page is seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.browsing import FEW, LOOKS, chromium


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a `scheme` and a `size` is run in each look."""
    if {"scheme", "size"} <= set(metafunc.fixturenames):
        looks = LOOKS if metafunc.config.getoption("campaign") else FEW
        ids = [f"{scheme}-{size['width']}" for scheme, size in looks]
        metafunc.parametrize(("scheme", "size"), looks, ids=ids)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found
