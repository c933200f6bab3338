"""Scan once, describe what is new or changed, and exit."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog import engine, state
from catalog.commanding import EngineCommand, Outcome, chosen, found_lines, progress_bar, stopping
from catalog.following import Follower
from ingest.layout import Layout
from ingest.processes import ReadingProcesses, collect_rarely
from ingest.reconcile import reconcile
from ingest.report import Report
from ingest.seen import state_folder
from ingest.settings import EngineSettings
from ingest.workspace import open_workspace


class Command(EngineCommand):
    help = "Scan the watched folders, or a part of one, once: describe what is new or changed, and exit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", nargs="?", metavar="PATH", help="a watched folder, or a project or dataset in it")
        parser.add_argument(
            "--accept-deletions", action="store_true", help="record that vanished files are gone, and lift a freeze"
        )
        parser.add_argument("--no-wait", action="store_true", help="do not wait for files that were changed just now")
        held = parser.add_mutually_exclusive_group()
        held.add_argument(
            "--pause", action="store_true", help="hold the reading of files, in whatever process, and exit"
        )
        held.add_argument("--resume", action="store_true", help="go on with the reading of files, and exit")

    def run(self, **options: Any) -> Outcome:
        if options["pause"] or options["resume"]:
            state.prepare()
            return _hold(options["path"], on=options["pause"])
        collect_rarely()
        with ReadingProcesses() as processes:
            _start_for_new(processes)
            outcome = self._described(processes, options)
        if not any(engine.recorder(root).settings.remote for root, _ in chosen(options["path"])):
            return outcome
        self.answer(outcome, as_json=options["json"])  # nobody waits for the push to read it
        _push(options["path"])
        return replace(outcome, lines=(), is_told=True)

    def _described(self, processes: ReadingProcesses, options: dict[str, Any]) -> Outcome:
        state.prepare()
        reports, parts = [], chosen(options["path"])
        with stopping() as stop, Follower() as follower:
            for root, scope in parts:
                with open_workspace(root, settings.ENGINE) as workspace, progress_bar("Describing") as progress:
                    report = reconcile(
                        workspace,
                        scope=scope,
                        accept_deletions=options["accept_deletions"],
                        wait=not options["no_wait"],
                        progress=progress,
                        on_recorded=follower.recorded,
                        stop=stop,
                        processes=processes,
                    )
                reports.append(report)
        return _outcome(reports, follower)


def _start_for_new(processes: ReadingProcesses) -> None:
    """While the database is being set up, if there is a root that was never looked at."""
    own: EngineSettings = settings.ENGINE
    for root in settings.MONITOR_PATHS:
        if not (state_folder(own.state_dir, root) / "seen.sqlite").exists():
            processes.start_for_new(root, Layout(own.project_prefix, own.dataset_prefix))


def _push(path: str | None) -> None:
    """What was recorded goes to the remote now: without a service nobody else sends it. Trouble is told by status."""
    with stopping():  # Ctrl-C ends the git that pushes, and what is left is pushed the next time
        for root, _ in chosen(path):
            engine.recorder(root).push()


def _hold(path: str | None, *, on: bool) -> Outcome:
    roots: list[Path] = [root for root, _ in chosen(path)]
    for root in roots:
        with open_workspace(root, settings.ENGINE) as workspace:
            workspace.pause(on)
    word = "held" if on else "going on"
    return Outcome({"paused": on, "roots": [str(root) for root in roots]}, [f"Reading of files is {word}."])


def _outcome(reports: list[Report], follower: Follower) -> Outcome:
    lines = []
    for report in reports:
        lines += [*report.notices, *report.alarms, *found_lines(report.root, report.findings)]
        lines.append(
            f"{report.root}: {report.described:,} described, {report.unchanged:,} unchanged, {report.moved:,} moved, "
            f"{report.missing:,} missing, {report.pending:,} waiting, {report.failed:,} failed, {report.seconds:.1f} s"
        )
    if follower.backlog:
        lines.append(
            f"{follower.behind} {follower.backlog:,} documents are not in the index yet; the next start adds them."
        )
    found = any(report.alarms or report.findings for report in reports) or bool(follower.backlog)
    value = {"roots": [report.as_json() for report in reports], "not_indexed": follower.backlog}
    return Outcome(value, lines, found)
