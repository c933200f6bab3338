"""Settings run with none set, and a wrong one is named with its value and its mend."""

from __future__ import annotations

import re
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from catalog.checks import KNOWN, SETTINGS
from catalog.environment import Environment, stored_secret
from catalog.serving import Address, check_address
from ingest.errors import SettingError
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.settings import GitSettings
from ingest.settings import EngineSettings
from tests.catalog.recorded import Past
from tests.catalog.service import Service


def test_nothing_set_is_nothing_wrong(tmp_path: Path) -> None:
    empty = Environment({})
    assert (empty.flag("F"), empty.hosts("H"), empty.url_prefix("U")) == (False, [], "")
    assert len(empty.secret("S", tmp_path / "state" / "key")) >= 32
    assert empty.problems == []


@pytest.mark.parametrize(
    ("value", "meant"), [("1", True), ("yes", True), ("ON", True), ("0", False), ("", False), (" off ", False)]
)
def test_a_flag_is_yes_or_no(value: str, meant: bool) -> None:
    assert Environment({"F": value}).flag("F") is meant


@pytest.mark.parametrize(
    ("reader", "value", "mend"),
    [
        ("flag", "perhaps", "Set it to 1 or 0"),
        ("hosts", "https://data.example.org", "without scheme or port"),
        ("hosts", "a.example,b c", "joined by commas"),
        ("url_prefix", "fair", "such as /fair"),
        ("url_prefix", "/a b", "such as /fair"),
        ("url_prefix", "/<script>", "such as /fair"),
    ],
)
def test_a_wrong_value_is_named_with_its_mend(reader: str, value: str, mend: str) -> None:
    environment = Environment({"FAIRFOLDER_X": value})
    getattr(environment, reader)("FAIRFOLDER_X")
    (problem,) = environment.problems
    assert "FAIRFOLDER_X" in problem
    assert mend in problem
    assert value.split(",")[-1] in problem


def test_right_values_are_taken() -> None:
    environment = Environment({"H": "data.example.org, .internal ,[::1],*", "U": "/a/b-c/"})
    assert environment.hosts("H") == ["data.example.org", ".internal", "[::1]", "*"]
    assert environment.url_prefix("U") == "/a/b-c"
    assert environment.problems == []


def test_a_short_secret_is_refused_without_being_shown(tmp_path: Path) -> None:
    environment = Environment({"S": "hunter2"})
    environment.secret("S", tmp_path / "key")
    (problem,) = environment.problems
    assert "hunter2" not in problem
    assert "7 characters" in problem


def test_a_generated_secret_stays_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "key"
    first = stored_secret(path)
    assert stored_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["key"]


