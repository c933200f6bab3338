"""This machine's state folder: made on first use, kept up to date, and where `serve` notes how the watcher does."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from ingest.documents import readable
from ingest.errors import SettingError
from ingest.locking import lock_file

log = logging.getLogger(__name__)

_SETUP_SECONDS = 120.0
_WATCHER, _UNWATCHED, _SERVING = "watcher.json", "unwatched.json", "serving.json"


def prepare() -> None:
    """Makes the state folder, its database and the default watched folder where they are not there yet.

    Raises:
        SettingError: when one of them cannot be made.
    """
    state: Path = settings.FAIRFOLDER_STATE_DIR
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.MONITOR_PATH_IS_DEFAULT:
            settings.MONITOR_PATHS[0].mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"{error.filename!r} cannot be made ({error.strerror}); make it yourself, "
            "or set FAIRFOLDER_STATE_DIR and MONITOR_PATH to folders you may write to."
        ) from error
    if not is_current():
        with lock_file(state / "setup.lock", _SETUP_SECONDS):
            if not is_current():
                _make_tables()


def is_current() -> bool:
    """Whether the database has every table as this version wants it."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _make_tables() -> None:
    """In a new database the tables as they are now, which takes a sixth of the time of all migrations to them."""
    if connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)
        return
    with connection.schema_editor() as editor:  # one transaction: all of it or nothing
        for model in apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        migrations = MigrationRecorder(connection)
        for app, name in MigrationLoader(connection).graph.nodes:
            migrations.record_applied(app, name)
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)


@dataclass(frozen=True)
class WatcherNote:
    """How the watcher does, as its supervisor saw it last; `since` in seconds since 1970."""

    state: str
    since: float
    restarts: int = 0
    reason: str = ""
    supervisor: int = 0

    @property
    def is_supervised(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return self.supervisor > 0 and Path(f"/proc/{self.supervisor}").exists()


def note_watcher(note: WatcherNote) -> None:
    """Keeps the note for the status page."""
    _put(_WATCHER, asdict(note))


def watcher_note() -> WatcherNote | None:
    """The last note, or None where `serve` never ran."""
    try:
        return WatcherNote(**_get(_WATCHER))
    except TypeError:
        return None


def note_unwatched(sentences: Mapping[str, str]) -> None:
    """Keeps for the status page why this process does not watch some roots: root → sentence."""
    _put(_UNWATCHED, {**_this_process(), "sentences": {readable(root): why for root, why in sentences.items()}})


def unwatched(root: Path) -> str:
    """Why the watcher that runs leaves a root out, or an empty string."""
    note = _get(_UNWATCHED)
    if not _still_runs(note):
        return ""
    return str(note.get("sentences", {}).get(readable(str(root)), ""))


def note_serving(url: str) -> None:
    """Keeps where this process serves the pages, for commands that lead there."""
    _put(_SERVING, {**_this_process(), "url": url})


def serving_url() -> str:
    """Where the service on this state folder has its pages, without a slash at the end; "" where none runs."""
    note = _get(_SERVING)
    return str(note.get("url", "")) if _still_runs(note) else ""


def _this_process() -> dict[str, Any]:
    return {"process": os.getpid(), "began": _began(os.getpid())}


def _still_runs(note: Mapping[str, Any]) -> bool:
    """Whether the process that wrote a note runs: after a restart of the machine another may have its number."""
    process = note.get("process")
    began = _began(process) if isinstance(process, int) else ""
    return bool(began) and began == note.get("began")


def _began(process: int) -> str:
    """When a process began, in ticks since the machine did (proc_pid_stat(5), field 22); "" where it does not run."""
    try:
        return Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return ""


def _put(name: str, value: Mapping[str, Any]) -> None:
    """Notes are for looking at: on a full disk the service goes on without."""
    path: Path = settings.FAIRFOLDER_STATE_DIR / name
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(orjson.dumps(value))
        os.replace(draft, path)
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error.strerror)


def _get(name: str) -> dict[str, Any]:
    path: Path = settings.FAIRFOLDER_STATE_DIR / name
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
