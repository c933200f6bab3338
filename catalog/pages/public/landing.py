"""The landing page of a published dataset: everything a stranger needs to understand, cite and get it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

import schemas
from catalog.formats import citing, openness, reading, schemaorg
from catalog.formats.reading import Thing, one, several, text, texts, web
from catalog.formats.table import FORMATS
from catalog.pages import values
from catalog.pages.public.plainly import plainly, words
from catalog.publishing.altered import GONE, OTHER
from catalog.publishing.iris import public_iri
from catalog.publishing.site import Site, has_sparql
from ingest import documents

FILES_A_PAGE = 100
_ABOUT = (
    "alternative_titles", "keywords", "subjects", "contributors", "rights_holder", "publisher", "languages",
    "spatial_coverage", "temporal_coverage", "methods", "provenance_statement", "conforms_to", "documentation",
    "preservation_location", "version_notes", "additional_properties",
)  # fmt: skip
_STRUCTURE = ("scope", "structure_description", "naming_convention", "data_dictionary", "software_to_read")
_RUN = (
    "run_type", "experiment_dates", "started_at", "ended_at", "experimenters", "protocol_references",
    "no_protocol_reason", "protocol_deviations", "sample_identifiers", "sample_source", "sample_treatments",
    "sample_preparation", "instrument_settings", "software_used", "software_parameters", "scripts", "command_line",
    "environment", "reagents", "qc_metrics", "qc_assessment", "notes", "additional_properties",
)  # fmt: skip
_INSTRUMENT = (
    "instrument_types", "manufacturers", "model", "owners", "serial_number", "description", "measured_variables",
    "hardware_specifications", "instrument_location", "identifiers", "last_calibration_date",
)  # fmt: skip
_ALTERED = {GONE: "Not at its place at present", OTHER: "Not the published file at present"}
_ESCAPED = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


@dataclass(frozen=True)
class Who:
    """A creator as the page shows them."""

    name: str
    address: str
    orcid: bool
    affiliations: Sequence[str]


@dataclass(frozen=True)
class FileRow:
    """A line of the table of files; `address` is empty where nobody may have it, `altered` says why nobody gets it."""

    path: str
    size: int | None
    kind: str
    media_type: str
    checksum: str
    description: str
    address: str
    altered: str = ""


@dataclass(frozen=True)
class Part:
    """A run or an instrument: its anchor in the page, its name, and what is known of it."""

    anchor: str
    name: str
    facts: Sequence[values.Fact]
    used: Sequence[tuple[str, str]] = ()
    file_count: int = 0


@dataclass(frozen=True)
class FilePage:
    """Some of the files, and where the others are; `altered`: identifiers of those not as published, with why."""

    entries: Sequence[Thing]
    number: int = 1
    pages: int = 1
    altered: Mapping[str, str] = field(default_factory=dict)


def page(value: Thing, site: Site, files: FilePage) -> bytes:
    """The whole page."""
    template = "catalog/public_tombstone.html" if reading.is_withdrawn(value) else "catalog/public_dataset.html"
    return render_to_string(template, context(value, site, files)).encode("utf-8", "replace")


def context(value: Thing, site: Site, files: FilePage) -> dict[str, Any]:
    """What the template draws."""
    base, identifier = site.base_url, reading.uuid_of(value)
    cited = citing.of(value, site)
    return {
        "site": site,
        "has_sparql": has_sparql(),
        "value": value,
        "identifier": identifier,
        "iri": reading.dataset_iri(value, base),
        "address": reading.landing_page(value, base),
        "doi": reading.doi(value.get("doi")),
        "title": text(value, "dataset_title"),
        "summary": citing.line(reading.description(value))[:300],
        "creators": [_who(each) for each in several(value, "creators") if reading.name(each)],
        "citation": citing.sentence(cited),
        "cited": cited,
        "licence": reading.license_name(value),
        "licence_address": reading.license_iri(value),
        "access": access(value),
        "file_count": reading.file_count(value),
        "total_size": reading.total_size(value),
        "formats": several(one(value, "structure"), "formats"),
        "files": [_file(each, value, base, files.altered) for each in files.entries],
        "file_page": files,
        "runs": [_run(each, value) for each in several(value, "data_objects")],
        "instruments": [_instrument(each) for each in several(value, "instruments")],
        "project": one(value, "project"),
        "project_identifier": reading.uuid_of(one(value, "project")),
        "facts": _facts(value, documents.ADMINISTRATIVE, _ABOUT),
        "structure": _facts(one(value, "structure"), documents.STRUCTURAL, _STRUCTURE),
        "funding": [_grant(each) for each in reading.funding(value)],
        "related": [_related(each) for each in several(value, "related_identifiers")],
        "previous": _previous(value, base),
        "ways": [each for each in FORMATS if not each.cites],
        "citations": [each for each in FORMATS if each.cites],
        "json_ld": embedded(schemaorg.dataset(value, site, schemaorg.EMBEDDED_FILES)),
    }


def embedded(node: Mapping[str, Any]) -> SafeString:
    """JSON that may stand in a ``script`` element: nothing in it ends the element, or a comment, or is markup."""
    return mark_safe(orjson.dumps(node).decode().translate(_ESCAPED))  # noqa: S308  # every character of markup is escaped


def access(value: Thing) -> dict[str, str]:
    """Who gets the data, in words."""
    level = text(value, "access_level")
    words = {"public": "open", "embargoed": "embargoed", "restricted": "restricted"}
    contact = one(value, "access_contact") or one(value, "data_steward")
    steward = one(value, "data_steward")
    return {
        "level": level,
        "word": words.get(level, "closed"),
        "sentence": openness.sentence(value),
        "conditions": text(value, "access_conditions"),
        "contact": reading.name(contact),
        "contact_address": web(contact.get("url")) or web(contact.get("orcid")) or web(contact.get("ror")),
        "steward": reading.name(steward),
        "email": text(steward, "email"),
    }


def _who(agent: Thing) -> Who:
    orcid = web(agent.get("orcid"))
    places = [reading.name(each) for each in several(agent, "affiliations") if reading.name(each)]
    return Who(reading.name(agent), orcid or web(agent.get("ror")) or web(agent.get("url")), bool(orcid), places)


def _file(entry: Thing, value: Thing, base: str, altered: Mapping[str, str]) -> FileRow:
    own, checksum = reading.uuid_of(entry), one(entry, "checksum")
    return FileRow(
        path=text(entry, "path") or text(entry, "file_name"),
        size=reading.whole(entry, "size_bytes"),
        kind=text(one(entry, "format"), "name"),
        media_type=text(entry, "mime_type"),
        checksum=text(checksum, "value"),
        description=text(entry, "description"),
        address=public_iri(base, "file", own) if own and reading.is_open(value) else "",
        altered=_ALTERED.get(altered.get(own, ""), ""),
    )


def _run(data_object: Thing, value: Thing) -> Part:
    run = one(data_object, "experiment")
    known = {
        text(each, "instrument_identifier"): text(each, "instrument_name") for each in several(value, "instruments")
    }
    used = [(each, known[each]) for each in texts(run, "instruments_used") if each in known]
    return Part(
        anchor=f"run-{reading.uuid_of(run)}",
        name=text(run, "experiment_name") or text(run, "run_label") or "Run",
        facts=_facts(run, documents.EXPERIMENT, _RUN),
        used=used,
        file_count=reading.whole(data_object, "file_count") or len(texts(data_object, "file_identifiers")),
    )


def _instrument(instrument: Thing) -> Part:
    return Part(
        anchor=f"instrument-{text(instrument, 'instrument_identifier')}",
        name=text(instrument, "instrument_name") or "Instrument",
        facts=_facts(instrument, documents.INSTRUMENT, _INSTRUMENT),
    )


def _grant(grant: Thing) -> dict[str, str]:
    funder = one(grant, "funder")
    return {
        "funder": reading.name(funder),
        "funder_address": web(funder.get("ror")) or web(funder.get("url")),
        "award": " ".join(filter(None, (text(grant, "award_title"), text(grant, "award_number")))),
        "award_address": web(grant.get("award_uri")),
    }


def _related(relation: Thing) -> dict[str, str]:
    return {
        "relation": words(text(relation, "relation")),
        "title": text(relation, "title") or text(relation, "identifier"),
        "address": schemaorg.related_address(relation),
    }


def _previous(value: Thing, base: str) -> str:
    previous = text(value, "previous_version")
    return reading.iri({"@id": previous}, base, "dataset") if previous else ""


def _facts(thing: Thing, kind: str, keys: Sequence[str]) -> list[values.Fact]:
    plain = {key: plainly(thing[key]) for key in keys if key in thing}
    return values.facts(plain, _labels(kind), list(plain))


@cache
def _labels(kind: str) -> dict[str, str]:
    """Key → title of a field, as the packaged schema has it: a local one may be nobody else's business."""
    rules = schemas.load(kind)["properties"]
    return {key: rule["title"] for key, rule in rules.items() if isinstance(rule.get("title"), str)}
