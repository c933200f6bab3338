"""Local contexts add meanings and change none; an unknown address is an error, and nothing is ever fetched."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

import contexts
from catalog.graph.compiling import ContextError
from catalog.graph.contexts import UnknownContextError, inlined, scope_of
from catalog.graph.reading import Reading

OURS = contexts.iri("dataset_administrative")
LOCAL = "https://uni.example/contexts/greenhouse/1.0.0.jsonld"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **_: Any) -> Any:
        raise AssertionError(f"the network was used: {args}")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".template_schemas" / "contexts").mkdir(parents=True)
    return tmp_path / ".template_schemas"


def write(folder: Path, said: Any, name: str = "greenhouse") -> None:
    (folder / "contexts" / f"{name}.jsonld").write_text(json.dumps(said))


def predicates(document: dict[str, Any], folder: Path | None) -> set[str]:
    reading = Reading()
    reading.document(document, scope_of(document["@context"], folder))
    return {quad.predicate.value for quad in reading.quads}


def test_a_local_context_gives_a_local_field_its_meaning(folder: Path) -> None:
    write(folder, {"@context": {"bay": "https://uni.example/terms#bay"}})
    document = {"@context": [OURS, LOCAL], "@id": "urn:uuid:x", "@type": "Dataset", "bay": "B12", "dataset_title": "T"}
    assert "https://uni.example/terms#bay" in predicates(document, folder)
    assert "http://purl.org/dc/terms/title" in predicates(document, folder)
    assert len(inlined([OURS, LOCAL], folder)) == 2


@pytest.mark.parametrize("term", ["dataset_title", "name", "Dataset", "email", "dcat", "ethics_approvals"])
def test_a_local_context_may_not_redefine_ours(folder: Path, term: str) -> None:
    write(folder, {"@context": {term: "https://uni.example/terms#other"}})
    with pytest.raises(ContextError, match=f"gives {term} another meaning than ours"):
        scope_of([OURS, LOCAL], folder)


def test_a_local_context_may_say_the_same_again(folder: Path) -> None:
    write(folder, {"@context": {"dataset_title": "http://purl.org/dc/terms/title"}})
    assert scope_of([OURS, LOCAL], folder).terms["dataset_title"].iri == "http://purl.org/dc/terms/title"


@pytest.mark.parametrize(
    "named",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://w3id.org/fairfolder/contexts/registry/1.0.0.jsonld",
        "https://w3id.org/fairfolder/contexts/dcat/2.0.0.jsonld",
        "file:///etc/passwd",
        "../../secret.jsonld",
        "..jsonld",
        "/etc/passwd",
        [OURS, "https://schema.org/"],
        [OURS, {"dataset_title": "https://evil.example/#t"}],
        {"@import": OURS},
        None,
        17,
        "x" * 1_000_000,
    ],
)
def test_an_unknown_context_is_a_clear_error(folder: Path, named: Any) -> None:
    with pytest.raises(UnknownContextError, match="is not known here, and contexts are never fetched") as raised:
        scope_of(named, folder)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"@context": {"@import": "http://169.254.169.254/x"}}, "has @import, which is not understood here"),
        ({"@context": {"@base": "http://169.254.169.254/"}}, "has @base"),
        ({"@context": {"a": {"@id": "urn:a", "@context": "http://169.254.169.254/"}}}, "has to be an object"),
        ({"@context": {"a": {"@id": "urn:a", "@container": "@list"}}}, "only @set"),
        ({"@context": {"a": "no iri"}}, "is no IRI"),
        ({"@context": {"a": {"@id": "b:c"}, "b": {"@id": "a:c"}}}, None),
        ({"@context": "http://169.254.169.254/"}, 'no "@context" with an object'),
        ({"@context": {"a": 5}}, "is no definition"),
        ([], 'no "@context" with an object'),
    ],
)
def test_a_local_context_that_cannot_be_used_is_a_clear_error(folder: Path, said: Any, words: str | None) -> None:
    write(folder, said)
    if words is None:  # each is then an IRI of its own scheme: nobody is called
        assert scope_of([OURS, LOCAL], folder).terms["a"].iri
        return
    with pytest.raises(ContextError, match=words):
        scope_of([OURS, LOCAL], folder)


def test_a_local_context_that_is_no_json_or_too_large_or_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    path = folder / "contexts" / "greenhouse.jsonld"
    path.write_text("{")
    with pytest.raises(ContextError, match="cannot be read"):
        scope_of([OURS, LOCAL], folder)
    path.write_text(" " * 600_000)
    with pytest.raises(ContextError, match="512 KiB"):
        scope_of([OURS, LOCAL], folder)
    path.write_text("[" * 200_000)
    with pytest.raises(ContextError, match="cannot be read"):
        scope_of([OURS, LOCAL], folder)
    path.unlink()
    (tmp_path / "outside.jsonld").write_text('{"@context": {}}')
    path.symlink_to(tmp_path / "outside.jsonld")
    with pytest.raises(UnknownContextError):
        scope_of([OURS, LOCAL], folder)


def test_without_a_folder_only_ours_are_known() -> None:
    assert scope_of(OURS).terms["dataset_title"]
    with pytest.raises(UnknownContextError):
        scope_of([OURS, LOCAL])
