"""Who may what: every address with an identifier in it, asked by everyone, for what is theirs, another's and nobody's.

An address of the service that is not in ``TABLE`` (or in ``WITHOUT``) fails the first test. To add one: say which
identifier it takes (a key of ``Ids``, and the fixed parts of the address), and which of the expectations below holds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from catalog import accounts, index, rights
from catalog.models import ChangeLog, Dataset, Document, File, Instrument, Project, Run
from catalog.models.people import Membership, Profile
from catalog.models.work import BulkChange, PlannedChange, Review
from ingest import documents, revisions
from tests.catalog.hostile import see
from tests.catalog.tree import AUDIT, Tree, entry, identifier, put

pytestmark = pytest.mark.django_db(transaction=True)

# --- the table --------------------------------------------------------------------------------------------------

PEOPLE = ("stranger", "outsider", "viewer", "researcher", "curator", "administrator")
# Who → status for an absent identifier, for that of p_Alpha's, for that of p_Beta's; + where the answer is another one
# than for what is absent, although its status is the same.
Expected = Mapping[str, str]

# The outsider is a member who is a researcher of p_Beta, the researcher a member who is one of p_Alpha.
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
OPEN: Expected = {"stranger": LOGIN, **dict.fromkeys(PEOPLE[1:], "404 200 200")}
CURATORS, EDITORS = ("curator", "administrator"), ("outsider", "researcher", "curator", "administrator")


def staff(curator: str, administrator: str) -> Expected:
    """An address of the admin, which lets nobody in but curators and administrators."""
    others = dict.fromkeys(("outsider", "viewer", "researcher"), NO)
    return {"stranger": LOGIN, **others, "curator": curator, "administrator": administrator}


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


ROWS = ("project", "dataset", "file", "document", "instrument", "run", "changelog", "review", "bulkchange")
TABLE: dict[str, tuple[Address, ...]] = {
    "projects/<uuid:identifier>/": (Address("project", SEEN),),
    "projects/<uuid:identifier>/members/": (Address("project", SEEN),),
    "datasets/<uuid:identifier>/": (Address("dataset", SEEN),),
    "datasets/<uuid:identifier>/files/": (Address("dataset", SEEN),),
    "files/<uuid:identifier>/": (Address("file", SEEN),),
    "files/<uuid:identifier>/preview": (Address("picture", SEEN),),
    "runs/<uuid:identifier>/": (Address("run", SEEN),),
    "runs/<uuid:identifier>/revisions/<int:number>/": (Address("run", SEEN, {"number": "1"}),),
    "runs/<uuid:identifier>/revisions/<int:number>.json": (Address("run", SEEN, {"number": "1"}),),
    "instruments/<uuid:identifier>/": (Address("instrument", OPEN),),
    "edit/<slug:word>/<uuid:identifier>/": of_words(EDITED, SHARED),
    "edit/<slug:word>/<uuid:identifier>/check": of_words(EDITED, SHARED, "post"),
    "edit/<slug:word>/<uuid:identifier>/keep": of_words(told(EDITED, "400"), told(SHARED, "400"), "post"),
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


# --- the world --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Two projects with everything in them, and everyone who may ask; `ids` by kind: absent, p_Alpha's, p_Beta's."""

    tree: Tree
    people: Mapping[str, Client]
    users: Mapping[str, User]
    ids: Mapping[str, tuple[str, str, str]]

    def asked(self, route: str, address: Address) -> tuple[str, str, str]:
        """The three addresses to ask at."""
        return tuple(_filled(route, address, each) for each in self.ids[address.identifier])  # type: ignore[return-value]


def _filled(route: str, address: Address, value: str) -> str:
    def fill(match: re.Match[str]) -> str:
        fixed = address.fixed.get(match[1])
        if match[1] == "content_type_id" and fixed is not None:
            model = User if fixed == "user" else Project
            return str(_content_type(model))
        return value if fixed is None else fixed

    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", fill, route)


def _content_type(model: Any) -> int:
    from django.contrib.contenttypes.models import ContentType

    return int(ContentType.objects.get_for_model(model).pk)


