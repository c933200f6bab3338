"""Labels of what authority lists name: a harvester that knows only our graph can still show words. Pure.

Small tables, each with the list it stands for; what they do not hold has the last part of its IRI for a label, which
is what the lists themselves use as their code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote

from pyoxigraph import RdfFormat, parse

import contexts

EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"
SPDX = "http://spdx.org/licenses/"
SKOS = "http://www.w3.org/2004/02/skos/core#"

ACCESS_RIGHTS = {"PUBLIC": "public", "RESTRICTED": "restricted", "NON_PUBLIC": "non-public"}
AVAILABILITY = {"AVAILABLE": "available"}
STATUSES = {"WITHDRAWN": "withdrawn"}
THEMES = {
    "AGRI": "Agriculture, fisheries, forestry and food", "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport", "ENER": "Energy", "ENVI": "Environment",
    "GOVE": "Government and public sector", "HEAL": "Health", "INTR": "International issues",
    "JUST": "Justice, legal system and public safety", "OP_DATPRO": "Provisional data",
    "REGI": "Regions and cities", "SOCI": "Population and society", "TECH": "Science and technology",
    "TRAN": "Transport",
}  # fmt: skip
FREQUENCIES = {
    "ANNUAL": "annual", "CONT": "continuous", "DAILY": "daily", "IRREG": "irregular", "MONTHLY": "monthly",
    "NEVER": "never", "OTHER": "other", "UNKNOWN": "unknown", "WEEKLY": "weekly",
}  # fmt: skip
LICENCES = {
    "AGPL-3.0-only": "GNU Affero General Public License v3.0 only",
    "Apache-2.0": "Apache License 2.0",
    "BSD-3-Clause": "BSD 3-Clause \"New\" or \"Revised\" License",
    "CC-BY-4.0": "Creative Commons Attribution 4.0 International",
    "CC-BY-NC-4.0": "Creative Commons Attribution Non Commercial 4.0 International",
    "CC-BY-NC-ND-4.0": "Creative Commons Attribution Non Commercial No Derivatives 4.0 International",
    "CC-BY-NC-SA-4.0": "Creative Commons Attribution Non Commercial Share Alike 4.0 International",
    "CC-BY-ND-4.0": "Creative Commons Attribution No Derivatives 4.0 International",
    "CC-BY-SA-4.0": "Creative Commons Attribution Share Alike 4.0 International",
    "CC0-1.0": "Creative Commons Zero v1.0 Universal",
    "CDLA-Permissive-2.0": "Community Data License Agreement Permissive 2.0",
    "EUPL-1.2": "European Union Public License 1.2",
    "GPL-3.0-only": "GNU General Public License v3.0 only",
    "MIT": "MIT License",
    "ODC-By-1.0": "Open Data Commons Attribution License v1.0",
    "ODbL-1.0": "Open Data Commons Open Database License v1.0",
    "PDDL-1.0": "Open Data Commons Public Domain Dedication & License 1.0",
}  # fmt: skip

# ISO 639-1 or the first part of a BCP 47 tag → code of the EU's list, and its English name.
LANGUAGES = {
    "ar": ("ARA", "Arabic"), "bg": ("BUL", "Bulgarian"), "ca": ("CAT", "Catalan"), "cs": ("CES", "Czech"),
    "cy": ("CYM", "Welsh"), "da": ("DAN", "Danish"), "de": ("DEU", "German"), "el": ("ELL", "Greek"),
    "en": ("ENG", "English"), "es": ("SPA", "Spanish"), "et": ("EST", "Estonian"), "eu": ("EUS", "Basque"),
    "fi": ("FIN", "Finnish"), "fr": ("FRA", "French"), "ga": ("GLE", "Irish"), "gl": ("GLG", "Galician"),
    "he": ("HEB", "Hebrew"), "hi": ("HIN", "Hindi"), "hr": ("HRV", "Croatian"), "hu": ("HUN", "Hungarian"),
    "id": ("IND", "Indonesian"), "is": ("ISL", "Icelandic"), "it": ("ITA", "Italian"), "ja": ("JPN", "Japanese"),
    "ko": ("KOR", "Korean"), "la": ("LAT", "Latin"), "lt": ("LIT", "Lithuanian"), "lv": ("LAV", "Latvian"),
    "mk": ("MKD", "Macedonian"), "mt": ("MLT", "Maltese"), "nb": ("NOB", "Norwegian Bokmål"),
    "nl": ("NLD", "Dutch"), "nn": ("NNO", "Norwegian Nynorsk"), "no": ("NOR", "Norwegian"), "pl": ("POL", "Polish"),
    "pt": ("POR", "Portuguese"), "ro": ("RON", "Romanian"), "ru": ("RUS", "Russian"), "sk": ("SLK", "Slovak"),
    "sl": ("SLV", "Slovenian"), "sq": ("SQI", "Albanian"), "sr": ("SRP", "Serbian"), "sv": ("SWE", "Swedish"),
    "sw": ("SWA", "Swahili"), "tr": ("TUR", "Turkish"), "uk": ("UKR", "Ukrainian"), "vi": ("VIE", "Vietnamese"),
    "zh": ("ZHO", "Chinese"),
}  # fmt: skip

# Media type → code of the EU's list of file types, and its label.
FILE_TYPES = {
    "application/gzip": ("GZIP", "GZIP"), "application/json": ("JSON", "JSON"),
    "application/ld+json": ("JSON_LD", "JSON-LD"),
    "application/msword": ("DOC", "Word DOC"), "application/n-quads": ("RDF_N_QUADS", "RDF N-Quads"),
    "application/n-triples": ("RDF_N_TRIPLES", "RDF N-Triples"), "application/pdf": ("PDF", "PDF"),
    "application/rdf+xml": ("RDF_XML", "RDF XML"), "application/trig": ("RDF_TRIG", "RDF TriG"),
    "application/vnd.apache.parquet": ("PARQUET", "PARQUET"), "application/vnd.ms-excel": ("XLS", "Excel XLS"),
    "application/vnd.oasis.opendocument.spreadsheet": ("ODS", "ODS"),
    "application/vnd.oasis.opendocument.text": ("ODT", "ODT"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("PPTX", "PowerPoint PPTX"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("XLSX", "Excel XLSX"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("DOCX", "Word DOCX"),
    "application/xml": ("XML", "XML"), "application/x-hdf5": ("HDF", "HDF"),
    "application/x-netcdf": ("NETCDF", "NetCDF"),
    "application/x-tar": ("TAR", "TAR"), "application/zip": ("ZIP", "ZIP"), "audio/mpeg": ("MP3", "MP3"),
    "audio/wav": ("WAV", "WAV"), "image/gif": ("GIF", "GIF"), "image/jpeg": ("JPEG", "JPEG"),
    "image/png": ("PNG", "PNG"), "image/svg+xml": ("SVG", "SVG"), "image/tiff": ("TIFF", "TIFF"),
    "text/csv": ("CSV", "CSV"), "text/html": ("HTML", "HTML"), "text/markdown": ("MARKDOWN", "Markdown"),
    "text/plain": ("TXT", "TXT"), "text/tab-separated-values": ("TSV", "TSV"),
    "text/turtle": ("RDF_TURTLE", "RDF Turtle"),
    "text/xml": ("XML", "XML"), "video/mp4": ("MPEG4", "MPEG-4"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an authority list: its label, the list it is in ("" for none), the types it has."""

    label: str
    scheme: str = ""
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _List:
    labels: Mapping[str, str]
    types: tuple[str, ...] = field(default=(SKOS + "Concept",))


