"""Processes that read many small files beside this one, which decides and records meanwhile.

As always with `multiprocessing`, only from a program whose main module can be imported without doing anything.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import TracebackType

from ingest.layout import Layout
from ingest.places import list_folders

_log = logging.getLogger("fairfolder.processes")

_PR_SET_PDEATHSIG = 1
_MANY_DATASETS = 15
_GARBAGE = 50_000  # new objects before the youngest of them are looked through


def collect_rarely() -> None:
    """Fewer looks for garbage in this program: for one that reads very much, and no watcher, whose memory would grow.

    Looking for cycles among 100,000 new dictionaries, which have none, took a seventh of its time.
    """
    gc.set_threshold(_GARBAGE, 20, 20)


class ReadingProcesses:
    """A pool that is started in the background and can be used once it is up; nobody waits for it."""

    def __init__(self) -> None:
        self.count = max(1, min(8, os.cpu_count() or 1))
        self.broken = False
        self._pool: ProcessPoolExecutor | None = None
        self._starting: threading.Thread | None = None

    def start(self) -> None:
        """Start it, once: that takes a third of a second, in a thread."""
        if self._starting is None:
            self._starting = threading.Thread(target=self._start, name="reading processes", daemon=True)
            self._starting.start()

    def start_for_new(self, root: Path, layout: Layout) -> None:
        """Start it for a root nobody has looked at, if so much is there that it will be worth it."""
        try:
            much = sum(kind == "dataset" for kind, _ in list_folders(root, layout)) >= _MANY_DATASETS
        except OSError:
            return  # the pass will say what is wrong with the root
        if much:
            self.start()

    @property
    def pool(self) -> ProcessPoolExecutor | None:
        """The pool, None until it is up and after one of its processes was killed."""
        return None if self.broken else self._pool

    def close(self) -> None:
        """End the processes."""
        if self._starting is not None:
            self._starting.join()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> ReadingProcesses:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        # Forked from a fresh process, which has none of our threads, open files and locks.
        context = get_context("forkserver")
        context.set_forkserver_preload(["ingest.readers"])
        pool = ProcessPoolExecutor(self.count, context, initializer=_become_reader)
        try:
            for started in [pool.submit(os.getpid) for _ in range(self.count)]:
                started.result()
        except (
            BrokenProcessPool,
            EOFError,
            OSError,
        ) as error:  # no memory, say: it goes on alone
            _log.warning("files are read without the help of other processes: %s", error or type(error).__name__)
            self.broken = True
        self._pool = pool


def _become_reader() -> None:
    """It leaves the terminal's Ctrl-C to its parent, and ends with the program it works for, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    """The parent in the kernel's eyes is the fork server, which lives as long as its children do."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
