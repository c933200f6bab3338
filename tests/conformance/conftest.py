"""What tests of published records need: those of tests/catalog."""

from tests.catalog.conftest import described, quick_passwords, tree
from tests.catalog.public.conftest import unpublished
from tests.catalog.publishing.conftest import ready

__all__ = ["described", "quick_passwords", "ready", "tree", "unpublished"]
