"""Drop the index and rebuild it from the documents."""

from __future__ import annotations

import time
from typing import Any

from catalog import index, state
from catalog.commanding import EngineCommand, Outcome, progress_bar
from ingest.report import Progress


class Command(EngineCommand):
    help = "Drop the index and rebuild it from the metadata documents. Users and their passwords stay."

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        started = time.monotonic()
        with progress_bar("Indexing documents") as progress:
            done = index.rebuild(lambda number: progress(Progress(files_done=number)))
        seconds = time.monotonic() - started
        return Outcome({"documents": done, "seconds": seconds}, [f"{done:,} documents indexed in {seconds:.1f} s"])
