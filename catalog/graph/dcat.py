"""What DCAT-AP needs of a record besides what the ``dcat`` context says; each function adds one thing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import NamedNode

from catalog.graph import authorities
from catalog.graph.drawing import Drawing, Value
from catalog.graph.places import place
from catalog.graph.stubs import stub, stubs
from catalog.graph.times import moment
from catalog.graph.values import literal, named
from catalog.graph.vocabulary import (
    ADMS,
    BIBO,
    DCAT,
    DCATAP,
    DCT,
    FF,
    FOAF,
    PROV,
    RDF,
    RDFS,
    SCHEMA,
    SKOS,
    SPDX,
    VCARD,
    XSD,
)
from catalog.publishing.iris import DATASET, FILE

PROFILE: Final = "http://data.europa.eu/r5r/"
"""DCAT-AP as the thing a catalog record conforms to."""

AVAILABLE: Final = NamedNode(f"{authorities.EU}planned-availability/AVAILABLE")
WITHDRAWN: Final = NamedNode(f"{authorities.EU}dataset-status/WITHDRAWN")
PUBLISHED, PUBLIC = "published", "public"

TYPES: Final[Mapping[NamedNode, tuple[NamedNode, ...]]] = {
    ADMS["identifier"]: (ADMS["Identifier"],),
    DCAT["compressFormat"]: (DCT["MediaType"],),
    DCAT["contactPoint"]: (VCARD["Kind"],),
    DCAT["landingPage"]: (FOAF["Document"],),
    DCAT["mediaType"]: (DCT["MediaType"],),
    DCAT["theme"]: (SKOS["Concept"],),
    DCT["accessRights"]: (DCT["RightsStatement"],),
    DCT["conformsTo"]: (DCT["Standard"],),
    DCT["creator"]: (FOAF["Agent"],),
    DCT["format"]: (DCT["MediaTypeOrExtent"],),
    DCT["language"]: (DCT["LinguisticSystem"],),
    DCT["license"]: (DCT["LicenseDocument"],),
    DCT["provenance"]: (DCT["ProvenanceStatement"],),
    DCT["publisher"]: (FOAF["Agent"],),
    DCT["rights"]: (DCT["RightsStatement"],),
    DCT["rightsHolder"]: (FOAF["Agent"],),
    DCT["spatial"]: (DCT["Location"],),
    DCT["temporal"]: (DCT["PeriodOfTime"],),
    FOAF["page"]: (FOAF["Document"],),
    PROV["agent"]: (FOAF["Agent"], PROV["Agent"]),
    PROV["qualifiedAttribution"]: (PROV["Attribution"],),
    PROV["wasAssociatedWith"]: (FOAF["Agent"], PROV["Agent"]),
    PROV["wasGeneratedBy"]: (PROV["Activity"],),
    SCHEMA["affiliation"]: (FOAF["Agent"],),
    SCHEMA["funder"]: (FOAF["Agent"],),
    SCHEMA["funding"]: (SCHEMA["Grant"],),
    SPDX["algorithm"]: (SPDX["ChecksumAlgorithm"],),
    SPDX["checksum"]: (SPDX["Checksum"],),
}
"""What a thing is because of where it stands: DCAT-AP asks for the type, and value objects carry none."""

_TYPE: Final = RDF["type"]

RELATIONS: Final[Mapping[str, NamedNode]] = {
    "Cites": DCT["references"], "HasPart": DCT["hasPart"],
    "IsCitedBy": DCT["isReferencedBy"], "IsDerivedFrom": PROV["wasDerivedFrom"], "IsDocumentedBy": FOAF["page"],
    "IsNewVersionOf": DCT["replaces"], "IsObsoletedBy": DCT["isReplacedBy"], "IsPartOf": DCT["isPartOf"],
    "IsPreviousVersionOf": DCT["isReplacedBy"], "IsReferencedBy": DCT["isReferencedBy"],
    "IsRequiredBy": DCT["isRequiredBy"], "IsVariantFormOf": DCT["isFormatOf"],
    "Obsoletes": DCT["replaces"], "References": DCT["references"], "Requires": DCT["requires"],
}  # fmt: skip
"""The plain predicate of a DataCite relation; ``dct:relation`` for the others.

