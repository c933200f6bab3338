"""What a person meets who fills in a form: drafts save, nothing typed is lost, what is missing is told in its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog import index
from catalog.models import Membership, Profile, UnsavedForm
from ingest import documents
from ingest.layout import TEMPLATE_SCHEMAS
from tests.catalog.forms import Form, form_of, open_form
from tests.catalog.hostile import Page
from tests.catalog.tree import Tree, entry, put
from tests.schemas.records import complete

pytestmark = pytest.mark.django_db(transaction=True)
ORCID = "https://orcid.org/0000-0002-1825-0097"


def indexed(tree: Tree) -> None:
    index.rebuild()


def project_file(tree: Tree) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(documents.project_document(tree.root, "p_Alpha").read_bytes())
    return value


def dataset_file(tree: Tree, kind: str = documents.ADMINISTRATIVE) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(tree.document("p_Alpha/plate_1", kind).read_bytes())
    return value


def people(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key not in documents.SYSTEM_KEYS[kind]}


@pytest.fixture
def project(tree: Tree) -> str:
    number = tree.project()
    index.rebuild()
    return number


@pytest.fixture
def dataset(tree: Tree) -> str:
    tree.project()
    number = tree.dataset(entries=[entry("a.csv")])
    index.rebuild()
    return number


# --- the page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["project", "dataset", "files"])
def test_a_form_is_whole_and_labelled(word: str, tree: Tree, dataset: str, curator: Client) -> None:
    number = project_file(tree)["project_identifier"] if word == "project" else dataset
    form = open_form(curator, word, number)
    assert Page(form.text).wrong == []
    assert len(form.page.ids) == len(set(form.page.ids))
    missing = {each for ids in form.page.described.values() for each in ids.split()} - set(form.page.ids)
    assert missing == set()
    assert all(choices[0] == "" for choices in form.page.options.values())
    assert all(form.sent[name] == "" for name in form.page.options)


def test_a_draft_saves_with_what_there_is(tree: Tree, project: str, curator: Client) -> None:
    form = open_form(curator, "project", project).press(
        "save", **{"/project_title": "  Heat shock ", "/keywords": "a\r\n\r\nb"}
    )
    assert "Saved." in form.text
    value = project_file(tree)
    wanted = {"status": "draft", "metadata_language": "en", "project_title": "Heat shock", "keywords": ["a", "b"]}
    assert people(documents.PROJECT, value) == wanted
    assert value["last_modified_by"] == "curator"
    again = form.press("save", **{"/project_title": ""})
    assert "project_title" not in project_file(tree)
    assert "Nothing had changed" in again.press("save").text


def test_what_breaks_a_rule_stays_in_the_form_and_the_rest_is_saved(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/creators").press("add:/spatial_coverage")
    form = form.press(
        "save",
        **{
            "/dataset_title": "Plate 1",
            "/creators/0/name": "J. Carberry",
            "/creators/0/orcid": "0000-0002-1825-0098",
            "/spatial_coverage/0/place_name": "Ghent",
            "/spatial_coverage/0/west": "3,7",
            "/spatial_coverage/0/north": "200",
        },
    )
    assert "Saved, except 3 fields." in form.text
    value = dataset_file(tree)
    assert value["dataset_title"] == "Plate 1"
    assert [{k: v for k, v in each.items() if k != "@id"} for each in value["creators"]] == [{"name": "J. Carberry"}]
    assert value["spatial_coverage"] == [{"place_name": "Ghent"}]
    assert form.sent["/creators/0/orcid"] == "0000-0002-1825-0098"
    assert sorted(form.page.invalid) == ["/creators/0/orcid", "/spatial_coverage/0/north", "/spatial_coverage/0/west"]
    assert "write a point before the decimals, as in 3.7" in form.text
    assert UnsavedForm.objects.count() == 1
    mended = {"/creators/0/orcid": ORCID, "/spatial_coverage/0/west": "3.7", "/spatial_coverage/0/north": "51"}
    form = form.press("save", **mended)
    assert "Saved." in form.text
    assert dataset_file(tree)["creators"] == [{**value["creators"][0], "@type": "Person", "orcid": ORCID}]
    assert dataset_file(tree)["spatial_coverage"] == [{"place_name": "Ghent", "west": 3.7, "north": 51}]
    assert UnsavedForm.objects.count() == 0


def test_an_old_value_is_kept_where_a_new_one_breaks_a_rule(tree: Tree, project: str, curator: Client) -> None:
    path = documents.project_document(tree.root, "p_Alpha")
    tree.edit(path, {"project_status": "active", "metadata_language": "de"})
    form = open_form(curator, "project", project)
    form = form.press("save", **{"/project_status": "asleep", "/metadata_language": "", "/project_title": "T"})
    assert "Saved, except 2 fields." in form.text
    value = project_file(tree)
    assert (value["project_status"], value["metadata_language"], value["project_title"]) == ("active", "de", "T")


def test_unknown_keys_survive_at_every_level(tree: Tree, project: str, curator: Client) -> None:
    path = documents.project_document(tree.root, "p_Alpha")
    rows = [{"funder": {"name": name, "site:own": [1.0]}, "site:own": {"a": None}} for name in "ABC"]
    tree.edit(path, {"site:own": {"deep": [1, 2.0, "x"]}, "funding": rows})
    form = open_form(curator, "project", project)
    form = form.press("remove:/funding/0").press("up:/funding/1")
    assert [form.sent[f"/funding/{n}/funder/name"] for n in (0, 1)] == ["C", "B"]
    form.press("save", **{"/funding/0/funder/name": "C2"})
    value = project_file(tree)
    assert value["site:own"] == {"deep": [1, 2.0, "x"]}
    funders = [(row["funder"]["name"], row["funder"]["site:own"], row["site:own"]) for row in value["funding"]]
    assert funders == [("C2", [1.0], {"a": None}), ("B", [1.0], {"a": None})]


def test_a_number_that_becomes_yes_is_a_change(tree: Tree, project: str, curator: Client) -> None:
    path = documents.project_document(tree.root, "p_Alpha")
    tree.edit(path, {"additional_properties": [{"name": "Shaded", "value": 1}]})
    open_form(curator, "project", project).press("save", **{"/additional_properties/0/value": "yes"})
    assert project_file(tree)["additional_properties"][0]["value"] is True


# --- lists of groups ------------------------------------------------------------------------------------------------


def test_rows_come_go_and_move_without_javascript(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).fill(**{"/dataset_title": "not saved yet"})
    for name in ("A", "B", "C"):
        number = sum(each.endswith("#row") for each in form.sent)
        form = form.press("add:/creators")
        assert form.text.count("autofocus") == 1
        form = form.fill(**{f"/creators/{number}/name": name})
    form = form.press("down:/creators/0").press("remove:/creators/2")
    assert form.sent["/dataset_title"] == "not saved yet"
    assert [form.sent[f"/creators/{n}/name"] for n in (0, 1)] == ["B", "A"]
    form = form.press("add:/creators/1/affiliations")
    form = form.press("save", **{"/creators/1/affiliations/0/name": "Ghent University"})
    names = [
        (each["name"], [a["name"] for a in each.get("affiliations", [])]) for each in dataset_file(tree)["creators"]
    ]
    assert names == [("B", []), ("A", ["Ghent University"])]


def test_what_stands_in_a_row_of_a_row_keeps_its_identity(dataset: str, tree: Tree, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/creators").press("add:/creators/0/affiliations")
    form.press("save", **{"/creators/0/name": "Ann", "/creators/0/affiliations/0/name": "Ghent University"})
    before = dataset_file(tree)["creators"]
    assert before[0]["affiliations"][0]["@id"]
    open_form(curator, "dataset", dataset).press("save", **{"/dataset_title": "Leaves"})
    assert dataset_file(tree)["creators"] == before
    open_form(curator, "dataset", dataset).press("save", **{"/creators/0/name": "Anna"})
    assert dataset_file(tree)["creators"][0]["affiliations"] == before[0]["affiliations"]


def test_with_htmx_only_the_list_is_answered(dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    data = {**form.sent, "do": "add:/creators"}
    answer = curator.post(form.address, data, headers={"HX-Request": "true"}).content.decode()
    assert answer.startswith("<fieldset")
    assert "f-creators-0" in answer
    assert 'name="/dataset_title"' not in answer
    assert 'id="meter"' in answer


def test_an_empty_entry_is_not_kept(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/creators").press("add:/funding")
    form.press("save")
    assert "creators" not in dataset_file(tree)


# --- conditions ---------------------------------------------------------------------------------------------------


def test_a_field_appears_when_its_condition_holds(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    assert "/embargo_end_date" not in form.sent
    form = form.press("save", **{"/access_level": "embargoed"})
    assert form.sent["/embargo_end_date"] == ""
    form = form.press("save", **{"/embargo_end_date": "2030-01-01"})
    form = form.press("save", **{"/access_level": "public"})
    assert form.sent["/embargo_end_date"] == "2030-01-01", "what is there is shown whatever the condition"
    asked = form.press("show:/access_conditions")
    assert asked.sent["/access_conditions"] == ""
    asked.press("save", **{"/access_conditions": "On request."})
    assert dataset_file(tree)["access_conditions"] == "On request."


def test_what_is_asked_of_an_agent_follows_what_it_is(dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/creators")
    assert {"/creators/0/orcid", "/creators/0/ror"} <= set(form.sent), "both are there before anything is said"
    assert {"/creators/0/given_name", "/creators/0/url"}.isdisjoint(form.sent)
    person = form.press("save", **{"/creators/0/name": "A", "/creators/0/@type": "Person"})
    assert "/creators/0/orcid" in person.sent
    assert "/creators/0/ror" not in person.sent


def test_whoever_has_an_orcid_and_a_ror_is_made_neither_person_nor_organization(
    tree: Tree, dataset: str, curator: Client
) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/creators")
    agent = {"name": "A", "orcid": ORCID, "ror": "https://ror.org/05gq02987"}
    saved = form.press("save", **{f"/creators/0/{key}": text for key, text in agent.items()})
    assert "Saved." in saved.text
    (creator,) = dataset_file(tree)["creators"]
    assert {key: creator[key] for key in creator if key != "@id"} == agent
    assert creator["@id"].startswith("urn:uuid:")


def test_the_check_answers_the_message_the_meter_and_what_came(dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/creators")

    def check(name: str, **changes: str) -> str:
        data = {**form.sent, **changes, "check": name}
        return str(curator.post(f"{form.address}check", data).content.decode())

    wrong = check("/creators/0/orcid", **{"/creators/0/orcid": "0000-0002-1825-0098"})
    assert 'id="f-creators-0-orcid-error"' in wrong
    assert "should end in 7" in wrong
    assert 'id="meter"' in wrong
    came = check("/access_level", **{"/access_level": "embargoed"})
    assert 'name="/embargo_end_date"' in came
    assert 'hx-swap-oob="true"' in came
    gone = check("/access_level", **{"/access_level": "public", "/embargo_end_date": ""})
    assert 'id="f-embargo_end_date-place" class="place" hx-swap-oob="true"></div>' in gone
    person = check("/creators/0/@type", **{"/creators/0/@type": "Person"})
    assert 'name="/creators/0/given_name"' in person
    assert 'id="f-creators-0-ror-place" class="place" hx-swap-oob="true"></div>' in person


# --- complete -------------------------------------------------------------------------------------------------------


def test_the_meter_lists_what_is_missing_with_its_place(dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    assert "<strong>1 of 10</strong>" in form.text
    for anchor in ("f-dataset_title", "f-creators", "f-license", "f-data_retention_schedule"):
        assert f'<a href="#{anchor}">' in form.text
        assert anchor in form.page.ids


def test_marking_complete_tells_every_error_or_takes_it(tree: Tree, project: str, curator: Client) -> None:
    form = open_form(curator, "project", project).press("complete", **{"/project_title": "T"})
    assert "It is not complete yet" in form.text
    assert 'href="#f-project_description"' in form.text
    assert (project_file(tree)["status"], project_file(tree)["project_title"]) == ("draft", "T")
    form = form.press("complete", **{"/project_description": "D", "/principal_investigator/name": "P"})
    assert "Saved and marked complete." in form.text
    assert project_file(tree)["status"] == "complete"


def test_a_complete_record_stays_complete_or_goes_back_to_draft(tree: Tree, project: str, curator: Client) -> None:
    tree.edit(documents.project_document(tree.root, "p_Alpha"), people(documents.PROJECT, complete(documents.PROJECT)))
    form = open_form(curator, "project", project).press("save", **{"/project_title": "", "/keywords": "new"})
    assert form.response.status_code == 422
    assert "Nothing was saved yet" in form.text
    assert "keywords" not in project_file(tree)
    form = form.press("draft")
    assert (project_file(tree)["status"], project_file(tree)["keywords"]) == ("draft", ["new"])


def test_a_local_schema_that_adds_a_field_shows_at_once(tree: Tree, project: str, curator: Client) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/schemas/project/1",
        "title": "Project of the plant lab",
        "type": "object",
        "allOf": [{"$ref": "https://w3id.org/fairfolder/schemas/project_descriptive/1.0.0"}],
        "properties": {
            "greenhouse": {"title": "Greenhouse", "type": "string", "enum": ["north", "south"]},
            "bays": {"title": "Bays", "type": "array", "items": {"type": "integer"}},
            "permit": {"title": "Permit", "type": "string", "minLength": 3},
        },
        "required": ["greenhouse"],
        "if": {"properties": {"greenhouse": {"const": "north"}}, "required": ["greenhouse"]},
        "then": {"required": ["permit"]},
    }
    put(tree.root / TEMPLATE_SCHEMAS / "project_descriptive.json", schema)
    form = open_form(curator, "project", project)
    assert form.page.options["/greenhouse"] == ["", "north", "south"]
    assert "/permit" not in form.sent
    assert "/project_title" in form.sent
    form = form.press("complete", **{"/greenhouse": "north", "/bays": "1\n2"})
    assert project_file(tree)["bays"] == [1, 2]
    assert "/permit" in form.sent
    assert "“Permit” is missing." in form.text


# --- unsaved -------------------------------------------------------------------------------------------------------


def kept_forms(form: Form) -> list[str]:
    """Where the page of a form leads to what was typed and not saved."""
    return re.findall(r'href="(\?unsaved=[^"]+)"', form.text)


def test_what_was_typed_is_offered_again(tree: Tree, project: str, curator: Client) -> None:
    form = open_form(curator, "project", project)
    answer = curator.post(
        f"{form.address}keep", {**form.sent, "/project_title": "half typ", "/project_dates/start": "20"}
    )
    assert re.fullmatch(r'\{"kept": "\d\d:\d\d UTC"\}', answer.content.decode())
    assert "project_title" not in project_file(tree)
    again = open_form(curator, "project", project)
    assert "You have unsaved changes of" in again.text
    assert again.sent["/project_title"] == ""
    went_on = open_form(curator, "project", project, kept_forms(again)[0])
    assert (went_on.sent["/project_title"], went_on.sent["/project_dates/start"]) == ("half typ", "20")
    assert "data-dirty" in went_on.text
    went_on.press("discard")
    assert "unsaved changes" not in open_form(curator, "project", project).text


def test_unsaved_changes_are_their_authors_alone(project: str, curator: Client, django_user_model: Any) -> None:
    form = open_form(curator, "project", project)
    curator.post(f"{form.address}keep", {**form.sent, "/project_title": "mine"})
    kept = kept_forms(open_form(curator, "project", project))
    other = Client()
    other.force_login(django_user_model.objects.create_superuser("other"))
    assert "unsaved changes" not in open_form(other, "project", project).text
    assert open_form(other, "project", project, kept[0]).sent["/project_title"] == ""


def test_each_opening_of_a_form_keeps_its_own_and_saving_forgets_no_other(
    project: str, tree: Tree, curator: Client
) -> None:
    first, second = (open_form(curator, "project", project) for _ in range(2))
    curator.post(f"{first.address}keep", {**first.sent, "/project_title": "first"})
    curator.post(f"{second.address}keep", {**second.sent, "/project_title": "second"})
    links = kept_forms(open_form(curator, "project", project))
    titles = [open_form(curator, "project", project, link).sent["/project_title"] for link in links]
    assert titles == ["second", "first"]
    assert "Saved." in second.press("save", **{"/project_title": "second"}).text
    assert kept_forms(open_form(curator, "project", project)) == links[1:]
    assert open_form(curator, "project", project, links[1]).sent["/project_title"] == "first"
    conflict = open_form(curator, "project", project, links[1]).press("save")
    assert conflict.response.status_code == 412
    assert project_file(tree)["project_title"] == "second"


def test_of_one_records_form_the_newest_twenty_are_kept(project: str, curator: Client) -> None:
    opened = [open_form(curator, "project", project) for _ in range(22)]
    for number, form in enumerate(opened):
        curator.post(f"{form.address}keep", {**form.sent, "/project_title": str(number)})
    posted = UnsavedForm.objects.values_list("posted", flat=True)
    assert sorted(int(each["/project_title"]) for each in posted) == list(range(2, 22))


# --- who may, and what cannot be -------------------------------------------------------------------------------------


def member(user: User, project: str, role: str) -> Client:
    Profile.objects.update_or_create(user=user, defaults={"role": "member"})
    Membership.objects.create(user=user, project_identifier=project, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_who_may_not_change_a_record_gets_the_answer_of_one_that_is_not_there(
    tree: Tree, project: str, django_user_model: Any
) -> None:
    before = documents.project_document(tree.root, "p_Alpha").read_bytes()
    looking = member(django_user_model.objects.create_user("looking"), project, "viewer")
    working = member(django_user_model.objects.create_user("working"), project, "researcher")
    absent = f"/edit/project/{'0' * 8}-0000-4000-8000-{'0' * 12}/"
    answers = set()
    for address in (f"/edit/project/{project}/", f"/edit/nothing/{project}/", absent):
        for end in ("", "check", "keep"):
            response = looking.post(address + end, {"/project_title": "x", "do": "save"})
            answers.add((response.status_code, response.content))
    answers.add((looking.get(absent).status_code, looking.get(absent).content))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert documents.project_document(tree.root, "p_Alpha").read_bytes() == before
    open_form(working, "project", project).press("save", **{"/project_title": "by working"})
    assert project_file(tree)["last_modified_by"] == "working"


def test_a_post_needs_its_token(project: str, django_user_model: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_superuser("curator"))
    for end in ("", "check", "keep"):
        assert client.post(f"/edit/project/{project}/{end}", {"do": "save"}).status_code == 403


def test_a_document_that_cannot_be_read_says_why(tree: Tree, project: str, curator: Client) -> None:
    documents.project_document(tree.root, "p_Alpha").write_text("{")
    response = curator.get(f"/edit/project/{project}/")
    assert response.status_code == 409
    assert "is not valid JSON" in response.content.decode()


def test_a_value_no_input_can_show_is_told_and_kept(tree: Tree, project: str, curator: Client) -> None:
    tree.edit(documents.project_document(tree.root, "p_Alpha"), {"keywords": {"odd": 1}})
    form = open_form(curator, "project", project)
    assert "which this field cannot show" in form.text
    form = form.press("save", **{"/project_title": "T"})
    assert "Nothing could be saved" in form.text
    assert "Keywords" in form.text
    form.press("save", **{"/keywords": "mended"})
    assert (project_file(tree)["keywords"], project_file(tree)["project_title"]) == (["mended"], "T")


def test_where_nothing_can_be_written_the_form_comes_back_as_it_was(
    tree: Tree, project: str, curator: Client, tmp_path: Path
) -> None:
    form = open_form(curator, "project", project)
    away = tree.root.rename(tmp_path / "away")
    (tree.root).mkdir()
    answer = curator.post(form.address, {**form.sent, "do": "save", "/project_title": "x"})
    assert answer.status_code in (404, 503)
    tree.root.rmdir()
    away.rename(tree.root)
    assert form_of(curator, form.address, curator.get(form.address)).response.status_code == 200


__all__ = ["Form"]


# --- what is known already ------------------------------------------------------------------------------------------


def test_a_known_person_is_taken_over_with_their_identity(tree: Tree, dataset: str, curator: Client) -> None:
    person = {"@id": ORCID, "@type": "Person", "name": "Josiah Carberry", "orcid": ORCID, "email": "jc@example.org"}
    tree.edit(documents.project_document(tree.root, "p_Alpha"), {"principal_investigator": person})
    index.rebuild()
    form = open_form(curator, "dataset", dataset).press("add:/creators", **{"/dataset_title": "T"})
    form = form.press("find:/creators/0", **{"/creators/0#pick": "carb"})
    token = next(each for each in form.buttons if each.startswith("take:/creators/0="))
    form = form.press(token)
    assert form.sent["/creators/0/orcid"] == ORCID
    form.press("save")
    value = dataset_file(tree)
    assert (value["creators"], value["dataset_title"]) == ([person], "T")
    other = open_form(curator, "dataset", dataset).press("take:/creators/0=nobody", **{"/creators/0/name": "As typed"})
    assert other.sent["/creators/0/name"] == "As typed"


def test_what_the_project_has_is_offered_and_taken_over_when_asked(tree: Tree, dataset: str, curator: Client) -> None:
    grant = {"funder": {"@id": "urn:uuid:1f0e4d9c-8b7a-4f5e-8d3c-2b1a5d4c3b2a", "@type": "Organization", "name": "FWO"}}
    project = documents.project_document(tree.root, "p_Alpha")
    tree.edit(project, {"keywords": ["a", "b"], "funding": [grant]})
    index.rebuild()
    form = open_form(curator, "dataset", dataset)
    assert "From the project: " in form.text
    assert "keywords" not in dataset_file(tree)
    form = form.press("inherit:/keywords").press("inherit:/funding")
    form.press("save")
    assert (dataset_file(tree)["keywords"], dataset_file(tree)["funding"]) == (["a", "b"], [grant])
    assert 'class="badge plain">inherited' in open_form(curator, "dataset", dataset).text
