"""A dataset made public, or taken back; or what stands in the way of it."""

from __future__ import annotations

import difflib
from argparse import ArgumentParser
from itertools import islice
from typing import Any
from uuid import UUID

from django.utils import timezone

from catalog import accounts, engine, index, state
from catalog.commanding import EngineCommand, Outcome, chosen
from catalog.models import Dataset, Published
from catalog.publishing import acting, standing
from catalog.publishing.acting import PublishingError
from catalog.publishing.altered import altered
from catalog.publishing.checking import Preflight, preflight
from ingest import documents
from ingest.errors import LayoutError, SettingError, printable
from ingest.layout import relative_to_root

_SERVICE = "system:publish"
_LOOKED_AT = 20_000  # datasets that a mistyped name is compared with
_NEAR = 3


class Command(EngineCommand):
    help = (
        "Publish a dataset, after a look at everything that keeps it from being public; --check only looks, --withdraw "
        "takes it back and leaves a tombstone with the reason. Exit code 1 if something keeps it from being published."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("dataset", metavar="DATASET", help="a dataset folder, or a dataset's identifier")
        parser.add_argument("--check", action="store_true", help="say what stands in the way, and change nothing")
        parser.add_argument("--withdraw", action="store_true", help="take it back; needs --reason")
        parser.add_argument("--reason", default="", help="with --withdraw: why; it is public")
        parser.add_argument("--by", default="", metavar="NAME", help="the account that does it")

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        if options["check"] and options["withdraw"]:
            raise SettingError("--check looks before a dataset is published; leave it out to withdraw one.")
        if options["reason"] and not options["withdraw"]:
            raise SettingError("--reason goes with --withdraw.")
        dataset = named(options["dataset"])
        by = accounts.named(options["by"]).username if options["by"] else _SERVICE
        if options["withdraw"]:
            acting.withdraw(dataset, options["reason"], by=by)
            return _now(dataset, "withdrawn; a tombstone says why")
        if options["check"]:
            found = preflight(dataset, timezone.now())
            return _looked(dataset, found)
        try:
            found = acting.publish(dataset, by=by)
        except PublishingError as error:
            if error.found is None:
                raise
            return _looked(dataset, error.found)
        return _now(
            dataset, f"published, version {found.version}" if found.is_new else "published already as it is", found
        )


def named(text: str) -> Dataset:
    """The dataset a path or an identifier names, with its rows as the documents are now.

    Raises:
        LayoutError: when there is none.
    """
    try:
        rows = Dataset.objects.filter(identifier=str(UUID(text)))
    except ValueError:
        try:
            root, whole = chosen(text)[0]
        except LayoutError:
            raise LayoutError(_no_dataset(text)) from None
        relative = relative_to_root(root, whole) if whole is not None else ""
        if not relative:
            raise LayoutError(f"{text!r} is a watched folder; name one of its datasets.") from None
        index.refresh([root / relative])
        encoded = documents.encode_path(relative)
        rows = Dataset.objects.filter(root=documents.readable(str(root)), path=encoded["path"])
    else:
        for row in rows:
            if (own := engine.root_named(row.root)) is not None:
                index.refresh([own / documents.decode_path(row.path, row.path_encoding)])
    found = rows.select_related("registry", "administrative", "structural").first()
    if found is None:
        raise LayoutError(_no_dataset(text))
    return found


def _no_dataset(text: str) -> str:
    """What was typed, what may have been meant, and where a dataset's name is found."""
    near = [repr(each) for each in _near(text)]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    shown = printable(text if len(text) <= 200 else f"{text[:200]}…")
    return (
        f"{shown!r} is no dataset that is described here.{meant} Name its folder, such as {engine.example_dataset()}, "
        "or its identifier, which stands in the address of its page."
    )


def _near(text: str) -> list[str]:
    """The folders of datasets whose path, name, title or identifier is much like a text."""
    rows = Dataset.objects.order_by("path").values_list("path", "identifier", "title")
    typed = text.strip("/").casefold()[:200]
    called: dict[str, str] = {}
    for path, identifier, title in islice(rows.iterator(), _LOOKED_AT):
        for name in (path, path.rpartition("/")[2], identifier, title[:200]):
            called.setdefault(name.casefold(), path)
    begun = [path for name, path in called.items() if len(typed) > 3 and name.startswith(typed)]
    alike = [called[name] for name in difflib.get_close_matches(typed, called, _NEAR, 0.7)]
    return list(dict.fromkeys([*begun, *alike]))[:_NEAR]


def _looked(dataset: Dataset, found: Preflight) -> Outcome:
    lines = [f"✗ {each.sentence}" for each in found.refusals] + [f"! {each.sentence}" for each in found.advice]
    told = _value(dataset, found)
    lines += [f"! {sentence}" for sentence in told["altered"]]
    if found.passes and not found.is_new:
        waits = standing.waits_for_revision(dataset)
        words = "nothing new would be published until a new revision of the run is written" if waits else ""
        words = words or f"nothing has changed since version {found.version} was published"
        lines.append(f"{_path(dataset)}: {words}")
    elif found.passes:
        counts = f"{len(found.objects)} run{'' if len(found.objects) == 1 else 's'}, access {found.access.level}"
        lines.append(f"{_path(dataset)}: may be published as version {found.version} ({counts})")
    else:
        lines.append(f"{_path(dataset)}: cannot be published yet")
    return Outcome(told, lines, not found.passes)


def _now(dataset: Dataset, done: str, found: Preflight | None = None) -> Outcome:
    advice = [f"! {each.sentence}" for each in found.advice] if found is not None else []
    return Outcome(_value(dataset, found), [*advice, f"{_path(dataset)}: {done}"])


def _value(dataset: Dataset, found: Preflight | None) -> dict[str, Any]:
    row = Published.objects.defer("value").filter(identifier=dataset.identifier).first()
    told: dict[str, Any] = {
        "dataset": dataset.identifier,
        "path": _path(dataset),
        "state": row.state if row is not None else "unpublished",
        "version": row.version if row is not None else None,
        "access_level": row.access_level if row is not None else None,
        "altered": [sentence for each in altered(dataset.identifier) for sentence in each.sentences],
    }
    if found is not None:
        told |= {
            "may_be_published": found.passes,
            "refusals": [each.sentence for each in found.refusals],
            "advice": [each.sentence for each in found.advice],
        }
    return told


def _path(dataset: Dataset) -> str:
    return f"{dataset.root}/{dataset.path}"