@pytest.fixture
def world(tree: Tree) -> World:
    for number, letter in enumerate(("Alpha", "Beta")):
        folder = f"p_{letter}"
        tree.project(folder, 1 + 10 * number, project_title=f"{letter}-secret")
        picture = tree.root / folder / "plate" / f"{letter}.png"
        picture.parent.mkdir()
        Image.new("RGB", (40, 30), "teal").save(picture)
        written = datetime.fromisoformat(entry("x")["modified_utc"]).timestamp()
        os.utime(picture, (written, written))
        entries = [entry(f"{letter}.csv"), entry(picture.name, picture.stat().st_size, "image/png")]
        dataset = tree.dataset(f"{folder}/plate", entries, 2 + 10 * number)
        run = identifier("run", letter)
        value = {**documents.experiment_template(run, "run_1", dataset, "en"), **AUDIT}
        document = put(documents.run_document(tree.root, f"{folder}/plate", "run_1"), value)
        revision = {"data_object_identifier": revisions.data_object(run), "revision": 1}
        put(document.with_name(revisions.revision_name("run_1", 1)), revision)
        instrument = identifier("instrument", letter)
        slug = f"scope-{letter.lower()}"
        put(
            documents.instrument_document(tree.root, slug), {**documents.instrument_template(instrument, "en"), **AUDIT}
        )
    index.refresh(tree.documents())
    users = _people()
    for name in ("curator", "administrator"):
        PlannedChange.objects.create(
            made_by=users[name], word="project", identifiers=[identifier("project", "p_Alpha")]
        )
        BulkChange.objects.create(made_by=users[name], words="nothing", changes=[])
    for folder in ("p_Alpha", "p_Beta"):
        number = identifier("project", folder)
        Review.objects.create(kind=documents.PROJECT, identifier=number, project_identifier=number, etag="x")
    clients = {"stranger": Client()}
    for name, user in users.items():
        clients[name] = Client()
        clients[name].force_login(user)
    return World(tree, clients, users, _ids(users))


def _people() -> dict[str, User]:
    roles = ("member", "viewer", "member", "curator", "admin")
    users = {}
    for name, role in zip(PEOPLE[1:], roles, strict=True):
        accounts.add(name, role)
        users[name] = accounts.named(name)
    accounts.join(users["outsider"], identifier("project", "p_Beta"), "researcher")
    accounts.join(users["researcher"], identifier("project", "p_Alpha"), "researcher")
    return {name: accounts.named(name) for name in users}


def _ids(users: Mapping[str, User]) -> dict[str, tuple[str, str, str]]:
    absent = identifier("absent")
    alpha, beta = "p_Alpha", "p_Beta"
    ids = {
        "project": (absent, identifier("project", alpha), identifier("project", beta)),
        "dataset": (absent, identifier("dataset", f"{alpha}/plate"), identifier("dataset", f"{beta}/plate")),
        "file": (absent, identifier("file", "Alpha.csv"), identifier("file", "Beta.csv")),
        "picture": (absent, identifier("file", "Alpha.png"), identifier("file", "Beta.png")),
        "run": (absent, identifier("run", "Alpha"), identifier("run", "Beta")),
        "instrument": (absent, identifier("instrument", "Alpha"), identifier("instrument", "Beta")),
        "user_row": ("987654", str(users["researcher"].pk), str(users["outsider"].pk)),
    }
    ids["plan"] = ("987654", *map(str, PlannedChange.objects.order_by("pk").values_list("pk", flat=True)))  # type: ignore[assignment]
    for model in (Project, Dataset, File, Document, Instrument, Run, ChangeLog, Review, BulkChange):
        first, second = model._default_manager.order_by("pk").values_list("pk", flat=True)[:2]
        ids[f"{model._meta.model_name}_row"] = ("987654", str(first), str(second))
    return ids


# --- what everyone is answered ----------------------------------------------------------------------------------


@pytest.mark.parametrize("route", sorted(TABLE))
def test_everyone_is_answered_as_the_table_says(world: World, route: str) -> None:
    for address in TABLE[route]:
        urls = world.asked(route, address)
        told = {who: " ".join(str(address.ask(world.people[who], url).status_code) for url in urls) for who in PEOPLE}
        assert told == {who: expected.replace("+", "") for who, expected in address.expected.items()}


@pytest.mark.parametrize("route", sorted(TABLE))
def test_what_one_may_not_see_is_answered_like_what_is_not_there(world: World, route: str) -> None:
    for address in TABLE[route]:
        absent, *others = world.asked(route, address)
        for who in PEOPLE:
            nothing, *statuses = address.expected[who].split()
            expected = _blurred(address.ask(world.people[who], absent), absent)
            for url, status in zip(others, statuses, strict=True):
                if status == nothing:
                    assert _blurred(address.ask(world.people[who], url), url) == expected, (who, url)


