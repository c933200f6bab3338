"""What all commands share: settings checked first, one JSON object or words as the answer, exit codes, progress.

Exit codes: 0 fine, 1 findings, 2 wrong usage or settings. With ``--json`` standard output holds exactly one JSON
object, ``{"error": sentence}`` when the command failed; warnings and progress go to standard error.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import orjson
from django.core.checks import ERROR, WARNING, run_checks
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from catalog import engine, words
from catalog.checks import SETTINGS
from ingest.errors import FairfolderError, LayoutError
from ingest.report import Finding, Progress

FINDINGS, WRONG = 1, 2
PROGRESS_AFTER = 1.0
_MEND = "try again; if that does not help, move the file away and run: .venv/bin/python manage.py reindex"


@dataclass(frozen=True)
class Outcome:
    """What a command has to say: `value` for machines, `lines` for people."""

    value: Mapping[str, Any]
    lines: Sequence[str] = field(default=())
    found_something: bool = False
    is_told: bool = False  # the JSON object was written while the command ran


class EngineCommand(BaseCommand):
    """A command that answers once; `run` does the work."""

    requires_system_checks = ()  # checked below, with our words and exit code
    tells_warnings = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="one JSON object on standard output, nothing else there"
        )

    def run(self, **options: Any) -> Outcome:
        """The command's work.

        Raises:
            FairfolderError: what a person must mend.
        """
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for warning in check_settings():
                if self.tells_warnings:
                    self.tell(warning)
            outcome = self.run(**options)
        except FairfolderError as error:
            self.fail(str(error), as_json=options["json"])
        except DatabaseError as error:
            self.fail(f"The index database cannot be used ({error}); {_MEND}", as_json=options["json"])
        except OSError as error:
            self.fail(f"{error.filename or 'The disk'}: {error.strerror}.", as_json=options["json"])
        except KeyboardInterrupt:
            self.fail("Stopped.", as_json=options["json"], code=128 + signal.SIGINT)
        else:
            self.answer(outcome, as_json=options["json"])
            if outcome.found_something:
                sys.exit(FINDINGS)

    def answer(self, outcome: Outcome, *, as_json: bool) -> None:
        if as_json and not outcome.is_told:
            self.stdout.write(orjson.dumps(outcome.value, default=_shown, option=orjson.OPT_INDENT_2).decode())
        elif outcome.lines and not as_json:
            self.stdout.write("\n".join(map(_printable, outcome.lines)))
        self.stdout.flush()

    def fail(self, sentence: str, *, as_json: bool, code: int = WRONG) -> NoReturn:
        if as_json:
            self.answer(Outcome({"error": sentence}), as_json=True)
        else:
            self.stderr.write(_printable(sentence))
        sys.exit(code)

    def tell(self, sentence: str) -> None:
        """An ordinary line on standard error, which Django would draw in red."""
        self.stderr.write(_printable(sentence), style_func=str)


def _printable(line: str) -> str:
    return line.encode(errors="backslashreplace").decode()


def _shown(value: Any) -> str:
    return str(value)


def check_settings() -> list[str]:
    """Looks at every setting; answers what is odd and does no harm, one sentence each.

    Raises:
        FairfolderError: with one sentence for each setting that is wrong.
    """
    found = run_checks(tags=[SETTINGS])  # the others look at our code, and load every page for it
    problems = [message.msg for message in found if message.level >= ERROR]
    if problems:
        raise FairfolderError("\n".join(problems))
    return [message.msg for message in found if message.level >= WARNING]


def chosen(path: str | None) -> list[tuple[Path, Path | None]]:
    """The roots a command works on, each with the part of it to work on (None for the whole).

    Raises:
        LayoutError: when the path lies in no watched folder.
    """
    roots = engine.roots()
    if path is None:
        return [(root, None) for root in roots]
    whole = Path(path).expanduser().absolute()
    for root in roots:
        if whole == root:
            return [(root, None)]
        if whole.is_relative_to(root):
            return [(root, whole)]
    for root in roots:
        if not Path(path).is_absolute() and (root / path).exists():
            return [(root, root / path)]
    named = ", ".join(repr(str(root)) for root in roots)
    raise LayoutError(f"{path!r} lies in no watched folder; name a path inside {named}, or set MONITOR_PATH.")


def found_lines(root: str, findings: Sequence[Finding]) -> list[str]:
    """One line for each finding."""
    return [f"{root}/{each.path}: {each.message}" for each in findings]


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C, a termination or a closed terminal sets; a second Ctrl-C stops at once."""
    stop = threading.Event()

    def halt(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, halt) for number in watched}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[Progress], None]]:
    """Draws the engine's progress on standard error, on a terminal and once it has taken longer than a second."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console  # only a terminal needs it
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=None, said="")
    started = time.monotonic()
    drawn = False

    def show(progress: Progress) -> None:
        nonlocal drawn
        if not drawn and time.monotonic() - started > PROGRESS_AFTER:
            bar.start()
            drawn = True
        total = progress.datasets_total or None
        bar.update(task, completed=progress.datasets_done, total=total, said=_said(progress))

    try:
        yield show
    finally:
        if drawn:
            bar.stop()


def _said(progress: Progress) -> str:
    left = progress.seconds_left
    parts = [f"{words.count(progress.files_done)} files", words.size(progress.bytes_done)]
    if progress.paused:
        parts.append("paused")
    elif left is not None:
        parts.append(f"about {words.duration(left)} left")
    return ", ".join(parts)
