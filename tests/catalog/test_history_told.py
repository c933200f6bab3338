"""What a history tells to whom: nobody reads names of records that are not theirs, nor places of the server."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog import index
from ingest import documents
from ingest.provenance.git import GitError
from tests.catalog.everyone import World
from tests.catalog.hostile import see
from tests.catalog.recorded import Past
from tests.catalog.tree import identifier

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = identifier("dataset", "p_Alpha/plate")
LIST = f"/history/dataset/{NUMBER}/"
SEE_ALL = ("viewer", "curator", "administrator")


def change(world: World, subject: str, title: str, **trailers: str) -> str:
    path = world.tree.document("p_Alpha/plate", documents.ADMINISTRATIVE)
    world.tree.edit(path, {"dataset_title": title})
    past = Past(world.tree.root, made=len(title))
    return past.commit(subject, **trailers)


def everywhere(client: Client, at: str) -> str:
    """All that the pages and the trail tell of a version."""
    before = f"{LIST}differences/?from={at}&to={at}"
    told = [see(client, each).words for each in (LIST, f"{LIST}version/?at={at}", before)]
    return " ".join([*told, client.get(f"{LIST}prov.jsonld").content.decode()])


def test_an_action_on_records_of_others_is_told_without_their_names(world: World) -> None:
    at = change(world, "Set the licence of plate and hushed", "x", Trigger="bulk", Reason="hushed is sold",
                Project="p_Alpha, p_Beta", Dataset="p_Alpha/plate, p_Beta/hushed")  # fmt: skip
    for who in SEE_ALL:
        assert everywhere(world.people[who], at).count("hushed is sold") == 3, who  # the comparison has no reason
    told = everywhere(world.people["researcher"], at)
    assert "hushed" not in told
    assert "p_Beta" not in told
    assert told.count("A change of several records at once") >= 3
    assert "Dataset title: nothing → x" in told  # what it changed here is theirs to see


def test_an_action_on_ones_own_records_is_told_as_it_was(world: World) -> None:
    alone = change(world, "Change plate", "x", Reason="Mine alone", Project="p_Alpha", Dataset="p_Alpha/plate")
    several = change(world, "Change plate and other", "xx", Reason="Of both", Trigger="bulk",
                     Project="p_Alpha", Dataset="p_Alpha/plate, p_Alpha/other")  # fmt: skip
    told = everywhere(world.people["researcher"], alone) + everywhere(world.people["researcher"], several)
    for words in ("Change plate", "Mine alone", "Change plate and other", "Of both"):
        assert words in told, words


def test_a_name_counts_for_the_project_that_had_it_then(world: World) -> None:
    """The project that is called p_Beta now is not the one whose dataset an older action names."""
    at = change(world, "Change plate and hushed", "x", Project="p_Alpha, p_Gone", Dataset="p_Gone/hushed")
    alpha = identifier("project", "p_Alpha")
    index.refresh([world.tree.register("project", alpha, "p_Gone", 500)])
    change(world, "Follow the project", "xx", Project="p_Gone")
    assert "hushed" not in everywhere(world.people["researcher"], at)


@pytest.mark.parametrize("names", ["", "p_Alpha, p_Bet…", "../p_Alpha", "p_Alpha\\, p_Beta"])
def test_where_it_is_not_sure_whose_records_are_named_nothing_is(world: World, names: str) -> None:
    at = change(world, "Change hushed", "x", Reason="hushed", **({"Project": names} if names else {}))
    assert "hushed" not in everywhere(world.people["researcher"], at)
    assert "hushed" in everywhere(world.people["curator"], at)


def test_a_backslash_is_shown_as_it_was_written(world: World) -> None:
    at = change(world, "Change plate", "x", Reason=r"From C:\\data\\new, not \\\\server",
                Project="p_Alpha", Dataset="p_Alpha/plate")  # fmt: skip
    for who in ("researcher", "curator"):
        assert r"Why: From C:\data\new, not \\server" in see(world.people[who], LIST).words
        assert r"From C:\data\new, not \\server" in see(world.people[who], f"{LIST}version/?at={at}").words


SECRET = "dubious ownership in /srv/secret; mend it with: git config --add safe.directory /srv/secret"


@pytest.mark.parametrize("page", [LIST, f"{LIST}version/", f"/files/{identifier('file', 'Alpha.csv')}/history/"])
def test_why_git_cannot_be_read_is_for_those_who_look_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    def refused(*asked: object, **more: object) -> None:
        raise GitError(SECRET)

    monkeypatch.setattr("catalog.history.past.trails.versions", refused)
    for who, is_told in (("viewer", False), ("researcher", False), ("curator", True), ("administrator", True)):
        answer = world.people[who].get(page).content.decode()
        assert ("/srv/secret" in answer) is is_told, who
        assert "cannot be read now" in answer, who
        assert "administrator" in answer or is_told, who


def test_a_command_for_the_server_is_for_those_who_look_after_it(world: World) -> None:
    first = change(world, "Change plate", "x")
    path = world.tree.document("p_Alpha/plate", documents.ADMINISTRATIVE)
    past = Past(world.tree.root, 1)
    for number in range(22):  # nothing that can be read is among the newest versions
        path.write_bytes(b"{ broken %d" % number)
        past.commit("Record changes made on disk", by="filesystem")
    for who, is_told in (("researcher", False), ("curator", True)):
        page = see(world.people[who], f"{LIST}restore/?at={first}", 409).words
        assert (str(world.tree.root) in page, "cannot be read" in page) == (is_told, True), who
