"""What a run may start from: the packaged templates, and a site's own with their lint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from ingest import blanks, documents
from ingest.documents import EXPERIMENT
from ingest.run_templates import RunTemplate, refused, templates
from ingest.schema import SchemaSet
from tests.ingest.watched import Watched

OWN: dict[str, Any] = {
    "title": "Cryo-EM at our facility",
    "description": "Grids, microscope, detector.",
    "value": {"run_type": "instrument", "instrument_settings": [{"name": "Defocus", "unit": "um"}]},
}


def put(root: Path, name: str, value: Any) -> Path:
    path = root / ".run_templates" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def reasons(root: Path) -> dict[str, str]:
    return {each.path.name: each.reason for each in refused(root)}


def test_the_packaged_templates_are_offered_in_their_order(tmp_path: Path) -> None:
    assert [each.name for each in templates(tmp_path)] == ["plain", "computational", "sequencing", "microscopy"]
    assert all(each.title and each.description and each.origin is None for each in templates(tmp_path))


@pytest.mark.parametrize("name", schemas.RUN_TEMPLATES)
def test_a_packaged_template_leaves_a_valid_draft_and_invents_nothing(tmp_path: Path, name: str) -> None:
    template = next(each for each in templates(tmp_path) if each.name == name)
    stamps = {"created_by": "a", "created_date": documents.now(), "last_modified_by": "a"}
    draft = {
        **blanks.experiment_template(documents.new_identifier(), "run", documents.new_identifier(), "en"),
        **stamps,
        "last_modified_date": documents.now(),
        **template.value,
    }
    assert SchemaSet().problems(EXPERIMENT, draft) == []
    said = json.dumps(template.value)
    assert "value" not in said, "a setting is offered by its name, and never with a value"
    assert not {"experiment_name", "experimenters", "experiment_dates", "notes"} & set(template.value)


def test_a_site_adds_its_own(tmp_path: Path) -> None:
    path = put(tmp_path, "cryo-em.json", OWN)
    assert templates(tmp_path)[-1] == RunTemplate("cryo-em", OWN["title"], OWN["description"], OWN["value"], path)
    assert refused(tmp_path) == []


def test_a_sites_own_replaces_the_packaged_one_of_its_name(tmp_path: Path) -> None:
    put(tmp_path, "microscopy.json", OWN)
    names = [(each.name, each.title) for each in templates(tmp_path)]
    assert names[-1] == ("microscopy", OWN["title"])
    assert len(names) == 4


WRONG = {
    "not-json.json": ("{", "is not valid JSON"),
    "a list.json": ("[]", "letters, digits"),
    "list.json": ("[]", "not a JSON object"),
    "untitled.json": ({**OWN, "title": " "}, "has no title"),
    "description.json": ({**OWN, "description": 5}, "description is not a text"),
    "empty.json": ({"title": "x"}, 'has no "value"'),
    "identity.json": ({**OWN, "value": {"run_id": "x"}}, "'run_id'"),
    "status.json": ({**OWN, "value": {"status": "complete"}}, "'status'"),
    "invalid.json": ({**OWN, "value": {"run_type": "cooking"}}, "/run_type"),
    "twice.json": ('{"title": "a", "title": "b", "value": {}}', "twice"),
    "nested.json": ('{"title": "a", "value": ' + '{"x":' * 300 + "1" + "}" * 301, "nested too deeply"),
    "large.json": (json.dumps({**OWN, "description": "x" * 300_000}), "more than"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_that_cannot_be_used_is_refused_with_its_reason_and_the_others_stay(tmp_path: Path, name: str) -> None:
    content, reason = WRONG[name]
    put(tmp_path, name, content)
    put(tmp_path, "good.json", OWN)
    assert list(reasons(tmp_path)) == [name]
    assert reason in reasons(tmp_path)[name]
    assert [each.name for each in templates(tmp_path)][4:] == ["good"]


def test_links_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(OWN))
    put(tmp_path, "good.json", OWN)
    (tmp_path / ".run_templates" / "link.json").symlink_to(secret)
    (tmp_path / ".run_templates" / "folder.json").mkdir()
    assert set(reasons(tmp_path)) == {"link.json", "folder.json"}
    assert "symbolic link" in reasons(tmp_path)["link.json"]


def test_a_template_is_judged_by_the_schema_in_force(tmp_path: Path) -> None:
    own = schemas.load(EXPERIMENT) | {"$id": "https://lab.example/schemas/experiment_contextual/1.0.0"}
    own["properties"]["beamline"] = {"title": "Beamline", "type": "string", "enum": ["P14"]}
    (tmp_path / ".template_schemas").mkdir()
    (tmp_path / ".template_schemas" / f"{EXPERIMENT}.json").write_text(json.dumps(own))
    put(tmp_path, "p14.json", {**OWN, "value": {"beamline": "P14"}})
    put(tmp_path, "p15.json", {**OWN, "value": {"beamline": "P15"}})
    assert list(reasons(tmp_path)) == ["p15.json"]


def test_the_status_tells_of_a_sites_own_templates(watched: Watched) -> None:
    put(watched.root, "cryo-em.json", OWN)
    assert watched.status().healthy
    path = put(watched.root, "bad.json", "{")
    told = watched.status()
    assert not told.healthy
    assert [(each["name"], each["in_force"]) for each in told.run_templates] == [("bad", False), ("cryo-em", True)]
    assert told.run_templates[0]["path"] == str(path)
    assert "is not valid JSON" in told.run_templates[0]["reason"]
