"""The lock files hold what pyproject.toml asks for, by hash, and no place to download from."""

from __future__ import annotations

import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture import Module

CHECKOUT = Path(__file__).resolve().parent.parent
OURS = {"schemas", "contexts", "ingest", "catalog", "tests", "bench", "scripts"}
OURS |= {"_typeshed"}  # only for type checkers
RUN, DVC, DEV = "requirements.lock", "requirements-dvc.lock", "requirements-dev.lock"


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


@pytest.mark.parametrize(
    ("name", "extras"),
    [(RUN, ("formats", "demo")), (DVC, ("formats", "demo", "dvc")), (DEV, ("formats", "demo", "dvc", "dev"))],
)
def test_what_pyproject_asks_for_is_locked_in_a_version_it_allows(name: str, extras: tuple[str, ...]) -> None:
    locked = entries(name)
    for requirement in asked_for(*extras):
        version, _ = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} but {version}; run: make lock"


@pytest.mark.parametrize("name", [RUN, DVC, DEV])
def test_every_package_has_its_hashes_and_no_line_names_a_place(name: str) -> None:
    assert [package for package, (_, hashes) in entries(name).items() if not hashes] == []
    text = (CHECKOUT / name).read_text()
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links|@ ", text)


def test_the_tests_run_on_the_versions_that_serve() -> None:
    run, dvc, dev = entries(RUN), entries(DVC), entries(DEV)
    assert run.items() <= dvc.items() <= dev.items()


# --- what is imported is asked for ------------------------------------------------------------------------------


def undeclared(module: Module, *extras: str) -> set[str]:
    """The third-party packages a module imports, at its top or late, that pyproject.toml does not ask for."""
    allowed = {canonicalize_name(requirement.name) for requirement in asked_for(*extras)}
    tops = {name.partition(".")[0] for _, name in module.imports()} - set(sys.stdlib_module_names) - OURS
    return {top for top in tops if not {canonicalize_name(d) for d in distributions().get(top, [top])} & allowed}


@cache
def distributions() -> dict[str, list[str]]:
    """Importable name → the distributions that give it."""
    return dict(metadata.packages_distributions())


def parsed(*rooms: str) -> list[Module]:
    paths = [p for room in rooms for p in sorted((CHECKOUT / room).rglob("*.py"))]
    return [Module.parse(p.relative_to(CHECKOUT).as_posix(), p.read_text()) for p in paths]


def test_the_service_imports_only_what_it_asks_for() -> None:
    found = {m.path: u for m in parsed("schemas", "contexts", "ingest", "catalog") if (u := undeclared(m, "formats"))}
    assert found == {}


def test_the_tests_import_only_what_they_ask_for() -> None:
    found = {m.path: u for m in parsed("tests", "bench") if (u := undeclared(m, "formats", "demo", "dev"))}
    assert found == {}


def test_a_planted_undeclared_import_is_found() -> None:
    late = "def f():\n    import pandas\n    import numpy.linalg\n    import os, orjson, ingest.store\n"
    assert undeclared(Module.parse("ingest/planted.py", late), "formats") == {"pandas", "numpy"}
