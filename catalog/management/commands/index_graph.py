"""Keep the graphs that SPARQL asks up to date until stopped."""

from __future__ import annotations

from typing import Any

from catalog import state
from catalog.commanding import EngineCommand, Outcome, stopping
from ingest.processes import collect_rarely


class Command(EngineCommand):
    help = "Keep the graphs that /sparql asks in step with the records until stopped; `serve` runs this."
    tells_warnings = False  # `watch` does

    def run(self, **options: Any) -> Outcome:
        from catalog.indexing import follow  # loads the RDF engine

        state.prepare()
        collect_rarely()  # a record is thousands of small objects, none of them in a cycle
        with stopping() as stop:
            follow(stop)
        return Outcome({}, ["Indexing has ended."])