_DCT = "http://purl.org/dc/terms/"
_LISTS: Mapping[str, _List] = {
    f"{EU}access-right": _List(ACCESS_RIGHTS, (SKOS + "Concept", _DCT + "RightsStatement")),
    f"{EU}data-theme": _List(THEMES),
    f"{EU}dataset-status": _List(STATUSES),
    f"{EU}file-type": _List(dict(FILE_TYPES.values()), (SKOS + "Concept", _DCT + "MediaTypeOrExtent")),
    f"{EU}frequency": _List(FREQUENCIES, (SKOS + "Concept", _DCT + "Frequency")),
    f"{EU}language": _List(dict(LANGUAGES.values()), (SKOS + "Concept", _DCT + "LinguisticSystem")),
    f"{EU}planned-availability": _List(AVAILABILITY),
}


def entry(iri: str) -> Entry | None:
    """What an authority's IRI stands for; None for an IRI of no list we know."""
    if iri.startswith(SPDX):
        code = iri.removeprefix(SPDX)
        return Entry(LICENCES.get(code, unquote(code)), types=(_DCT + "LicenseDocument",))
    if iri.startswith(IANA):
        return Entry(unquote(iri.removeprefix(IANA)), types=(_DCT + "MediaType",))
    if iri.startswith(contexts.TERMS):
        return own_terms().get(iri)
    scheme, _, code = iri.rpartition("/")
    known = _LISTS.get(scheme)
    return Entry(known.labels.get(code, code), scheme, known.types) if known else None


def language(tag: str) -> str:
    """The EU's IRI of a language, by the first part of its tag; "" for one that is not listed here."""
    code, _ = LANGUAGES.get(tag.partition("-")[0].lower(), ("", ""))
    return f"{EU}language/{code}" if code else ""


def file_type(media_type: str) -> str:
    """The EU's IRI of a file type; "" for a media type it has none for."""
    code, _ = FILE_TYPES.get(media_type, ("", ""))
    return f"{EU}file-type/{code}" if code else ""


@cache
def own_terms() -> Mapping[str, Entry]:
    """The concepts of our own vocabulary, such as roles and kinds of relations, as ``contexts/terms.ttl`` has them."""
    found: dict[str, dict[str, list[str]]] = {}
    for quad in parse(contexts.vocabulary(), format=RdfFormat.TURTLE):
        values = found.setdefault(_value(quad.subject), {}).setdefault(quad.predicate.value, [])
        values.append(_value(quad.object))
    kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    return {
        iri: Entry(told[SKOS + "prefLabel"][0], told[SKOS + "inScheme"][0], tuple(told[kind]))
        for iri, told in found.items()
        if SKOS + "prefLabel" in told and SKOS + "inScheme" in told
    }


def _value(term: object) -> str:
    return str(getattr(term, "value", ""))
