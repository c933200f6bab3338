"""Validate everything and change nothing."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import run_checks

from catalog import state
from catalog.commanding import EngineCommand, Outcome, chosen, found_lines, progress_bar
from catalog.graph.named_contexts import judge
from catalog.publishing.shaping import Shaped, shaped
from ingest.check import check
from ingest.errors import LayoutError
from ingest.report import Progress
from ingest.workspace import open_workspace


class Command(EngineCommand):
    help = "Check the settings, and validate every metadata document in the watched folders; nothing is changed."

    tells_warnings = False  # they are findings here

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", nargs="?", metavar="PATH", help="a watched folder or anything in it")
        parser.add_argument("--deploy", action="store_true", help="also what Django advises for a public service")
        parser.add_argument(
            "--shacl", action="store_true", help="also hold every public record against our SHACL shapes"
        )
        parser.add_argument(
            "--shapes", action="append", default=[], metavar="FILE", help="and against those, in Turtle"
        )

    def run(self, **options: Any) -> Outcome:
        found = run_checks(include_deployment_checks=options["deploy"])
        advice = [message.msg for message in found if not message.is_silenced()]
        reports = []
        for root, scope in chosen(options["path"]):
            with (
                open_workspace(root, settings.ENGINE, read_only=True) as workspace,
                progress_bar("Checking") as progress,
            ):
                report = check(workspace, scope, lambda done: progress(Progress(files_done=done)), judge(root))
            if scope is not None and not report.documents and not report.findings:
                raise _nothing_at(scope)
            reports.append(report)
        lines = [*advice]
        for report in reports:
            lines += found_lines(report.root, report.findings)
            lines.append(f"{report.root}: {report.documents:,} documents, {len(report.findings):,} findings")
        value: dict[str, Any] = {"settings": advice, "roots": [report.as_json() for report in reports]}
        wrong = bool(advice) or any(report.findings for report in reports)
        if options["shacl"] or options["shapes"]:
            told = _shaped(options["shapes"])
            value["shacl"] = told.as_json()
            lines += told.lines()
            wrong = wrong or not told.is_met
        return Outcome(value, lines, wrong)


def _shaped(files: Sequence[str]) -> Shaped:
    if not state.is_current():
        raise LayoutError("The public records are not there yet; make them with: .venv/bin/python manage.py reindex")
    with progress_bar("Holding against shapes") as progress:
        return shaped(files, lambda done: progress(Progress(files_done=done)))


def _nothing_at(scope: Path) -> LayoutError:
    """Why there is nothing to check: a mistyped path must not look like a clean one."""
    what = "holds no metadata document" if os.path.lexists(scope) else "does not exist"
    return LayoutError(f"{str(scope)!r} {what}; name a watched folder, or a project, a dataset or a document in one.")
