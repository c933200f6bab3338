"""Accounts: add one, give one a new password, list them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import accounts, state
from catalog.commanding import EngineCommand, Outcome


class Command(EngineCommand):
    help = "Add an account, give one a new random password, switch one off or on, or list them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        adding = actions.add_parser("add", help="add an account with a random password, printed once")
        adding.add_argument("name")
        adding.add_argument("--staff", action="store_true", help="may see the admin")
        adding.add_argument("--admin", action="store_true", help="may do everything, also manage accounts")
        for action, words in (
            ("password", "give an account a new random password, printed once"),
            ("disable", "let an account no longer sign in; the last administrator stays"),
            ("enable", "let an account sign in again"),
        ):
            actions.add_parser(action, help=words).add_argument("name")
        actions.add_parser("list", help="list the accounts")
        for action_parser in actions.choices.values():
            super().add_arguments(action_parser)

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        match options["action"]:
            case "add":
                return _password(accounts.add(options["name"], staff=options["staff"], admin=options["admin"]))
            case "password":
                return _password(accounts.renew(options["name"]))
            case "disable" | "enable" as action:
                allowed = action == "enable"
                accounts.allow(options["name"], allowed=allowed)
                words = "may sign in again." if allowed else "may no longer sign in."
                return Outcome({"name": options["name"], "may_sign_in": allowed}, [f"{options['name']} {words}"])
            case _:
                return _listed(accounts.listed())


def _password(made: accounts.Password) -> Outcome:
    value = {"name": made.name, "password": made.password}
    return Outcome(value, [f"{made.name}: {made.password}", "This password is not shown again."])


def _listed(users: list[accounts.Account]) -> Outcome:
    lines = [f"{user.name}: {user.role}{'' if user.may_sign_in else ', may not sign in'}" for user in users]
    value = {"users": [{"name": u.name, "role": u.role, "may_sign_in": u.may_sign_in} for u in users]}
    return Outcome(value, lines or ["No account yet."])