Of versions too: DCAT-AP wants what is said to be one to be described as a dataset, and elsewhere it is not.
"""


def complete(drawing: Drawing) -> None:
    """Everything below, in an order in which types come last."""
    identity(drawing)
    texts(drawing)
    people(drawing)
    contact(drawing)
    instruments(drawing)
    rights(drawing)
    languages(drawing)
    coverage(drawing)
    relations(drawing)
    theme(drawing)
    withdrawal(drawing)
    series(drawing)
    files(drawing)
    files_of_data_objects(drawing)
    types(drawing)
    stubs(drawing)


def identity(drawing: Drawing) -> None:
    """The DOI as an identifier, the landing page, when the newest version was published or all of it withdrawn."""
    value, dataset = drawing.value, drawing.dataset
    doi = value.get("doi")
    if isinstance(doi, str):
        drawing.add(dataset, DCT["identifier"], literal(doi))
        other = drawing.within("doi")
        drawing.add(dataset, ADMS["identifier"], other)
        drawing.add(other, SKOS["notation"], literal(doi, XSD["anyURI"]))
        drawing.add(other, ADMS["schemeAgency"], literal("DOI"))
    drawing.add(dataset, DCAT["landingPage"], landing_page(drawing))
    changed = value.get("withdrawn_date") or value.get("version_published") or value.get("date_published")
    drawing.add(dataset, DCT["modified"], literal(changed, XSD["dateTime"]) if changed else None)


def landing_page(drawing: Drawing) -> NamedNode | None:
    """The page of the dataset, which is also where access to its files begins."""
    return named(f"{drawing.base}/datasets/{drawing.uuid}") if drawing.uuid else None


def texts(drawing: Drawing) -> None:
    """Other titles in their languages; what else DCAT wants as a node."""
    value, dataset = drawing.value, drawing.dataset
    for each in _listed(value.get("alternative_titles")):
        drawing.add(dataset, DCT["alternative"], drawing.text(each.get("title"), each.get("language")))
    for key, predicate in (
        ("provenance_statement", DCT["provenance"]),
        ("rights_statement", DCT["rights"]),
        ("access_conditions", DCT["rights"]),
    ):
        words = drawing.text(value.get(key))
        if words is not None:
            node = drawing.within(key)
            drawing.add(dataset, predicate, node)
            drawing.add(node, RDFS["label"], words)


def withdrawal(drawing: Drawing) -> None:
    """A tombstone's status, for harvesters; since when and why it is one as its description, for readers."""
    value, dataset = drawing.value, drawing.dataset
    if is_withdrawn(value):
        day = str(value.get("withdrawn_date", ""))[:10]
        words = f"This dataset was withdrawn{f' on {day}' if day else ''}."
        drawing.add(dataset, ADMS["status"], WITHDRAWN)
        drawing.add(dataset, DCT["description"], drawing.text(words, "en"))
        drawing.add(dataset, ADMS["versionNotes"], drawing.text(value.get("withdrawal_reason")))


def people(drawing: Drawing) -> None:
    """The order of the creators; who leads the project and where it is as attributions with a role."""
    creators = [node for _, node in drawing.rows(drawing.value, "creators")]
    following: NamedNode = RDF["nil"]
    for number in range(len(creators), 0, -1):
        cell = drawing.within(f"authors-{number}")
        if cell is None:
            return
        drawing.add(cell, RDF["first"], creators[number - 1])
        drawing.add(cell, RDF["rest"], following)
        following = cell
    if creators:
        drawing.add(drawing.dataset, BIBO["authorList"], following)
    for project, node in drawing.rows(drawing.value, "project"):
        for leader, person in drawing.rows(project, "principal_investigator"):
            if leader.get("name"):
                attribution = drawing.within("principal_investigator-role", node)
                drawing.add(node, PROV["qualifiedAttribution"], attribution)
                drawing.add(attribution, PROV["agent"], person)
                drawing.add(attribution, DCAT["hadRole"], FF["role-ProjectLeader"])
                drawing.type(person, FOAF["Person"])
                drawing.add(person, FOAF["name"], drawing.text(leader["name"], ""))


def contact(drawing: Drawing) -> None:
    """Whom to ask for access, where that is somebody else than the contact point."""
    for asked, person in drawing.rows(drawing.value, "access_contact"):
        if asked.get("name"):
            attribution = drawing.within("access_contact-role")
            drawing.add(drawing.dataset, PROV["qualifiedAttribution"], attribution)
            drawing.add(attribution, PROV["agent"], person)
            drawing.add(attribution, DCAT["hadRole"], FF["role-ContactPerson"])
            _named(drawing, asked, person)


