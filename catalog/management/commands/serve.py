"""Everything in one process tree: the watcher and the web pages."""

from __future__ import annotations

import os
import textwrap
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.db import transaction

from catalog import accounts, engine, state
from catalog.commanding import EngineCommand, Outcome, stopping
from catalog.serving import Address, check_address, check_unwatched, children, supervise
from ingest.errors import SettingError
from ingest.provenance.data import telling

MOST_WORKERS = 64
_WIDTH = 100


class Command(EngineCommand):
    help = "Watch the folders and show them in the browser, until Ctrl-C stops all."
    tells_warnings = False  # its watcher does

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--host", help="address to listen on; that of FAIRFOLDER_BIND if left out (127.0.0.1)")
        parser.add_argument("--port", help="port to listen on; that of FAIRFOLDER_BIND if left out (8000)")
        parser.add_argument(
            "--workers", type=int, default=min(2, os.cpu_count() or 1), help="web processes; %(default)s if left out"
        )

    def run(self, **options: Any) -> Outcome:
        address = _address(options["host"], options["port"])
        if not 1 <= options["workers"] <= MOST_WORKERS:
            raise SettingError(f"--workers is {options['workers']}; it must be from 1 to {MOST_WORKERS}.")
        check_unwatched()
        check_address(address)
        state.prepare()
        # Public addresses begin with the one it is asked under, unless a site has said what that is.
        os.environ.setdefault("FAIRFOLDER_BASE_URL", _base_url(address))
        with stopping() as stop:
            kept = children(address, options["workers"], self.tell)
            supervise(kept, stop, address, lambda: self._ready(address, as_json=options["json"]))
        return Outcome({}, ["Stopped."], is_told=True)

    def _ready(self, address: Address, *, as_json: bool) -> None:
        """Says where the pages are, and once ever the first password: the account stays only if that could be said."""
        state.note_serving(os.environ["FAIRFOLDER_BASE_URL"].rstrip("/"))
        if accounts.listed():
            self._welcome(address, None, as_json=as_json)
            return
        with transaction.atomic():
            self._welcome(address, accounts.first(), as_json=as_json)

    def _welcome(self, address: Address, first: accounts.Password | None, *, as_json: bool) -> None:
        roots = [str(root) for root in engine.roots()]
        value: dict[str, Any] = {"url": address.url, "roots": roots, "state": str(settings.FAIRFOLDER_STATE_DIR)}
        lines = [f"  {'It watches' if root == roots[0] else '':<16}  {root}" for root in roots]
        if first is not None:
            value |= {"user": first.name, "password": first.password}
            lines += [f"  Sign in as        {first.name}", f"  with password     {first.password}   (not shown again)"]
        if room := telling.at_set_up(settings.ENGINE.data, all(map(engine.are_reflinks, engine.roots()))):
            value["versions"] = room
            first_line, *more = textwrap.wrap(room, _WIDTH)
            lines += [f"  Versions          {first_line}", *(f"{'':<20}{line}" for line in more)]
        lines.append(f"  Fairfolder is at  {address.url}   (Ctrl-C stops it)")
        self.answer(Outcome(value, ["", *lines, ""]), as_json=as_json)


def _base_url(address: Address) -> str:
    url = address.url.rstrip("/")
    return url.replace("http://", "https://", 1) if settings.FAIRFOLDER_HTTPS else url


def _address(host: str | None, port: str | None) -> Address:
    bound = Address.parse(settings.FAIRFOLDER_BIND, "FAIRFOLDER_BIND")
    if port is None and host is None:
        return bound
    text = f"{host or bound.host}:{port or bound.port}"
    return Address.parse(text, "--host and --port")
