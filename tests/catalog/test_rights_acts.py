"""The predicate of rights itself, and what is refused to everyone.

Beside ``test_rights``, whose world lives as long as its module: these tests make their own.
"""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from catalog import accounts, index, rights
from catalog.models import Dataset, File, Project, Run
from catalog.models.people import Membership, Profile
from ingest import documents
from tests.catalog.everyone import World, everything
from tests.catalog.hostile import see
from tests.catalog.test_rights import POSTED, TABLE, asked
from tests.catalog.tree import identifier

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_post_without_its_token_is_refused_everywhere(world: World) -> None:
    before = everything(world.tree)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.users["administrator"])
    before["auth.User"] = everything(world.tree)["auth.User"]  # signing in was noted
    for route, addresses in TABLE.items():
        for address in addresses:
            for url in asked(world, route, address):
                assert strict.post(url, {**POSTED, "do": "add"}).status_code in (403, 404, 405), url
    assert everything(world.tree) == before


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


def test_a_run_is_for_those_of_the_folder_it_stands_in_whatever_it_names(world: World) -> None:
    named, run = identifier("dataset", "p_Alpha/plate"), identifier("run", "Beta")
    document = documents.run_document(world.tree.root, "p_Beta/plate", "run_1")
    index.refresh([world.tree.edit(document, {"dataset_identifier": named})])
    for who, status in (("researcher", 404), ("outsider", 200)):
        for url in (f"/edit/run/{run}/", f"/runs/{run}/", f"/runs/{run}/files/"):
            assert world.people[who].get(url).status_code == status, (who, url)
    page = see(world.people["outsider"], f"/runs/{run}/").words
    assert f"Write {identifier('dataset', 'p_Beta/plate')} as its dataset_identifier" in page


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
