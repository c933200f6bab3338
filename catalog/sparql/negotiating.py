"""Which form an answer takes: by ``Accept`` with its q-values, or by the parameter ``format``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.graph import media as forms

HTML = "html"
# Each form with its media types; the first is what is answered to whoever takes anything.
_ALSO = {
    "json": ("application/json",), "xml": ("application/xml", "text/xml"), "turtle": ("application/x-turtle",),
    "ntriples": ("text/plain",), "rdfxml": ("application/xml", "text/xml"), "jsonld": ("application/json",),
}  # fmt: skip
RESULTS: Mapping[str, Sequence[str]] = {name: (each, *_ALSO.get(name, ())) for name, each in forms.RESULTS.items()}
RDF: Mapping[str, Sequence[str]] = {name: (each, *_ALSO.get(name, ())) for name, each in forms.RDF.items()}
PAGE: Mapping[str, Sequence[str]] = {HTML: ("text/html", "application/xhtml+xml")}
NAMES: Mapping[str, str] = {
    "json": "JSON", "xml": "XML", "csv": "CSV", "tsv": "TSV",
    "turtle": "Turtle", "ntriples": "N-Triples", "rdfxml": "RDF/XML", "jsonld": "JSON-LD",
}  # fmt: skip
_SHORT = {"ttl": "turtle", "nt": "ntriples", "rdf": "rdfxml", "n-triples": "ntriples", "rdf+xml": "rdfxml"}
_SHORT |= {"json-ld": "jsonld", "table": HTML}
_UTF8 = frozenset({"text/csv", "text/tab-separated-values", "text/turtle", "text/plain", "application/x-turtle"})


@dataclass(frozen=True)
class Form:
    """A form and the media type it is answered with; no name where none is acceptable."""

    name: str = ""
    media_type: str = ""

    @property
    def content_type(self) -> str:
        return f"{self.media_type}; charset=utf-8" if self.media_type in _UTF8 else self.media_type


@dataclass(frozen=True)
class Wanted:
    """What whoever asks takes: for rows and truth values, for triples, and whether a page comes before both."""

    results: Form
    rdf: Form
    is_page: bool


def wanted(accept: str, formats: Sequence[str]) -> Wanted:
    """What is asked for. ``formats`` are values of the parameter; it comes before ``Accept``, where it is known."""
    ranges = _ranges(accept)
    for text in formats:
        name = _SHORT.get(text.strip().lower(), text.strip().lower())
        if name == HTML:
            return Wanted(*_for_page(ranges), is_page=True)
        results, rdf = _named(name, RESULTS), _named(name, RDF)
        if results.name or rdf.name:
            return Wanted(
                results if results.name else _best(ranges, RESULTS), rdf if rdf.name else _best(ranges, RDF), False
            )
    results, rdf, page = _best(ranges, RESULTS), _best(ranges, RDF), _best(ranges, PAGE)
    is_page = any(media in PAGE[HTML] for media, _ in ranges) and bool(page.name)
    if is_page:
        quality = _quality(ranges, page.media_type)
        is_page = quality >= max(_of(ranges, results), _of(ranges, rdf))
    return Wanted(results, rdf, is_page)


def offered() -> str:
    """Every media type, for who accepts none of them."""
    return ", ".join(types[0] for table in (RESULTS, RDF) for types in table.values())


def _for_page(ranges: Sequence[tuple[str, float]]) -> tuple[Form, Form]:
    return _best(ranges, RESULTS), _best(ranges, RDF)


def _named(name: str, table: Mapping[str, Sequence[str]]) -> Form:
    for form, types in table.items():
        if name == form or name in types:
            return Form(form, name if name in types else types[0])
    return Form()


def _ranges(accept: str) -> list[tuple[str, float]]:
    """Media ranges with their q-values; what cannot be read counts as absent."""
    found = []
    for part in accept.split(","):
        media, *parameters = (text.strip().lower() for text in part.split(";"))
        quality = 1.0
        for text in parameters:
            name, _, value = text.partition("=")
            if name.strip() == "q":
                try:
                    quality = min(1.0, max(0.0, float(value)))
                except ValueError:
                    quality = 0.0
        if media:
            found.append((media, quality))
    return found or [("*/*", 1.0)]


def _quality(ranges: Sequence[tuple[str, float]], media: str) -> float:
    """How much a media type is wanted: the most exact range counts (RFC 9110, 12.5.1)."""
    for pattern in (media, f"{media.partition('/')[0]}/*", "*/*"):
        for each, quality in ranges:
            if each == pattern:
                return quality
    return 0.0


def _of(ranges: Sequence[tuple[str, float]], form: Form) -> float:
    return _quality(ranges, form.media_type) if form.name else 0.0


def _best(ranges: Sequence[tuple[str, float]], table: Mapping[str, Sequence[str]]) -> Form:
    """The form wanted most; of several the first in the table, and a named media type before a range."""
    best, most = Form(), (0.0, False)
    for name, types in table.items():
        for media in types:
            rank = (_quality(ranges, media), any(media == each for each, _ in ranges))
            if rank[0] > 0 and rank > most:
                best, most = Form(name, media), rank
    return best
