"""DataCite JSON, kernel 4.7, in the shape of DataCite's own API (``data.attributes`` of a DOI)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from catalog.formats import openness, reading
from catalog.formats.reading import Thing, one, several, text, texts, web, without_empty
from catalog.publishing.site import Site

SCHEMA = "http://datacite.org/schema/kernel-4"
_ROR, _ORCID = "https://ror.org", "https://orcid.org"


def render(value: Thing, site: Site) -> bytes:
    return orjson.dumps(attributes(value, site), option=orjson.OPT_INDENT_2) + b"\n"


def attributes(value: Thing, site: Site) -> dict[str, Any]:
    """The metadata of the DOI; without ``doi`` while there is none."""
    project, base = one(value, "project"), site.base_url
    found = {
        "schemaVersion": SCHEMA,
        "doi": reading.doi(value.get("doi")),
        "url": reading.landing_page(value, base),
        "identifiers": _identifiers(value, base),
        "creators": [_named(each) for each in several(value, "creators")],
        "titles": list(_titles(value)),
        "publisher": _publisher(one(value, "publisher"), site),
        "publicationYear": int(reading.year(value) or 0) or None,
        "types": {
            "resourceType": text(value, "resource_type") or "Dataset",
            "resourceTypeGeneral": text(value, "resource_type_general") or "Dataset",
        },
        "subjects": list(_subjects(value)),
        "contributors": list(_contributors(value, project)),
        "dates": list(_dates(value)),
        "language": next(iter(texts(value, "languages")), ""),
        "relatedIdentifiers": list(_related(value)),
        "sizes": _sizes(value),
        "formats": reading.ordered(
            [text(each, "mime_type") for each in reading.files(value) if text(each, "mime_type")]
        ),
        "version": text(value, "dataset_version"),
        "rightsList": list(_rights(value)),
        "descriptions": list(_descriptions(value, project)),
        "geoLocations": [place for each in several(value, "spatial_coverage") if (place := _place(each))],
        "fundingReferences": [_grant(each) for each in reading.funding(value) if reading.name(one(each, "funder"))],
    }
    return without_empty(found)


def _identifiers(value: Thing, base: str) -> list[dict[str, str]]:
    return [
        {"identifier": reading.dataset_iri(value, base), "identifierType": "URL"},
        {"identifier": f"urn:uuid:{reading.uuid_of(value)}", "identifierType": "UUID"},
    ]


def _named(agent: Thing) -> dict[str, Any]:
    person = reading.is_person(agent)
    node = {
        "name": reading.inverted(agent) if person else reading.name(agent),
        "nameType": "Personal" if person else "Organizational",
        "givenName": text(agent, "given_name") if person else "",
        "familyName": text(agent, "family_name") if person else "",
        "nameIdentifiers": _name_identifiers(agent),
        "affiliation": [_affiliation(each) for each in several(agent, "affiliations") if reading.name(each)],
    }
    return without_empty(node)


def _name_identifiers(agent: Thing) -> list[dict[str, str]]:
    known = (("orcid", "ORCID", _ORCID), ("ror", "ROR", _ROR))
    return [
        {"nameIdentifier": web(agent.get(key)), "nameIdentifierScheme": scheme, "schemeUri": address}
        for key, scheme, address in known
        if web(agent.get(key))
    ]


def _affiliation(organization: Thing) -> dict[str, str]:
    ror = web(organization.get("ror"))
    scheme = {"affiliationIdentifierScheme": "ROR", "schemeUri": _ROR} if ror else {}
    return without_empty({"name": reading.name(organization), "affiliationIdentifier": ror, **scheme})


def _titles(value: Thing) -> Iterator[dict[str, str]]:
    yield without_empty({"title": text(value, "dataset_title"), "lang": text(value, "metadata_language")})
    for each in several(value, "alternative_titles"):
        if text(each, "title"):
            node = {"title": text(each, "title"), "titleType": text(each, "type"), "lang": text(each, "language")}
            yield without_empty({**node, "titleType": node["titleType"] or "AlternativeTitle"})


def _publisher(organization: Thing, site: Site) -> dict[str, str]:
    ror = web(organization.get("ror"))
    scheme = {"publisherIdentifierScheme": "ROR", "schemeUri": _ROR} if ror else {}
    return without_empty(
        {"name": reading.name(organization) or site.publisher_name, "publisherIdentifier": ror, **scheme}
    )


def _subjects(value: Thing) -> Iterator[dict[str, str]]:
    yield from ({"subject": each} for each in texts(value, "keywords"))
    for each in several(value, "subjects"):
        if text(each, "term"):
            node = {
                "subject": text(each, "term"),
                "subjectScheme": text(each, "scheme"),
                "schemeUri": web(each.get("scheme_iri")),
                "valueUri": web(each.get("iri")),
            }
            yield without_empty(node)


def _contributors(value: Thing, project: Thing) -> Iterator[dict[str, Any]]:
    """Those of the dataset, and of the project whoever the kernel has a word for."""
    said = [(one(each, "agent"), text(each, "role")) for each in several(value, "contributors")]
    said += [
        (one(value, "rights_holder"), "RightsHolder"),
        (one(value, "data_steward"), "ContactPerson"),
        (one(value, "data_steward"), "DataManager"),
        (one(project, "principal_investigator"), "ProjectLeader"),
        (one(project, "institution"), "HostingInstitution"),
        (one(project, "laboratory"), "ResearchGroup"),
    ]
    said += [(one(each, "agent"), text(each, "role")) for each in several(project, "contributors")]
    seen: set[tuple[str, str]] = set()
    for agent, role in said:
        key = (str(agent.get("@id") or reading.name(agent)), role)
        if reading.name(agent) and role and key not in seen:
            seen.add(key)
            yield {**_named(agent), "contributorType": role}


def _dates(value: Thing) -> Iterator[dict[str, str]]:
    told: Mapping[str, str] = {
        "Issued": reading.day(value.get("date_published")),
        "Updated": reading.day(value.get("last_modified_date")),
        "Available": text(value, "embargo_end_date"),
        "Withdrawn": reading.day(value.get("withdrawn_date")),
        "Coverage": _period(one(value, "temporal_coverage")),
    }
    for kind, date in told.items():
        if date:
            yield {"date": date, "dateType": kind}
    for run in reading.runs(value):
        if collected := _period(one(run, "experiment_dates")):
            yield {"date": collected, "dateType": "Collected"}


def _period(thing: Thing) -> str:
    start, end = text(thing, "start"), text(thing, "end")
    return f"{start}/{end}" if start and end and start != end else start or end


def _related(value: Thing) -> Iterator[dict[str, str]]:
    for each in several(value, "related_identifiers"):
        if text(each, "identifier") and text(each, "scheme") and text(each, "relation"):
            node = {
                "relatedIdentifier": reading.doi(each.get("identifier")) or text(each, "identifier"),
                "relatedIdentifierType": text(each, "scheme"),
                "relationType": text(each, "relation"),
                "relationTypeInformation": text(each, "relation_type_information"),
                "resourceTypeGeneral": text(each, "resource_type"),
            }
            yield without_empty(node)
    for each in several(value, "conforms_to"):
        if web(each.get("url")):
            yield _by_address(web(each.get("url")), "References")
    previous = text(value, "previous_version")
    if doi := reading.doi(previous):
        yield {"relatedIdentifier": doi, "relatedIdentifierType": "DOI", "relationType": "IsNewVersionOf"}


def _by_address(address: str, relation: str) -> dict[str, str]:
    doi = reading.doi(address)
    kind = "DOI" if doi else "URL"
    return {"relatedIdentifier": doi or address, "relatedIdentifierType": kind, "relationType": relation}


def _sizes(value: Thing) -> list[str]:
    count = reading.file_count(value)
    return [f"{reading.total_size(value)} bytes", f"{count} file{'' if count == 1 else 's'}"] if count else []


def _rights(value: Thing) -> Iterator[dict[str, str]]:
    if text(value, "license"):
        known = reading.spdx_id(value)
        spdx = {
            "rightsIdentifier": known.lower(),
            "rightsIdentifierScheme": "SPDX",
            "schemeUri": reading.SPDX,
        }
        named = {"rights": reading.license_name(value), "rightsUri": reading.license_iri(value)}
        yield without_empty({**named, **(spdx if known else {})})
    if text(value, "rights_statement"):
        yield {"rights": text(value, "rights_statement")}
    words, address = openness.coar(value)
    if words:
        yield {"rights": words, "rightsUri": address}
    if text(value, "access_conditions"):
        yield {"rights": text(value, "access_conditions")}


def _descriptions(value: Thing, project: Thing) -> Iterator[dict[str, str]]:
    language = text(value, "metadata_language")
    methods = "\n".join(filter(None, (text(value, "methods"), text(project, "data_collection_method"))))
    told = (
        ("Abstract", text(value, "dataset_abstract")),
        ("Methods", methods),
        ("TechnicalInfo", text(one(value, "structure"), "structure_description")),
        ("Other", text(value, "version_notes")),
        ("Other", text(value, "withdrawal_reason")),
    )
    for kind, words in told:
        if words:
            yield without_empty({"description": words, "descriptionType": kind, "lang": language})


def _place(thing: Thing) -> dict[str, Any]:
    box = {
        "westBoundLongitude": thing.get("west"),
        "eastBoundLongitude": thing.get("east"),
        "southBoundLatitude": thing.get("south"),
        "northBoundLatitude": thing.get("north"),
    }
    point = {"pointLongitude": thing.get("longitude"), "pointLatitude": thing.get("latitude")}
    node = {
        "geoLocationPlace": text(thing, "place_name"),
        "geoLocationBox": box if _are_numbers(box) else {},
        "geoLocationPoint": point if _are_numbers(point) else {},
    }
    return without_empty(node)


def _are_numbers(sides: Mapping[str, Any]) -> bool:
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in sides.values())


def _grant(grant: Thing) -> dict[str, str]:
    funder = one(grant, "funder")
    ror = web(funder.get("ror"))
    node = {
        "funderName": reading.name(funder),
        "funderIdentifier": ror,
        "funderIdentifierType": "ROR" if ror else "",
        "schemeUri": _ROR if ror else "",
        "awardNumber": text(grant, "award_number"),
        "awardUri": web(grant.get("award_uri")),
        "awardTitle": text(grant, "award_title"),
    }
    return without_empty(node)
