"""Answer the queries of the web processes until stopped."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings

from catalog import state
from catalog.commanding import EngineCommand, Outcome
from catalog.sparql import answering


class Command(EngineCommand):
    help = "Answer the SPARQL queries that the web pages pass on, until stopped; `serve` runs this."
    tells_warnings = False  # `watch` does

    def run(self, **options: Any) -> Outcome:
        """The process becomes the broker, which needs neither Django nor its memory."""
        state.prepare()
        os.chdir(settings.BASE_DIR)
        folder, limits = str(answering.folder()), answering.limits().as_text()
        os.execv(sys.executable, [sys.executable, "-m", "catalog.graph.broker", folder, limits])  # noqa: S606
