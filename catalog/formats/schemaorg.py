"""schema.org/Dataset as dataset search engines read it: the creators a plain array in their order.

https://developers.google.com/search/docs/appearance/structured-data/dataset and science-on-schema.org 1.3.
"""

from __future__ import annotations

from typing import Any

import orjson

from catalog.formats import openness, reading
from catalog.formats.reading import Thing, one, several, text, texts, web, without_empty
from catalog.publishing.iris import public_iri
from catalog.publishing.site import Site

LONGEST_DESCRIPTION = 5_000
EMBEDDED_FILES = 100  # so many stand in the page itself; the format has all


def render(value: Thing, site: Site) -> bytes:
    """The whole of it as JSON-LD."""
    return orjson.dumps(dataset(value, site), option=orjson.OPT_INDENT_2) + b"\n"


def dataset(value: Thing, site: Site, most_files: int | None = None) -> dict[str, Any]:
    """The dataset's node; a withdrawn one keeps what is known of it and has no files."""
    base = site.base_url
    described = reading.description(value)
    node = {
        "@context": "https://schema.org/",
        "@id": reading.dataset_iri(value, base),
        "@type": "Dataset",
        "name": text(value, "dataset_title"),
        "alternateName": [text(each, "title") for each in several(value, "alternative_titles") if text(each, "title")],
        "description": described[:LONGEST_DESCRIPTION],
        "url": reading.landing_page(value, base),
        "identifier": _identifiers(value, base),
        "sameAs": reading.identifier(value, base) if text(value, "doi") else "",
        "license": reading.license_iri(value),
        "creator": [agent(each, base) for each in several(value, "creators")],
        "contributor": [_role(each, base) for each in several(value, "contributors")],
        "copyrightHolder": _maybe(one(value, "rights_holder"), base),
        "publisher": _maybe(one(value, "publisher"), base),
        "datePublished": reading.day(value.get("date_published")),
        "dateModified": reading.day(value.get("last_modified_date")),
        "version": text(value, "dataset_version"),
        "keywords": _keywords(value),
        "inLanguage": texts(value, "languages"),
        "creativeWorkStatus": "Withdrawn" if reading.is_withdrawn(value) else "",
        "conditionsOfAccess": openness.conditions(value),
        "potentialAction": access_action(value),
        "spatialCoverage": [_place(each) for each in several(value, "spatial_coverage")],
        "temporalCoverage": period(one(value, "temporal_coverage")),
        "measurementTechnique": text(value, "methods"),
        "variableMeasured": [variable(each) for each in reading.variables(value)],
        "creditText": text(value, "recommended_citation"),
        "includedInDataCatalog": _catalog(site),
        "producer": _project(one(value, "project"), base),
        "conformsTo": [web(each.get("url")) for each in several(value, "conforms_to") if web(each.get("url"))],
        **_funding(value, base),
        **_related(value),
    }
    return {**without_empty(node), **_access(value), **_distribution(value, base, most_files)}


def access_action(value: Thing) -> dict[str, Any]:
    """From when on the files may be had, for programs; {} where there is no embargo that ends."""
    end = openness.end_of_embargo(value)
    if not end:
        return {}
    asked = {"@type": "ActionAccessSpecification", "availabilityStarts": end}
    return {"@type": "ConsumeAction", "actionAccessibilityRequirement": asked}


def agent(thing: Thing, base: str) -> dict[str, Any]:
    """A Person or Organization."""
    known = reading.agent_iri(thing, base)
    person = reading.is_person(thing)
    node = {
        "@id": known,
        "@type": "Person" if person else "Organization",
        "name": reading.name(thing),
        "givenName": text(thing, "given_name") if person else "",
        "familyName": text(thing, "family_name") if person else "",
        "affiliation": [agent(each, base) for each in several(thing, "affiliations")] if person else [],
        "identifier": known if web(thing.get("orcid")) or web(thing.get("ror")) else "",
        "url": web(thing.get("url")),
    }
    return without_empty(node)


def variable(thing: Thing) -> dict[str, Any]:
    """A PropertyValue."""
    node = {
        "@type": "PropertyValue",
        "name": text(thing, "name"),
        "description": text(thing, "description"),
        "propertyID": text(thing, "property_iri"),
        "unitText": text(thing, "unit"),
        "unitCode": text(thing, "unit_iri"),
        "minValue": thing.get("min"),
        "maxValue": thing.get("max"),
    }
    return without_empty(node)


def period(thing: Thing) -> str:
    """ISO 8601: ``2026-01-01/2026-02-01``, an open side as ``..``."""
    start, end = text(thing, "start"), text(thing, "end")
    return f"{start or '..'}/{end or '..'}" if start or end else ""


def _maybe(thing: Thing, base: str) -> dict[str, Any]:
    return agent(thing, base) if reading.name(thing) else {}


def _role(contribution: Thing, base: str) -> dict[str, Any]:
    name = text(contribution, "role")
    return without_empty(
        {"@type": "Role", "roleName": name, "contributor": _maybe(one(contribution, "agent"), base)},
    )


