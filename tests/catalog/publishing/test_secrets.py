"""Secrets planted in records on disk, then every way out asked by a stranger: none of them appears anywhere."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog.formats import dumping
from catalog.formats.table import FORMATS
from catalog.graph.snapshots import Lease
from catalog.graph.store import QuadStore
from catalog.indexing import Graph, PublicRows, version_of
from catalog.models import Dataset, File, Project, Run
from catalog.publishing import whitelist
from catalog.publishing.site import site
from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, PROJECT, Ready
from tests.catalog.test_rights import routes

pytestmark = pytest.mark.django_db

MARK = "Kept-to-ourselves"
_NODE = {"@id": f"urn:x:{MARK}", "@type": "Person", "name": f"{MARK} foreign", "email": f"{MARK}@example.org"}
_OF_PERSON = {
    "@type": "Person",
    "name": "Rosa Luz",
    "email": f"{MARK}@example.org",
    "@id": "urn:uuid:" + "0" * 35 + "7",
}
PRIVATE: dict[str, Any] = {
    "ethics_approvals": [{"label": f"{MARK} ethics", "url": f"https://irb.example/{MARK}"}],
    "consent_framework": f"{MARK} consent",
    "anonymization_method": f"{MARK} method",
    "data_retention_schedule": {
        "period": "P10Y", "start_event": "published", "action": "review", "basis": f"{MARK} retention",
    },
    "x_lab_note": _NODE,
    "https://schema.org/funder": _NODE,
    "creators": [_OF_PERSON],
}  # fmt: skip
STATES = ("public", "restricted", "embargoed", "confidential", "withdrawn")


@pytest.fixture
def planted(ready: Ready) -> Ready:
    """A dataset that is published, with secrets in each of its records; beside it one that never was."""
    ready.change(ADMINISTRATIVE, **PRIVATE)
    ready.change(PROJECT, x_lab_note=_NODE, notes_of_the_lab=f"{MARK} project", principal_investigator=_OF_PERSON)
    ready.change(
        f"{FOLDER}/.metadata/runs/first/experiment_contextual.json", x_lab_note=_NODE, experimenters=[_OF_PERSON]
    )
    ready.finalise("first")
    ready.publish(by=f"{MARK}-curator")
    described = ready.described
    described.put(f"p_{MARK}/hidden/{MARK}.csv")
    described.describe()
    hidden = f"p_{MARK}/hidden/.metadata/dataset_administrative.json"
    ready.change(hidden, dataset_title=f"{MARK} title", keywords=[f"{MARK} keyword"], dataset_abstract=f"{MARK} text")
    return ready


def close(ready: Ready, state: str) -> None:
    fields: dict[str, Any] = {}
    if state == "restricted":
        fields["access_conditions"] = "Ask the desk."
    if state == "embargoed":
        fields["embargo_end_date"] = "2998-06-01"
    if state == "withdrawn":
        ready.withdraw()
    elif state != "public":
        ready.access(state, **fields)
    if state in ("confidential", "withdrawn"):  # what it says from now on was never public
        ready.change(ADMINISTRATIVE, dataset_abstract=f"{MARK}, said after it was closed, in words enough for it.")


def identifiers() -> list[str]:
    """Of one thing of each kind, public and hidden."""
    hidden = Dataset.objects.get(path__contains=MARK)
    shown = Dataset.objects.get(path=FOLDER)
    files = (File.objects.filter(dataset=each).values_list("identifier", flat=True)[0] for each in (shown, hidden))
    projects = Project.objects.values_list("identifier", flat=True)
    return [shown.identifier, hidden.identifier, *files, *projects, *Run.objects.values_list("identifier", flat=True)]


def addresses() -> Iterator[str]:
    """Every address of the service, with each identifier; and searches for what is hidden."""
    filled = {"suffix": [each.suffix for each in FORMATS], "kind": KINDS, "word": WORDS, "number": ["1"]}
    for route in sorted(routes()):
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        if "(?P" in route or any(name not in (*filled, "identifier") for name in names):
            continue
        found = [route]
        for name in names:
            values = identifiers() if name == "identifier" else filled[name]
            found = [re.sub(rf"<(?:\w+:)?{name}>", each, address) for address in found for each in values]
        yield from (f"/{address}" for address in found)
    yield from (f"/datasets/?q={MARK}", f"/datasets/?q={MARK}+title", "/datasets/?page=2", "/datasets/?q=heat")
    for identifier in identifiers():
        yield from (f"/datasets/?project={identifier}", f"/datasets/?instrument={identifier}")
        yield from (f"/datasets/{identifier}?_profile=alt", f"/datasets/{identifier}?files=2")


KINDS = ["dataset", "record", "file", "project", "run", "instrument", "dataobject", "variable", "agent"]
WORDS = ["project", "dataset", "files", "run", "instrument"]


def said(client: Client) -> Iterator[tuple[str, str]]:
    """What every address answers: its headers and its text. What was asked for itself is no secret to who asks."""
    for address in addresses():
        for accept in ("text/html", "text/turtle"):
            answer = client.get(address, headers={"Accept": accept})
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[arg-type]
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            told = f"{sorted(answer.items())}\n{body.decode('utf-8', 'replace')}"
            for own in {address.partition("=")[2], address.partition("=")[2].replace("+", " ")} - {""}:
                told = told.replace(own, "")
            yield f"{address} as {accept}", told


def in_sparql(tmp_path: Path) -> str:
    """Everything that any query could find."""
    from pyoxigraph import RdfFormat, Store

    with QuadStore(tmp_path / "graph", version_of(site())) as store:
        Graph("public", store, PublicRows(), site()).bring_up_to_date()
        lease = Lease(store.snapshots)
        found = Store.read_only(str(lease.path)).dump(format=RdfFormat.N_QUADS)
        lease.release()
    return (found or b"").decode()


@pytest.mark.parametrize("state", STATES)
def test_no_secret_has_a_way_out(planted: Ready, client: Client, state: str, tmp_path: Path) -> None:
    close(planted, state)
    dumping.build(site())
    hidden = Dataset.objects.get(path__contains=MARK).identifier
    asked = 0
    for way, told in said(client):
        asked += 1
        assert MARK not in told, way
        assert hidden in way or hidden not in told, way
    assert asked > 500
    graph = in_sparql(tmp_path)
    assert planted.identifier in graph
    assert MARK not in graph
    assert hidden not in graph


def test_the_secrets_are_there_to_be_found(planted: Ready) -> None:
    for path in (ADMINISTRATIVE, PROJECT, f"{FOLDER}/.metadata/runs/first/experiment_contextual.json"):
        assert MARK in json.dumps(planted.described.read(path))
    assert MARK in json.dumps(planted.entry())


def test_one_key_that_is_let_through_is_found(planted: Ready, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    public = {**whitelist.DATASET.public, "consent_framework": None}
    monkeypatch.setattr(whitelist, "DATASET", replace(whitelist.DATASET, public=public))
    planted.change(ADMINISTRATIVE, consent_framework=f"{MARK} consent, again")
    planted.finalise("first")
    planted.publish()
    assert any(MARK in told for _, told in said(client))
