"""What forms offer from the records themselves: people, instruments, files, and values of the record above."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from pytest_django import DjangoAssertNumQueries

from catalog import index, rights
from catalog.editing import targets
from catalog.editing.guided import agents, data_files, inherited, instruments, people
from catalog.editing.guided.agents import Mention
from catalog.editing.guided.inherited import Offer
from catalog.models import Membership, Profile
from catalog.models.people import Role
from ingest import blanks, documents
from tests.catalog.tree import AUDIT, Tree, entry, identifier, put

pytestmark = pytest.mark.django_db

ORCID = "https://orcid.org/0000-0002-1825-0097"
OTHER_ORCID = "https://orcid.org/0000-0002-1694-233X"
ROR = "https://ror.org/05gq02987"
BROWN = {"@id": ROR, "@type": "Organization", "name": "Brown University", "ror": ROR}
JOSIAH = {"@id": ORCID, "@type": "Person", "name": "Josiah Carberry", "orcid": ORCID, "affiliations": [BROWN]}
ADA = {"@id": "urn:uuid:" + identifier("ada"), "@type": "Person", "name": "Ada Okafor", "email": "ada@example.org"}
ALL = rights.Rights(Role.CURATOR)


def of_project(*identifiers: str) -> rights.Rights:
    return rights.Rights(Role.MEMBER, False, dict.fromkeys(identifiers, "viewer"))


def labels(by: rights.Rights, query: str = "", **more: Any) -> list[str]:
    return [each.label for each in people.known(by, query, **more)]


def put_instrument(tree: Tree, slug: str, **fields: Any) -> str:
    number = identifier("instrument", slug)
    value = {**blanks.instrument_template(number, "en"), **fields, **AUDIT}
    put(documents.instrument_document(tree.root, slug), value)
    return number


def put_run(tree: Tree, folder: str, label: str, **fields: Any) -> str:
    number = identifier("run", folder, label)
    template = blanks.experiment_template(number, label, identifier("dataset", folder), "en")
    put(documents.run_document(tree.root, folder, label), {**template, **fields, **AUDIT})
    return number


# --- people -------------------------------------------------------------------------------------------------------


def test_people_of_every_kind_of_record_are_known_once_with_their_identity(tree: Tree) -> None:
    tree.project(principal_investigator=JOSIAH, institution=BROWN)
    tree.dataset(creators=[JOSIAH, ADA], contributors=[{"agent": ADA, "role": "DataCurator"}])
    put_run(tree, "p_Alpha/plate_1", "r1", experimenters=[{"@type": "Person", "name": "Run Ner"}])
    put_instrument(tree, "scope", manufacturers=[{"@type": "Organization", "name": "Lens Works"}])
    index.refresh(tree.documents())
    assert labels(ALL) == [
        "Ada Okafor · ada@example.org",
        "Brown University · 05gq02987",
        "Josiah Carberry · Brown University · 0000-0002-1825-0097",
        "Lens Works",
        "Run Ner",
    ]
    (found,) = people.known(ALL, "carberry")
    assert found.value == JOSIAH
    assert people.named(ALL, found.token) == found
    assert people.named(ALL, "no such token") is None


def test_a_search_takes_every_word_and_either_type_and_a_limit(tree: Tree) -> None:
    tree.project(principal_investigator=JOSIAH, institution=BROWN, contributors=[{"agent": ADA, "role": "Editor"}])
    index.refresh(tree.documents())
    assert labels(ALL, "brown", type_="Organization") == ["Brown University · 05gq02987"]
    assert labels(ALL, "brown")[0] == "Brown University · 05gq02987"
    assert labels(ALL, "BROWN josiah 1825") == ["Josiah Carberry · Brown University · 0000-0002-1825-0097"]
    assert len(people.known(ALL, limit=1)) == 1


def test_nobody_learns_of_people_in_records_they_may_not_see(tree: Tree) -> None:
    alpha = tree.project("p_Alpha", principal_investigator=JOSIAH)
    tree.project("p_Beta", 3, principal_investigator=ADA)
    tree.dataset("p_Beta/secret", sequence=4, creators=[{"@type": "Person", "name": "Hidden Hand"}])
    put_run(tree, "p_Beta/secret", "r1", experimenters=[{"@type": "Person", "name": "Hidden Runner"}])
    index.refresh(tree.documents())
    assert len(people.known(ALL)) == 5
    assert labels(of_project(alpha), type_="Person") == ["Josiah Carberry · Brown University · 0000-0002-1825-0097"]
    assert people.known(rights.NOBODY) == []
    ada = next(each for each in people.known(ALL) if each.value["name"] == "Ada Okafor")
    assert people.named(of_project(alpha), ada.token) is None


def test_a_change_of_a_record_is_seen_at_once(tree: Tree) -> None:
    tree.project(principal_investigator=JOSIAH)
    index.refresh(tree.documents())
    assert "Ada Okafor · ada@example.org" not in labels(ALL)
    tree.edit(documents.project_document(tree.root, "p_Alpha"), {"principal_investigator": ADA})
    index.refresh(tree.documents())
    assert labels(ALL) == ["Ada Okafor · ada@example.org"]


@pytest.mark.parametrize(
    "odd", [None, 7, [], {}, {"name": 7}, {"name": " "}, [None, "x", {"name": ["y"]}], [[{"a": 1}]]]
)
def test_odd_values_name_nobody(odd: Any) -> None:
    assert agents.mentions({"creators": odd, "principal_investigator": odd, "contributors": odd}) == []


def mention(written: str, **value: Any) -> Mention:
    return Mention(written, value)


def test_the_newest_form_of_one_person_wins_over_ways_to_tell_it_is_them() -> None:
    newest = mention("3", **{"@id": "urn:uuid:1", "name": "J. S. Carberry"})
    middle = mention("2", **{"@id": "urn:uuid:2", "name": "Josiah", "orcid": ORCID})
    oldest = mention("1", **{"@id": "urn:uuid:1", "name": "Carberry", "orcid": ORCID})
    assert [each.value for each in agents.merged([oldest, newest, middle])] == [newest.value]


def test_one_name_and_email_is_one_person_unless_two_orcids_say_otherwise() -> None:
    bare = mention("3", name="Jo Doe", email="jo@example.org")
    one = mention("2", name="jo doe", email="Jo@example.org", orcid=ORCID)
    two = mention("1", name="Jo Doe", email="jo@example.org", orcid=OTHER_ORCID)
    assert [each.value for each in agents.merged([bare, one])] == [one.value]
    assert len(agents.merged([bare, one, two])) == 3


def test_two_thousand_documents_are_asked_with_little_work(tree: Tree) -> None:
    """50 ms on a machine that does nothing else; what a slow one needs is not ten times as much."""
    tree.project()
    for number in range(2_000):
        someone = {"@id": f"urn:uuid:{identifier(number % 700)}", "@type": "Person", "name": f"Person {number % 700}"}
        tree.dataset(f"p_Alpha/d{number}", sequence=number + 2, creators=[JOSIAH, someone], publisher=BROWN)
    index.rebuild()
    assert len(people.known(ALL, limit=5_000)) == 702
    member = of_project(identifier("project", "p_Alpha"))
    for by in (ALL, member):
        people.known(by)
        took = []
        for query in ("person 6", "brown", "", "nobody at all", "person 12"):
            started = time.process_time()
            people.known(by, query)
            took.append(time.process_time() - started)
        assert min(took) < 0.5


# --- me -----------------------------------------------------------------------------------------------------------


def test_me_is_who_the_profile_says_with_the_identity_the_records_have(tree: Tree) -> None:
    known = {"@id": "urn:uuid:" + identifier("josiah"), "@type": "Person", "name": "J. Carberry", "orcid": ORCID}
    project = tree.project(principal_investigator=known)
    index.refresh(tree.documents())
    user = User.objects.create_user("jo")
    assert people.me(user) is None
    profile = {"name": "Josiah Carberry", "orcid": ORCID, "affiliation": "Brown University", "affiliation_ror": ROR}
    Profile.objects.create(user=user, role=Role.MEMBER, **profile)
    expected = {
        "@type": "Person",
        "name": "Josiah Carberry",
        "orcid": ORCID,
        "affiliations": [{"@type": "Organization", "name": "Brown University", "ror": ROR}],
    }
    assert people.me(user) == expected
    Membership.objects.create(user=user, project_identifier=project, role="viewer")
    assert people.me(user) == {"@id": known["@id"], **expected}


# --- what the record above has ------------------------------------------------------------------------------------


def test_a_project_offers_its_dataset_what_both_have_and_tells_what_is_the_same(tree: Tree) -> None:
    funding = [{"funder": BROWN, "award_number": "42"}]
    steward = {"agent": ADA, "role": "DataManager"}
    tree.project(
        project_title="Heat",
        principal_investigator=JOSIAH,
        contributors=[steward, {"agent": JOSIAH, "role": "Researcher"}],
        institution=BROWN,
        keywords=["heat", "shock", "yeast", "protein"],
        funding=funding,
        metadata_language="de",
    )
    number = tree.dataset(keywords=["cold"], metadata_language="de", publisher={"name": "Brown University", "ror": ROR})
    index.refresh(tree.documents())
    target = targets.find("dataset", number)
    assert target is not None
    people_ = [JOSIAH, ADA]
    contributors = [steward, {"agent": JOSIAH, "role": "Researcher"}]
    assert inherited.offers(target, target.read().value) == {
        "/creators": Offer(people_, "From the project: Josiah Carberry, Ada Okafor", False),
        "/contributors": Offer(contributors, "From the project: Ada Okafor, Josiah Carberry", False),
        "/rights_holder": Offer(BROWN, "From the project: Brown University", False),
        "/data_steward": Offer(ADA, "From the project: Ada Okafor", False),
        "/publisher": Offer(BROWN, "From the project: Brown University", True),
        "/keywords": Offer(
            ["heat", "shock", "yeast", "protein"], "From the project: heat, shock, yeast and 1 more", False
        ),
        "/funding": Offer(funding, "From the project: Brown University 42", False),
        "/metadata_language": Offer("de", "From the project: de", True),
    }


def test_a_dataset_offers_its_run_people_at_work_and_no_keywords(tree: Tree) -> None:
    tree.project()
    tree.dataset(creators=[JOSIAH, BROWN], contributors=[{"agent": ADA, "role": "DataCollector"}], keywords=["heat"])
    run = put_run(tree, "p_Alpha/plate_1", "r1")
    index.refresh(tree.documents())
    target = targets.find("run", run)
    assert target is not None
    assert inherited.offers(target, {}) == {
        "/experimenters": Offer([JOSIAH, ADA], "From the dataset: Josiah Carberry, Ada Okafor", False),
        "/metadata_language": Offer("en", "From the dataset: en", False),
    }


@pytest.mark.parametrize("odd", [None, 7, "text", [7], [{}], [{"agent": 7}], {"name": []}, [[1]]])
def test_whatever_a_hand_wrote_into_the_project_breaks_no_offer(tree: Tree, odd: Any) -> None:
    keys = ("principal_investigator", "contributors", "institution", "keywords", "funding", "related_identifiers")
    tree.project(**dict.fromkeys(keys, odd))
    number = tree.dataset()
    index.refresh(tree.documents())
    target = targets.find("dataset", number)
    assert target is not None
    assert all(isinstance(each.words, str) for each in inherited.offers(target, {}).values())


def test_a_project_and_an_instrument_have_nothing_above_them(tree: Tree) -> None:
    project, instrument = tree.project(), put_instrument(tree, "scope")
    index.refresh(tree.documents())
    for word, number in (("project", project), ("instrument", instrument)):
        target = targets.find(word, number)
        assert target is not None
        assert inherited.offers(target, {}) == {}


def test_a_change_among_more_documents_than_are_kept_reads_that_one_only(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_MOST_KEPT", 1)
    people._mentions.clear()
    for n in range(5):
        tree.project(f"p_{n}", n + 1, principal_investigator={**ADA, "name": f"Ada {n}"})
    index.refresh(tree.documents())
    people.known(ALL)
    kept = set(people._mentions)
    tree.project("p_4", 9, principal_investigator=JOSIAH)
    index.refresh(tree.documents())
    people.known(ALL)
    assert (len(kept), len(kept & set(people._mentions)), len(people._mentions)) == (5, 4, 5)


def test_whether_somebody_can_be_filled_in_is_told_without_looking_through_the_records(
    django_user_model: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    user = django_user_model.objects.create_user("ada")
    Profile.objects.create(user=user)
    with django_assert_num_queries(2):
        assert people.knows(user) is False
        Profile.objects.filter(user=user).update(name="Ada")
    assert (people.knows(user), people.knows(AnonymousUser())) == (True, False)
    assert people.me(user) is not None


# --- instruments and files ----------------------------------------------------------------------------------------


def test_instruments_are_choices_by_name_model_and_serial_number(tree: Tree) -> None:
    scope = put_instrument(
        tree,
        "scope",
        instrument_name="Microscope 2",
        model={"name": "X100"},
        serial_number="0815",
        manufacturers=[{"name": "Lens Works"}],
    )
    nameless = put_instrument(tree, "nameless", model="odd", manufacturers=[7])
    index.refresh(tree.documents())
    label = "Microscope 2 · X100 · serial number 0815"
    assert [(each.value, each.label) for each in instruments.known()] == [(nameless, nameless), (scope, label)]
    assert [each.value for each in instruments.known("lens 0815")] == [scope]
    assert (instruments.label(scope), instruments.label("no such")) == (label, "")


def test_more_instruments_than_are_kept_keep_their_models(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "_MOST_KEPT", 1)
    for n in range(3):
        put_instrument(tree, f"scope-{n}", instrument_name=f"Microscope {n}", model={"name": "X100"})
    index.refresh(tree.documents())
    for _ in range(3):
        assert [each.label for each in instruments.known()] == [f"Microscope {n} · X100" for n in range(3)]
    put_instrument(tree, "scope-3", instrument_name="Microscope 3", model={"name": "X100"})
    index.refresh(tree.documents())
    assert [each.label for each in instruments.known()] == [f"Microscope {n} · X100" for n in range(4)]


def test_files_are_choices_of_the_dataset_for_those_who_may_see_it(tree: Tree) -> None:
    project = tree.project()
    entries = [entry("a/one.csv"), entry("a/two.csv"), entry("b.tif", state="missing")]
    number = tree.dataset(entries=entries)
    index.refresh(tree.documents())
    one, two = entries[0]["file_identifier"], entries[1]["file_identifier"]
    may = of_project(project)
    found = [(each.value, each.label, each.words) for each in data_files.known(may, number)]
    assert found == [(one, "a/one.csv", "CSV"), (two, "a/two.csv", "CSV")]
    assert [each.value for each in data_files.known(may, number, "TWO")] == [two]
    assert (data_files.known(rights.NOBODY, number), data_files.label(rights.NOBODY, one)) == ([], "")
    assert data_files.label(may, one) == "a/one.csv"
