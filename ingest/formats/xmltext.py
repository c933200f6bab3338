"""XML and HTML: the root element and its namespace, by scanning the prolog; no parser runs, no entity is expanded.

Source: XML 1.0 (Fifth Edition), 2.8; Namespaces in XML 1.0, 3. Well-formedness of what follows is not checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.formats.facts import Facts
from ingest.formats.source import Source

_SPACE = re.compile(rb"\s+")
_NAME = rb"[A-Za-z_:\x80-\xff][\w:.\-\x80-\xff]*"
_ROOT = re.compile(rb"<(" + _NAME + rb")((?:\s+" + _NAME + rb"\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*+)\s*/?>")
_XMLNS = re.compile(rb"\sxmlns(?::(" + _NAME + rb"))?\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_VERSION = re.compile(rb"\s(?:version|schemaVersion)\s*=\s*[\"']([\w.\-]{1,20})[\"']")
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([A-Za-z][\w.\-]{0,30})["']""")
_HTML = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_EDAM = "http://edamontology.org/"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A format known by its root element or namespace."""

    name: str
    media_type: str
    edam_iri: str | None = None


_BY_NAMESPACE = {
    b"http://www.w3.org/2000/svg": Vocabulary("SVG", "image/svg+xml", _EDAM + "format_3604"),
    b"http://www.w3.org/1999/02/22-rdf-syntax-ns#": Vocabulary("RDF/XML", "application/rdf+xml"),
    b"http://www.opengis.net/kml/2.2": Vocabulary("KML", "application/vnd.google-earth.kml+xml"),
    b"http://www.topografix.com/GPX/1/1": Vocabulary("GPX", "application/gpx+xml"),
    b"http://psi.hupo.org/ms/mzml": Vocabulary("mzML", "application/xml", _EDAM + "format_3244"),
    b"http://www.w3.org/1999/xhtml": Vocabulary("XHTML", "application/xhtml+xml"),
}


def is_xml(source: Source) -> bool:
    """Whether the text starts with an XML declaration or, after comments, with a root element."""
    body = source.body
    if body.startswith(b"<?xml"):
        source.clue = _find_root(body)
        return True
    if is_html(source):
        return False
    source.clue = _find_root(body)
    return source.clue is not None


def is_html(source: Source) -> bool:
    """An HTML document: its doctype or its root element comes first."""
    return _HTML.match(source.body[:4096]) is not None


def describe(source: Source, facts: Facts) -> None:
    """The vocabulary where the namespace is a known one; else root element and namespace as header values."""
    declared = _DECLARED.match(source.body)
    if declared and source.encoding_guessed:
        facts.encoding = declared[1].decode("ascii").lower()
        source.encoding_guessed = False
    if source.clue is None:
        facts.warn("no root element was found at the start of the XML text")
        return
    name, attributes = source.clue
    namespace = _namespace(name, attributes)
    facts.instrument("root element", _words(name), "XML")
    if namespace:
        facts.instrument("namespace", _words(namespace), "XML")
    known = _BY_NAMESPACE.get(namespace)
    if known:
        facts.format_name, facts.media_type = known.name, known.media_type
        facts.iri, facts.edam_iri = None, known.edam_iri
        version = _VERSION.search(attributes)
        facts.version = version[1].decode("ascii", "replace") if version else None


def _words(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _namespace(name: bytes, attributes: bytes) -> bytes:
    prefix = name.rpartition(b":")[0]
    for found in _XMLNS.finditer(attributes):
        if (found[1] or b"") == prefix:
            return found[2] if found[2] is not None else found[3]
    return b""


def _find_root(body: bytes) -> tuple[bytes, bytes] | None:
    """Name and attributes of the root element; skips declaration, comments, instructions and the doctype."""
    at = 0
    for _ in range(100):
        if space := _SPACE.match(body, at):
            at = space.end()
        if body.startswith(b"<!--", at):
            end = body.find(b"-->", at + 4)
        elif body.startswith(b"<?", at):
            end = body.find(b"?>", at + 2)
        elif body.startswith(b"<!DOCTYPE", at):
            end = _doctype_end(body, at)
        else:
            found = _ROOT.match(body, at)
            return (found[1], found[2]) if found else None
        if end < 0:
            return None
        at = body.find(b">", end) + 1
    return None


def _doctype_end(body: bytes, at: int) -> int:
    """Where the doctype's ``>`` stands; its internal subset is stepped over, never read."""
    subset, end = body.find(b"[", at), body.find(b">", at)
    if 0 <= subset < end:
        return body.find(b">", body.find(b"]", subset) + 1) if b"]" in body[subset:] else -1
    return end