def _blurred(answer: HttpResponse, url: str) -> tuple[int, str, str]:
    """An answer without what may differ: the identifier that was asked for, and the tokens of forms."""
    value = (re.findall(r"[0-9a-f-]{36}", url) or re.findall(r"\d+", url))[-1]
    own = f"(?<=/){value}(?=/)|(?<=%2F){value}(?=%2F)"
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
DOINGS = ("save", "complete", "draft", "add", "set", "remove", "discard", "start", "send", "accept", "return")


def everything(tree: Tree) -> dict[str, Any]:
    """Every file below the root and every row of the service, sessions left out."""
    found: dict[str, Any] = {str(p): p.read_bytes() for p in sorted(tree.root.rglob("*")) if p.is_file()}
    for model in apps.get_models():
        if model is not Session and model._meta.managed:
            found[model._meta.label] = list(model._default_manager.order_by("pk").values())
    return found


@pytest.mark.parametrize("route", sorted(TABLE))
def test_nobody_writes_without_the_right(world: World, route: str) -> None:
    before = everything(world.tree)
    for address in TABLE[route]:
        for who, urls in _not_theirs(world, route, address):
            for url in urls:
                for do in DOINGS:
                    answer = world.people[who].post(url, {**POSTED, "do": do})
                    assert answer.status_code < 500, (who, url, do)
    assert everything(world.tree) == before


def _not_theirs(world: World, route: str, address: Address) -> Iterator[tuple[str, list[str]]]:
    """Where no post of someone may succeed: everywhere, or for those who may write, where they are not let in."""
    urls = world.asked(route, address)
    for who in PEOPLE:
        absent, *others = address.expected[who].split()
        shut = [url for url, status in zip(urls[1:], others, strict=True) if status == absent]
        yield who, [urls[0], *shut] if who in address.writers else list(urls)


def test_a_post_without_its_token_is_refused_everywhere(world: World) -> None:
    before = everything(world.tree)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.users["administrator"])
    before["auth.User"] = everything(world.tree)["auth.User"]  # signing in was noted
    for route, addresses in TABLE.items():
        for address in addresses:
            for url in world.asked(route, address):
                assert strict.post(url, {**POSTED, "do": "add"}).status_code in (403, 404, 405), url
    assert everything(world.tree) == before


# --- the predicate itself ---------------------------------------------------------------------------------------


def test_rows_and_predicate_agree_for_everyone(world: World) -> None:
    for user in world.users.values():
        may = rights.of(user)
        projects = [row.identifier for row in Project.objects.all() if may.sees(row.identifier)]
        datasets = [row for row in Dataset.objects.all() if may.sees(row.project_identifier)]
        assert sorted(may.projects().values_list("identifier", flat=True)) == sorted(projects)
        assert sorted(may.datasets().values_list("pk", flat=True)) == sorted(row.pk for row in datasets)
        files = File.objects.filter(dataset__in=datasets)
        assert sorted(may.files().values_list("pk", flat=True)) == sorted(files.values_list("pk", flat=True))
        runs = Run.objects.filter(dataset_identifier__in=[row.identifier for row in datasets])
        assert sorted(may.runs().values_list("pk", flat=True)) == sorted(runs.values_list("pk", flat=True))


def test_what_belongs_to_no_known_project_is_for_those_who_see_all(world: World) -> None:
    Dataset.objects.update(project_identifier="")
    Membership.objects.create(user=world.users["outsider"], project_identifier="")
    assert [rights.of(world.users[who]).datasets().count() for who in ("outsider", "viewer")] == [0, 2]


def test_a_closed_account_and_a_stranger_may_nothing(world: World) -> None:
    accounts.add("second", "admin")
    accounts.allow("administrator", allowed=False)
    assert rights.of(accounts.named("administrator")) == rights.NOBODY
    assert world.people["administrator"].get("/").status_code == 302
    assert rights.NOBODY.projects().count() == 0


def test_an_account_without_a_profile_is_a_viewer(world: World) -> None:
    Profile.objects.filter(user=world.users["outsider"]).delete()
    assert rights.of(world.users["outsider"]).role == "viewer"


