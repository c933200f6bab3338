"""A watched folder of its own for each test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.catalog.described import described as described
from tests.catalog.everyone import World, populated
from tests.catalog.recorded import past as past
from tests.catalog.service import Service
from tests.catalog.tree import Tree


@pytest.fixture
def tree(tmp_path: Path, settings: Settings) -> Tree:
    """An empty watched folder that the settings name, with a state folder beside it; files are at rest at once."""
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "state").mkdir()
    settings.MONITOR_PATHS = (root,)
    settings.FAIRFOLDER_STATE_DIR = tmp_path / "state"
    settings.ENGINE = replace(settings.ENGINE, state_dir=tmp_path / "state", settle_seconds=0.0)
    return Tree(root)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """The real hasher takes half a second by design."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def reader(client: Any, django_user_model: Any) -> Any:
    """A browser of someone who is signed in."""
    client.force_login(django_user_model.objects.create_user("reader"))
    return client


@pytest.fixture
def curator(client: Any, django_user_model: Any) -> Any:
    """A browser of someone who may see the admin."""
    client.force_login(django_user_model.objects.create_superuser("curator"))
    return client


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A watched folder and a state folder of their own, and the commands as processes."""
    (tmp_path / "data").mkdir()
    return Service(tmp_path)


@pytest.fixture
def world(tree: Tree) -> World:
    """Two projects, and browsers of everyone who may ask for them."""
    return populated(tree)
