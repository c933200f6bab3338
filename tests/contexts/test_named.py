"""`check` tells of every context that is not known here, wherever it stands; and nothing fetches one (FA-53, FA-54)."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import contexts
from catalog.graph.named_contexts import judge
from tests.catalog.service import Service

OURS = contexts.iri("dataset_administrative")
STRUCTURAL = contexts.iri("dataset_structural")
LOCAL = "https://uni.example/contexts/greenhouse/1.0.0.jsonld"
UNKNOWN = "is not known here, and contexts are never fetched"
INSIDE = "Only a record as a whole has a context"
D = "p_Barley/leaves"
ADMINISTRATIVE = f"{D}/.metadata/dataset_administrative.json"


def told(root: Path, document: dict[str, Any], kind: str = "dataset_administrative") -> list[tuple[str, str]]:
    return [(each.pointer, each.message) for each in judge(root)(kind, document)]


def deep(depth: int) -> Any:
    value: Any = "http://169.254.169.254/"
    for _ in range(depth):
        value = {"a": {"@context": value}}
    return value


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("http://169.254.169.254/latest", UNKNOWN),
        ("file:///etc/passwd", UNKNOWN),
        ([OURS, "https://example.org/c.jsonld"], "The context 'https://example.org/c.jsonld' is not known here"),
        ([OURS, LOCAL], UNKNOWN),
        ([OURS, {"a": "http://169.254.169.254/"}], "not written out"),
        ({"@import": "http://169.254.169.254/"}, "not written out"),
        ([], "not written out"),
        (deep(900), "not written out"),
        ("http://169.254.169.254/" + "x" * 10_000_000, UNKNOWN),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_context_that_is_not_known_is_told(tmp_path: Path, named: Any, words: str) -> None:
    ((pointer, sentence),) = told(tmp_path, {"@context": named})
    assert pointer == "/@context"
    assert words in sentence
    assert len(sentence) < 500


def test_one_inside_is_told_where_it_stands(tmp_path: Path) -> None:
    document = {
        "@context": OURS,
        "creators": [{"name": "A"}, {"name": "B", "@context": "http://169.254.169.254/"}],
        "methods": 'a text that says "@context": {}',
    }
    assert [pointer for pointer, words in told(tmp_path, document) if INSIDE in words] == ["/creators/1/@context"]
    document["x"] = deep(900)
    assert "/x/a/@context" in [pointer for pointer, _ in told(tmp_path, document)]
    assert len(told(tmp_path, {"@context": OURS, "l": [{"@context": ""}] * 100})) == 20


def test_ours_local_ones_and_none_are_fine(tmp_path: Path) -> None:
    folder = tmp_path / ".template_schemas" / "contexts"
    folder.mkdir(parents=True)
    (folder / "greenhouse.jsonld").write_text(json.dumps({"@context": {"bay": "https://uni.example/terms#bay"}}))
    for document in ({"@context": OURS}, {"@context": [OURS, LOCAL]}, {}):
        assert told(tmp_path, document) == []
    assert told(tmp_path, {}, "registry") == []


def test_a_local_context_that_changes_ours_is_told(tmp_path: Path) -> None:
    folder = tmp_path / ".template_schemas" / "contexts"
    folder.mkdir(parents=True)
    (folder / "greenhouse.jsonld").write_text(json.dumps({"@context": {"dataset_title": "https://uni.example/#t"}}))
    ((_, sentence),) = told(tmp_path, {"@context": [OURS, LOCAL]})
    assert "another meaning than ours" in sentence


# --- through the real commands ------------------------------------------------------------------------------------


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Service, int]]:
    """A described dataset, and a port on which whoever fetches something would be seen."""
    service = Service(tmp_path)
    (service.root / D).mkdir(parents=True)
    (service.root / D / "a.csv").write_text("a,b\n1,2\n")
    assert service.run("reconcile").code == 0
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield service, listening.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listening.accept()


def edit(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value))


def schema(path: Path, reference: str, key: str = "$ref") -> None:
    """A local schema for datasets that is fine but for one reference."""
    own = f"https://uni.example/schemas/{path.stem}/1.0.0"
    properties = {"bay": {key: reference}}
    value = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": own, "properties": properties}
    path.write_text(json.dumps(value))


def planted(root: Path, port: int, secret: Path) -> None:
    """Addresses of a listening port and of a file in every place where a document or a schema may name one."""
    remote, local = f"http://127.0.0.1:{port}", f"file://{secret}"
    edit(root / ADMINISTRATIVE, lambda v: v.update({"@context": [OURS, f"{remote}/c.jsonld"]}))
    project = root / "p_Barley/.metadata/project_descriptive.json"
    edit(project, lambda v: v.update({"@context": f"{remote}/redirect", "$schema": f"{remote}/s"}))
    own = root / D / ".metadata/dataset_structural.json"
    edit(own, lambda v: v.update({"@context": [STRUCTURAL, local], "x": {"@context": remote}}))
    folder = root / ".template_schemas"
    (folder / "contexts").mkdir(parents=True)
    (folder / "contexts" / "c.jsonld").write_text(json.dumps({"@context": {"@import": f"{remote}/i"}}))
    schema(folder / "dataset_administrative.json", f"{remote}/x")
    schema(folder / "project_descriptive.json", local)
    schema(folder / "experiment_contextual.json", f"ftp://127.0.0.1:{port}/x", "$dynamicRef")
    schema(folder / "instrument_technical.json", "#/properties/bay")


def test_no_command_fetches_what_documents_and_schemas_name(service: tuple[Service, int], tmp_path: Path) -> None:
    """Seen by a listening port and, where strace is installed, by the calls themselves."""
    own, port = service
    secret = tmp_path / "secret.jsonld"
    secret.write_text(json.dumps({"@context": {"a": "urn:a"}}))
    planted(own.root, port, secret)
    log = tmp_path / "strace.log"
    traced = shutil.which("strace") is not None
    trace = ["strace", "-f", "-qq", "-s", "4096", "-o", str(log), "-e", "trace=connect,?open,openat,sendto"]
    answers = []
    for command in ("check", "reconcile"):
        answers.append(own.run(command, "--json", prefix=trace if traced else ()))
        assert "Traceback" not in answers[-1].err
        if traced:
            calls = log.read_text(errors="surrogateescape")
            assert str(own.root / ADMINISTRATIVE) in calls
            assert re.findall(r"connect\(.*AF_INET.*", calls) == []
            assert str(secret) not in calls
    assert answers[0].code == 1
    told = json.dumps(answers[0].value, ensure_ascii=False)
    for words in (
        f"The context 'http://127.0.0.1:{port}/redirect' is not known",
        f"The context 'file://{secret}' is not known",
        "has @import",
        INSIDE,
    ):
        assert words in told


def test_check_tells_the_document_the_address_and_the_mend(service: tuple[Service, int]) -> None:
    own, port = service
    address = f"http://127.0.0.1:{port}/c.jsonld"
    edit(own.root / ADMINISTRATIVE, lambda v: v.update({"@context": [OURS, address]}))
    answer = own.run("check")
    assert answer.code == 1
    assert f"{ADMINISTRATIVE}" in answer.out
    assert f"The context '{address}' is not known here, and contexts are never fetched. Use one of ours" in answer.out
    folder = own.root / ".template_schemas" / "contexts"
    folder.mkdir(parents=True)
    (folder / "c.jsonld").write_text(json.dumps({"@context": {"bay": "https://uni.example/terms#bay"}}))
    assert own.run("check").code == 0, "a local context is known by the last part of its address"
