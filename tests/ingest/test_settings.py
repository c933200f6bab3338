"""Settings: none is needed, and a wrong one is named with its value and the mend."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.errors import SettingError
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.settings import GitSettings
from ingest.settings import EngineSettings, default_state_dir, monitor_paths, parse_rate
from ingest.workspace import open_workspace

WITHOUT_HISTORY = {"FAIRFOLDER_GIT": "off", "FAIRFOLDER_DVC": "off"}


def test_without_any_setting_there_are_defaults() -> None:
    assert EngineSettings.from_env(WITHOUT_HISTORY) == EngineSettings()
    assert EngineSettings.from_env({}).git == GitSettings(enabled=True)
    assert EngineSettings.from_env({}).data.mode is Mode.FILE  # DVC is installed with what the tests need
    assert EngineSettings.from_env({}).state_dir == default_state_dir()
    assert monitor_paths({})[0].name == "data"


def test_every_setting_is_read() -> None:
    env = {
        "FAIRFOLDER_STATE_DIR": "/var/lib/fairfolder",
        "FAIRFOLDER_PROJECT_PREFIX": "study-",
        "FAIRFOLDER_DATASET_PREFIX": "ds_",
        "FAIRFOLDER_SETTLE_SECONDS": "0.5",
        "FAIRFOLDER_WATCH_MODE": "Polling",
        "FAIRFOLDER_POLL_SECONDS": "3",
        "FAIRFOLDER_RECONCILE_SECONDS": "60",
        "FAIRFOLDER_READ_RATE": "50 MB/s",
        "FAIRFOLDER_FORGET_MISSING_DAYS": "7",
        "FAIRFOLDER_METADATA_LANGUAGE": "nl-BE",
        "FAIRFOLDER_PUBLISHER": '{"name": "Institute", "ror": "https://ror.org/05gq02987"}',
        "FAIRFOLDER_VERIFY_DAYS": "30",
        "FAIRFOLDER_GIT": "on",
        "FAIRFOLDER_GIT_REMOTE": "origin",
        "FAIRFOLDER_GIT_SIGNING_KEY": __file__,
        "FAIRFOLDER_DVC": "folder",
        "FAIRFOLDER_DVC_CHOICES": "p_A/*=record, p_B/ds=off",
        "FAIRFOLDER_DVC_REMOTE": "archive",
    }
    assert EngineSettings.from_env(env) == EngineSettings(
        state_dir=Path("/var/lib/fairfolder"),
        project_prefix="study-",
        dataset_prefix="ds_",
        settle_seconds=0.5,
        watch_mode="polling",
        poll_seconds=3.0,
        reconcile_seconds=60.0,
        read_rate=50_000_000,
        forget_missing_days=7.0,
        metadata_language="nl-BE",
        publisher={"@type": "Organization", "name": "Institute", "ror": "https://ror.org/05gq02987"},
        verify_days=30.0,
        git=GitSettings(remote="origin", signing_key=Path(__file__)),
        data=DataSettings(Mode.FOLDER, (("p_A/*", Mode.RECORD), ("p_B/ds", Mode.OFF)), "archive"),
    )
    named = EngineSettings.from_env({"FAIRFOLDER_PUBLISHER": "Institute of Barley"})
    assert named.publisher == {"@type": "Organization", "name": "Institute of Barley"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAIRFOLDER_GIT", "sometimes"),
        ("FAIRFOLDER_GIT_REMOTE", "--upload-pack=touch x"),
        ("FAIRFOLDER_GIT_SIGNING_KEY", "/nowhere/key"),
        ("FAIRFOLDER_DVC", "everything"),
        ("FAIRFOLDER_DVC_CHOICES", "p_A/*"),
        ("FAIRFOLDER_DVC_CHOICES", "p_A/*=much"),
        ("FAIRFOLDER_SETTLE_SECONDS", "soon"),
        ("FAIRFOLDER_SETTLE_SECONDS", "-1"),
        ("FAIRFOLDER_SETTLE_SECONDS", "nan"),
        ("FAIRFOLDER_SETTLE_SECONDS", "inf"),
        ("FAIRFOLDER_SETTLE_SECONDS", "1e99"),
        ("FAIRFOLDER_POLL_SECONDS", "0"),
        ("FAIRFOLDER_RECONCILE_SECONDS", "0"),
        ("FAIRFOLDER_FORGET_MISSING_DAYS", "-3"),
        ("FAIRFOLDER_WATCH_MODE", "sometimes"),
        ("FAIRFOLDER_PROJECT_PREFIX", ""),
        ("FAIRFOLDER_PROJECT_PREFIX", "a/b"),
        ("FAIRFOLDER_PROJECT_PREFIX", ".p"),
        ("FAIRFOLDER_PROJECT_PREFIX", "x" * 101),
        ("FAIRFOLDER_DATASET_PREFIX", "../"),
        ("FAIRFOLDER_READ_RATE", "fast"),
        ("FAIRFOLDER_READ_RATE", "0"),
        ("FAIRFOLDER_READ_RATE", "-5M"),
        ("FAIRFOLDER_METADATA_LANGUAGE", "english please"),
        ("FAIRFOLDER_PUBLISHER", "{broken"),
        ("FAIRFOLDER_PUBLISHER", '{"ror": "x"}'),
        ("FAIRFOLDER_STATE_DIR", "a\nb"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_the_mend(name: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        EngineSettings.from_env({name: value})
    told = str(caught.value)
    assert told.startswith(f"{name} is {value!r}; ")
    assert told.endswith(".")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "rate"), [("1000000", 10**6), ("50M", 5 * 10**7), ("200 MB/s", 2 * 10**8), ("1.5g", 1_500_000_000)]
)
def test_rates(text: str, rate: int) -> None:
    assert parse_rate(text, "X") == rate


def test_several_roots_are_joined_by_the_path_separator(tmp_path: Path) -> None:
    env = {"MONITOR_PATH": os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")])}
    assert monitor_paths(env) == (tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(("one", "other"), [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_a_root_inside_another_is_refused(tmp_path: Path, one: str, other: str) -> None:
    env = {"MONITOR_PATH": os.pathsep.join([str(tmp_path / one), str(tmp_path / other)])}
    with pytest.raises(SettingError, match="one inside the other; name only the outer one"):
        monitor_paths(env)


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingError, match=r"MONITOR_PATH names .*file', which is not a folder"):
        monitor_paths({"MONITOR_PATH": str(tmp_path / "file")})


def test_an_absent_root_and_a_state_folder_inside_the_root_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"The watched folder '.*absent' does not exist; make it, or set"):
        open_workspace(tmp_path / "absent", EngineSettings(state_dir=tmp_path / "state"))
    with pytest.raises(SettingError, match=r"FAIRFOLDER_STATE_DIR is .* inside the watched folder"):
        open_workspace(tmp_path, EngineSettings(state_dir=tmp_path / "state"))
    assert list(tmp_path.iterdir()) == []
