"""System checks: a wrong setting is named with its value and its mend before anything starts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from catalog.serving import Address, refusal
from ingest import blanks, documents
from ingest.errors import SettingError
from ingest.provenance import reaching
from ingest.provenance.data import program
from ingest.provenance.data.settings import Mode
from ingest.schema import SchemaSet

KNOWN = (
    "MONITOR_PATH",
    "FAIRFOLDER_PROJECT_PREFIX",
    "FAIRFOLDER_DATASET_PREFIX",
    "FAIRFOLDER_SETTLE_SECONDS",
    "FAIRFOLDER_WATCH_MODE",
    "FAIRFOLDER_POLL_SECONDS",
    "FAIRFOLDER_RECONCILE_SECONDS",
    "FAIRFOLDER_READ_RATE",
    "FAIRFOLDER_FORGET_MISSING_DAYS",
    "FAIRFOLDER_METADATA_LANGUAGE",
    "FAIRFOLDER_PUBLISHER",
    "FAIRFOLDER_VERIFY_DAYS",
    "FAIRFOLDER_GIT",
    "FAIRFOLDER_GIT_REMOTE",
    "FAIRFOLDER_GIT_SIGNING_KEY",
    "FAIRFOLDER_DVC",
    "FAIRFOLDER_DVC_CHOICES",
    "FAIRFOLDER_DVC_REMOTE",
    "FAIRFOLDER_STATE_DIR",
    "FAIRFOLDER_BIND",
    "FAIRFOLDER_SECRET_KEY",
    "FAIRFOLDER_ALLOWED_HOSTS",
    "FAIRFOLDER_URL_PREFIX",
    "FAIRFOLDER_HTTPS",
    "FAIRFOLDER_PROXIES",
    "FAIRFOLDER_SIGN_IN_FAILURES",
    "FAIRFOLDER_SIGN_IN_WAIT_MINUTES",
    "FAIRFOLDER_ADMIN_SECOND_FACTOR",
    "FAIRFOLDER_PREVIEWS",
    "FAIRFOLDER_SENDFILE",
    "FAIRFOLDER_SENDFILE_PREFIX",
    "FAIRFOLDER_BASE_URL",
    "FAIRFOLDER_CATALOG_TITLE",
    "FAIRFOLDER_CATALOG_DESCRIPTION",
    "FAIRFOLDER_CATALOG_EMAIL",
    "FAIRFOLDER_CATALOG_THEME",
    "FAIRFOLDER_FILES_IN_RECORD",
    "FAIRFOLDER_SPARQL",
    "FAIRFOLDER_SPARQL_FILES",
    "FAIRFOLDER_SPARQL_SECONDS",
    "FAIRFOLDER_SPARQL_ROWS",
    "FAIRFOLDER_SPARQL_MEGABYTES",
    "FAIRFOLDER_SPARQL_MEMORY_MEGABYTES",
    "FAIRFOLDER_SPARQL_WORKERS",
    "FAIRFOLDER_SPARQL_QUERY_URL",
    "FAIRFOLDER_SPARQL_UPDATE_URL",
    "FAIRFOLDER_DEBUG",
)
SETTINGS = "settings"  # the tag of the checks below, apart from those that look at the program itself
_OURS = ("FAIRFOLDER_", "MONITOR_PATH")
_ANY_UUID = "00000000-0000-4000-8000-000000000000"


@register(SETTINGS)
def settings_are_right(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Every problem with a setting, one error each."""
    problems = [*settings.SETTING_PROBLEMS, *_roots(), *_state_folder(), *_address(), *_publisher(), *_versions()]
    return [Error(problem, id="fairfolder.E001") for problem in problems]