def test_rights_are_read_once_for_a_request(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    request: HttpRequest = RequestFactory().get("/")
    request.user = world.users["outsider"]
    with django_assert_num_queries(2):
        assert rights.of_request(request) is rights.of_request(request)


# --- lists, counts and answers ----------------------------------------------------------------------------------


def test_lists_and_counts_hold_what_one_may_see(world: World) -> None:
    for who, ours, theirs in (("researcher", "Alpha", "Beta"), ("outsider", "Beta", "Alpha")):
        client = world.people[who]
        for address in ("/", "/?name=secret", "/?state=present"):
            words = see(client, address).words
            assert (f"{ours}-secret" in words, f"{theirs}-secret" in words, "1 project" in words) == (True, False, True)
        assert "No project fits" in see(client, f"/?name={theirs}").words
    assert "2 projects" in see(world.people["viewer"], "/").words


def test_a_member_of_no_project_is_told_so(world: World) -> None:
    accounts.add("newcomer", "member")
    client = Client()
    client.force_login(accounts.named("newcomer"))
    words = see(client, "/").words
    assert "You belong to no project yet" in words
    assert "Nothing is described yet" not in words


def test_the_status_page_is_for_those_who_see_all(world: World) -> None:
    assert "Status" not in see(world.people["researcher"], "/").words.split("Projects", 2)[1].split("Why")[0]
    words = see(world.people["researcher"], "/status/", 403).words
    assert "those who see every project" in words
    assert "Beta" not in words
    see(world.people["viewer"], "/status/")


@pytest.mark.parametrize(
    "name",
    [
        "plate/Beta.csv",
        "plate",
        "plate/.metadata/dataset_structural.json",
        "",
        ".metadata",
        "x/../plate",
        "plate/nothing",
    ],
)
def test_why_tells_nothing_of_a_project_that_one_may_not_see(world: World, name: str) -> None:
    (world.tree.root / "p_Beta" / "plate" / "Beta.csv").write_text("x")
    told = {}
    for folder in ("p_Beta", "p_Nowhere"):
        for before in ("", f"{world.tree.root}/", "data/", "file://" + f"{world.tree.root}/"):
            path = f"{before}{folder}/{name}"
            answer = world.people["researcher"].get("/why/", {"path": path})
            told[folder, before] = (answer.status_code, _without_tokens(answer).replace(folder, "…"))
    for (folder, before), answer in told.items():
        assert answer == told["p_Nowhere", before], (folder, before)
    assert "in your projects" in told["p_Beta", ""][1]


def test_why_tells_everything_of_a_project_that_one_may_see(world: World) -> None:
    mine, theirs = "/why/?path=p_Alpha/plate", "/why/?path=p_Beta/plate"
    assert "in your projects" not in see(world.people["researcher"], mine).words
    assert "in your projects" not in see(world.people["viewer"], theirs).words
    assert "in your projects" in see(world.people["researcher"], "/why/?path=p_Alpha/../p_Beta/plate").words


def test_nothing_of_another_project_is_suggested_or_listed_with_an_instrument(world: World) -> None:
    investigator = {"@type": "Person", "name": "Beatrice Secret"}
    path = documents.project_document(world.tree.root, "p_Beta")
    world.tree.edit(path, {"principal_investigator": investigator})
    shared = identifier("instrument", "Alpha")
    run = documents.run_document(world.tree.root, "p_Beta/plate", "run_1")
    world.tree.edit(run, {"instruments_used": [shared], "experiment_name": "Beta-secret run"})
    index.refresh([path, run])
    for who, told_ in (("researcher", False), ("outsider", True), ("viewer", True)):
        client = world.people[who]
        assert ("Beatrice" in client.get("/suggest/people/?q=b").content.decode()) is told_
        assert ("Beta-secret run" in client.get(f"/instruments/{shared}/").content.decode()) is told_


# --- members ----------------------------------------------------------------------------------------------------


def _members(identifier_: str) -> list[tuple[str, str]]:
    rows = Membership.objects.filter(project_identifier=identifier_).order_by("user__username")
    return list(rows.values_list("user__username", "role"))


@pytest.mark.parametrize("who", ["curator", "administrator"])
def test_curators_add_change_and_remove_people(world: World, who: str) -> None:
    number = identifier("project", "p_Alpha")
    address, client = f"/projects/{number}/members/", world.people[who]
    answer = client.post(address, {"do": "add", "account": "outsider", "role": "viewer"}, follow=True)
    assert "outsider is viewer of this project now." in answer.content.decode()
    assert _members(number) == [("outsider", "viewer"), ("researcher", "researcher")]
    assert world.people["outsider"].get(f"/projects/{number}/").status_code == 200
    client.post(address, {"do": "set", "account": "outsider", "role": "researcher"})
    assert _members(number) == [("outsider", "researcher"), ("researcher", "researcher")]
    client.post(address, {"do": "remove", "account": "outsider"})
    assert _members(number) == [("researcher", "researcher")]
    assert world.people["outsider"].get(f"/projects/{number}/").status_code == 404


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({"do": "add", "account": "nobody", "role": "viewer"}, "nobody"),
        ({"do": "add", "account": "viewer", "role": "king"}, "king"),
        ({"do": "add", "account": "viewer"}, "role"),
        ({"do": "remove", "account": "viewer"}, "no part"),
        ({"do": "add", "account": "a\0b", "role": "viewer"}, "ab"),
        ({}, "no user"),
    ],
)
def test_a_change_of_members_that_cannot_be_is_told(world: World, posted: dict[str, str], told: str) -> None:
    number = identifier("project", "p_Alpha")
    answer = world.people["curator"].post(f"/projects/{number}/members/", posted)
    assert (answer.status_code, told in answer.content.decode()) == (400, True)
    assert _members(number) == [("researcher", "researcher")]


