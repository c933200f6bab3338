"""``python -m ingest reconcile|check|status ROOT``: the engine alone, for a cluster node without Django."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from ingest.check import check
from ingest.errors import FairfolderError
from ingest.processes import ReadingProcesses, collect_rarely
from ingest.reconcile import reconcile
from ingest.report import Finding
from ingest.settings import EngineSettings
from ingest.status import status
from ingest.workspace import open_workspace


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 fine, 1 findings, 2 wrong usage or settings."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except FairfolderError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename or arguments.root}: {error.strerror}.\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ingest", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, words in (
        ("reconcile", _reconcile, "describe what is new or changed below ROOT, once"),
        ("check", _check, "validate every metadata document below ROOT; nothing is changed"),
        ("status", _status, "what is described, what waits and what failed"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument("root", type=_folder, metavar="ROOT", help="the watched folder")
        command.add_argument("--json", action="store_true", help="one JSON object on standard output")
        if name == "reconcile":
            words = "the vanished files are really gone: lift a freeze"
            command.add_argument("--accept-deletions", action="store_true", help=words)
        command.set_defaults(run=run)
    return parser


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty; name the watched folder")
    return Path(text)


def _existing(root: Path) -> Path:
    if not root.is_dir():
        raise FairfolderError(f"The folder {str(root)!r} does not exist; name an existing folder.")
    return root


def _reconcile(arguments: argparse.Namespace) -> int:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    collect_rarely()
    with open_workspace(_existing(arguments.root), EngineSettings.from_env()) as ws, ReadingProcesses() as processes:
        report = reconcile(ws, accept_deletions=arguments.accept_deletions, stop=stop, processes=processes)
    counted = {"described": report.described, "unchanged": report.unchanged, "moved": report.moved,
               "missing": report.missing, "waiting": report.pending, "failed": report.failed}  # fmt: skip
    words = ", ".join(f"{count} {name}" for name, count in counted.items())
    _answer(arguments.json, report.as_json(), words, [*report.notices, *report.alarms], report.findings)
    return 1 if report.findings or report.alarms else 0


def _check(arguments: argparse.Namespace) -> int:
    with open_workspace(_existing(arguments.root), EngineSettings.from_env(), read_only=True) as ws:
        report = check(ws)
    words = f"{report.documents} documents, {report.files} files described"
    _answer(arguments.json, report.as_json(), words, [], report.findings)
    return 1 if report.findings else 0


def _status(arguments: argparse.Namespace) -> int:
    with open_workspace(_existing(arguments.root), EngineSettings.from_env(), read_only=True) as ws:
        told = status(ws)
    findings = [Finding(p.path, p.condition, p.reason) for p in told.problems]
    words = ", ".join(f"{count} {name}" for name, count in told.counts.items() if count) or "nothing seen yet"
    _answer(arguments.json, told.as_json(), f"{told.mode}: {words}", told.alarms, findings)
    return 0 if told.healthy else 1


def _answer(
    as_json: bool, value: dict[str, Any], words: str, alarms: Sequence[str], findings: Sequence[Finding]
) -> None:
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    lines = [*alarms, *(f"{f.path}: {f.message}" for f in findings), words]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
