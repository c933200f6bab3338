"""System checks: a wrong setting is named with its value and its mend before anything starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def settings_are_right(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Every problem with a setting, one error each."""
    problems = [*settings.SETTING_PROBLEMS, *_roots(), *_state_folder()]
    return [Error(problem, id="fairfolder.E001") for problem in problems]


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