def instruments(drawing: Drawing) -> None:
    """What the runs' instruments are called, who made them and whose they are."""
    for each, node in drawing.rows(drawing.value, "instruments"):
        drawing.type(node, PROV["Entity"], SCHEMA["IndividualProduct"])
        drawing.add(node, DCT["title"], drawing.text(each.get("instrument_name")))
        drawing.add(node, SCHEMA["serialNumber"], drawing.text(each.get("serial_number"), ""))
        for maker, agent in drawing.rows(each, "manufacturers"):
            drawing.add(node, SCHEMA["manufacturer"], agent)
            _named(drawing, maker, agent)
        for owner, agent in drawing.rows(each, "owners"):
            drawing.add(agent, SCHEMA["owns"], node)
            _named(drawing, owner, agent)


def _named(drawing: Drawing, agent: Value, node: NamedNode) -> None:
    drawing.type(node, FOAF["Person" if agent.get("@type") == "Person" else "Organization"])
    drawing.add(node, FOAF["name"], drawing.text(agent.get("name"), ""))


def rights(drawing: Drawing) -> None:
    """The name of a licence that is none of SPDX's."""
    title = drawing.text(drawing.value.get("license_title"))
    if title is None:
        return
    for quad in drawing.read:
        if quad.subject == drawing.dataset and quad.predicate == DCT["license"]:
            licence = quad.object
            if isinstance(licence, NamedNode) and authorities.entry(licence.value) is None:
                drawing.add(licence, DCT["title"], title)


def languages(drawing: Drawing) -> None:
    """The languages of the data, as the EU's list names them."""
    for tag in _words(drawing.value.get("languages")):
        drawing.add(drawing.dataset, DCT["language"], named(authorities.language(tag)))


def coverage(drawing: Drawing) -> None:
    """Times as precise as they are known, and places as WKT."""
    for period, node in drawing.rows(drawing.value, "temporal_coverage"):
        drawing.add(node, DCAT["startDate"], moment(period.get("start")))
        drawing.add(node, DCAT["endDate"], moment(period.get("end")))
    for each, node in drawing.rows(drawing.value, "spatial_coverage"):
        place(drawing, each, node)


def relations(drawing: Drawing) -> None:
    """Each relation as one plain statement too; between datasets of this catalog also as DCAT qualifies it.

    DCAT-AP wants what a ``dcat:Relationship`` points at to be a dataset, a series, a service or a catalog: an article
    is none of them, and calling it one would list it among the datasets.
    """
    ours = f"{drawing.base}/id/{DATASET}/"
    for each, row in drawing.rows(drawing.value, "related_identifiers"):
        other = named(str(each.get("iri") or ""))
        if other is None:
            continue
        relation = str(each.get("relation"))
        drawing.add(drawing.dataset, RELATIONS.get(relation, DCT["relation"]), other)
        if other.value.startswith(ours):
            drawing.add(drawing.dataset, DCAT["qualifiedRelation"], row)
            drawing.type(row, DCAT["Relationship"])
            drawing.add(row, DCT["relation"], other)
            drawing.add(row, DCAT["hadRole"], named(FF[f"relation-{quote(relation, safe='')}"].value))
        elif each.get("title"):
            drawing.add(other, DCT["title"], drawing.text(each["title"], ""))


def theme(drawing: Drawing) -> None:
    """The EU's data theme of this catalog, from its settings."""
    drawing.add(drawing.dataset, DCAT["theme"], named(drawing.site.theme_iri))


def series(drawing: Drawing) -> None:
    """The datasets of a project are a series, where the project has a title and a description to give it."""
    for project, node in drawing.rows(drawing.value, "project"):
        title, description = (drawing.text(project.get(f"project_{key}")) for key in ("title", "description"))
        if title is None or description is None:
            continue
        whole = drawing.within("datasets", node)
        drawing.add(drawing.dataset, DCAT["inSeries"], whole)
        drawing.type(whole, DCAT["DatasetSeries"])
        drawing.add(whole, DCT["title"], title)
        drawing.add(whole, DCT["description"], description)
        publisher = named(drawing.site.publisher_iri)
        drawing.add(whole, DCT["publisher"], publisher)
        drawing.type(publisher, FOAF["Agent"])
        drawing.add(publisher, FOAF["name"], literal(drawing.site.publisher_name))


# --- files ------------------------------------------------------------------------------------------------------


