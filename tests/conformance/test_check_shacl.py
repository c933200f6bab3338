"""`check --shacl`, the shapes as they are published, and the preflight that holds a record against them."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rdflib
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from catalog.graph import shacl, shapes
from catalog.publishing.checking import CHECKS, preflight, shapes_met
from tests.catalog.public.shown import Shown, put
from tests.catalog.publishing import example
from tests.catalog.publishing.ready import Ready
from tests.conformance import official, variants

WISH = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
<http://example.org/wish> a sh:NodeShape ; sh:targetClass dcat:Dataset ;
    sh:property [ sh:path dct:accrualPeriodicity ; sh:minCount 1 ; sh:severity %s ] ;
    sh:property <http://example.org/nowhere> .
"""


def publish(**changes: Any) -> None:
    """The whole example as the one public record, with changes."""
    made = example.published()
    put(replace(made, value={**copy.deepcopy(made.value), **changes}))


@pytest.fixture
def sound(unpublished: Shown) -> Shown:
    publish()
    return unpublished


def check(*options: str) -> tuple[int, str]:
    """Exit code and answer of the command."""
    out = io.StringIO()
    try:
        call_command("check", *options, stdout=out, stderr=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def found(*options: str) -> tuple[int, dict[str, Any]]:
    code, answer = check("--json", *options)
    value: dict[str, Any] = json.loads(answer)
    return code, value["shacl"]


def wish(folder: Path, severity: str) -> str:
    path = folder / "wish.ttl"
    path.write_text(WISH % severity)
    return str(path)


def test_records_that_are_as_asked_are_counted(sound: Shown) -> None:
    code, told = found("--shacl")
    assert (told["records"], told["found"]) == (1, [])
    assert "Public records: 1, not as shapes ask: 0, advice: 0" in check("--shacl")[1]
    assert code == check()[0], "the shapes add nothing to what is found"


def test_without_the_option_no_shape_is_asked(sound: Shown) -> None:
    publish(license="a b")
    assert "Public records" not in check()[1]


def test_a_record_that_is_not_as_asked_is_told_with_its_title(sound: Shown) -> None:
    publish(license="a b", dataset_title="Counts\nof \u202ecells")
    code, told = found("--shacl")
    assert code == 1
    [held] = told["found"]
    assert held["dataset"] == example.DATASET
    assert held["violations"] == ["The dataset 'Counts of \\u202ecells' has no Licence (dct:license); give one."]
    assert held["results"][0]["rule"] == "MinCount"
    line = next(each for each in check("--shacl")[1].splitlines() if "Licence" in each)
    assert line.isprintable()
    assert "Fairfolder's own shapes" in line


def test_a_tombstone_is_asked_for_nothing_it_cannot_have(sound: Shown) -> None:
    sound.withdraw()
    assert found("--shacl")[1]["found"] == []


def test_shapes_of_ones_own_are_asked_too(sound: Shown, tmp_path: Path) -> None:
    code, told = found("--shapes", wish(tmp_path, "sh:Violation"))
    assert code == 1
    assert ["no dct:accrualPeriodicity" in each for each in told["found"][0]["violations"]] == [True]
    assert "names 1 property shape that it does not describe" in told["remarks"][0]


def test_advice_is_told_and_is_no_finding(sound: Shown, tmp_path: Path) -> None:
    code, told = found("--shapes", wish(tmp_path, "sh:Warning"))
    assert told["found"][0]["violations"] == []
    assert len(told["found"][0]["warnings"]) == 1
    assert code == check()[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read: No such file"),
        ("not turtle", "cannot be read as Turtle"),
        ("[] <http://www.w3.org/ns/shacl#sparql> [] .", "sh:sparql"),
    ],
)
def test_shapes_that_cannot_be_used_are_one_sentence(
    sound: Shown, tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "theirs.ttl"
    if text is not None:
        path.write_text(text)
    code, answer = check("--shapes", str(path))
    assert code == 2
    assert words in answer
    assert "Traceback" not in answer


@official.needed
def test_the_official_shapes_are_met_by_a_published_record(sound: Shown) -> None:
    options = [each for name in official.FILES for each in ("--shapes", str(official.FOLDER / name))]
    told = found(*options)[1]
    said = [words for held in told["found"] for words in held["violations"]]
    assert [words for words in said if "checksumAlgorithm_sha256" not in words] == []


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_shapes_are_published_for_everybody(client: Client, db: None) -> None:
    answer = client.get("/shapes")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/turtle; charset=utf-8")
    assert answer["Access-Control-Allow-Origin"] == "*"
    graph = rdflib.Graph().parse(data=answer.content, format="turtle")
    assert (rdflib.URIRef(f"{shapes.BASE}Dataset"), None, None) in graph
    assert client.get("/shapes", headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_what_is_published_can_be_used_as_it_is(client: Client, db: None) -> None:
    from catalog.graph import quads
    from tests.catalog.graph.graphs import SITE

    theirs = shacl.read(client.get("/shapes").content, "fetched")
    assert shacl.validate(quads.dcat(variants.composed(), SITE), theirs).conforms


# --- publishing -------------------------------------------------------------------------------------------------------


def test_the_preflight_holds_the_record_against_our_shapes(ready: Ready) -> None:
    assert shapes_met in CHECKS
    assert preflight(ready.dataset, timezone.now()).passes


def test_what_only_the_shapes_see_refuses_publishing(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """A context that lost a key: no schema sees it, and the public record would have no licence."""
    from catalog.graph import quads

    whole = quads.dcat
    monkeypatch.setattr(
        quads,
        "dcat",
        lambda value, site: [each for each in whole(value, site) if "license" not in each.predicate.value],
    )
    found = preflight(ready.dataset, timezone.now())
    [refusal] = found.refusals
    assert refusal.sentence == "The dataset 'Counts of living cells' has no Licence (dct:license); give one."
    assert refusal.address == f"/edit/dataset/{ready.identifier}/"


@official.needed
def test_what_the_engine_published_meets_the_official_shapes(ready: Ready) -> None:
    """From files on disk through runs and complete metadata files to the public record, and its tombstone after it."""
    options = [each for name in official.FILES for each in ("--shapes", str(official.FOLDER / name))]
    for act in (ready.publish, ready.withdraw):
        act()
        told = found(*options)[1]
        said = [words for held in told["found"] for words in held["violations"]]
        assert told["records"] == 1
        assert [words for words in said if "checksumAlgorithm_sha256" not in words] == []
