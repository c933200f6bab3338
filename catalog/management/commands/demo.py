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
from catalog.models import Published
from ingest.errors import printable
from ingest.workspace import Workspace, open_workspace


class Command(EngineCommand):
    help = (
        "Make two small projects of real, openly licensed data in a watched folder: one described and with its "
        "sources, one whose datasets are published for everybody to see."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", nargs="?", metavar="ROOT", help="the watched folder; the first one if left out")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--unpublished", action="store_true", help="only the first project: nothing becomes public")
        which.add_argument(
            "--publish",
            action="store_true",
            help="the second project also beside other projects, or where something is public already",
        )

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        root, _ = chosen(options["path"])[0]
        shown, public, why = examples(date.today()), list[str](), ""
        with (
            open_workspace(root, settings.ENGINE) as workspace,
            Follower() as follower,
            progress_bar("Describing") as progress,
        ):
            if not options["publish"] and not options["unpublished"]:
                why = _why_not(workspace)
            if options["unpublished"] or why:
                shown = ()
            parts = [demo.drafts(), *([demo.complete(shown)] if shown else ())]
            made = demo.make(workspace, parts, on_recorded=follower.recorded, progress=progress)
        if shown:
            public = publishing.publish(root, made[1].project, shown, prefix=settings.ENGINE.dataset_prefix)
        withdrawn = [own for own, each in zip(public, shown, strict=True) if each.withdrawn]
        public = [own for own in public if own not in withdrawn]
        return Outcome(_value(made, public, withdrawn), [*_lines(made, public, withdrawn), *filter(None, [why])])


def _why_not(workspace: Workspace) -> str:
    """Why nothing is published unasked, in a sentence; "" where nobody else's work or public catalog is there."""
    others = demo.others(workspace)
    if others:
        reason = printable(f"{workspace.root} holds other projects, such as {others[0]}")
    elif Published.objects.exists():
        reason = "something is public here already"
    else:
        return ""
    published = demo.folder_of(workspace, demo.complete(())).name
    again = f"remove {demo.folder_of(workspace, demo.drafts()).name} and ask again with --publish"
    return f"Nothing was published, because {reason}; to have {published} in public too, {again}."


def _value(made: list[demo.Made], public: list[str], withdrawn: list[str]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "project": made[0].project,
        "datasets": sum(each.datasets for each in made),
        "files": sum(each.files for each in made),
        "size_bytes": sum(each.size_bytes for each in made),
        "published": public,
        "withdrawn": withdrawn,
    }
    return value | ({"published_project": made[1].project} if public else {})


def _lines(made: list[demo.Made], public: list[str], withdrawn: list[str]) -> list[str]:
    lines = [
        f"{each.files:,} files ({words.size(each.size_bytes)}) in {each.datasets} datasets: {each.project}"
        for each in made
    ]
    if public:
        address = f"{state.serving_url() or settings.FAIRFOLDER_URL_PREFIX}/datasets/"
        lines.append(f"{len(public)} public, {len(withdrawn)} withdrawn: {address}")
    return lines
