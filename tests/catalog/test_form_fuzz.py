"""Posts no form of ours would make: never a fault, never a write without the right, never more than text on a page."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.core import signing
from django.test import Client

from catalog import index
from catalog.editing import reading
from catalog.models import Membership, Profile
from ingest import documents
from tests.catalog.forms import Form, form_of, open_form
from tests.catalog.hostile import CORPUS, Page
from tests.catalog.tree import Tree, entry

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = (
    "/dataset_title", "/dataset_title/x", "/creators#list", "/creators/0#row", "/creators/0/name",
    "/creators/0/@id", "/creators/0#id", "/creators/x#row", "/creators/-1#row", "/creators/9999999#row",
    "/creators/0/affiliations/0#row", "/creators/0/affiliations#list", "/creators/0/affiliations/0/name",
    "/keywords", "/keywords#list", "/keywords/0", "/license", "/access_level", "/data_retention_schedule",
    "/data_retention_schedule/period", "/status", "/@id", "/$schema", "/dataset_identifier", "/derived_from",
    "/created_by", "/spatial_coverage#list", "/spatial_coverage/0#row", "/spatial_coverage/0/west",
    "/additional_properties/0#row", "/additional_properties#list", "/~1", "/~", "//", "/",
    "/additional_properties/0/value", "#show:/access_conditions", "#show:", "/unknown/deep/er", "base", "do",
    "mine", "choice-0", "/creators/0#pick", "/creators#id", "/publisher#id", "/publisher/name",
)  # fmt: skip
TEXTS = (
    "", " ", "0", "-1", "1e999", "9" * 400, "NaN", "null", "true", "[]", "{}", "x" * 120_000, "\ud800", "\x00",
    "a\x01b", "\r\n" * 50, "1,5", "\u202e", "😀" * 500, *CORPUS,
)  # fmt: skip
VERBS = (
    "save", "complete", "draft", "add:/creators", "add:", "add:/nothing", "remove:/creators/0",
    "remove:/creators/99", "remove:x", "up:/creators/0", "down:/creators/5", "up:/", "show:/nothing", "show:",
    "discard", "merge", "take:/x=y", "zzz", "", ":", "add:/creators/0/affiliations", "remove:" + "/0" * 3_000,
    "down:/creators/" + "9" * 500, "find:/creators/0", "find:", "find:/keywords", "take:/creators/0=x", "take:=",
    "take:/keywords=x\x00", "take:/creators/0=me", "inherit:/keywords", "inherit:/nothing", "inherit:",
)  # fmt: skip


@pytest.fixture
def dataset(tree: Tree) -> str:
    tree.project()
    number = tree.dataset(
        entries=[entry("a.csv")], dataset_title="Plate", creators=[{"name": "A"}, {"name": "B", "x": 1}]
    )
    index.rebuild()
    return number


def value_of(tree: Tree) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE).read_bytes())
    return value


def test_no_post_is_a_fault_or_touches_what_is_the_systems(
    tree: Tree, dataset: str, curator: Client, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    system = {
        key: value_of(tree)[key] for key in ("@id", "@context", "dataset_identifier", "created_by", "created_date")
    }
    for _ in range(count(60, 5_000)):
        form = open_form(curator, "dataset", dataset)
        sent: dict[str, Any] = {**form.sent} if rng.random() < 0.7 else {"base": form.sent["base"]}
        for name in rng.sample(NAMES, rng.randrange(1, 8)):
            sent[name] = rng.choice(TEXTS) if rng.random() < 0.9 else [rng.choice(TEXTS), rng.choice(TEXTS)]
        end = rng.choice(("", "", "", "check", "keep"))
        answer = curator.post(form.address + end, posted({**sent, "do": rng.choice(VERBS), "check": rng.choice(NAMES)}))
        assert answer.status_code in (200, 302, 400, 404, 412, 422), (answer.status_code, sent)
        if answer.status_code in (200, 412, 422) and end == "" and "html" in answer["Content-Type"]:
            assert Page(answer.content.decode()).wrong == []
        value = value_of(tree)
        assert {key: value[key] for key in system} == system
        assert value["status"] == "draft" or sent.get("do") == "complete" or value["status"] == "complete"


def posted(data: dict[str, Any]) -> dict[str, Any]:
    """Such as can be sent at all: a lone surrogate travels as the bytes a browser would never send."""
    return {name: _sendable(text) for name, text in data.items()}


def _sendable(text: Any) -> Any:
    if isinstance(text, list):
        return [_sendable(each) for each in text]
    return text.encode("utf-8", "surrogatepass") if "\ud800" in text else text


@pytest.mark.parametrize("text", CORPUS)
def test_whatever_stands_in_a_record_is_text_on_every_page_of_a_form(
    text: str, tree: Tree, dataset: str, curator: Client
) -> None:
    path = tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE)
    agent = {"@id": "urn:x", "@type": text, "name": text, "orcid": text, "affiliations": [{"name": text}]}
    fields = {"dataset_title": text, "keywords": [text], "license": text, "creators": [agent], "publisher": agent}
    tree.edit(
        path,
        {**fields, text: text, "languages": {text: text}, "additional_properties": [{"name": text, "value": text}]},
    )
    form = open_form(curator, "dataset", dataset)
    assert Page(form.text).wrong == []
    assert Page(form.press("complete", **{"/methods": text, "/spatial_coverage/0#row": text}).text).wrong == []
    tree.edit(path, {"dataset_title": f"{text}2", "dataset_abstract": text})
    assert Page(form.press("save", **{"/dataset_title": f"{text}3"}).text).wrong == []


def test_a_forged_base_writes_nothing(tree: Tree, dataset: str, curator: Client) -> None:
    before = tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE).read_bytes()
    form = open_form(curator, "dataset", dataset)
    other = open_form(curator, "files", dataset).sent["base"]
    forged = signing.dumps({"etag": "0" * 16, "people": {}}, salt="another")
    for base in ("", "x", "a:b:c", other, forged, form.sent["base"][:-1], form.sent["base"] + "A"):
        answer = form.post({**form.sent, "base": base, "do": "save", "/dataset_title": "forged"})
        assert answer.response.status_code == 400
        assert "altered" in answer.text
        assert curator.post(f"{form.address}keep", {"base": base, "/dataset_title": "x"}).status_code == 400
    merging = form.post({**form.sent, "mine": forged, "do": "merge"})
    assert merging.response.status_code == 400
    assert tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE).read_bytes() == before


def test_a_form_of_one_record_saves_no_other(tree: Tree, dataset: str, django_user_model: Any) -> None:
    tree.project("p_Beta", 3)
    theirs = tree.dataset("p_Beta/plate_2", [entry("b.csv")], 4)
    index.rebuild()
    user = django_user_model.objects.create_user("worker")
    Profile.objects.update_or_create(user=user, defaults={"role": "member"})
    own = str(value_of(tree)["associated_project_identifier"])
    Membership.objects.create(user=user, project_identifier=own, role="researcher")
    client = Client()
    client.force_login(user)
    form = open_form(client, "dataset", dataset)
    before = {path: path.read_bytes() for path in tree.documents()}
    for end in ("", "check", "keep"):
        data = {**form.sent, "do": "save", "/dataset_title": "taken"}
        assert client.post(f"/edit/dataset/{theirs}/{end}", data).status_code == 404
    assert {path: path.read_bytes() for path in tree.documents()} == before


def test_lists_and_posts_have_an_end(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    many = {f"/creators/{number}#row": "" for number in range(2_500)} | {"/creators#list": ""}
    answer = form.press("save", **many, **{"/dataset_title": "T"})
    assert "at most 2,000 are accepted in one list" in answer.text
    assert [each["name"] for each in value_of(tree)["creators"]] == ["A", "B"]
    assert value_of(tree)["dataset_title"] == "T"
    assert curator.post(form.address, {f"/x{number}": "" for number in range(31_000)}).status_code == 400
    assert curator.post(form.address, {"/dataset_title": "x" * 9_000_000}).status_code == 400


def test_rows_are_numbered_as_they_stand_wherever_they_are_named() -> None:
    names = ["/a/07#row", "/a/7#row", "/a/7/b/5#row", "/a/7/b/5/c#pick", "#show:/a/7/b/5/d", "/a/5/c", "/7/a"]
    assert list(reading.posted(dict.fromkeys(names, ""))) == [
        "/a/0#row", "/a/1#row", "/a/1/b/0#row", "/a/1/b/0/c#pick", "#show:/a/1/b/0/d", "/a/5/c", "/7/a"
    ]  # fmt: skip


def test_the_number_of_a_row_costs_nothing(tree: Tree, dataset: str, curator: Client) -> None:
    form = open_form(curator, "dataset", dataset)
    names = {"/creators/01": "A", "/creators/1": "B", "/creators/999999": "C"}
    rows = {f"{row}#row": "" for row in names} | {f"{row}/name": name for row, name in names.items()}
    inner = {"/affiliations#list": "", "/affiliations/999998#row": "", "/affiliations/999998/name": "Institute"}
    rows |= {f"/creators/999999{name}": text for name, text in inner.items()}
    tracemalloc.start()
    try:
        sent = {"base": form.sent["base"], "/creators#list": "", **rows, "do": "show:/x"}
        shown = curator.post(form.address, sent, follow=True)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    there = form_of(curator, form.address, shown).sent
    assert {name: text for name, text in there.items() if name.endswith("/name") and text} == {
        "/creators/0/name": "A",
        "/creators/1/name": "B",
        "/creators/2/name": "C",
        "/creators/2/affiliations/0/name": "Institute",
    }
    assert most < 60_000_000


def test_a_control_character_is_refused_in_words(tree: Tree, dataset: str, curator: Client) -> None:
    form: Form = open_form(curator, "dataset", dataset).press(
        "save", **{"/dataset_title": "Heat\x07shock", "/methods": "M"}
    )
    assert "a character that cannot be shown (U+0007) after “Heat”" in form.text
    assert (value_of(tree)["dataset_title"], value_of(tree)["methods"]) == ("Plate", "M")
