"""Three JSON-LD processors and ours read the same from every document of ours, by every context of ours."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

import contexts
from tests.catalog.graph.graphs import PROCESSORS, by_oxigraph, by_pyld, by_us, published
from tests.contexts.positions import Place, places
from tests.schemas import records

READINGS = (*contexts.VOCABULARIES, contexts.RECORD)


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("kind", contexts.KINDS)
def test_a_document_on_disk_means_the_same_to_all(kind: str, processor: str) -> None:
    document = records.full(kind)
    assert by_us(document, kind) == PROCESSORS[processor](document, kind)
    assert len(by_us(document, kind)) > 40


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("reading", READINGS)
def test_a_complete_metadata_file_means_the_same_to_all_in_each_vocabulary(reading: str, processor: str) -> None:
    document = records.full("complete_metadata")
    assert by_us(document, reading) == PROCESSORS[processor](document, reading)
    assert len(by_us(document, reading)) > 30


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("reading", READINGS)
def test_the_published_document_means_the_same_to_all(reading: str, processor: str) -> None:
    document = published()
    assert by_us(document, reading) == PROCESSORS[processor](document, reading)
    assert len(by_us(document, reading)) > 90


def test_random_documents_mean_the_same(rng: random.Random, count: Callable[[int, int], int]) -> None:
    for _ in range(count(40, 4_000)):
        kind = rng.choice(contexts.KINDS)
        document = _random(places(kind), rng)
        document["@type"] = places(kind).types[0]  # without it a key is no term, and Oxigraph reads types under it
        document["@id"] = "urn:uuid:0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
        ours = by_us(document, kind)
        assert ours == by_oxigraph(document, kind), document
        assert ours == by_pyld(document, kind), document


_VALUES: tuple[Any, ...] = (
    "text", "", "https://example.org/a", "urn:uuid:7e1d2c3b-4a59-4687-9f0e-1d2c3b4a5968", "name", "dct:title", "a:b:c",
    "Dataset", "sha256", "public", "CC-BY-4.0", "text/csv", "ä\u202e", 0, 1, -7, 0.93, 1.5e-9,
    12345678901234567890, 5.0, True, False, None, "2026-01-01", "@id", "@none", "@type",
)  # fmt: skip


def _random(place: Place, rng: random.Random) -> Any:
    """Some of the keys of a place, each with a value that may or may not suit it."""
    if not place.below:
        return rng.choice(_VALUES)
    value: dict[str, Any] = {}
    if place.types and rng.random() < 0.9:
        value["@type"] = rng.choice(place.types)
    for key in rng.sample(sorted(place.below), rng.randint(0, len(place.below))):
        if key in ("url", "iri"):
            value[key] = f"https://example.org/{rng.randrange(3)}"
            continue
        below = place.below[key]
        one = _random(below, rng)
        value[key] = [one, copy.deepcopy(_random(below, rng))] if below.listed or rng.random() < 0.1 else one
    return value
