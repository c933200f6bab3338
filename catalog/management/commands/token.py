"""Tokens for programs that ask on behalf of an account."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from catalog import state, tokens
from catalog.commanding import EngineCommand, Outcome


class Command(EngineCommand):
    help = "Make a token with which a program asks as an account, take one away, or list them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        adding = actions.add_parser("add", help="make a token, printed once")
        removing = actions.add_parser("remove", help="take a token away, at once")
        for each in (adding, removing):
            each.add_argument("user", help="name of the account")
            each.add_argument("name", help="what the token is for, such as: harvesting")
        actions.add_parser("list", help="list the tokens; none of them can be shown again")
        for each in actions.choices.values():
            super().add_arguments(each)

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        if options["action"] == "list":
            rows = tokens.listed()
            lines = [f"{row['user']}: {row['name']}, made {row['made']}, {_used(row)}" for row in rows]
            return Outcome({"tokens": list(rows)}, lines or ["There are no tokens."])
        user, name = options["user"], options["name"]
        if options["action"] == "remove":
            tokens.remove(user, name)
            return Outcome({"user": user, "name": name}, [f"The token {name!r} of {user!r} is taken away."])
        token = tokens.make(user, name)
        return Outcome({"user": user, "name": name, "token": token}, [token, "It is not shown again."])


def _used(row: Mapping[str, str]) -> str:
    return f"used last {row['used']}" if row["used"] else "never used"