def _identifiers(value: Thing, base: str) -> list[Any]:
    doi = reading.doi(value.get("doi"))
    own = {"@type": "PropertyValue", "propertyID": "UUID", "value": f"urn:uuid:{reading.uuid_of(value)}"}
    if not doi:
        return [reading.dataset_iri(value, base), own]
    registered = {
        "@type": "PropertyValue",
        "propertyID": "https://registry.identifiers.org/registry/doi",
        "value": f"doi:{doi}",
        "url": f"https://doi.org/{doi}",
    }
    return [registered, own]


def _keywords(value: Thing) -> list[Any]:
    terms = [
        without_empty(
            {
                "@id": web(each.get("iri")),
                "@type": "DefinedTerm",
                "name": text(each, "term"),
                "inDefinedTermSet": web(each.get("scheme_iri")) or text(each, "scheme"),
            }
        )
        for each in several(value, "subjects")
        if text(each, "term")
    ]
    return [*texts(value, "keywords"), *terms]


def _place(thing: Thing) -> dict[str, Any]:
    sides = [thing.get(key) for key in ("south", "west", "north", "east")]
    geo: dict[str, Any] = {}
    if all(_is_number(each) for each in sides):
        geo = {"@type": "GeoShape", "box": " ".join(f"{each:g}" for each in sides)}
    elif _is_number(thing.get("latitude")) and _is_number(thing.get("longitude")):
        geo = {"@type": "GeoCoordinates", "latitude": thing["latitude"], "longitude": thing["longitude"]}
    return without_empty(
        {"@type": "Place", "@id": web(thing.get("iri")), "name": text(thing, "place_name"), "geo": geo}
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _funding(value: Thing, base: str) -> dict[str, Any]:
    grants = []
    for each in reading.funding(value):
        node = {
            "@type": "Grant",
            "identifier": text(each, "award_number"),
            "name": text(each, "award_title"),
            "url": web(each.get("award_uri")),
            "funder": _maybe(one(each, "funder"), base),
        }
        grants.append(without_empty(node))
    funders: dict[str, Any] = {}
    for each in grants:
        if "funder" in each:
            funders.setdefault(each["funder"]["name"], each["funder"])
    return without_empty({"funder": list(funders.values()), "funding": grants})


_RELATIONS = {
    "Cites": "citation",
    "References": "citation",
    "IsDerivedFrom": "isBasedOn",
    "IsPartOf": "isPartOf",
    "IsDocumentedBy": "subjectOf",
    "IsSupplementTo": "subjectOf",
    "IsCitedBy": "subjectOf",
}


def _related(value: Thing) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for each in several(value, "related_identifiers"):
        key, address = _RELATIONS.get(text(each, "relation")), related_address(each)
        if key and address:
            work = {"@id": address, "@type": "CreativeWork", "name": text(each, "title"), "url": address}
            found.setdefault(key, []).append(without_empty(work))
    for each in several(value, "documentation"):
        if address := web(each.get("url")):
            work = {"@id": address, "@type": "CreativeWork", "name": text(each, "label")}
            found.setdefault("subjectOf", []).append(without_empty(work))
    return dict(found)


def related_address(relation: Thing) -> str:
    """Where a related work is found."""
    doi = reading.doi(relation.get("identifier")) if text(relation, "scheme") == "DOI" else ""
    return f"https://doi.org/{doi}" if doi else web(relation.get("iri")) or web(relation.get("identifier"))


def _catalog(site: Site) -> dict[str, Any]:
    return without_empty(
        {"@id": f"{site.base_url}/id/catalog", "@type": "DataCatalog", "name": site.title, "url": f"{site.base_url}/"}
    )


def _project(thing: Thing, base: str) -> dict[str, Any]:
    if not text(thing, "project_title"):
        return {}
    return {
        "@id": reading.iri(thing, base, "project"),
        "@type": "ResearchProject",
        "name": text(thing, "project_title"),
    }


def _access(value: Thing) -> dict[str, Any]:
    return {"isAccessibleForFree": reading.is_open(value)}


def _distribution(value: Thing, base: str, most: int | None) -> dict[str, Any]:
    described = reading.files(value)
    if not described:
        return {}
    is_open = reading.is_open(value)
    shown = [_download(each, value, base, is_open) for each in described[:most]]
    return without_empty({"distribution": shown, "size": f"{reading.total_size(value)} B"})


def _download(file: Thing, value: Thing, base: str, is_open: bool) -> dict[str, Any]:
    size, checksum, own = reading.whole(file, "size_bytes"), one(file, "checksum"), reading.uuid_of(file)
    address = public_iri(base, "file", own) if own else ""
    node = {
        "@id": address,
        "@type": "DataDownload",
        "name": text(file, "path") or text(file, "file_name"),
        "description": text(file, "description"),
        "encodingFormat": reading.download_type(file),
        "contentSize": f"{size} B" if size is not None else "",
        "sha256": text(checksum, "value") if text(checksum, "algorithm") == "sha256" else "",
        "dateModified": text(file, "modified_utc"),
        "contentUrl": address if is_open else "",
        "license": reading.license_iri(value),
    }
    return without_empty(node)
