"""Make a small project of real, openly licensed data to look at."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from catalog import demo, state, words
from catalog.commanding import EngineCommand, Outcome, chosen, progress_bar
from catalog.following import Follower
from ingest.workspace import open_workspace


class Command(EngineCommand):
    help = "Make a small project of real, openly licensed data in a watched folder, described and with its sources."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", nargs="?", metavar="ROOT", help="the watched folder; the first one if left out")

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        root, _ = chosen(options["path"])[0]
        with (
            open_workspace(root, settings.ENGINE) as workspace,
            Follower() as follower,
            progress_bar("Describing") as progress,
        ):
            made = demo.make(workspace, on_recorded=follower.recorded, progress=progress)
        value = {"project": made.project, "datasets": made.datasets, "files": made.files, "size_bytes": made.size_bytes}
        size = words.size(made.size_bytes)
        return Outcome(value, [f"{made.files:,} files ({size}) in {made.datasets} datasets: {made.project}"])
