"""Who may what: every address with an identifier in it, asked by everyone, for what is theirs, another's and nobody's.

An address of the service that is not in ``TABLE`` (or in ``WITHOUT``) fails the first test. To add one: say which
identifier it takes (a key of ``Ids``, and the fixed parts of the address), and which of the expectations below holds.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from catalog.models import Project
from tests.catalog.everyone import PEOPLE, World, everything, populated
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db

# --- the table --------------------------------------------------------------------------------------------------

# Who → status for an absent identifier, for that of p_Alpha's, for that of p_Beta's; + where the answer is another one
# than for what is absent, although its status is the same.
Expected = Mapping[str, str]

LOGIN, NO, NOT_HERE = "302 302 302", "403 403 403", "404 404 404"
SEEN: Expected = {
    "stranger": LOGIN,
    "outsider": "404 404 200",
    "viewer": "404 200 200",
    "researcher": "404 200 404",
    "curator": "404 200 200",
    "administrator": "404 200 200",
}
EDITED: Expected = {**SEEN, "viewer": NOT_HERE}
# A draft instrument belongs to no project: whoever changes anything may complete it.
SHARED: Expected = {**EDITED, **dict.fromkeys(("outsider", "researcher"), "404 200 200")}
PUBLIC: Expected = {"stranger": LOGIN, **dict.fromkeys(PEOPLE[1:], NOT_HERE)}
OPEN: Expected = {"stranger": LOGIN, **dict.fromkeys(PEOPLE[1:], "404 200 200")}
CURATORS, EDITORS = ("curator", "administrator"), ("outsider", "researcher", "curator", "administrator")


def staff(curator: str, administrator: str) -> Expected:
    """An address of the admin, which lets nobody in but curators and administrators."""
    others = dict.fromkeys(("outsider", "viewer", "researcher"), NO)
    return {"stranger": LOGIN, **others, "curator": curator, "administrator": administrator}


def asked_aside(expected: Expected) -> Expected:
    """What a page asks without being left is answered to a stranger, not led to the sign-in page."""
    return {**expected, "stranger": "401 401 401"}


# The admin leads from a row that is not there to its first page, with a sentence.
ROW_SEEN, ROW_MOVED = staff("302 200 200", "302 200 200"), staff(LOGIN, LOGIN)
ROW_KEPT = staff(NO, NO)
ACCOUNT, ACCOUNT_MOVED = staff(NO, "302 200 200"), staff(LOGIN, LOGIN)
ACCOUNT_PAST = staff(LOGIN, "302 200 200")


@dataclass(frozen=True)
class Address:
    """One way to ask at an address: which identifier goes into it, and what else does."""

    identifier: str
    expected: Expected
    fixed: Mapping[str, str] = field(default_factory=dict)
    method: str = "get"
    writers: tuple[str, ...] = CURATORS  # who may write there what they are shown there

    def ask(self, client: Client, url: str) -> Any:
        return getattr(client, self.method)(url)


def told(expected: Expected, status: str) -> Expected:
    """The same, where who is let in is told something else than 200."""
    return {who: statuses.replace("200", status) for who, statuses in expected.items()}


def of_words(of_projects: Expected, of_instruments: Expected, method: str = "get") -> tuple[Address, ...]:
    """An address of a record, for each word that leads to one."""
    words = {"project": "project", "dataset": "dataset", "files": "dataset", "run": "run"}
    found = [Address(kind, of_projects, {"word": word}, method, EDITORS) for word, kind in words.items()]
    return (*found, Address("instrument", of_instruments, {"word": "instrument"}, method, EDITORS))


REVISION = Address("run", SEEN, {"word": "revision-1"})
ROWS = ("project", "dataset", "file", "document", "instrument", "run", "changelog", "review", "bulkchange")
TABLE: dict[str, tuple[Address, ...]] = {
    "projects/<uuid:identifier>/": (Address("project", SEEN),),
    # Nothing is public in this world; what is, is asked for in tests/catalog/public.
    "id/dataset/<uuid:identifier>": (Address("dataset", PUBLIC),),
    "id/record/<uuid:identifier>": (Address("dataset", PUBLIC),),
    "id/file/<uuid:identifier>": (Address("file", PUBLIC),),
    "id/<slug:kind>/<uuid:identifier>": tuple(
        Address(kind, PUBLIC, {"kind": kind}) for kind in ("project", "run", "instrument")
    ),
    "datasets/<uuid:identifier>": (Address("dataset", told(SEEN, "302")),),
    "datasets/<uuid:identifier>.<str:suffix>": (Address("dataset", PUBLIC, {"suffix": "ttl"}),),
    "datasets/<uuid:identifier>/linkset": (Address("dataset", PUBLIC),),
    "dataobjects/<uuid:identifier>.<str:suffix>": (Address("run", PUBLIC, {"suffix": "ttl"}),),
    "projects/<uuid:identifier>/members/": (Address("project", SEEN),),
    "datasets/<uuid:identifier>/": (Address("dataset", SEEN),),
    "datasets/<uuid:identifier>/files/": (Address("dataset", SEEN),),
    "datasets/<uuid:identifier>/runs/": (Address("dataset", SEEN),),
    "datasets/<uuid:identifier>/publish/": (Address("dataset", SEEN),),
    "files/<uuid:identifier>/": (Address("file", SEEN),),
    "files/<uuid:identifier>/history/": (Address("file", SEEN),),
    "files/<uuid:identifier>/preview": (Address("picture", SEEN),),
    "runs/<uuid:identifier>/": (Address("run", SEEN),),
    "runs/<uuid:identifier>/revisions/<int:number>/": (Address("run", SEEN, {"number": "1"}),),
    "runs/<uuid:identifier>/revisions/<int:number>.json": (Address("run", SEEN, {"number": "1"}),),
    "instruments/<uuid:identifier>/": (Address("instrument", OPEN),),
    "history/<slug:word>/<uuid:identifier>/": (*of_words(SEEN, OPEN), REVISION),
    "history/<slug:word>/<uuid:identifier>/version/": (*of_words(SEEN, OPEN), REVISION),
    "history/<slug:word>/<uuid:identifier>/version.json": (*of_words(SEEN, OPEN), REVISION),
    "history/<slug:word>/<uuid:identifier>/differences/": (*of_words(SEEN, OPEN), REVISION),
    "history/<slug:word>/<uuid:identifier>/restore/": of_words(EDITED, SHARED),
    "history/<slug:word>/<uuid:identifier>/prov.jsonld": (*of_words(SEEN, OPEN), REVISION),
    "edit/<slug:word>/<uuid:identifier>/": of_words(EDITED, SHARED),
    "edit/<slug:word>/<uuid:identifier>/check": of_words(asked_aside(EDITED), asked_aside(SHARED), "post"),
    "edit/<slug:word>/<uuid:identifier>/keep": of_words(
        asked_aside(told(EDITED, "400")), asked_aside(told(SHARED, "400")), "post"
    ),
    "review/<slug:word>/<uuid:identifier>/": of_words(SEEN, OPEN),
    "datasets/<uuid:identifier>/runs/new/": (Address("dataset", EDITED, writers=EDITORS),),
    "runs/<uuid:identifier>/files/": (Address("run", EDITED, writers=EDITORS),),
    "runs/<uuid:identifier>/finalise/": (Address("run", told(EDITED, "409"), method="post", writers=EDITORS),),
    "admin/auth/user/<path:object_id>/": (Address("user_row", ACCOUNT_MOVED),),
    "admin/auth/user/<path:object_id>/change/": (Address("user_row", ACCOUNT),),
    "admin/auth/user/<path:object_id>/history/": (Address("user_row", ACCOUNT_PAST),),
    "admin/auth/user/<path:object_id>/delete/": (Address("user_row", ACCOUNT),),
    "admin/auth/user/<id>/password/": (Address("user_row", staff(NO, "404 200 200")),),
    # A plan is there for whoever made it: the first is the curator's, the second the administrator's.
    "admin/catalog/bulkchange/plan/<int:pk>/": (Address("plan", staff("404 200 404", "404 404 200")),),
    "admin/catalog/bulkchange/plan/<int:pk>/preview/": (Address("plan", staff("404 302 404", "404 404 302")),),
    "admin/catalog/bulkchange/<int:pk>/undo/": (Address("bulkchange_row", staff(*["404 302 302"] * 2), method="post"),),
    "admin/r/<path:content_type_id>/<path:object_id>/": (
        Address("project_row", staff(NOT_HERE, NOT_HERE), {"content_type_id": "project"}),
        Address("user_row", staff(NOT_HERE, NOT_HERE), {"content_type_id": "user"}),
    ),
}
_FORMS = ("project/project", "dataset/dataset", "dataset/files", "instrument/instrument", "run/run")
for _form in _FORMS:
    _kind = _form.partition("/")[0]
    TABLE[f"admin/catalog/{_form}/<uuid:identifier>/"] = (Address(_kind, staff(*["404 200 200"] * 2)),)
_CHANGE = dict.fromkeys(("project", "dataset", "instrument", "run"), staff(*["302 302+ 302+"] * 2))
_CHANGE |= dict.fromkeys(("review", "bulkchange"), staff(*["404 200 200"] * 2))
for _row in ROWS:
    TABLE |= {
        f"admin/catalog/{_row}/<path:object_id>/": (Address(f"{_row}_row", ROW_MOVED),),
        f"admin/catalog/{_row}/<path:object_id>/change/": (Address(f"{_row}_row", _CHANGE.get(_row, ROW_SEEN)),),
        f"admin/catalog/{_row}/<path:object_id>/history/": (Address(f"{_row}_row", ROW_SEEN),),
        f"admin/catalog/{_row}/<path:object_id>/delete/": (Address(f"{_row}_row", ROW_KEPT),),
    }
# What varies in these is no identifier.
WITHOUT = {
    "admin/^(?P<app_label>auth|catalog)/$",
    "admin/(?P<url>.*)$",
    "suggest/<slug:kind>/",
    "contexts/<slug:name>/<str:version>.jsonld",
    "schemas/<slug:name>/<str:version>",
    "admin/catalog/bulkchange/import/<slug:word>/",
}


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every address of the service, as it is written in the lists of addresses."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def test_every_address_that_takes_an_identifier_stands_in_the_table() -> None:
    takes_one = {route for route in routes() if re.search(r"<|\(\?P", route)}
    missing = takes_one - WITHOUT - set(TABLE)
    assert missing == set(), "say in TABLE who may ask there, and what they are answered"
    assert set(TABLE) - takes_one == set(), "these addresses are gone"


# --- one world for all addresses --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A world that is made once: asking at a hundred addresses needs no hundred of them."""
    base = tmp_path_factory.mktemp("rights")
    root, state = base / "data", base / "state"
    root.mkdir()
    state.mkdir()
    own = {
        "MONITOR_PATHS": (root,),
        "FAIRFOLDER_STATE_DIR": state,
        "ENGINE": replace(settings.ENGINE, state_dir=state),
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    }
    with override_settings(**own):
        with django_db_blocker.unblock():
            found = populated(Tree(root))
        yield found
        with django_db_blocker.unblock():
            call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def same_world(built: World, db: None) -> Iterator[World]:
    """That world as it was made: its rows come back by themselves, its files must not have changed."""
    before = _files(built.tree)
    people = {}
    for who, client in built.people.items():
        people[who] = Client()
        people[who].handler = client.handler  # to load the middleware anew takes longer than the test
        people[who].cookies = copy.deepcopy(client.cookies)
    yield replace(built, people=people)
    assert _files(built.tree) == before