def files(drawing: Drawing) -> None:
    """What a file has from its dataset: where to get it, licence, rights, description, one format of the EU's list."""
    page, licence, access = landing_page(drawing), *_of_dataset(drawing)
    open_now = is_open(drawing.value)
    for each, node in drawing.files():
        drawing.add(node, DCAT["accessURL"], page)
        if open_now and each.get("state", "present") == "present":
            drawing.add(node, DCAT["downloadURL"], drawing.of(FILE, each.get("file_identifier")))
            drawing.add(node, DCATAP["availability"], AVAILABLE)
        drawing.add(node, DCT["license"], licence)
        drawing.add(node, DCT["rights"], access)
        if not each.get("description"):
            drawing.add(node, DCT["description"], drawing.text(described(each), "en"))
        drawing.add(node, DCT["format"], named(authorities.file_type(str(each.get("mime_type", "")))))


def files_of_data_objects(drawing: Drawing) -> None:
    """Where a record does not list its files, each data object is one distribution, which says how many there are."""
    if next(drawing.files(), None) is not None:
        return
    page, licence, access = landing_page(drawing), *_of_dataset(drawing)
    for each, node in drawing.rows(drawing.value, "data_objects"):
        run = each.get("experiment")
        name = run.get("experiment_name") if isinstance(run, Mapping) else None
        whole = drawing.within("files", node)
        drawing.add(drawing.dataset, DCAT["distribution"], whole)
        drawing.type(whole, DCAT["Distribution"])
        drawing.add(whole, DCT["title"], drawing.text(name) or literal(drawing.uuid))
        count = each.get("file_count")
        drawing.add(whole, DCT["description"], drawing.text(f"{count} files" if count != 1 else "1 file", "en"))
        drawing.add(whole, DCAT["accessURL"], page)
        size = each.get("total_size_bytes")
        drawing.add(whole, DCAT["byteSize"], literal(size, XSD["nonNegativeInteger"]) if size is not None else None)
        drawing.add(whole, DCT["license"], licence)
        drawing.add(whole, DCT["rights"], access)


def is_withdrawn(value: Value) -> bool:
    """Whether it is a tombstone."""
    return bool(value.get("publication_state", PUBLISHED) != PUBLISHED)


def is_open(value: Value) -> bool:
    """Whether anybody may have the files now."""
    return value.get("access_level") == PUBLIC and not is_withdrawn(value)


def described(file: Value) -> str:
    """A file in a few words, for one that nobody described."""
    told = file.get("format")
    name = told.get("name") if isinstance(told, Mapping) else None
    size = file.get("size_bytes")
    kind = f"{name or file.get('mime_type') or 'Data'} file"
    return f"{kind}, {size:,} bytes" if isinstance(size, int) else kind


def _of_dataset(drawing: Drawing) -> tuple[NamedNode | None, NamedNode | None]:
    """The dataset's licence and access rights."""
    found: dict[NamedNode, NamedNode] = {
        quad.predicate: quad.object
        for quad in drawing.read
        if quad.subject == drawing.dataset and isinstance(quad.object, NamedNode)
    }
    return found.get(DCT["license"]), found.get(DCT["accessRights"])


# --- types and the record ---------------------------------------------------------------------------------------


def types(drawing: Drawing) -> None:
    """What a thing is because of where it stands, and the wider class of what it is."""
    seen: set[tuple[NamedNode, NamedNode]] = set()
    agents = (FOAF["Person"], FOAF["Organization"])
    for subject, predicate, other, _ in list(drawing.so_far()):
        if not isinstance(other, NamedNode):
            continue
        if predicate in TYPES and (predicate, other) not in seen:
            seen.add((predicate, other))
            drawing.type(other, *TYPES[predicate])
        if predicate == _TYPE and other in agents and isinstance(subject, NamedNode):
            drawing.type(subject, FOAF["Agent"])


def record(drawing: Drawing) -> None:
    """The entry of the catalog that speaks of this record, not of the data."""
    node = drawing.record
    if node is None:
        return
    drawing.type(node, DCAT["CatalogRecord"])
    drawing.add(node, FOAF["primaryTopic"], drawing.dataset if isinstance(drawing.dataset, NamedNode) else None)
    issued, modified = drawing.value.get("date_published"), drawing.value.get("last_modified_date")
    drawing.add(node, DCT["issued"], literal(issued, XSD["dateTime"]) if issued else None)
    drawing.add(node, DCT["modified"], literal(modified or issued, XSD["dateTime"]) if modified or issued else None)
    profile = NamedNode(PROFILE)
    drawing.add(node, DCT["conformsTo"], profile)
    drawing.type(profile, DCT["Standard"])
    drawing.add(profile, DCT["title"], drawing.text("DCAT-AP", "en"))
    language = named(authorities.language(drawing.language))
    drawing.add(node, DCT["language"], language)
    stub(drawing, language)


def _listed(value: Any) -> list[Value]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _words(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
