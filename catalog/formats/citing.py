"""What every way of citing needs of a published document, once: authors, title, date, publisher, address."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from catalog.formats import reading
from catalog.formats.reading import Thing, one, several, text, texts
from catalog.publishing.site import Site

_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]+")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Author:
    """A creator; an organization has a literal name only."""

    literal: str
    family: str = ""
    given: str = ""
    orcid: str = ""
    affiliation: str = ""


@dataclass(frozen=True)
class Citation:
    """One line of every text: nothing in it hides, reorders or begins another line."""

    key: str
    title: str
    authors: tuple[Author, ...]
    date: str
    publisher: str
    doi: str
    address: str
    landing_page: str
    version: str
    abstract: str
    keywords: tuple[str, ...]
    language: str
    license: str
    license_iri: str
    recommended: str
    withdrawn: str

    @property
    def year(self) -> str:
        return self.date[:4]


def of(value: Thing, site: Site) -> Citation:
    """What is cited of a dataset."""
    base = site.base_url
    authors = tuple(_author(each) for each in several(value, "creators") if reading.name(each))
    date = reading.day(value.get("date_published"))
    return Citation(
        key=_key(authors, date[:4], reading.uuid_of(value)),
        title=line(text(value, "dataset_title")),
        authors=authors,
        date=date,
        publisher=line(reading.name(one(value, "publisher")) or site.publisher_name),
        doi=reading.doi(value.get("doi")),
        address=reading.identifier(value, base),
        landing_page=reading.landing_page(value, base),
        version=line(text(value, "dataset_version")),
        abstract=line(text(value, "dataset_abstract")),
        keywords=tuple(line(each) for each in texts(value, "keywords")),
        language=next(iter(texts(value, "languages")), ""),
        license=reading.spdx_id(value),
        license_iri=reading.license_iri(value),
        recommended=line(text(value, "recommended_citation")),
        withdrawn=reading.day(value.get("withdrawn_date")) if reading.is_withdrawn(value) else "",
    )


def sentence(citation: Citation) -> str:
    """The citation as one sentence, in DataCite's order: Creator (Year): Title. Version. Publisher. Identifier."""
    if citation.recommended:
        return citation.recommended
    who = "; ".join(_inverted(each) for each in citation.authors)
    version = f"Version {citation.version}. " if citation.version else ""
    withdrawn = f" (withdrawn {citation.withdrawn})" if citation.withdrawn else ""
    head = f"{who} ({citation.year}): " if who else f"({citation.year}): "
    return f"{head}{citation.title}. {version}{citation.publisher}. {citation.address}{withdrawn}"


def line(words: str) -> str:
    """A text as one line without characters that hide or reorder others."""
    return " ".join(_ODD.sub(" ", words).split())


def _author(agent: Thing) -> Author:
    employers = [reading.name(each) for each in several(agent, "affiliations")]
    person = reading.is_person(agent)
    return Author(
        literal=line(reading.name(agent)),
        family=line(text(agent, "family_name")) if person else "",
        given=line(text(agent, "given_name")) if person else "",
        orcid=reading.web(agent.get("orcid")) if person else "",
        affiliation=line(next((each for each in employers if each), "")),
    )


def _inverted(author: Author) -> str:
    return ", ".join(filter(None, (author.family, author.given))) if author.family else author.literal


def _key(authors: tuple[Author, ...], year: str, uuid: str) -> str:
    """A key such as ``carberry_2026_0b6a3f0e``, of plain letters."""
    first = authors[0].family or authors[0].literal if authors else "dataset"
    plain = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode().lower()
    parts = (_NOT_PLAIN.sub("", plain)[:40] or "dataset", year, uuid[:8])
    return "_".join(each for each in parts if each)
