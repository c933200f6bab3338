"""An earlier version had again: of a record where it stands, of a data file at a chosen place."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import accounts, state, words
from catalog.commanding import EngineCommand, Outcome
from catalog.editing.targets import Target
from catalog.history import data_restoring, past, restoring
from catalog.history.restoring import RestoreError
from catalog.history.subjects import Sort, Subject, subject
from ingest.errors import DocumentError, SettingError, printable

_SERVICE = "system:restore"


class Command(EngineCommand):
    help = (
        "Set a record back to one of its versions, as a new action that the history tells; or write an earlier version "
        "of a data file to a place of your choice. Nothing that is there is replaced without being asked for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", metavar="PATH", help="a document in .metadata, or a data file")
        parser.add_argument(
            "--at", required=True, metavar="REV", help="the version, by its commit as `history` lists it"
        )
        parser.add_argument("--to", default="", metavar="PLACE", help="of a data file: the file or folder to write to")
        parser.add_argument("--overwrite", action="store_true", help="with --to: replace the file that is there")
        parser.add_argument("--reason", default="", help="of a record: why; kept in the history")
        parser.add_argument("--by", default="", metavar="NAME", help="of a record: the account that does it")

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        of = subject(options["path"])
        if of.sort is Sort.DATA:
            return _data(of, options)
        if of.sort is not Sort.DOCUMENT:
            raise SettingError(f"{of.shown!r} is a folder; name one document in its .metadata, or a data file.")
        if options["to"] or options["overwrite"]:
            raise SettingError("--to and --overwrite are for data files; a record is set back where it stands.")
        if of.target is None or not of.target.word:
            raise SettingError(f"{of.shown!r} is no record that people change, so there is nothing to set back in it.")
        return _record(of, of.target, options)


def _record(of: Subject, target: Target, options: dict[str, Any]) -> Outcome:
    by = accounts.named(options["by"]).username if options["by"] else _SERVICE
    text = past.text(target, past.resolved(of.root, options["at"]))
    if text is None:
        raise RestoreError(f"{of.shown!r} has no version {options['at']}; `history` lists those there are.")
    if text.problem:
        raise RestoreError(f"The version {options['at']} cannot be set back: {text.problem}")
    try:
        plan = restoring.plan(target, restoring.present(target), text.value)
    except DocumentError as error:
        raise RestoreError(f"{error} {restoring.by_hand(target, text.version)}") from None
    except FileNotFoundError:
        raise DocumentError(
            target.path, f"{of.shown!r} is not there any more; a record is restored where it stands."
        ) from None
    restoring.restore(target, plan, text.version, by=by, reason=options["reason"])
    told = [{"place": each.place, "before": each.before, "after": each.after} for each in plan.changes]
    lines = [f"{each.place}: {_line(each.before)} → {_line(each.after)}" for each in plan.changes]
    lacking = [f"It is a draft again: {each}" for each in plan.lacking]
    summary = f"{of.shown}: set back to the version of {text.version.moment}"
    value = {"path": of.shown, "commit": text.version.commit, "changes": told, "lacking": list(plan.lacking)}
    return Outcome(value, [*lines, *lacking, *plan.remarks, summary])


def _data(of: Subject, options: dict[str, Any]) -> Outcome:
    if not options["to"]:
        raise SettingError(
            f"{of.shown!r} is a data file, which is left as it is; name a place for its earlier version with --to."
        )
    done = data_restoring.bring(of, options["at"], options["to"], overwrite=options["overwrite"])
    place = printable(str(done.place))
    value = {"path": of.shown, "commit": done.commit, "place": place, "sha256": done.sha256, "size_bytes": done.size}
    return Outcome(value, [f"{place}: {words.exact_size(done.size)}, SHA-256 {done.sha256}"])


def _line(text: str) -> str:
    return " ".join(text.split())