def test_an_empty_secret_left_by_a_crash_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch()
    assert len(stored_secret(path)) >= 32


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(stored_secret(tmp_path / "key"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = Environment({})
    assert len(environment.secret("S", tmp_path / "file" / "key")) >= 32
    assert "FAIRFOLDER_STATE_DIR" in environment.problems[0]


def test_no_secret_is_made_where_the_state_may_not_be(service: Service) -> None:
    inside = service.root / "state"
    done = service.run("check", FAIRFOLDER_STATE_DIR=str(inside))
    assert done.code == 2
    assert "lies inside the watched folder" in done.out + done.err
    assert list(service.root.iterdir()) == []


def messages() -> str:
    return " ".join(message.msg for message in run_checks())


def test_a_state_folder_inside_a_watched_one_is_refused(tmp_path: Path, settings: Settings) -> None:
    settings.MONITOR_PATHS = (tmp_path,)
    settings.FAIRFOLDER_STATE_DIR = tmp_path / "state"
    assert "lies inside the watched folder" in messages()


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").touch()
    settings.MONITOR_PATHS = (tmp_path / "file",)
    settings.FAIRFOLDER_STATE_DIR = tmp_path / "file"
    settings.MONITOR_PATH_IS_DEFAULT = False
    told = messages()
    assert "MONITOR_PATH is" in told
    assert "FAIRFOLDER_STATE_DIR" in told


def test_a_proxy_that_is_not_counted_is_told_of(settings: Settings) -> None:
    settings.FAIRFOLDER_HTTPS, settings.FAIRFOLDER_PROXIES = True, 0
    assert [(message.id, "FAIRFOLDER_PROXIES is 0" in message.msg) for message in run_checks()] == [
        ("fairfolder.W002", True)
    ]
    settings.FAIRFOLDER_PROXIES = 1
    assert run_checks() == []


def test_an_address_that_serve_refuses_is_told_by_check_and_stops_no_other_command(settings: Settings) -> None:
    settings.FAIRFOLDER_BIND, settings.SECRET_KEY_IS_GIVEN = "0.0.0.0:8000", False
    (message,) = run_checks()
    assert message.id == "fairfolder.E002"
    with pytest.raises(SettingError) as refused:
        check_address(Address.parse(settings.FAIRFOLDER_BIND, "FAIRFOLDER_BIND"))
    assert message.msg == f"FAIRFOLDER_BIND is '0.0.0.0:8000'. {refused.value}"
    assert "FAIRFOLDER_SECRET_KEY" in message.msg
    assert run_checks(tags=[SETTINGS]) == []
    settings.FAIRFOLDER_BIND = "127.0.0.1:8000"
    assert run_checks() == []


def test_every_documented_setting_is_known() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    assert set(KNOWN) == set(re.findall(r"(?m)^\| `([A-Z_]+)` \|", documented))


def test_the_tests_own_settings_are_right() -> None:
    assert run_checks() == []


# --- the history ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.FILE, Mode.FOLDER])
def test_versions_that_cannot_be_kept_are_refused_at_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    monkeypatch.setenv("FAIRFOLDER_DVC", mode)
    settings.ENGINE = replace(settings.ENGINE, data=DataSettings(mode))
    assert "DVC is not installed" not in messages()
    monkeypatch.setattr("ingest.provenance.data.program.find", lambda: None)
    (told,) = [each.msg for each in run_checks(tags=[SETTINGS]) if each.id == "fairfolder.E001"]
    assert told == (
        f"FAIRFOLDER_DVC is {mode.value!r}, and DVC is not installed; install it with ./scripts/setup.sh dvc or "
        "pip install .[dvc], or set it to off."
    )
    settings.ENGINE = replace(settings.ENGINE, data=DataSettings(Mode.OFF))
    assert "DVC is not installed" not in messages()
    for page in ("docs/settings.md", "docs/history.md", "catalog/templates/catalog/status_versions.html"):
        text = re.sub(r"</?code>|[`]", "", Path(page).read_text())
        assert "./scripts/setup.sh dvc" in text, page
        assert "pip install .[dvc]" in text, page


ADDRESSES = [
    ("https:///copy.git", "names no host"),
    ("ssh://git@/copy.git", "names no host"),
    (":copy.git", "names no host"),
    ("https://data.example.org/a copy.git", "has a blank in it"),
    ("gopher://data.example.org/copy.git", "begins with gopher://"),
    ("https://data.example.org:port/copy.git", "cannot be one"),
    ("/not/there/copy.git", "does not exist"),
    ("file:///not/there/copy.git", "does not exist"),
    ("https://data.example.org/copy.git", ""),
    ("git@data.example.org:copy.git", ""),
    ("ssh://git@data.example.org:22/copy.git", ""),
]


@pytest.mark.parametrize(("address", "why"), ADDRESSES)
def test_a_remote_that_cannot_be_one_is_told_by_check(
    tmp_path: Path, settings: Settings, address: str, why: str
) -> None:
    past = Past(tmp_path).begin()
    settings.MONITOR_PATHS = (tmp_path,)
    settings.ENGINE = replace(settings.ENGINE, git=GitSettings(remote="copy"))
    assert "the repository has no remote 'copy'" in messages()
    past.git("config", "remote.copy.url", address)
    told = [each.msg for each in run_checks() if each.id == "fairfolder.W004"]
    assert [why in words and "remote set-url copy ADDRESS" in words for words in told] == [True] * bool(why)


@pytest.mark.parametrize(
    ("address", "why"),
    [("s3://", "names no host"), ("s4://bucket", "begins with s4://"), ("s3://buc ket", "has a blank in it"),
     ("../not there", "does not exist"), ("s3://bucket/path", ""), ("https://me:secret@:1/x", "names no host")],
)  # fmt: skip
def test_and_so_is_one_for_data(tmp_path: Path, settings: Settings, address: str, why: str) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {address}\n"
    )
    settings.MONITOR_PATHS = (tmp_path,)
    settings.ENGINE = replace(settings.ENGINE, data=DataSettings(Mode.FILE, remote="store"))
    told = [each.msg for each in run_checks() if each.id == "fairfolder.W004"]
    assert [why in words and "FAIRFOLDER_DVC_REMOTE is 'store'" in words for words in told] == [True] * bool(why)
    assert "secret" not in " ".join(told)


def test_a_remote_is_a_name() -> None:
    for name in ("FAIRFOLDER_GIT_REMOTE", "FAIRFOLDER_DVC_REMOTE"):
        for value in ("s3://bucket", "a b", "-x", "../x"):
            with pytest.raises(SettingError, match=name):
                EngineSettings.from_env({name: value})
