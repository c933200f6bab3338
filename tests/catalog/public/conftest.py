"""A published dataset for each test."""

from __future__ import annotations

import pytest

from tests.catalog.public.shown import Shown, prepared
from tests.catalog.tree import Tree


@pytest.fixture
def unpublished(tree: Tree, db: None) -> Shown:
    """A dataset that is described, and not public."""
    return prepared(tree)


@pytest.fixture
def shown(unpublished: Shown) -> Shown:
    """The same, public."""
    unpublished.publish()
    return unpublished
