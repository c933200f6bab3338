"""FAIR Signposting: typed links in headers (level 1) and as a whole in a link set (level 2, RFC 9264)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.encoding import iri_to_uri

from catalog.formats import reading
from catalog.formats.reading import Thing
from catalog.formats.table import DCAT, FORMATS, Format
from catalog.publishing.iris import public_iri
from catalog.publishing.site import Site

MOST_ITEMS, MOST_AUTHORS = 25, 25  # in a header, which servers hold to a few thousand characters; the link set has all
_LONGEST = 1_000  # characters of an address in a header
LINKSET, LINKSET_JSON = "application/linkset", "application/linkset+json"
_ABOUT_PAGE, _DATASET = "https://schema.org/AboutPage", "https://schema.org/Dataset"


@dataclass(frozen=True)
class Link:
    """A typed link from one address to another."""

    anchor: str
    rel: str
    href: str
    type: str = ""
    profile: str = ""

    def text(self, *, with_anchor: bool = False) -> str:
        """As in a ``Link`` header (RFC 8288)."""
        parts = [f"<{iri_to_uri(self.href)}>", f'rel="{self.rel}"']
        named = (("type", self.type), ("profile", self.profile), ("anchor", self.anchor if with_anchor else ""))
        parts += [f'{name}="{iri_to_uri(value)}"' for name, value in named if value]
        return "; ".join(parts)


def of_record(value: Thing, site: Site) -> list[Link]:
    """Every link of a record: of its landing page, its files and its descriptions."""
    page = reading.landing_page(value, site.base_url)
    links = [*of_page(value, site)]
    for identifier, _ in _files(value, site.base_url):
        links += of_file(identifier, value, site)
    links += [Link(address(value, each, site), "describes", page) for each in FORMATS]
    return links


def of_page(value: Thing, site: Site) -> Iterator[Link]:
    """The links of the landing page."""
    base = site.base_url
    page = reading.landing_page(value, base)
    yield Link(page, "cite-as", reading.identifier(value, base))
    for author in authors(value):
        yield Link(page, "author", author)
    yield Link(page, "type", _ABOUT_PAGE)
    yield Link(page, "type", _DATASET)
    if licence := reading.license_iri(value):
        yield Link(page, "license", licence)
    for each in FORMATS:
        yield Link(page, "describedby", address(value, each, site), each.media_type, each.profile_iri)
    for identifier, media_type in _files(value, base):
        yield Link(page, "item", identifier, media_type)
    yield Link(page, "collection", f"{base}/id/catalog")


def of_file(identifier: str, value: Thing, site: Site) -> list[Link]:
    """The links of one file."""
    links = [Link(identifier, "collection", reading.landing_page(value, site.base_url), "text/html")]
    if licence := reading.license_iri(value):
        links.append(Link(identifier, "license", licence))
    return links


def of_gone_file(value: Thing, site: Site) -> list[Link]:
    """The links of a file whose dataset was withdrawn, for its own answer: to the tombstone, and to its RDF."""
    page = reading.landing_page(value, site.base_url)
    links = [Link(page, "collection", page, "text/html")]
    links += [Link(page, "describedby", address(value, each, site), each.media_type) for each in _OF_GONE]
    return links


_OF_GONE = tuple(each for each in FORMATS if each.profile is DCAT)


def authors(value: Thing) -> list[str]:
    """The creators whom the world can look up."""
    known = (
        reading.web(each.get("orcid")) or reading.web(each.get("ror")) for each in reading.several(value, "creators")
    )
    return [each for each in known if each]


def header_of_page(value: Thing, site: Site) -> str:
    """Level 1, with the way to level 2."""
    counted = {"item": MOST_ITEMS, "author": MOST_AUTHORS}
    chosen: list[Link] = []
    links = list(of_page(value, site))
    for each in links:
        most = counted.get(each.rel)
        if most is None or sum(link.rel == each.rel for link in links) <= most:
            chosen.append(each)
    page = reading.landing_page(value, site.base_url)
    chosen += [
        Link(page, "alternate", each.href, each.type, each.profile) for each in links if each.rel == "describedby"
    ]
    chosen += [Link(page, "linkset", f"{page}/linkset", kind) for kind in (LINKSET, LINKSET_JSON)]
    return header(chosen)


def header_of_format(value: Thing, format_: Format, site: Site) -> str:
    """The links of one description, and of those beside it."""
    own, page = address(value, format_, site), reading.landing_page(value, site.base_url)
    links = [Link(own, "describes", page), Link(own, "cite-as", reading.identifier(value, site.base_url))]
    links.append(Link(own, "alternate", page, "text/html"))
    links += [
        Link(own, "alternate", address(value, each, site), each.media_type, each.profile_iri)
        for each in FORMATS
        if each is not format_
    ]
    if format_.profile:
        links.append(Link(own, "profile", format_.profile_iri))
    links.append(Link(own, "linkset", f"{page}/linkset", LINKSET_JSON))
    return header(links)


def header_of_formats(identifier: str, site: Site) -> str:
    """What there is, for an answer of its own (303, 406): the page and each format."""
    page = f"{site.base_url}/datasets/{identifier}"
    links = [Link(page, "alternate", page, "text/html")]
    links += [Link(page, "alternate", f"{page}.{each.suffix}", each.media_type, each.profile_iri) for each in FORMATS]
    return header(links)


def header(links: Sequence[Link]) -> str:
    return ", ".join(each.text() for each in links if len(each.href) <= _LONGEST)


def address(value: Thing, format_: Format, site: Site) -> str:
    """Where a record stands in a format."""
    return f"{reading.landing_page(value, site.base_url)}.{format_.suffix}"


def text(links: Sequence[Link]) -> bytes:
    """``application/linkset``: as in headers, each with its anchor."""
    return (",\n".join(each.text(with_anchor=True) for each in links) + "\n").encode("ascii", "replace")


def json(links: Sequence[Link]) -> bytes:
    """``application/linkset+json``: by anchor, then by relation."""
    contexts: dict[str, dict[str, Any]] = {}
    for each in links:
        context = contexts.setdefault(each.anchor, {"anchor": iri_to_uri(each.anchor)})
        context.setdefault(each.rel, []).append(_target(each))
    return orjson.dumps({"linkset": list(contexts.values())}, option=orjson.OPT_INDENT_2) + b"\n"


def _target(link: Link) -> Mapping[str, Any]:
    target: dict[str, Any] = {"href": iri_to_uri(link.href)}
    if link.type:
        target["type"] = link.type
    if link.profile:
        target["profile"] = link.profile
    return target


def _files(value: Thing, base: str) -> Iterator[tuple[str, str]]:
    """IRI and media type of the files that anybody may have."""
    if reading.is_open(value):
        for each in reading.files(value):
            if own := reading.uuid_of(each):
                yield public_iri(base, "file", own), reading.download_type(each)
