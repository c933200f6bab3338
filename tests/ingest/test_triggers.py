"""Triggers 0, 1 and 2: the documents exactly as the metadata model has them, and not one value more."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from tests.ingest.watched import Value, Watched

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
BASE = "https://w3id.org/fairfolder"
AUDIT = ("created_by", "created_date", "last_modified_by", "last_modified_date")


def without_audit(value: Value, *, created_by: str, last_modified_by: str) -> Value:
    """The document without its four audit fields, after they were found right."""
    rest = dict(value)
    assert re.fullmatch(STAMP, rest.pop("created_date"))
    assert re.fullmatch(STAMP, rest.pop("last_modified_date"))
    assert (rest.pop("created_by"), rest.pop("last_modified_by")) == (created_by, last_modified_by)
    return rest


def is_uuid(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(UUID, text) is not None


def test_trigger_0_describes_a_project_with_what_the_system_knows(watched: Watched) -> None:
    watched.folder("p_Barley")
    watched.reconcile()
    value = without_audit(
        watched.project("p_Barley"), created_by="system:trigger-0", last_modified_by="system:trigger-0"
    )
    identifier = value["project_identifier"]
    assert is_uuid(identifier)
    assert value == {
        "$schema": f"{BASE}/schemas/project_descriptive/1.0.0",
        "@context": f"{BASE}/contexts/project_descriptive/1.0.0.jsonld",
        "@id": f"urn:uuid:{identifier}",
        "@type": "Project",
        "project_identifier": identifier,
        "status": "draft",
        "metadata_language": "en",
    }
    assert watched.check() == []


def test_trigger_1_describes_an_empty_dataset_and_links_it_to_its_project(watched: Watched) -> None:
    watched.folder("p_Barley/leaves")
    watched.reconcile()
    project = watched.project("p_Barley")["project_identifier"]
    made = {"created_by": "system:trigger-1", "last_modified_by": "system:trigger-1"}
    administrative = without_audit(watched.administrative("p_Barley/leaves"), **made)
    identifier = administrative["dataset_identifier"]
    assert is_uuid(identifier)
    assert administrative == {
        "$schema": f"{BASE}/schemas/dataset_administrative/1.0.0",
        "@context": f"{BASE}/contexts/dataset_administrative/1.0.0.jsonld",
        "@id": f"urn:uuid:{identifier}",
        "@type": "Dataset",
        "dataset_identifier": identifier,
        "associated_project_identifier": project,
        "status": "draft",
        "metadata_language": "en",
    }
    assert without_audit(watched.manifest("p_Barley/leaves"), **made) == {
        "$schema": f"{BASE}/schemas/dataset_structural/1.0.0",
        "@context": f"{BASE}/contexts/dataset_structural/1.0.0.jsonld",
        "@id": f"urn:uuid:{identifier}",
        "@type": "Dataset",
        "dataset_identifier": identifier,
        "associated_project_identifier": project,
        "metadata_language": "en",
        "file_count": 0,
        "total_size_bytes": 0,
        "formats": [],
        "file_descriptions": [],
    }
    assert watched.check() == []


def test_trigger_1_names_the_publisher_and_language_that_settings_give(watched: Watched) -> None:
    watched.folder("p_Barley/leaves")
    watched.reconcile(publisher={"@type": "Organization", "name": "Institute of Barley"}, metadata_language="nl-BE")
    value = watched.administrative("p_Barley/leaves")
    identity = value["publisher"].pop("@id")
    assert identity.startswith("urn:uuid:")
    assert value["publisher"] == {"@type": "Organization", "name": "Institute of Barley"}
    assert value["metadata_language"] == watched.project("p_Barley")["metadata_language"] == "nl-BE"
    assert watched.check() == []


def test_trigger_2_describes_a_file_with_what_one_read_tells(watched: Watched) -> None:
    content = b"plant,height_cm\nA,12.5\nB,13\n"
    path = watched.put("p_Barley/leaves/day 1/heights.csv", content)
    path.chmod(0o640)
    watched.reconcile()
    manifest = without_audit(
        watched.manifest("p_Barley/leaves"), created_by="system:trigger-1", last_modified_by="system:trigger-2"
    )
    assert list(watched.manifest("p_Barley/leaves"))[-1] == "file_descriptions"
    (entry,) = manifest["file_descriptions"]
    assert is_uuid(entry["file_identifier"])
    for stamp in ("modified_utc", "metadata_changed_utc", "first_seen"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", entry.pop(stamp))
    extraction = entry.pop("extraction")
    assert set(extraction) == {"extractor", "version", "warnings"}
    assert entry == {
        "path": "day 1/heights.csv",
        "file_identifier": entry["file_identifier"],
        "@id": f"urn:uuid:{entry['file_identifier']}",
        "@type": "File",
        "file_name": "heights.csv",
        "extension": "csv",
        "size_bytes": len(content),
        "permissions": "-rw-r-----",
        "checksum": {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()},
        "mime_type": "text/csv",
        "encoding": "us-ascii",
        "format": entry["format"],
        "dimensions": [{"axis": "rows", "size": 2}, {"axis": "columns", "size": 2}],
        "number_of_records": 2,
        "variables": entry["variables"],
        "data_object_version": "V1",
        "state": "present",
    }
    assert [v["name"] for v in entry["variables"]] == ["plant", "height_cm"]
    assert {k: manifest[k] for k in ("file_count", "total_size_bytes", "formats")} == {
        "file_count": 1,
        "total_size_bytes": len(content),
        "formats": [{"name": entry["format"]["name"], "count": 1, "size_bytes": len(content)}],
    }
    assert watched.check() == []


def test_the_registry_holds_what_a_deleted_folder_would_take_along(watched: Watched) -> None:
    watched.put("p_Barley/leaves/a.txt", "a\n")
    watched.reconcile()
    project, dataset = watched.project("p_Barley"), watched.administrative("p_Barley/leaves")
    by_identifier = watched.registry()
    assert set(by_identifier) == {project["project_identifier"], dataset["dataset_identifier"]}
    entry = without_audit(
        by_identifier[dataset["dataset_identifier"]],
        created_by="system:trigger-1",
        last_modified_by="system:trigger-2",
    )
    folder = watched.root / "p_Barley" / "leaves" / ".metadata"
    names = ("dataset_administrative.json", "dataset_structural.json")
    assert entry.pop("documents") == {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}
    # The empty manifest of trigger 1 stood there before the file was described: a crash may bring it back.
    assert [(name, len(sha256)) for name, sha256 in entry.pop("documents_before").items()] == [(names[1], 64)]
    assert re.fullmatch(STAMP, entry.pop("datestamp"))
    assert entry == {
        "$schema": f"{BASE}/schemas/registry/1.0.0",
        "identifier": dataset["dataset_identifier"],
        "kind": "dataset",
        "path": "p_Barley/leaves",
        "state": "present",
        "publication": {"state": "unpublished"},
        "project_identifier": project["project_identifier"],
        "sequence": 3,
    }


def test_nothing_invented_stands_in_any_generated_document(watched: Watched) -> None:
    watched.put("p_Barley/leaves/empty.bin", b"")
    watched.put("p_Barley/leaves/noise.bin", bytes(range(256)))
    watched.reconcile()
    text = b"".join(watched.metadata().values()).decode()
    for invented in ("to be filled", "todo", "tbd", "unknown", "n/a", "0000-000", "example.org", "null", '""'):
        assert invented not in text.lower()


def test_every_entry_has_a_line_of_its_own_sorted_by_path(watched: Watched) -> None:
    for name in ("b.txt", "a/z.txt", "a.txt", "B.txt"):
        watched.put(f"p_Barley/leaves/{name}", name)
    watched.reconcile()
    text = (watched.root / "p_Barley/leaves/.metadata/dataset_structural.json").read_text()
    lines = [json.loads(line.rstrip(",")) for line in text.splitlines() if line.startswith('{"path"')]
    assert [line["path"] for line in lines] == ["B.txt", "a.txt", "a/z.txt", "b.txt"]


def test_what_is_no_project_or_dataset_gets_no_documents(watched: Watched) -> None:
    watched.put("notes/a.txt")
    watched.put("p_/a.txt")
    watched.put(".p_hidden/d/a.txt")
    watched.put("p_file")
    watched.put("p_Barley/.hidden/a.txt")
    watched.put("p_Barley/leaves/.hidden/a.txt")
    watched.put("p_Barley/upload.part/a.txt")
    watched.reconcile()
    assert sorted(entry["path"] for entry in watched.registry().values()) == ["p_Barley", "p_Barley/leaves"]
    assert watched.entries("p_Barley/leaves") == {}


def test_a_file_directly_in_a_project_is_reported_not_described(watched: Watched) -> None:
    watched.put("p_Barley/readme.txt")
    watched.reconcile()
    assert watched.status().counts["stray"] == 1
    told = watched.explain("p_Barley/readme.txt")
    assert told.condition == "stray"
    assert "move it into" in told.sentence
    watched.move("p_Barley/readme.txt", "p_Barley/leaves/readme.txt")
    watched.reconcile()
    assert watched.status().counts["stray"] == 0
    assert set(watched.entries("p_Barley/leaves")) == {"readme.txt"}


def test_other_prefixes_make_other_folders_projects_and_datasets(watched: Watched) -> None:
    watched.put("study-1/ds_leaves/a.txt")
    watched.put("study-1/other/b.txt")
    watched.put("p_Barley/leaves/c.txt")
    watched.reconcile(project_prefix="study-", dataset_prefix="ds_")
    assert sorted(entry["path"] for entry in watched.registry().values()) == ["study-1", "study-1/ds_leaves"]
