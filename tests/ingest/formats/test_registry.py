"""The registry: one name and one media type per format, identifiers of the right form, documentation in step."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.formats import dicom, registry
from ingest.formats.source import Format

DOCS = Path(__file__).parents[3] / "docs"
FORMATS = [value for value in vars(registry).values() if isinstance(value, Format)]


def test_keys_and_names_are_unique() -> None:
    assert len({form.key for form in FORMATS}) == len(FORMATS) >= 25
    named = [form.name for form in FORMATS if form.name]
    assert len(set(named)) == len(named)


def test_identifiers_have_the_form_of_their_registry() -> None:
    for form in FORMATS:
        assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", form.media_type)
        assert form.iri is None or re.fullmatch(r"https://www\.nationalarchives\.gov\.uk/PRONOM/(x-)?fmt/\d+", form.iri)
        assert form.edam_iri is None or re.fullmatch(r"http://edamontology\.org/format_\d{4}", form.edam_iri)


def test_no_signature_hides_another() -> None:
    for number, one in enumerate(registry.SIGNATURES):
        for earlier in registry.SIGNATURES[:number]:
            assert earlier.check or not one.start.startswith(earlier.start), (earlier.start, one.start)


def test_the_documented_dicom_tags_are_the_allowed_ones() -> None:
    _, _, section = (DOCS / "formats.md").read_text().partition("## The DICOM tags")
    listed = section.partition("\nWhy it was")[0].partition("\n")[2]
    words = set(re.findall(r"\b[A-Z][A-Za-z]+\b", listed)) - {"Numbers", "Codes", "Names"}
    assert words == set(dicom.ALLOWED)


def test_the_documented_media_types_are_the_recorded_ones() -> None:
    rows = re.findall(r"(?m)^\| ([^|`]+?) \| `([^`]+)` \|", (DOCS / "formats.md").read_text())
    documented = dict(rows)
    for form in FORMATS:
        if form.name:
            assert documented[form.name] == form.media_type
