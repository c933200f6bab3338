"""What a form says of the answers: dates the wrong way round, what is missing, in sentences and in the form's order."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from django.test import Client

from catalog import index
from catalog.editing import fields, markup, reading, words
from catalog.editing.drawing import Pen, Spot
from catalog.editing.drawn import Drawn
from catalog.editing.fields import Field, Kind
from catalog.editing.fields import Tree as Fields
from catalog.editing.guided.inherited import Offer
from ingest import documents
from ingest.schema import SchemaSet
from tests.catalog.forms import open_form
from tests.catalog.hostile import Page
from tests.catalog.test_known import put_instrument, put_run
from tests.catalog.tree import Tree, entry, put
from tests.schemas.records import complete

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dataset(tree: Tree) -> str:
    tree.project()
    number = tree.dataset(entries=[entry("a.csv")])
    index.rebuild()
    return number


def saved(tree: Tree) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE).read_bytes())
    return value


def fill(tree: Tree, **more: Any) -> None:
    """The record as a complete one, with some more."""
    whole = complete(documents.ADMINISTRATIVE)
    said = {key: each for key, each in whole.items() if key not in documents.SYSTEM_KEYS[documents.ADMINISTRATIVE]}
    path = tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE)
    put(path, {**orjson.loads(path.read_bytes()), **said, **more})
    index.rebuild()


def beside(text: str, anchor: str) -> str:
    """The error that stands beside a field."""
    found = re.search(f'id="{anchor}-error" class="field-error"[^>]*>(.*?)</div>', text, re.DOTALL)
    return re.sub("<[^>]+>", "", found[1]) if found else "(no such field)"


# --- dates --------------------------------------------------------------------------------------------------------

REVERSED = {"/temporal_coverage/start": "2026-03-01", "/temporal_coverage/end": "2026-02-01"}
END = "f-temporal_coverage-end"
WORDS = "2026-02-01 is before “Start”, 2026-03-01; put the earlier one first."


def test_reversed_dates_are_told_as_one_types_whichever_of_the_two_is_changed(dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    for changed in REVERSED:
        data = {**form.sent, **REVERSED, "check": changed}
        answer = curator.post(f"{form.address}check", data).content.decode()
        assert beside(answer, END) == WORDS
        assert 'href="#f-temporal_coverage-end"' in answer  # in the meter
    right = {**form.sent, **REVERSED, "/temporal_coverage/end": "2026-04", "check": "/temporal_coverage/start"}
    assert beside(curator.post(f"{form.address}check", right).content.decode(), END) == ""


def test_a_draft_saves_with_reversed_dates_and_says_so(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("save", **REVERSED)
    assert "Saved." in form.text
    assert saved(tree)["temporal_coverage"] == {"start": "2026-03-01", "end": "2026-02-01"}
    assert f"Time covered, End: {WORDS}" in form.text
    assert beside(form.text, END) == WORDS
    assert "/temporal_coverage/end" in form.page.invalid


def test_a_record_is_not_complete_with_reversed_dates(tree: Tree, dataset: str, curator: Client) -> None:
    fill(tree, status="draft")
    form = open_form(curator, "dataset", dataset).press("complete", **REVERSED)
    assert "It is not complete yet" in form.text
    assert f"Time covered, End: {WORDS}" in form.text
    assert saved(tree)["status"] == "draft"
    form = form.press("complete", **{"/temporal_coverage/end": "2026-03"})
    assert saved(tree)["status"] == "complete", form.text


def test_an_embargo_that_is_over_is_doubted_when_it_is_typed_and_never_after(
    tree: Tree, dataset: str, curator: Client
) -> None:
    fill(tree, status="draft")
    form = open_form(curator, "dataset", dataset)
    past = {"/access_level": "embargoed", "/embargo_end_date": "2020-01-01"}
    answer = curator.post(f"{form.address}check", {**form.sent, **past, "check": "/embargo_end_date"}).content.decode()
    assert "2020-01-01 is over already" in answer
    form = form.press("complete", **past)
    assert "2020-01-01 is over already" in form.text
    assert (saved(tree)["status"], saved(tree)["embargo_end_date"]) == ("complete", "2020-01-01")
    again = open_form(curator, "dataset", dataset)
    assert "is over already" not in again.text
    assert "is over already" not in again.press("save", **{"/keywords": "heat"}).text
    assert (saved(tree)["status"], saved(tree)["keywords"]) == ("complete", ["heat"])
    ahead = open_form(curator, "dataset", dataset).press("save", **{"/embargo_end_date": "2999-01-01"})
    assert "is over already" not in ahead.text


# --- what is missing ----------------------------------------------------------------------------------------------


def test_what_is_missing_is_said_in_sentences_that_name_the_place(tree: Tree, dataset: str, curator: Client) -> None:
    fill(tree, status="draft", contributors=[{"agent": {"@type": "Person", "name": "A"}}])
    form = open_form(curator, "dataset", dataset).press("complete")
    assert "Contributor 1: “Role” is missing." in form.text
    assert ": missing" not in form.text
    assert ", entry" not in form.text
    assert beside(form.text, "f-contributors-0-role") == "This is missing."


def test_required_fields_and_values_to_correct_are_counted_apart(tree: Tree, dataset: str, curator: Client) -> None:
    fill(tree, status="draft")
    form = open_form(curator, "dataset", dataset)
    count = re.search(r"<strong>(\d+) of \1</strong> required fields filled in", form.text)
    assert count is not None
    assert "Nothing is missing." in form.text
    wrong = {"/funding#list": "", "/funding/0#row": "", "/funding/0/award_uri": "no iri", "check": "/dataset_title"}
    answer = curator.post(f"{form.address}check", {**form.sent, **REVERSED, **wrong}).content.decode()
    assert count[0] in answer
    assert "To correct or finish: 3" in answer  # the end, the award, and whose it is
    assert "Nothing is missing." not in answer


def test_the_page_of_a_record_does_not_call_it_whole_with_something_to_correct(
    tree: Tree, dataset: str, curator: Client
) -> None:
    fill(tree, status="draft", temporal_coverage={"start": "2026", "end": "2025"})
    text = curator.get(f"/datasets/{dataset}/").content.decode()
    assert "99 % complete" in text
    assert "1 to correct or finish" in text


def test_what_is_missing_is_listed_in_the_order_of_the_form(dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset).press("complete")
    parts = [each.partition("</ul>")[0] for each in form.text.split("Still to fill in")[1:]]
    parts += [each.partition("</ul>")[0] for each in form.text.split("It is not complete yet")[1:]]
    assert len(parts) == 2
    for part in parts:
        listed = re.findall(r'href="#(f-[^"]+)"', part)
        places = [form.text.index(f'id="{each}"') for each in listed]
        assert len(listed) > 5
        assert places == sorted(places)


# --- who and what ---------------------------------------------------------------------------------------------------

ORCID = "https://orcid.org/0000-0002-1825-0097"
ROR = "https://ror.org/05gq02987"


@pytest.mark.parametrize(("key", "value", "type_"), [("orcid", ORCID, "Person"), ("ror", ROR, "Organization")])
def test_an_orcid_or_a_ror_can_be_given_at_once_and_says_what_it_is_of(
    tree: Tree, dataset: str, curator: Client, key: str, value: str, type_: str
) -> None:
    form = open_form(curator, "dataset", dataset).press("add:/creators")
    assert {"/creators/0/orcid", "/creators/0/ror"} <= set(form.sent)
    assert form.sent["/creators/0/@type"] == ""
    name = f"/creators/0/{key}"
    said = {**form.sent, "/creators/0/name": "A", name: value}
    answer = curator.post(f"{form.address}check", {**said, "check": name}).content.decode()
    assert f'<option value="{type_}" selected>' in answer
    other = "ror" if key == "orcid" else "orcid"
    assert f'id="f-creators-0-{other}-place" class="place" hx-swap-oob="true"></div>' in answer
    after = form.post({**said, "do": "save"})
    assert saved(tree)["creators"][0]["@type"] == type_
    assert after.sent["/creators/0/@type"] == type_
    assert f"/creators/0/{other}" not in after.sent


def test_what_is_both_of_a_person_and_of_an_organization_tells_neither(dataset: str, curator: Client) -> None:
    both = {"/creators/0/name": "A", "/creators/0/orcid": ORCID, "/creators/0/ror": ROR}
    form = open_form(curator, "dataset", dataset).press("add:/creators").press("add:/creators", **both)
    assert form.sent["/creators/0/@type"] == ""
    assert {"/creators/0/orcid", "/creators/0/ror"} <= set(form.sent)


def test_a_field_asked_for_without_its_condition_stays_while_the_form_is_filled_in(
    dataset: str, curator: Client
) -> None:
    form = open_form(curator, "dataset", dataset)
    assert "/embargo_end_date" not in form.sent
    form = form.press("show:/embargo_end_date")
    assert "/embargo_end_date" in form.sent
    assert form.sent["#show:/embargo_end_date"] == "1"
    form = form.press("add:/creators")
    assert "/embargo_end_date" in form.sent
    data = {**form.sent, "check": "/dataset_title"}
    assert "f-embargo_end_date-place" not in curator.post(f"{form.address}check", data).content.decode()
    assert "/embargo_end_date" not in form.press("save").sent


def test_instruments_are_chosen_and_removed_by_name_without_javascript(tree: Tree, curator: Client) -> None:
    tree.project()
    tree.dataset(entries=[entry("a.csv")])
    scope = put_instrument(tree, "scope", instrument_name="Microscope 1")
    gone = "c1f7b2a4-58d3-4e96-a7b0-9d8c7b6a5f4e"
    run = put_run(tree, "p_Alpha/plate_1", "one", instruments_used=[gone])
    index.rebuild()
    name = "/instruments_used"
    form = open_form(curator, "run", run)
    assert form.sent[name].split() == [gone]
    assert "(not among the instruments here)" in form.text
    found = form.press(f"find:{name}", **{f"{name}#pick": "micro"})
    assert f"take:{name}={scope}" in found.buttons
    taken = found.press(f"take:{name}={scope}")
    assert f'<a href="/instruments/{scope}/"><bdi>Microscope 1</bdi></a>' in taken.text
    assert "Remove: Microscope 1" in taken.text
    dropped = taken.press(f"drop:{name}={gone}").press("save")
    assert dropped.sent[name].split() == [scope]
    assert gone not in dropped.text
    none = dropped.press(f"find:{name}", **{f"{name}#pick": "nothing of the kind"})
    assert "No instrument matches" in none.text


# --- plain words ----------------------------------------------------------------------------------------------------

TECHNICAL = re.compile(r"\b(?:[IU]RIs?|UUIDs?|UCUM|ISO \d+|RFC \d+|BCP \d+|DataCite|[Aa]gents?|JSON|WGS|SPDX|POSIX)\b")


@pytest.mark.parametrize("kind", ["project_descriptive", "dataset_administrative", "dataset_structural",
                                  "instrument_technical", "experiment_contextual"])  # fmt: skip
def test_what_a_form_says_of_its_fields_is_plain(kind: str) -> None:
    tree = fields.tree(SchemaSet(), kind)
    asked = [each for each in fields.walk(tree.root) if each.key]  # the entries of a list have no words of their own
    said = [text for each in asked for text in (each.title, words.hint(each))]
    assert len(said) > 20
    assert [text for text in said if TECHNICAL.search(re.sub(r"\([^)]*\)", "", text))] == []


# --- how it is drawn ------------------------------------------------------------------------------------------------


def test_the_check_of_a_field_draws_no_other(
    tree: Tree, dataset: str, curator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tree, status="draft")
    form = open_form(curator, "dataset", dataset)
    drawn: list[str] = []
    draw = Pen.draw

    def counted(pen: Pen, spot: Spot) -> Drawn:
        drawn.append(spot.name)
        return draw(pen, spot)

    monkeypatch.setattr(Pen, "draw", counted)
    curator.post(f"{form.address}check", {**form.sent, "check": "/creators/0/orcid"})
    assert drawn == ["/creators/0/orcid"]


def test_no_text_gets_out_of_its_place_in_the_html_of_a_field() -> None:
    evil = "\"'><script>&amp;</script>\u202e"
    entry = Field("x", Kind.TEXT, evil, evil, (evil,))
    choice = Field("c", Kind.CHOICE, evil, evil, choices=(evil,))
    picked = Field("p", Kind.LINES, evil, evil, guided="instrument")
    other = Field("o", Kind.OTHER, evil)
    group = Field("g", Kind.GROUP, evil, evil, fields=(entry, choice, picked, other))
    tree = Fields("k", evil, (), Field("", Kind.GROUP, "", fields=(group, Field("l", Kind.ROWS, evil, item=group))))
    inside = {"x": evil, "c": evil, "p": evil, "o": evil}
    value = {"g": inside, "l": [inside, inside]}
    filled = reading.fill(tree, value)
    name = next(each for each in filled if each.endswith("/x"))
    pen = Pen(filled, value, value, dict.fromkeys(filled, (evil,)), name, pickers={"instrument": "instruments"})
    pen.offers = {"/g": Offer(evil, evil, False)}
    html = "".join(markup.field(pen.draw(spot)) for spot in pen.inside(Spot(tree.root, "", ())))
    assert html.count('/x" ') == 3
    assert "<script" not in html
    assert "\u202e" not in re.sub(r'(?:value|placeholder)="[^"]*"|<textarea[^>]*>[^<]*</textarea>', "", html)
    page = Page(f"<!doctype html><html lang=en><title>t</title><form>{html}</form></html>")
    assert page.wrong == []
