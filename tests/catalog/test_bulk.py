"""Bulk changes: planned, seen, applied as one action, taken back."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User

from catalog import index, rights
from catalog.editing import bulk, reviews, spreadsheets, targets
from catalog.editing.operations import Operation, Step, carried_out, is_same
from catalog.models import BulkChange, Dataset, PlannedChange
from tests.catalog.tree import Tree, entry, identifier

pytestmark = pytest.mark.django_db(transaction=True)

ADA = {"@id": "https://orcid.org/0000-0002-1825-0097", "@type": "Person", "name": "Ada"}
BOB = {"@id": "urn:uuid:0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "@type": "Person", "name": "Bob"}


@pytest.fixture
def user(django_user_model: Any) -> User:
    made: User = django_user_model.objects.create_superuser("curator")
    return made


def filled(tree: Tree, count: int = 3, **fields: Any) -> list[str]:
    """A project with so many datasets; their identifiers."""
    tree.project("p_Alpha", 1, project_title="Alpha")
    numbers = [
        tree.dataset(f"p_Alpha/d{n:03}", [entry(f"f{n}.csv")], n + 2, dataset_title=f"Set {n}", **fields)
        for n in range(count)
    ]
    index.refresh(tree.documents())
    return numbers


def plan(user: User, numbers: list[str], *steps: Step, word: str = "dataset") -> PlannedChange:
    change = bulk.begin(user, word, numbers)
    words = "; ".join(step.words for step in steps)
    return bulk.plan(change, words, {number: lambda value: carried_out(value, steps) for number in numbers})


def value(number: str, word: str = "dataset") -> dict[str, Any]:
    target = targets.find(word, number)
    assert target is not None
    return target.read().value


LICENSE = Step("license", "Licence", Operation.SET, "CC-BY-4.0")
KEYWORDS = Step("keywords", "Keywords", Operation.ADD, ["heat", "cold"])


# --- what a step does -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (LICENSE, {"a": 1}, {"a": 1, "license": "CC-BY-4.0"}),
        (LICENSE, {"license": "MIT"}, {"license": "CC-BY-4.0"}),
        (Step("license", "", Operation.CLEAR), {"license": "MIT", "a": 1}, {"a": 1}),
        (Step("license", "", Operation.CLEAR), {"a": 1}, {"a": 1}),
        (KEYWORDS, {}, {"keywords": ["heat", "cold"]}),
        (KEYWORDS, {"keywords": ["x", "heat"]}, {"keywords": ["x", "heat", "cold"]}),
        (Step("keywords", "", Operation.REMOVE, ["x"]), {"keywords": ["x", "y"]}, {"keywords": ["y"]}),
        (Step("keywords", "", Operation.REMOVE, ["x"]), {"keywords": ["x"]}, {}),
        (Step("keywords", "", Operation.REMOVE, ["x"]), {}, {}),
        (Step("keywords", "", Operation.ADD, ["x"]), {"keywords": "no list"}, {"keywords": "no list"}),
        (Step("creators", "", Operation.ADD, [ADA]), {"creators": [BOB]}, {"creators": [BOB, ADA]}),
        (Step("creators", "", Operation.ADD, [{"name": "Ada"}]), {"creators": [ADA]}, {"creators": [ADA]}),
        (
            Step("creators", "", Operation.REMOVE, [{**ADA, "name": "A."}]),
            {"creators": [ADA, BOB]},
            {"creators": [BOB]},
        ),
    ],
)
def test_a_step_changes_its_field_alone(step: Step, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert carried_out(before, [step]) == after


def test_who_has_one_identity_is_one_whatever_else_is_said_of_them() -> None:
    before = {"@id": "urn:uuid:1", "name": "Ada", "orcid": "https://orcid.org/0000-0002-1825-0097"}
    corrected = {**before, "orcid": "https://orcid.org/0000-0001-5109-3700"}
    assert is_same(before, corrected)
    assert is_same({**before, "@id": "urn:uuid:2"}, before)
    assert not is_same({**corrected, "@id": "urn:uuid:2"}, before)


def test_two_of_one_name_with_identifiers_of_their_own_are_two() -> None:
    other = {**ADA, "@id": "https://orcid.org/0000-0001-5109-3700"}
    assert carried_out({"creators": [ADA]}, [Step("creators", "", Operation.ADD, [other])]) == {
        "creators": [ADA, other]
    }


# --- planned, applied, taken back -----------------------------------------------------------------------------


def test_a_plan_shows_before_and_after_and_writes_nothing(tree: Tree, user: User) -> None:
    numbers = filled(tree, license="MIT")
    before = {path: path.read_bytes() for path in tree.documents()}
    rows = bulk.rows_of(plan(user, numbers, LICENSE, KEYWORDS).rows)
    assert [(row.title, row.before, row.after, row.problem) for row in rows] == [
        (f"Set {n}", {"license": "MIT"}, {"license": "CC-BY-4.0", "keywords": ["heat", "cold"]}, "") for n in range(3)
    ]
    assert {path: path.read_bytes() for path in tree.documents()} == before


def test_a_plan_is_applied_as_one_action_and_taken_back_with_nothing_left_of_it(tree: Tree, user: User) -> None:
    numbers = filled(tree, license="MIT")
    before = [value(number) for number in numbers]
    done = bulk.apply(plan(user, numbers, LICENSE, KEYWORDS), user)
    assert done.words == "Licence set to CC-BY-4.0; heat; cold added to Keywords"
    assert [value(number)["license"] for number in numbers] == ["CC-BY-4.0"] * 3
    assert {value(number)["last_modified_by"] for number in numbers} == {"curator"}
    registry = [orjson.loads((tree.root / ".metadata/registry" / f"{number}.json").read_bytes()) for number in numbers]
    assert len({each["datestamp"] for each in registry}) == 1
    assert sorted(Dataset.objects.values_list("license", flat=True)) == ["CC-BY-4.0"] * 3
    undone = bulk.undo(done, user)
    audit = ("last_modified_by", "last_modified_date")
    assert [{k: v for k, v in value(n).items() if k not in audit} for n in numbers] == [
        {k: v for k, v in each.items() if k not in audit} for each in before
    ]
    assert (undone.not_undone, undone.undone_by, undone.undone is not None) == ([], user, True)


def test_what_would_be_invalid_is_left_out_with_its_sentence(tree: Tree, user: User) -> None:
    numbers = filled(tree)
    change = plan(user, numbers, Step("license", "Licence", Operation.SET, "no licence at all"))
    assert all("Licence" in row.problem for row in bulk.rows_of(change.rows))
    with pytest.raises(bulk.BulkError, match="nothing to change"):
        bulk.apply(change, user)
    assert not BulkChange.objects.exists()


def test_a_record_changed_since_the_preview_is_left_out_and_told(tree: Tree, user: User) -> None:
    numbers = filled(tree)
    change = plan(user, numbers, LICENSE)
    tree.edit(tree.document("p_Alpha/d001", "dataset_administrative"), {"license": "MIT"})
    done = bulk.apply(change, user)
    assert [value(number)["license"] for number in numbers] == ["CC-BY-4.0", "MIT", "CC-BY-4.0"]
    assert [row["identifier"] for row in done.changes] == [numbers[0], numbers[2]]
    assert [(row["title"], "changed since" in row["why"]) for row in done.left_out] == [("Set 1", True)]


def test_of_a_manifest_no_entry_is_read_to_change_review_or_export_what_people_say_of_it(
    tree: Tree, user: User
) -> None:
    tree.project()
    number = tree.dataset(entries=[entry(f"plate/{n:05}.csv") for n in range(5_000)])
    index.rebuild()
    target = targets.find("files", number)
    assert target is not None
    bytes_on_disk = target.path.stat().st_size
    step = Step("scope", "Scope", Operation.SET, "All plates")
    tracemalloc.start()
    try:
        assert reviews.standing(target, rights.of(user)).etag
        assert [len(row) for row in spreadsheets.table([target], typed=True).rows] != []
        planned = bulk.planned(target, lambda value: carried_out(value, [step]))
        assert (planned.after, planned.problem) == ({"scope": "All plates"}, "")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 3 * bytes_on_disk, "twice the text itself, and nothing made of it"
    done = bulk.apply(
        bulk.plan(bulk.begin(user, "files", [number]), "w", {number: lambda value: carried_out(value, [step])}), user
    )
    assert orjson.loads(target.path.read_bytes())["scope"] == "All plates"
    bulk.undo(done, user)
    manifest = orjson.loads(target.path.read_bytes())
    assert ("scope" in manifest, len(manifest["file_descriptions"])) == (False, 5_000)


def test_files_that_arrive_in_between_do_not_stop_a_change(tree: Tree, user: User) -> None:
    numbers = filled(tree)
    change = plan(user, numbers, Step("scope", "Scope", Operation.SET, "All plates"), word="files")
    tree.files("p_Alpha/d001", [entry(f"new{n}.csv") for n in range(5)])
    done = bulk.apply(change, user)
    assert done.left_out == []
    manifest = value(numbers[1], "files")
    assert (manifest["scope"], manifest["file_count"]) == ("All plates", 5)


def test_taking_back_leaves_alone_what_was_changed_since(tree: Tree, user: User) -> None:
    numbers = filled(tree)
    done = bulk.apply(plan(user, numbers, LICENSE, KEYWORDS), user)
    tree.edit(tree.document("p_Alpha/d000", "dataset_administrative"), {"license": "MIT"})
    tree.edit(tree.document("p_Alpha/d001", "dataset_administrative"), {"license": "MIT", "keywords": ["mine"]})
    undone = bulk.undo(done, user)
    assert [(value(n).get("license"), value(n).get("keywords")) for n in numbers] == [
        ("MIT", None),
        ("MIT", ["mine"]),
        (None, None),
    ]
    assert [(each["title"], each["why"]) for each in undone.not_undone] == [
        ("Set 0", "Changed since then, so left as it is: Licence."),
        ("Set 1", "Changed since then, so left as it is: Licence, Keywords."),
    ]


def test_a_plan_is_applied_once_and_a_change_taken_back_once(tree: Tree, user: User) -> None:
    numbers = filled(tree)
    change = plan(user, numbers, LICENSE)
    done = bulk.apply(change, user)
    with pytest.raises(bulk.BulkError, match="applied already"):
        bulk.apply(change, user)
    bulk.undo(done, user)
    with pytest.raises(bulk.BulkError, match="taken back already"):
        bulk.undo(done, user)
    assert BulkChange.objects.count() == 1


def test_a_plan_belongs_to_who_made_it(tree: Tree, user: User, django_user_model: Any) -> None:
    change = plan(user, filled(tree), LICENSE)
    with pytest.raises(bulk.BulkError, match="applied already"):
        bulk.apply(change, django_user_model.objects.create_superuser("other"))
    assert not BulkChange.objects.exists()


def test_whoever_may_not_change_a_record_is_answered_as_if_it_were_not_there(
    tree: Tree, django_user_model: Any
) -> None:
    numbers = filled(tree)
    stranger = django_user_model.objects.create_user("stranger")
    rows = bulk.rows_of(plan(stranger, [numbers[0], identifier("nobody")], LICENSE).rows)
    assert [(row.problem, row.before, row.after) for row in rows] == [
        ("There is no such record that you can change.", {}, {})
    ] * 2


def test_one_new_person_is_one_person_in_all_records(tree: Tree, user: User) -> None:
    numbers = filled(tree)
    step = Step("creators", "Creators", Operation.ADD, [BOB])
    bulk.apply(plan(user, numbers, step), user)
    assert [value(number)["creators"] for number in numbers] == [[BOB]] * 3


def test_runs_of_one_dataset_are_held_up_by_none_of_their_own(tree: Tree, user: User) -> None:
    number = filled(tree, 1)[0]
    runs = []
    for label in ("one", "two"):
        run = identifier("run", label)
        folder = tree.root / "p_Alpha/d000/.metadata/runs" / label
        template = {
            "$schema": "https://w3id.org/fairfolder/schemas/experiment_contextual/1.0.0",
            "@context": "https://w3id.org/fairfolder/contexts/experiment_contextual/1.0.0.jsonld",
            "@id": f"urn:uuid:{run}",
            "@type": "Run",
            "status": "draft",
            "run_id": run,
            "run_label": label,
            "metadata_language": "en",
            "dataset_identifier": number,
            "created_by": "system:trigger-3",
            "created_date": "2026-11-23T05:24:05Z",
            "last_modified_by": "system:trigger-3",
            "last_modified_date": "2026-11-23T05:24:05Z",
        }
        folder.mkdir(parents=True)
        (folder / "experiment_contextual.json").write_bytes(orjson.dumps(template))
        runs.append(run)
    index.refresh(tree.documents())
    change = plan(user, runs, Step("notes", "Notes", Operation.SET, "Rainy."), word="run")
    assert [row.problem for row in bulk.rows_of(change.rows)] == ["", ""]
    tree.edit(tree.root / "p_Alpha/d000/.metadata/runs/one/experiment_contextual.json", {"notes": "Mine."})
    done = bulk.apply(change, user)
    assert [value(run, "run")["notes"] for run in runs] == ["Mine.", "Rainy."]
    assert len(done.left_out) == 1


def test_a_watched_folder_that_is_gone_is_told_and_can_be_tried_again(tree: Tree, user: User) -> None:
    numbers = filled(tree)
    done = bulk.apply(plan(user, numbers, LICENSE), user)
    away = Path(f"{tree.root}.away")
    os.rename(tree.root, away)
    tree.root.mkdir()
    undone = bulk.undo(done, user)
    assert (len(undone.not_undone), undone.undone) == (3, None)
    tree.root.rmdir()
    os.rename(away, tree.root)
    assert bulk.undo(done, user).not_undone == []
    assert [value(number).get("license") for number in numbers] == [None] * 3


def test_ten_times_as_many_records_take_about_ten_times_as_long(tree: Tree, user: User) -> None:
    numbers = filled(tree, 440)
    spent = []
    for some in (numbers[:40], numbers[40:]):
        before = time.process_time()
        done = bulk.apply(plan(user, some, LICENSE, KEYWORDS), user)
        bulk.undo(done, user)
        spent.append(time.process_time() - before)
        assert len(done.changes) == len(some)
    assert spent[1] < 40 * spent[0]  # were each compared with each, it would be a hundred times
