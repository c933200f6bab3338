"""Accounts: who there is, what each may, and new passwords."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from catalog import accounts, second_factor, state
from catalog.commanding import EngineCommand, Outcome
from catalog.models.people import ProjectRole, Role

_ROLES = ", ".join(accounts.ROLES)


class Command(EngineCommand):
    help = "Add an account, say what it may, give it a new random password, switch it off or on, or list all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

        def action(name: str, words: str, *arguments: str) -> ArgumentParser:
            added = actions.add_parser(name, help=words)
            for each in arguments:
                added.add_argument(each)
            return added

        adding = action("add", "add an account with a random password, printed once", "name")
        roles = adding.add_mutually_exclusive_group()
        roles.add_argument("--role", default="", help=f"what it may everywhere: {_ROLES}; {Role.VIEWER} if left out")
        roles.add_argument("--staff", action="store_true", help="the same as --role curator")
        roles.add_argument("--admin", action="store_true", help="the same as --role admin")
        action("role", f"change what an account may everywhere: {_ROLES}", "name", "role")
        joining = action("join", "give an account a part in a project (identifier or folder)", "name", "project")
        joining.add_argument(
            "--as", dest="part", default=ProjectRole.RESEARCHER.value, help="researcher (if left out) or viewer"
        )
        action("leave", "take an account's part in a project away", "name", "project")
        action("password", "give an account a new random password, printed once", "name")
        action("disable", "let an account no longer sign in; the last administrator stays", "name")
        action("enable", "let an account sign in again, also after too many failures", "name")
        factor = action("second-factor", "take away the second factor of an account that lost it", "name")
        factor.add_argument("--off", action="store_true", required=True)
        action("list", "list the accounts, with what they may")
        for action_parser in actions.choices.values():
            super().add_arguments(action_parser)

    def run(self, **options: Any) -> Outcome:
        state.prepare()
        return _ACTIONS[options["action"]](options)


def _add(options: Mapping[str, Any]) -> Outcome:
    role = "admin" if options["admin"] else "curator" if options["staff"] else options["role"] or Role.VIEWER.value
    made = accounts.add(options["name"], role)
    return _password(made, role=role)


def _renew(options: Mapping[str, Any]) -> Outcome:
    return _password(accounts.renew(options["name"]))


def _password(made: accounts.Password, **more: str) -> Outcome:
    value = {"name": made.name, "password": made.password, **more}
    return Outcome(value, [f"{made.name}: {made.password}", "This password is not shown again."])


def _role(options: Mapping[str, Any]) -> Outcome:
    user, role = accounts.named(options["name"]), options["role"]
    accounts.set_role(user, role)
    return Outcome({"name": user.username, "role": role}, [f"{user.username} is {role} now."])


def _join(options: Mapping[str, Any]) -> Outcome:
    user, project = accounts.named(options["name"]), accounts.project_named(options["project"])
    accounts.join(user, project, options["part"])
    value = {"name": user.username, "project": project, "role": options["part"]}
    return Outcome(value, [f"{user.username} is {options['part']} of {options['project']} now."])


def _leave(options: Mapping[str, Any]) -> Outcome:
    user, project = accounts.named(options["name"]), options["project"]
    if all(part.project_identifier != project for part in user.memberships.all()):
        project = accounts.project_named(project)  # one that is gone can be left by its identifier
    accounts.leave(user, project)
    return Outcome(
        {"name": user.username, "project": project}, [f"{user.username} has no part in {options['project']} any more."]
    )


def _disable(options: Mapping[str, Any]) -> Outcome:
    accounts.allow(options["name"], allowed=False)
    return Outcome({"name": options["name"], "may_sign_in": False}, [f"{options['name']} may no longer sign in."])


def _enable(options: Mapping[str, Any]) -> Outcome:
    accounts.allow(options["name"], allowed=True)
    return Outcome({"name": options["name"], "may_sign_in": True}, [f"{options['name']} may sign in again."])


def _second_factor(options: Mapping[str, Any]) -> Outcome:
    user = accounts.named(options["name"])
    had = second_factor.switch_off(user)
    words = f"{user.username} has no second factor any more." if had else f"{user.username} had no second factor."
    return Outcome({"name": user.username, "second_factor": False, "had_one": had}, [words])


def _listed(options: Mapping[str, Any]) -> Outcome:
    users = accounts.listed()
    return Outcome({"users": [asdict(user) for user in users]}, list(map(_line, users)) or ["No account yet."])


def _line(user: accounts.Account) -> str:
    parts = [f"{part.role} of {part.folder or part.identifier}" for part in user.projects]
    more = [*parts, *(["with a second factor"] if user.has_second_factor else [])]
    more += [] if user.may_sign_in else ["may not sign in"]
    return ", ".join([f"{user.name}: {user.role}", *more])


_ACTIONS: Mapping[str, Callable[[Mapping[str, Any]], Outcome]] = {
    "add": _add,
    "role": _role,
    "join": _join,
    "leave": _leave,
    "password": _renew,
    "disable": _disable,
    "enable": _enable,
    "second-factor": _second_factor,
    "list": _listed,
}
