"""Keep the records in step with the files until stopped."""

from __future__ import annotations

from typing import Any

from catalog import engine, state
from catalog.commanding import EngineCommand, Outcome, stopping
from catalog.watching import watch_all


class Command(EngineCommand):
    help = "Watch the folders and describe what is new or changed until stopped; `serve` runs this and the web pages."

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        with stopping() as stop:
            watch_all(stop, self.tell)
        return Outcome({"watched": [str(root) for root in engine.roots()]}, ["Watching has ended."])
