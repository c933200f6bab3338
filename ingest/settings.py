"""What an administrator may set for the engine, read once from the environment."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ingest.errors import SettingError
from ingest.provenance.data.settings import DataSettings, Mode, choices
from ingest.provenance.settings import GitSettings, is_remote_name

HERE = Path(__file__).resolve().parent.parent
WATCH_MODES = ("auto", "events", "polling")


def default_state_dir() -> Path:
    """``.fairfolder/`` beside ``manage.py``; without one (installed as a package) in the user's home."""
    if (HERE / "manage.py").is_file():
        return HERE / ".fairfolder"
    return Path.home() / ".fairfolder"


@dataclass(frozen=True)
class EngineSettings:
    """Times in seconds, sizes in bytes, rates in bytes per second."""

    state_dir: Path = field(default_factory=default_state_dir)
    project_prefix: str = "p_"
    dataset_prefix: str = ""
    settle_seconds: float = 2.0
    watch_mode: str = "auto"
    poll_seconds: float = 10.0
    reconcile_seconds: float = 6 * 3600.0
    read_rate: int | None = None
    forget_missing_days: float = 30.0
    verify_days: float = 90.0
    metadata_language: str = "en"
    publisher: Mapping[str, Any] | None = None
    git: GitSettings = field(default_factory=lambda: GitSettings(enabled=False))
    data: DataSettings = field(default_factory=DataSettings)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> EngineSettings:
        """Read every ``FAIRFOLDER_*`` setting of the engine.

        Raises:
            SettingError: naming the variable, its value and what would be right.
        """
        state = _text(env, "FAIRFOLDER_STATE_DIR", "")
        return cls(
            state_dir=Path(state).expanduser().absolute() if state else default_state_dir(),
            project_prefix=_prefix(env, "FAIRFOLDER_PROJECT_PREFIX", "p_", required=True),
            dataset_prefix=_prefix(env, "FAIRFOLDER_DATASET_PREFIX", "", required=False),
            settle_seconds=_number(env, "FAIRFOLDER_SETTLE_SECONDS", 2.0, 0.0, 86_400.0),
            watch_mode=_choice(env, "FAIRFOLDER_WATCH_MODE", "auto", WATCH_MODES),
            poll_seconds=_number(env, "FAIRFOLDER_POLL_SECONDS", 10.0, 0.1, 86_400.0),
            reconcile_seconds=_number(env, "FAIRFOLDER_RECONCILE_SECONDS", 6 * 3600.0, 1.0, 31 * 86_400.0),
            read_rate=_rate(env, "FAIRFOLDER_READ_RATE"),
            forget_missing_days=_number(env, "FAIRFOLDER_FORGET_MISSING_DAYS", 30.0, 0.0, 36_500.0),
            verify_days=_number(env, "FAIRFOLDER_VERIFY_DAYS", 90.0, 0.0, 36_500.0),
            metadata_language=_language(env, "FAIRFOLDER_METADATA_LANGUAGE", "en"),
            publisher=_publisher(env, "FAIRFOLDER_PUBLISHER"),
            git=_git(env),
            data=_data(env),
        )


def _text(env: Mapping[str, str], name: str, default: str) -> str:
    value = env.get(name, default)
    if "\0" in value or "\n" in value:
        raise SettingError(f"{name} is {value!r}; write it on one line without NUL characters.")
    return value


