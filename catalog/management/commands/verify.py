"""Fixity: data read again and held against its records; and the history against what was recorded of it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings

from catalog import engine, state, words
from catalog.commanding import EngineCommand, Outcome, chosen, progress_bar
from catalog.history import proof
from catalog.history.subjects import Sort, Subject, subject
from ingest.errors import LayoutError, SettingError
from ingest.fixity import accept, verify
from ingest.report import Progress
from ingest.settings import parse_rate
from ingest.workspace import open_workspace


class Command(EngineCommand):
    help = (
        "Read data files again and compare them with the checksums in their records. What differs is told, here and "
        "on the status page, and nothing is changed. Exit code 1 if anything differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", nargs="?", metavar="PATH", help="a watched folder, a project, a dataset or a file")
        parser.add_argument(
            "--rate", default="", help="bytes per second at most, such as 50M; as fast as it goes if left out"
        )
        parser.add_argument(
            "--history", action="store_true", help="instead: prove that nothing in the history was rewritten"
        )
        parser.add_argument("--since", default="", metavar="HEAD", help="with --history: also since this commit")
        parser.add_argument(
            "--accept",
            action="store_true",
            help="instead: files that changed unnoticed are right as they are now; with --history, so is what was "
            "rewritten until now",
        )

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        if options["since"] and not options["history"]:
            raise SettingError("--since goes with --history; without that, files are compared and no commits.")
        if options["history"]:
            return self._history(options["path"], options["since"], accept=options["accept"])
        rate = parse_rate(options["rate"], "--rate") if options["rate"] else settings.ENGINE.read_rate
        path = options["path"]
        of = [subject(path)] if path is not None else [Subject(root, "", Sort.ROOT) for root, _ in chosen(None)]
        if any(each.sort is Sort.DOCUMENT for each in of):
            raise LayoutError(
                f"{path!r} is a record; `verify` reads data files, `check` and --history look at records."
            )
        if options["accept"]:
            return _accepted(of)
        roots, lines, is_wrong = [], [], False
        for each in of:
            told, said, wrong = self._files(each, rate)
            roots.append(told)
            lines += said
            is_wrong |= wrong
        return Outcome({"roots": roots}, lines, is_wrong)

    def _files(self, of: Subject, rate: int | None) -> tuple[dict[str, Any], list[str], bool]:
        read = 0
        with open_workspace(of.root, settings.ENGINE) as workspace, progress_bar("Verifying") as progress:

            def on_bytes(size: int) -> None:
                nonlocal read
                read += size
                progress(Progress(bytes_done=read))

            report = verify(workspace, of.relative, rate=rate, on_bytes=on_bytes)
        if of.relative and not report.files:
            raise LayoutError(f"{of.shown!r} is not described, so there is nothing to compare it with.")
        found = report.mismatches
        objects = f" and {words.count(report.objects)} cached versions" if report.objects else ""
        summary = (
            f"{of.shown}: {words.count(report.files)} files{objects} read ({words.size(report.bytes)}), "
            f"{words.count(len(found))} not as recorded"
        )
        return {"root": of.shown, **asdict(report)}, [*(each.words for each in found), summary], bool(found)

    def _history(self, path: str | None, since: str, *, accept: bool) -> Outcome:
        roots = [subject(path).root] if path is not None else [root for root, _ in chosen(None)]
        for root in roots if accept else ():
            engine.recorder(root).accept_rewriting()
        found = [proof.proven(root, since) for root in roots]
        lines = [line for each in found for line in each.lines]
        return Outcome({"roots": [each.as_json() for each in found]}, lines, any(each.problems for each in found))


def _accepted(of: Sequence[Subject]) -> Outcome:
    roots, lines = [], []
    for each in of:
        with open_workspace(each.root, settings.ENGINE) as workspace:
            count = accept(workspace, each.relative)
        roots.append({"root": each.shown, "accepted": count})
        ended = f"{words.count(count)} alarm{'' if count == 1 else 's'} accepted" if count else "nothing to accept"
        lines.append(f"{each.shown}: {ended}")
    return Outcome({"roots": roots}, lines)
