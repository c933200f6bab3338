"""A dataset that may be published."""

from __future__ import annotations

import pytest

from tests.catalog.described import Described
from tests.catalog.publishing.ready import Ready
from tests.catalog.publishing.ready import ready as make_ready


@pytest.fixture
def ready(described: Described, db: None) -> Ready:
    return make_ready(described)