@register("serving")
def address_may_be_listened_on(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """What `serve` refuses is told by `check` as well; commands that listen nowhere do not mind."""
    try:
        reason = refusal(Address.parse(settings.FAIRFOLDER_BIND, "FAIRFOLDER_BIND"))
    except SettingError:
        return []  # told by settings_are_right
    words = f"FAIRFOLDER_BIND is {settings.FAIRFOLDER_BIND!r}. {reason}"
    return [Error(words, id="fairfolder.E002")] if reason else []


@register(SETTINGS)
def settings_are_known(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """A mistyped name would be passed over in silence."""
    unknown = sorted(name for name in os.environ if name.startswith(_OURS) and name not in KNOWN)
    return [checks.Warning(_unknown(name), id="fairfolder.W001") for name in unknown]


@register(SETTINGS)
def addresses_are_told_apart(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """What speaks https stands in front of us; unless it is counted, everybody comes from its address."""
    if not settings.FAIRFOLDER_HTTPS or settings.FAIRFOLDER_PROXIES:
        return []
    return [
        checks.Warning(
            "FAIRFOLDER_HTTPS is on while FAIRFOLDER_PROXIES is 0: all people seem to come from the address of the "
            "proxy that speaks https, and failed sign-ins of one hold up all. Set FAIRFOLDER_PROXIES to the number of "
            "proxies in front, mostly 1.",
            id="fairfolder.W002",
        )
    ]


@register("history")
def remotes_can_be_ones(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """What is pushed in the background should not be the first to find an address that leads nowhere."""
    git, data = settings.ENGINE.git, settings.ENGINE.data
    found = [reaching.of_git(root, git.remote) for root in settings.MONITOR_PATHS if git.enabled and git.remote]
    found += [reaching.of_dvc(root, data.remote) for root in settings.MONITOR_PATHS if data.wanted and data.remote]
    return [checks.Warning(words, id="fairfolder.W004") for words in found if words]


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, KNOWN, 1)
    mend = f"did you mean {near[0]}?" if near else "docs/settings.md lists those there are."
    return f"{name} is set, which is no setting of Fairfolder and has no effect; {mend}"


def _address() -> list[str]:
    try:
        Address.parse(settings.FAIRFOLDER_BIND, "FAIRFOLDER_BIND")
    except SettingError as error:
        return [str(error)]
    return []


def _publisher() -> list[str]:
    """The publisher goes into every new dataset's record, which would not be valid with a wrong one."""
    publisher = settings.ENGINE.publisher
    if publisher is None:
        return []
    template = blanks.administrative_template(_ANY_UUID, _ANY_UUID, settings.ENGINE.metadata_language, publisher)
    wrong = [p for p in SchemaSet().problems(documents.ADMINISTRATIVE, template) if p.pointer.startswith("/publisher")]
    if not wrong:
        return []
    words = "; ".join(f"{problem.pointer}: {problem.message}" for problem in wrong)
    return [f"FAIRFOLDER_PUBLISHER would make the record of every new dataset invalid. {words}"]


def _versions() -> list[str]:
    """What is to be kept with DVC would silently not be without it."""
    data = settings.ENGINE.data
    if not data.wanted or program.find() is not None:
        return []
    name = "FAIRFOLDER_DVC" if data.mode is not Mode.OFF else "FAIRFOLDER_DVC_CHOICES"
    given = os.environ.get(name) or data.mode
    return [f"{name} is {given!r}, and {program.absent()}, or set it to off."]


def _roots() -> list[str]:
    """A named root must be a folder we can look into; the default one is made on first use."""
    if settings.MONITOR_PATH_IS_DEFAULT:
        return []
    problems = []
    for root in settings.MONITOR_PATHS:
        if not root.is_dir():
            problems.append(
                f"MONITOR_PATH is {str(root)!r}, which is not a folder. Create it or mount its disk, "
                "or name another folder."
            )
        elif not os.access(root, os.R_OK | os.X_OK):
            problems.append(
                f"MONITOR_PATH is {str(root)!r}, which this user may not read. Grant it with: chmod u+rx {str(root)!r}"
            )
    return problems


def _state_folder() -> list[str]:
    state: Path = settings.FAIRFOLDER_STATE_DIR
    for root in settings.MONITOR_PATHS:
        if state.is_relative_to(root):
            return [
                f"FAIRFOLDER_STATE_DIR is {str(state)!r}, which lies inside the watched folder {str(root)!r}. "
                "Choose a folder outside of it."
            ]
    if state.exists() and not state.is_dir():
        return [f"FAIRFOLDER_STATE_DIR is {str(state)!r}, which is not a folder. Name a folder, or one to be made."]
    if state.is_dir() and not os.access(state, os.W_OK | os.X_OK):
        return [
            f"FAIRFOLDER_STATE_DIR is {str(state)!r}, which this user may not write to. "
            f"Grant it with: chmod u+rwx {str(state)!r}, or choose another folder."
        ]
    return []
