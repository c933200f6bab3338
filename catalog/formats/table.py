"""Every format a published dataset comes in: negotiation, suffixes, links and feeds all follow this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.formats import bibtex, cff, csl, datacite, published, rdf, ris, rocrate, schemaorg
from catalog.formats.reading import Thing
from catalog.publishing.site import Site


@dataclass(frozen=True)
class Profile:
    """A vocabulary and its rules, which several formats may speak; `token` is its short name in an address."""

    token: str
    iri: str
    title: str
    aliases: tuple[str, ...] = ()


DCAT = Profile(
    "dcat", "http://data.europa.eu/r5r/", "DCAT-AP 3", ("http://www.w3.org/ns/dcat#", "http://www.w3.org/ns/dcat")
)
SCHEMAORG = Profile(
    "schemaorg", "https://schema.org/", "schema.org", ("http://schema.org/", "https://schema.org", "http://schema.org")
)
PROV = Profile(
    "prov", "http://www.w3.org/ns/prov#", "PROV-O", ("http://www.w3.org/ns/prov-o#", "http://www.w3.org/ns/prov")
)
DATACITE = Profile("datacite", datacite.SCHEMA, "DataCite 4")
ROCRATE = Profile("rocrate", rocrate.PROFILE, "RO-Crate 1.1")
FAIRFOLDER = Profile("fairfolder", "https://w3id.org/fairfolder/terms/", "Fairfolder")
PROFILES = (DCAT, SCHEMAORG, PROV, DATACITE, ROCRATE, FAIRFOLDER)


@dataclass(frozen=True)
class Format:
    """One way out.

    `suffix` follows the dataset's address, without its first dot. Formats of one media type are told apart by their
    profile; who asks for no profile gets the first.
    """

    name: str
    suffix: str
    media_type: str
    profile: Profile | None
    title: str
    render: Callable[[Thing, Site], bytes]
    charset: str = ""
    cites: bool = False

    @property
    def profile_iri(self) -> str:
        return self.profile.iri if self.profile else ""

    @property
    def content_type(self) -> str:
        """The media type as a response names it."""
        return f"{self.media_type}; charset={self.charset}" if self.charset else self.media_type


_LD, _TURTLE = "application/ld+json", "text/turtle"

FORMATS = (
    Format("jsonld", "jsonld", _LD, DCAT, "JSON-LD", rdf.dcat("jsonld")),
    Format("ttl", "ttl", _TURTLE, DCAT, "Turtle", rdf.dcat("turtle"), "utf-8"),
    Format("rdf", "rdf", "application/rdf+xml", DCAT, "RDF/XML", rdf.dcat("rdfxml")),
    Format("nt", "nt", "application/n-triples", DCAT, "N-Triples", rdf.dcat("ntriples")),
    Format("trig", "trig", "application/trig", DCAT, "TriG", rdf.dcat("trig")),
    Format("nq", "nq", "application/n-quads", DCAT, "N-Quads", rdf.dcat("nquads")),
    Format("json", "json", "application/json", FAIRFOLDER, "JSON", published.render),
    Format("schemaorg", "schemaorg.jsonld", _LD, SCHEMAORG, "schema.org JSON-LD", schemaorg.render),
    Format("prov", "prov.ttl", _TURTLE, PROV, "PROV-O, Turtle", rdf.prov("turtle"), "utf-8"),
    Format("prov-jsonld", "prov.jsonld", _LD, PROV, "PROV-O, JSON-LD", rdf.prov("jsonld")),
    Format(
        "datacite",
        "datacite.json",
        "application/vnd.datacite.datacite+json",
        DATACITE,
        "DataCite JSON",
        datacite.render,
    ),
    Format("rocrate", "ro-crate-metadata.json", _LD, ROCRATE, "RO-Crate", rocrate.render),
    Format("bibtex", "bib", "application/x-bibtex", None, "BibTeX", bibtex.render, "utf-8", cites=True),
    Format("ris", "ris", "application/x-research-info-systems", None, "RIS", ris.render, "utf-8", cites=True),
    Format("csl", "csl.json", "application/vnd.citationstyles.csl+json", None, "CSL-JSON", csl.render, cites=True),
    Format("cff", "cff", "application/yaml", None, "CITATION.cff", cff.render, cites=True),
)
BY_SUFFIX = {each.suffix: each for each in FORMATS}
BY_NAME = {each.name: each for each in FORMATS}


def profile_named(name: str) -> Profile | None:
    """The profile of a token or an IRI."""
    return next((each for each in PROFILES if name in (each.token, each.iri, *each.aliases)), None)