def _number(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    raw = env.get(name, "").strip()
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise SettingError(f"{name} is {raw!r}; it must be a number from {low:g} to {high:g}.")
    return value


def _choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = env.get(name, "").strip().lower() or default
    if value not in choices:
        raise SettingError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")
    return value


def _prefix(env: Mapping[str, str], name: str, default: str, *, required: bool) -> str:
    value = _text(env, name, default)
    if (required and not value) or "/" in value or value.startswith(".") or len(os.fsencode(value)) > 100:
        raise SettingError(
            f"{name} is {value!r}; it must be the beginning of a folder name"
            f"{', not empty,' if required else ''} without '/' or a leading dot, for example {default or 'ds_'!r}."
        )
    return value


_RATE = re.compile(r"(?i)(\d+(?:\.\d+)?)\s*(|k|m|g)b?(?:/s)?")


def parse_rate(raw: str, name: str) -> int:
    """Bytes per second from ``50M``, ``200 MB/s`` or ``1000000``.

    Raises:
        SettingError: if the text is no positive rate.
    """
    match = _RATE.fullmatch(raw.strip())
    value = int(float(match[1]) * 1000 ** " kmg".index(match[2].lower() or " ")) if match else 0
    if value <= 0:
        raise SettingError(f"{name} is {raw!r}; it must be bytes per second such as 50M or 200MB/s.")
    return value


def _rate(env: Mapping[str, str], name: str) -> int | None:
    raw = env.get(name, "").strip()
    return parse_rate(raw, name) if raw else None


def _language(env: Mapping[str, str], name: str, default: str) -> str:
    value = env.get(name, "").strip() or default
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", value):
        raise SettingError(f"{name} is {value!r}; it must be a BCP 47 language tag such as en or nl-BE.")
    return value


def _publisher(env: Mapping[str, str], name: str) -> Mapping[str, Any] | None:
    raw = env.get(name, "").strip()
    if not raw:
        return None
    if not raw.startswith("{"):
        return {"@type": "Organization", "name": raw}
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise SettingError(f"{name} is {raw!r}; it must be the publisher's name or a JSON object with at least a name.")
    return {"@type": "Organization", **value}


def _git(env: Mapping[str, str]) -> GitSettings:
    key = _text(env, "FAIRFOLDER_GIT_SIGNING_KEY", "")
    return GitSettings(
        enabled=_choice(env, "FAIRFOLDER_GIT", "on", ("on", "off")) == "on",
        remote=_text(env, "FAIRFOLDER_GIT_REMOTE", "").strip(),
        signing_key=Path(key).expanduser().absolute() if key else None,
    )


def _data(env: Mapping[str, str]) -> DataSettings:
    mode = _choice(env, "FAIRFOLDER_DVC", "auto", ("auto", *Mode))
    if mode == "auto":
        mode = Mode.FILE if importlib.util.find_spec("dvc") is not None else Mode.OFF
    remote = _text(env, "FAIRFOLDER_DVC_REMOTE", "").strip()
    if remote and not is_remote_name(remote):
        raise SettingError(
            f"FAIRFOLDER_DVC_REMOTE is {remote!r}; give the name of a remote that DVC knows, such as archive (add one "
            "with: dvc remote add archive ADDRESS)."
        )
    return DataSettings(
        mode=Mode(mode),
        choices=choices("FAIRFOLDER_DVC_CHOICES", _text(env, "FAIRFOLDER_DVC_CHOICES", "")),
        remote=remote,
    )


def monitor_paths(env: Mapping[str, str] = os.environ, default: Path = HERE / "data") -> tuple[Path, ...]:
    """The watched roots of ``MONITOR_PATH`` (several joined by the OS path separator), absolute.

    Raises:
        SettingError: when a root is given twice, lies inside another, or is no folder.
    """
    raw = env.get("MONITOR_PATH", "")
    roots = [Path(p).expanduser().absolute() for p in raw.split(os.pathsep) if p.strip()] or [default]
    for root in roots:
        if root.exists() and not root.is_dir():
            raise SettingError(f"MONITOR_PATH names {str(root)!r}, which is not a folder; name a folder.")
    for i, one in enumerate(roots):
        for other in roots[:i]:
            if one.is_relative_to(other) or other.is_relative_to(one):
                raise SettingError(
                    f"MONITOR_PATH names {str(other)!r} and {str(one)!r}, one inside the other; "
                    "name only the outer one."
                )
    return tuple(roots)
