"""The lock files hold what pyproject.toml asks for, by hash, and no place to download from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parent.parent
RUN, DEV = "requirements.lock", "requirements-dev.lock"


def entries(name: str) -> dict[str, tuple[str, int]]:
    """Package → its version and how many hashes it has."""
    found = {}
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", (CHECKOUT / name).read_text())[1:]:
        first = re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", block)
        assert first, block
        assert first[1] not in found, f"{first[1]} stands twice in {name}"
        found[canonicalize_name(first[1])] = (first[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)))
    return found


def asked_for(*extras: str) -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(("name", "extras"), [(RUN, ("formats", "demo")), (DEV, ("formats", "demo", "dev"))])
def test_what_pyproject_asks_for_is_locked_in_a_version_it_allows(name: str, extras: tuple[str, ...]) -> None:
    locked = entries(name)
    for requirement in asked_for(*extras):
        version, _ = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} but {version}; run: make lock"


@pytest.mark.parametrize("name", [RUN, DEV])
def test_every_package_has_its_hashes_and_no_line_names_a_place(name: str) -> None:
    assert [package for package, (_, hashes) in entries(name).items() if not hashes] == []
    text = (CHECKOUT / name).read_text()
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links|@ ", text)


def test_the_tests_run_on_the_versions_that_serve() -> None:
    run, dev = entries(RUN), entries(DEV)
    assert run.items() <= dev.items()