def _files(tree: Tree) -> dict[str, bytes]:
    """All but the empty files that the store locks."""
    return {str(p): p.read_bytes() for p in sorted(tree.root.rglob("*")) if p.is_file() and p.name != ".lock"}


# --- what everyone is answered ----------------------------------------------------------------------------------


def asked(world: World, route: str, address: Address) -> tuple[str, str, str]:
    """The three addresses to ask at."""
    absent, alpha, beta = (_filled(route, address, each) for each in world.ids[address.identifier])
    return absent, alpha, beta


def _filled(route: str, address: Address, value: str) -> str:
    def fill(match: re.Match[str]) -> str:
        fixed = address.fixed.get(match[1])
        if match[1] == "content_type_id" and fixed is not None:
            model = User if fixed == "user" else Project
            return str(ContentType.objects.get_for_model(model).pk)
        return value if fixed is None else fixed

    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", fill, route)


@pytest.mark.parametrize("route", sorted(TABLE))
def test_everyone_is_answered_as_the_table_says(same_world: World, route: str) -> None:
    for address in TABLE[route]:
        urls = asked(same_world, route, address)
        told = {who: [(url, address.ask(same_world.people[who], url)) for url in urls] for who in PEOPLE}
        statuses = {who: " ".join(str(answer.status_code) for _, answer in answers) for who, answers in told.items()}
        assert statuses == {who: expected.replace("+", "") for who, expected in address.expected.items()}
        for who, ((absent, nothing), *others) in told.items():
            for url, answer in others:
                if is_shut(address, who, urls.index(url)):
                    assert _blurred(answer, url) == _blurred(nothing, absent), (who, url)


