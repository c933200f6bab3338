"""Make small projects of real, openly licensed data to look at, some of it published."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings

from catalog import demo, state, words
from catalog.commanding import EngineCommand, Outcome, chosen, progress_bar
from catalog.demo import publishing
from catalog.demo.examples import examples
from catalog.following import Follower
from ingest.workspace import open_workspace


class Command(EngineCommand):
    help = (
        "Make two small projects of real, openly licensed data in a watched folder: one described and with its "
        "sources, one whose datasets are published for everybody to see."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", nargs="?", metavar="ROOT", help="the watched folder; the first one if left out")
        parser.add_argument("--unpublished", action="store_true", help="only the first project: nothing becomes public")

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        root, _ = chosen(options["path"])[0]
        shown = () if options["unpublished"] else examples(date.today())
        parts = [demo.drafts(), *([demo.complete(shown)] if shown else ())]
        with (
            open_workspace(root, settings.ENGINE) as workspace,
            Follower() as follower,
            progress_bar("Describing") as progress,
        ):
            made = demo.make(workspace, parts, on_recorded=follower.recorded, progress=progress)
        public: list[str] = []
        if shown:
            public = publishing.publish(root, made[1].project, shown, prefix=settings.ENGINE.dataset_prefix)
        return Outcome(_value(made, public), _lines(made, public))


def _value(made: list[demo.Made], public: list[str]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "project": made[0].project,
        "datasets": sum(each.datasets for each in made),
        "files": sum(each.files for each in made),
        "size_bytes": sum(each.size_bytes for each in made),
        "published": public,
    }
    return value | ({"published_project": made[1].project} if public else {})


def _lines(made: list[demo.Made], public: list[str]) -> list[str]:
    lines = [
        f"{each.files:,} files ({words.size(each.size_bytes)}) in {each.datasets} datasets: {each.project}"
        for each in made
    ]
    if public:
        lines.append(f"{len(public)} of the datasets are public: {settings.FAIRFOLDER_BASE_URL}/datasets/")
    return lines
