"""The documentation keeps up: settings, commands, formats and links; and nothing committed names a private place."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from ingest.formats import registry
from ingest.formats.compressed import Wrapper
from ingest.formats.source import Format

CHECKOUT = Path(__file__).resolve().parent.parent
SETTING = re.compile(r"FAIRFOLDER_[A-Z]+(?:_[A-Z]+)*|MONITOR_PATH|DATABASE_URL")
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")

# Written in two parts, so that this file is not its own finding.
PRIVATE = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "deb." + "debian.org",
    "/wo" + "rk/",
    "/tmp/" + "w/",
    "/ro" + "ot/",
    "file:///" + "opt",
)


@cache
def committed() -> tuple[Path, ...]:
    """Every file git holds or would hold."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    paths = (CHECKOUT / name for name in listed.split("\0") if name)
    return tuple(sorted(p for p in paths if p.is_file()))


def documents() -> list[Path]:
    return [p for p in committed() if p.suffix == ".md"]


def sources() -> list[Path]:
    rooms = {"schemas", "contexts", "ingest", "catalog"}
    return [p for p in committed() if p.suffix == ".py" and p.relative_to(CHECKOUT).parts[0] in rooms]


def settings_read(source: str) -> set[str]:
    """The settings a module names as a whole string, as readers of the environment do."""
    strings = (n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return {s for s in strings if SETTING.fullmatch(s)}


def first_cells(text: str) -> set[str]:
    """The code in the first cell of every row of a document's tables."""
    return {m[1] for m in re.finditer(r"(?m)^\| `([^`]+)` \|", text)}


def test_every_setting_has_an_entry_and_no_entry_is_left_over() -> None:
    read = set().union(*(settings_read(p.read_text()) for p in sources()))
    assert read == first_cells((CHECKOUT / "docs" / "settings.md").read_text())


def test_every_command_has_an_entry_and_no_entry_is_left_over() -> None:
    folder = CHECKOUT / "catalog" / "management" / "commands"
    commands = {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")}
    entries = set(re.findall(r"(?m)^## `([a-z_]+)`$", (CHECKOUT / "docs" / "commands.md").read_text()))
    assert entries == commands


def registered_formats() -> set[str]:
    """The names of the registry's formats and wrappers; kinds of text known by their extension alone left out."""
    values = [*vars(registry).values(), *registry.WRAPPERS.values()]
    return {v.name for v in values if isinstance(v, Format | Wrapper) and v.name}


def test_every_format_has_an_entry() -> None:
    entries = set(re.findall(r"(?m)^\| ([^|`]+?) \|", (CHECKOUT / "docs" / "formats.md").read_text()))
    assert registered_formats() - entries == set()


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (CHECKOUT / "Makefile").read_text()))
    named = {m for p in documents() for m in re.findall(r"(?:`|^)make ([a-z]+)", p.read_text(), flags=re.M)}
    assert named - targets == set()


def test_every_decision_is_listed() -> None:
    why = CHECKOUT / "docs" / "why"
    listed = set(LINK.findall((why / "README.md").read_text()))
    assert {p.name for p in why.glob("*.md")} - {"README.md"} == listed


# --- links ------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors GitHub gives a document's headings."""
    headings = re.findall(r"(?m)^#{1,6} +(.+?) *$", text)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def broken_links(path: Path, text: str) -> list[str]:
    """The relative links of a document that lead nowhere."""
    without_code = re.sub(r"(?s)```.*?```", "", text)
    return [link for link in LINK.findall(without_code) if not _resolves(path, text, link)]


def _resolves(path: Path, text: str, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    name, _, anchor = unquote(link).partition("#")
    target = path.parent / name if name else path
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(text if target == path else target.read_text())


def test_every_relative_link_leads_somewhere() -> None:
    broken = {str(p.relative_to(CHECKOUT)): b for p in documents() if (b := broken_links(p, p.read_text()))}
    assert broken == {}


def test_planted_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, here\n")
    text = (
        "[a](there.md) [b](there.md#a-heading-here) [c](https://example.org/x) [d](#top)\n# Top\n"
        "[e](gone.md) [f](there.md#gone) ![g](gone.png)\n```\n[h](in-code.md)\n```\n"
    )
    (tmp_path / "page.md").write_text(text)
    assert broken_links(tmp_path / "page.md", text) == ["gone.md", "there.md#gone", "gone.png"]


# --- private places ---------------------------------------------------------------------------------------------


def private_places(text: str) -> list[str]:
    return [place for place in PRIVATE if place in text]


def test_no_committed_file_names_a_package_host_or_a_place_of_one_machine() -> None:
    found = {}
    for path in committed():
        places = private_places(path.read_bytes().decode("utf-8", "replace"))
        if places:
            found[str(path.relative_to(CHECKOUT))] = places
    assert found == {}


@pytest.mark.parametrize("place", PRIVATE)
def test_a_planted_private_place_is_found(place: str) -> None:
    assert private_places(f"see {place}x") == [place]


def test_a_planted_setting_is_found() -> None:
    source = "import os\nos.environ.get('FAIRFOLDER_PLANTED_SETTING')\nos.environ['MONITOR_PATH']\nx = 'FAIRFOLDER_'\n"
    assert settings_read(source) == {"FAIRFOLDER_PLANTED_SETTING", "MONITOR_PATH"}