def test_others_see_the_names_only(world: World) -> None:
    Profile.objects.filter(user=world.users["researcher"]).update(name="Rosalind F.", email="r@example.org")
    address = f"/projects/{identifier('project', 'p_Alpha')}/members/"
    words = see(world.people["viewer"], address).words
    assert ("Rosalind F." in words, "r@example.org" in words, "researcher researcher" in words) == (True, False, False)
    assert world.people["viewer"].post(address, {"do": "remove", "account": "researcher"}).status_code == 403
    assert address in world.people["viewer"].get(address.removesuffix("members/")).content.decode()


# --- roles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "flags"),
    [
        ("member", (False, False)),
        ("viewer", (False, False)),
        ("curator", (True, False)),
        ("admin", (True, True)),
    ],
)
def test_the_role_decides_who_the_admin_lets_in(world: World, role: str, flags: tuple[bool, bool]) -> None:
    user = world.users["viewer"]
    accounts.set_role(user, role)
    fresh = accounts.named("viewer")
    assert ((fresh.is_staff, fresh.is_superuser), accounts.role_of(fresh)) == (flags, role)
    assert world.people["viewer"].get("/admin/").status_code == (200 if flags[0] else 403)


def test_accounts_from_before_there_were_roles_keep_what_they_could(world: World) -> None:
    User.objects.create_user("old_staff", is_staff=True)
    User.objects.create_user("old_reader")
    import_module("catalog.migrations.0004_staff_are_curators").give_roles(apps, None)
    assert [accounts.role_of(accounts.named(name)) for name in ("old_staff", "old_reader")] == ["curator", "viewer"]


def test_the_last_administrator_stays_one(world: World) -> None:
    with pytest.raises(accounts.AccountError, match="last administrator"):
        accounts.set_role(world.users["administrator"], "curator")
    address = f"/admin/auth/user/{world.users['administrator'].pk}/"
    client = world.people["administrator"]
    form = {"username": "administrator", "role": "viewer", "is_active": "on", **_no_parts()}
    assert "last administrator" in client.post(f"{address}change/", form).content.decode()
    assert client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": "1", "post": "yes"})
    assert accounts.role_of(accounts.named("administrator")) == "admin"


def _no_parts(**more: str) -> dict[str, str]:
    return {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0", **more}


def test_administrators_give_roles_and_parts_in_the_admin(world: World) -> None:
    client, project = world.people["administrator"], identifier("project", "p_Alpha")
    fresh = {"username": "grace", "usable_password": "true", "role": "curator"}
    fresh |= dict.fromkeys(("password1", "password2"), "a fine new password")
    assert client.post("/admin/auth/user/add/", fresh).status_code == 302
    grace = accounts.named("grace")
    assert (accounts.role_of(grace), grace.is_staff) == ("curator", True)
    part = {"memberships-0-project_identifier": project, "memberships-0-role": "viewer"}
    form = {
        "username": "grace",
        "role": "member",
        "is_active": "on",
        **_no_parts(**part),
        "memberships-TOTAL_FORMS": "1",
    }
    assert client.post(f"/admin/auth/user/{grace.pk}/change/", form).status_code == 302
    assert rights.of(accounts.named("grace")) == rights.Rights("member", False, {project: "viewer"})
    assert accounts.named("grace").is_staff is False


def test_curators_see_the_index_and_no_accounts(world: World) -> None:
    html = world.people["curator"].get("/admin/").content.decode()
    assert "/admin/catalog/project/" in html
    assert "/admin/auth/" not in html
    assert world.people["curator"].get("/admin/auth/user/").status_code == 403
    assert world.people["curator"].get("/admin/auth/user/add/").status_code == 403
    asked = "/admin/autocomplete/?app_label=catalog&model_name=membership&field_name=user&term=a"
    assert world.people["curator"].get(asked).status_code == 403
    for model in ("user", "group", "totpdevice", "statictoken", "accessattempt"):
        assert f"/{model}/add/" not in world.people["administrator"].get("/admin/").content.decode() or model == "user"
