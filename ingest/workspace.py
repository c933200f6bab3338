"""The door: one watched root with everything that works on it."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ingest.clock import Clock
from ingest.errors import BusyError, SettingError, printable
from ingest.layout import TEMPLATE_SCHEMAS, Layout
from ingest.locking import lock_file
from ingest.provenance.data.tracking import Tracker
from ingest.provenance.recorder import Recorder
from ingest.reading import Throttle
from ingest.schema import SchemaSet
from ingest.seen import Seen, state_folder
from ingest.settings import EngineSettings
from ingest.store import Store
from ingest.triggers import Site


@dataclass
class Workspace:
    """A watched root, opened. ``seen`` is read-only unless it was opened for scanning."""

    root: Path
    settings: EngineSettings
    layout: Layout
    schemas: SchemaSet
    store: Store
    seen: Seen
    clock: Clock
    throttle: Throttle
    tracker: Tracker | None = None  # of the versions of data files, where any are to be kept
    looked_for_temporaries: bool = False  # once is enough: what writes later takes them away where it writes

    @property
    def name(self) -> str:
        """The root's path as any text channel can carry it."""
        return printable(str(self.root))

    @property
    def site(self) -> Site:
        """What the triggers need to know."""
        return Site(self.root, self.settings)

    @property
    def state(self) -> Path:
        """This root's folder of machine-local state."""
        return self.seen.folder

    @contextmanager
    def scan_lock(self, wait_seconds: float = 60.0) -> Iterator[None]:
        """One scan per root at a time.

        Raises:
            BusyError: when another scan goes on for longer than we wait.
        """
        path = self.state / "scan.lock"
        try:
            with lock_file(path, wait_seconds):
                yield
        except BusyError:
            raise BusyError(
                f"Another scan of {self.root} is still running; it describes everything by itself. "
                "See its progress with: status"
            ) from None

    @property
    def paused(self) -> bool:
        """Whether an administrator asked to hold the reading of files."""
        return (self.state / "paused").exists()

    def pause(self, on: bool) -> None:
        """Hold (or go on with) the reading of files, in whatever process does it."""
        flag = self.state / "paused"
        flag.parent.mkdir(parents=True, exist_ok=True)
        if on:
            flag.touch()
        else:
            flag.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the state file."""
        self.seen.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_workspace(root: Path, settings: EngineSettings | None = None, *, read_only: bool = False) -> Workspace:
    """Open a root for scanning, or read-only for looking at its state.

    Raises:
        SettingError: when the root is no folder, or the state folder lies inside it.
        StoreError: when the state folder cannot be used.
    """
    settings = settings or EngineSettings.from_env()
    root = Path(os.path.abspath(root))
    if not root.is_dir() and not read_only and not state_folder(settings.state_dir, root).exists():
        raise SettingError(f"The watched folder {str(root)!r} does not exist; make it, or set MONITOR_PATH to another.")
    if settings.state_dir.is_relative_to(root):
        raise SettingError(
            f"FAIRFOLDER_STATE_DIR is {str(settings.state_dir)!r}, inside the watched folder {str(root)!r}; "
            "put it elsewhere, so that the service does not describe its own state."
        )
    many_descriptors()
    folder = state_folder(settings.state_dir, root)
    schemas = SchemaSet(root / TEMPLATE_SCHEMAS)
    layout = Layout(settings.project_prefix, settings.dataset_prefix)
    throttle = Throttle(settings.read_rate)
    seen = Seen(folder, read_only=read_only)
    if not read_only:
        seen.put("root", str(root).encode("utf-8", "backslashreplace").decode())
    return Workspace(
        root=root,
        settings=settings,
        layout=layout,
        schemas=schemas,
        store=Store(root, schemas, state=folder, recorder=Recorder(root, folder, settings.git, layout)),
        seen=seen,
        clock=Clock(root, settings.settle_seconds),
        throttle=throttle,
        tracker=Tracker(root, settings.data, throttle, project_prefix=settings.project_prefix)
        if settings.data.wanted
        else None,
    )


def many_descriptors() -> None:
    """Deep trees and wide actions need more open files than the usual soft limit of 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
