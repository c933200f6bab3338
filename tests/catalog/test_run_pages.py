"""Runs from the browser's side: begun, given files, completed, revised; each checked on disk."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Membership, Run
from tests.catalog.described import Described
from tests.catalog.forms import open_form

pytestmark = pytest.mark.django_db

RUN = "p_Alpha/ds/.metadata/runs/Heat-shock/experiment_contextual.json"


@pytest.fixture
def filled(described: Described) -> Described:
    described.put("p_Alpha/ds/a.csv")
    described.put("p_Alpha/ds/plate1/b.csv", "x\n1\n")
    described.put("p_Alpha/ds/plate1/c.csv", "y\n1\n")
    described.describe()
    return described


@pytest.fixture
def researcher(client: Client, django_user_model: Any, filled: Described) -> Client:
    user = django_user_model.objects.create_user("rosa")
    Membership.objects.create(user=user, project_identifier=filled.project().identifier, role="researcher")
    client.force_login(user)
    return client


def start(client: Client, filled: Described, **data: Any) -> Any:
    asked = {"name": "Heat shock", "template": "plain", "files": "rest", "do": "start", **data}
    return client.post(reverse("start-run", args=[filled.dataset().identifier]), asked)


def complete(filled: Described, **more: Any) -> None:
    """What a person still has to say, said with an editor."""
    value = filled.read(RUN)
    said = {
        "run_type": "observation",
        "experiment_dates": {"start": "2026-01-12"},
        "experimenters": [{"name": "Rosa"}],
        "no_protocol_reason": "None yet.",
    }
    filled.write(RUN, {**value, **said, **more})
    filled.describe()


def text(response: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", "", response.content.decode()))


def test_a_run_begins_with_a_name_a_kind_and_files_and_leads_to_its_form(researcher: Client, filled: Described) -> None:
    answer = start(researcher, filled)
    run = Run.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("edit", args=["run", run.identifier])
    value = filled.read(RUN)
    assert (value["run_label"], value["experiment_name"], value["status"]) == ("Heat-shock", "Heat shock", "draft")
    assert value["created_by"] == "rosa"
    assert "data_files" not in value


def test_nothing_begins_while_something_was_not_chosen(researcher: Client, filled: Described) -> None:
    answer = start(researcher, filled, name="", template="", files="")
    assert answer.status_code == 422
    said = text(answer)
    assert "Give the run a name" in said
    assert "Choose what kind of run it is." in said
    assert "Which files belong to the run?" in said
    assert not Run.objects.exists()
    page = researcher.get(reverse("start-run", args=[filled.dataset().identifier])).content.decode()
    assert "checked" not in page


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"files": "now"}, ["a.csv", "plate1/b.csv", "plate1/c.csv"]),
        ({"files": "these", "patterns": "plate1"}, ["plate1/b.csv", "plate1/c.csv"]),
        ({"files": "these", "patterns": "*.csv\nplate1/c*"}, ["a.csv", "plate1/c.csv"]),
    ],
)
def test_files_are_chosen_by_what_is_there_by_folder_and_by_pattern(
    researcher: Client, filled: Described, asked: dict[str, str], expected: list[str]
) -> None:
    start(researcher, filled, **asked)
    assert filled.read(RUN)["data_files"] == expected


def test_a_pattern_that_fits_nothing_is_named(researcher: Client, filled: Described) -> None:
    answer = start(researcher, filled, files="these", patterns="plate7")
    assert answer.status_code == 422
    assert "'plate7' fits no file that is free" in text(answer)


def test_patterns_have_an_end_and_names_of_folders_and_files_have_none(researcher: Client, filled: Described) -> None:
    many = start(researcher, filled, files="these", patterns="\n".join(f"*/x{n}*" for n in range(51)))
    assert many.status_code == 422
    assert "There are 51 lines with * or ?" in text(many)
    assert "at most 50 are accepted: name folders instead." in text(many)
    names = ["plate1/", "/a.csv", *["plate1/c.csv"] * 2_000, *["*.csv"] * 51]
    assert start(researcher, filled, files="these", patterns="\n".join(names)).status_code == 302
    assert filled.read(RUN)["data_files"] == ["a.csv", "plate1/b.csv", "plate1/c.csv"]


def test_one_looks_at_the_choice_before_it_is_made(researcher: Client, filled: Described) -> None:
    answer = start(researcher, filled, files="these", patterns="plate1", do="look")
    assert answer.status_code == 200
    assert "2 files, 8 B" in text(answer)
    assert not Run.objects.exists()


def test_files_of_another_run_are_not_offered_again(researcher: Client, filled: Described) -> None:
    start(researcher, filled, files="these", patterns="plate1")
    page = researcher.get(reverse("start-run", args=[filled.dataset().identifier])).content.decode()
    assert re.findall(r'<label for="file-[^>]*><bdi>([^<]*)</bdi>', page) == ["a.csv"]


def test_what_is_missing_is_told_with_a_link_to_its_field(researcher: Client, filled: Described) -> None:
    start(researcher, filled)
    run = Run.objects.get()
    answer = researcher.post(reverse("finalise", args=[run.identifier]))
    assert answer.status_code == 409
    page = answer.content.decode()
    form = reverse("edit", args=["run", run.identifier])
    links = re.findall(rf'href="{form}#([^"]+)"', page)
    assert links
    there = researcher.get(form).content.decode()
    assert [link for link in links if f'id="{link}"' not in there] == []


def test_a_complete_run_has_its_file_and_says_when_it_is_outdated(researcher: Client, filled: Described) -> None:
    start(researcher, filled, files="these", patterns="plate1")
    complete(filled)
    run = Run.objects.get()
    answer = researcher.post(reverse("finalise", args=[run.identifier]), follow=True)
    assert "revision 1 of its complete metadata file is written" in text(answer)
    file = "p_Alpha/ds/.metadata/runs/Heat-shock/data_object_Heat-shock_v2_metadata.json"
    v2 = filled.read(file)
    assert sorted(v2) == sorted(
        ["$schema", "@context", "@id", "@type", "metadata_version", "data_object_identifier", "revision",
         "generated_by", "generated_date", "completeness", "sources", "project", "dataset", "experiment",
         "instruments", "structure"]
    )  # fmt: skip
    assert [e["path"] for e in v2["structure"]["file_descriptions"]] == ["plate1/b.csv", "plate1/c.csv"]
    download = researcher.get(reverse("revision-file", args=[run.identifier, 1]))
    assert download.content == (filled.root / file).read_bytes()
    filled.put("p_Alpha/ds/plate1/b.csv", "x\n2\n")
    filled.describe()
    page = researcher.get(reverse("run", args=[run.identifier]))
    assert "One file has changed: 'plate1/b.csv'." in text(page)
    researcher.post(reverse("finalise", args=[run.identifier]))
    changes = researcher.get(reverse("revision", args=[run.identifier, 2]))
    assert "Required, and not there" in text(changes), "the dataset is a draft without a title"
    assert "Dataset: Dataset title" in text(changes)
    assert "plate1/b.csv" in text(changes)
    differences = text(changes).partition("What is different from revision 1")[2]
    assert "Checksum" in differences
    assert "File identifier" not in differences
    assert "Project: Funding" in text(changes)
    assert (filled.root / file.replace(".json", ".r2.json")).exists()


@pytest.mark.parametrize("number", [0, 2, 10**9, 10**300])
def test_a_revision_that_is_not_there_is_not_found(researcher: Client, filled: Described, number: int) -> None:
    start(researcher, filled)
    run = Run.objects.get().identifier
    assert researcher.get(f"/runs/{run}/revisions/{number}/").status_code == 404
    assert researcher.get(f"/runs/{run}/revisions/{number}.json").status_code == 404


def test_completing_it_again_changes_nothing(researcher: Client, filled: Described) -> None:
    start(researcher, filled)
    complete(filled)
    run = Run.objects.get()
    researcher.post(reverse("finalise", args=[run.identifier]))
    files = {p: p.read_bytes() for p in (filled.root / RUN).parent.iterdir()}
    answer = researcher.post(reverse("finalise", args=[run.identifier]), follow=True)
    assert "Nothing has changed since revision 1" in text(answer)
    assert {p: p.read_bytes() for p in (filled.root / RUN).parent.iterdir()} == files


def test_the_files_of_a_run_are_changed_until_somebody_else_did(researcher: Client, filled: Described) -> None:
    start(researcher, filled)
    run = Run.objects.get()
    address = reverse("run-files", args=[run.identifier])
    etag = re.search(r'name="etag" value="([^"]+)"', researcher.get(address).content.decode())
    assert etag is not None
    choice = {"files": "these", "patterns": "a.csv", "do": "save"}
    assert researcher.post(address, {**choice, "etag": etag[1]}).status_code == 302
    assert filled.read(RUN)["data_files"] == ["a.csv"]
    mine = {"files": "these", "patterns": "plate1", "do": "save"}
    late = researcher.post(address, {**mine, "etag": etag[1]})
    assert late.status_code == 412
    said = late.content.decode()
    assert "last by yourself in another tab or window" in said
    assert "Someone else" not in said
    listed = [re.findall(r"<bdi>([^<]*)</bdi>", each) for each in re.findall(r'<ul class="paths">.*?</ul>', said)]
    assert listed == [["a.csv"], ["plate1/b.csv", "plate1/c.csv"]]
    kept = dict(re.findall(r'name="(etag|newer)" value="([^"]+)"', said))
    assert kept["etag"] == etag[1]
    assert researcher.post(address, {**mine, **kept}).status_code == 412, "who has not decided saves nothing"
    assert filled.read(RUN)["data_files"] == ["a.csv"]
    assert researcher.post(address, {**mine, **kept, "do": "mine"}).status_code == 302
    assert filled.read(RUN)["data_files"] == ["plate1/b.csv", "plate1/c.csv"]


def test_a_choice_of_files_that_fits_none_still_meets_what_was_saved_meanwhile(
    researcher: Client, filled: Described
) -> None:
    start(researcher, filled)
    address = reverse("run-files", args=[Run.objects.get().identifier])
    etag = re.search(r'name="etag" value="([^"]+)"', researcher.get(address).content.decode())
    assert etag is not None
    first = {"files": "these", "patterns": "a.csv", "do": "save", "etag": etag[1]}
    assert researcher.post(address, first).status_code == 302
    wrong = researcher.post(address, {**first, "patterns": "plate7"})
    assert wrong.status_code == 422
    assert f'name="etag" value="{etag[1]}"' in wrong.content.decode()


def test_whoever_may_not_change_a_project_starts_and_completes_nothing(
    researcher: Client, filled: Described, django_user_model: Any
) -> None:
    start(researcher, filled)
    run = Run.objects.get()
    other = Client()
    other.force_login(django_user_model.objects.create_user("viewer"))
    before = (filled.root / RUN).read_bytes()
    assert start(other, filled, name="Mine").status_code == 404
    for name in ("finalise", "run-files"):
        assert other.post(reverse(name, args=[run.identifier]), {"files": "now", "do": "save"}).status_code == 404
    assert other.get(reverse("run", args=[run.identifier])).status_code == 200
    assert (filled.root / RUN).read_bytes() == before
    assert Run.objects.count() == 1


def test_an_instrument_is_added_by_its_name_and_shows_its_runs(researcher: Client, filled: Described) -> None:
    answer = researcher.post(reverse("new-instrument"), {"name": "Confocal 2"})
    assert answer.status_code == 302
    identifier = answer["Location"].rstrip("/").rpartition("/")[2]
    again = researcher.post(reverse("new-instrument"), {"name": "confocal 2"})
    assert again.status_code == 409
    assert "of this name is there already" in text(again)
    start(researcher, filled)
    complete(filled, instruments_used=[identifier])
    page = researcher.get(reverse("instrument", args=[identifier]))
    assert "Heat shock" in text(page)
    assert "Confocal 2" in text(researcher.get(reverse("instruments")))


def test_marking_it_complete_in_its_form_writes_the_file(researcher: Client, filled: Described) -> None:
    start(researcher, filled)
    run = Run.objects.get()
    complete(filled)
    answer = open_form(researcher, "run", run.identifier).press("complete")
    assert "Revision 1 of its complete metadata file is written." in answer.text
    assert (filled.root / RUN).with_name("data_object_Heat-shock_v2_metadata.json").exists()