def is_shut(address: Address, who: str, number: int) -> bool:
    """Whether one of the three is to be answered like what is not there."""
    statuses = address.expected[who].split()
    return statuses[number] == statuses[0]


def _blurred(answer: HttpResponse, url: str) -> tuple[int, str, str]:
    """An answer without what may differ: the identifier that was asked for, and the tokens of forms."""
    value = (re.findall(r"[0-9a-f-]{36}", url) or re.findall(r"\d+", url))[-1]
    # What follows "r" is the number of a kind of row, which may be the same by chance.
    own = f"(?<!/r/)(?<=/){value}(?=[/.]|$)|(?<!%2Fr%2F)(?<=%2F){value}(?=%2F)"
    return answer.status_code, re.sub(own, "…", _without_tokens(answer)), re.sub(own, "…", answer.get("Location", ""))


def _without_tokens(answer: HttpResponse) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())


# --- who writes -------------------------------------------------------------------------------------------------

POSTED = {
    "account": "outsider",
    "role": "researcher",
    "project_title": "taken",
    "dataset_title": "taken",
    "name": "taken",
    "username": "taken",
    "password1": "a fine new password",
    "password2": "a fine new password",
    "post": "yes",
}
DOINGS = (
    "save",
    "complete",
    "draft",
    "add",
    "set",
    "remove",
    "discard",
    "start",
    "send",
    "accept",
    "return",
    "publish",
    "withdraw",
)


@pytest.mark.parametrize("route", sorted(TABLE))
def test_nobody_writes_without_the_right(same_world: World, route: str) -> None:
    before = everything(same_world.tree)
    for address in TABLE[route]:
        urls = asked(same_world, route, address)
        for who in PEOPLE:
            for do in DOINGS if who != "stranger" else DOINGS[:1]:
                posted = {**POSTED, "do": do}
                nothing = _blurred(same_world.people[who].post(urls[0], posted), urls[0])
                for number, url in enumerate(urls[1:], 1):
                    if is_shut(address, who, number):  # told the same, too
                        assert _blurred(same_world.people[who].post(url, posted), url) == nothing, (who, url, do)
                    elif who not in address.writers:
                        assert same_world.people[who].post(url, posted).status_code < 500, (who, url, do)
    assert everything(same_world.tree) == before
