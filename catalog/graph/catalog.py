"""The catalog as a whole in DCAT-AP: itself, its datasets and records, the services it is asked through. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Quad

from catalog.graph import authorities
from catalog.graph.values import literal, named, text
from catalog.graph.vocabulary import DCAT, DCT, FOAF, RDFS, SKOS, TYPE, VCARD, XSD
from catalog.publishing.iris import DATASET, RECORD, catalog_iri, public_iri
from catalog.publishing.site import Site

THEMES = f"{authorities.EU}data-theme"


@dataclass(frozen=True, slots=True)
class Summary:
    """What the catalog says of one record; ``modified`` is when the record last changed, RFC 3339.

    Of what is withdrawn the record stays in the catalog, and the dataset is none of its datasets any more.
    """

    identifier: str
    modified: str
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A way to ask the catalog: ``name`` is its fragment, ``path`` stands below the base address.

    Attributes:
        conforms_to: the specification it keeps to; described_at: where it describes itself, "" for nowhere.
    """

    name: str
    path: str
    title: str
    description: str
    conforms_to: str
    described_at: str = ""


SPARQL = Service(
    "sparql",
    "/sparql",
    "SPARQL endpoint",
    "Answers SPARQL 1.1 queries over all public records; each record is a named graph.",
    "https://www.w3.org/TR/sparql11-protocol/",
    "/sparql",
)
OAI = Service(
    "oai",
    "/oai",
    "OAI-PMH endpoint",
    "Lists all public records for harvesting.",
    "https://www.openarchives.org/OAI/2.0/openarchivesprotocol.htm",
    "/oai?verb=Identify",
)
API = Service(
    "api",
    "/api/v1/",
    "REST API",
    "Gives public records as JSON.",
    "https://spec.openapis.org/oas/v3.1.0",
    "/api/v1/openapi.json",
)


class _Whole:
    """The graph of the catalog under construction."""

    def __init__(self, site: Site) -> None:
        self.site, self.base = site, site.base_url
        self.node = NamedNode(catalog_iri(self.base))
        self.quads: list[Quad] = []

    def add(self, subject: NamedNode, predicate: NamedNode, value: NamedNode | Literal | None) -> None:
        if value is not None:
            self.quads.append(Quad(subject, predicate, value, self.node))

    def words(self, value: str) -> Literal:
        return text(value, self.site.language)

    def iri(self, value: str, *types: NamedNode) -> NamedNode | None:
        node = named(value)
        if node is not None:
            for each in types:
                self.add(node, TYPE, each)
        return node


def catalog_quads(site: Site, summaries: Iterable[Summary], services: Sequence[Service] = ()) -> list[Quad]:
    """The catalog, in the named graph of its own IRI.

    Args:
        site: who publishes.
        summaries: every public record.
        services: the services that are there: some of :data:`SPARQL`, :data:`OAI`, :data:`API`.
    """
    whole = _Whole(site)
    newest = _records(whole, summaries)
    _itself(whole, newest)
    contact = _contact(whole)
    for each in services:
        _service(whole, each, contact)
    return list(dict.fromkeys(whole.quads))


def _itself(whole: _Whole, newest: str) -> None:
    site, node = whole.site, whole.node
    whole.add(node, TYPE, DCAT["Catalog"])
    whole.add(node, DCT["title"], whole.words(site.title))
    whole.add(node, DCT["description"], whole.words(site.description))
    whole.add(node, DCT["publisher"], _publisher(whole))
    whole.add(node, FOAF["homepage"], whole.iri(f"{whole.base}/", FOAF["Document"]))
    if newest:
        whole.add(node, DCT["modified"], literal(newest, XSD["dateTime"]))
    _entry(whole, node, DCT["language"], authorities.language(site.language))
    scheme = whole.iri(THEMES, SKOS["ConceptScheme"])
    if scheme is not None:
        whole.add(node, DCAT["themeTaxonomy"], scheme)
        whole.add(scheme, DCT["title"], text("Data theme", "en"))


def _publisher(whole: _Whole) -> NamedNode | None:
    publisher = whole.iri(whole.site.publisher_iri, FOAF["Agent"])
    if publisher is not None:
        whole.add(publisher, FOAF["name"], literal(whole.site.publisher_name))
    return publisher


def _contact(whole: _Whole) -> NamedNode | None:
    if not whole.site.contact_email:
        return None
    contact = whole.iri(f"{whole.node.value}#contact", VCARD["Kind"])
    if contact is not None:
        whole.add(contact, VCARD["fn"], literal(whole.site.publisher_name))
        whole.add(contact, VCARD["hasEmail"], named(f"mailto:{whole.site.contact_email}"))
        whole.add(whole.node, DCAT["contactPoint"], contact)
    return contact


def _records(whole: _Whole, summaries: Iterable[Summary]) -> str:
    """Every record and dataset; the moment of the newest change."""
    newest = ""
    for each in summaries:
        if not each.is_withdrawn:
            whole.add(whole.node, DCAT["dataset"], NamedNode(public_iri(whole.base, DATASET, each.identifier)))
        whole.add(whole.node, DCAT["record"], NamedNode(public_iri(whole.base, RECORD, each.identifier)))
        newest = max(newest, each.modified)
    return newest


def _service(whole: _Whole, service: Service, contact: NamedNode | None) -> None:
    node = NamedNode(f"{whole.node.value}#{service.name}")
    whole.add(whole.node, DCAT["service"], node)
    whole.add(node, TYPE, DCAT["DataService"])
    whole.add(node, DCT["title"], text(service.title, "en"))
    whole.add(node, DCT["description"], text(service.description, "en"))
    whole.add(node, DCAT["endpointURL"], named(f"{whole.base}{service.path}"))
    if service.described_at:
        whole.add(node, DCAT["endpointDescription"], named(f"{whole.base}{service.described_at}"))
    standard = whole.iri(service.conforms_to, DCT["Standard"])
    if standard is not None:
        whole.add(node, DCT["conformsTo"], standard)
        whole.add(standard, RDFS["label"], literal(service.title))
    whole.add(node, DCT["publisher"], _publisher(whole))
    whole.add(node, DCAT["contactPoint"], contact)
    whole.add(node, DCAT["keyword"], text("research data", "en"))
    _entry(whole, node, DCAT["theme"], whole.site.theme_iri)


def _entry(whole: _Whole, node: NamedNode, predicate: NamedNode, iri: str) -> None:
    """What an authority lists, with its stub."""
    entry = named(iri)
    if entry is None:
        return
    whole.add(node, predicate, entry)
    known = authorities.entry(iri)
    whole.add(entry, TYPE, SKOS["Concept"])
    if known is not None:
        for each in known.types:
            whole.add(entry, TYPE, NamedNode(each))
        whole.add(entry, SKOS["prefLabel"], text(known.label, "en"))
        whole.add(entry, SKOS["inScheme"], named(known.scheme))
    elif predicate == DCAT["theme"]:
        whole.add(entry, SKOS["prefLabel"], literal(iri))
