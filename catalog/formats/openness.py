"""Who gets the data, in words and in the lists that others read: said once for the page and every format. Pure."""

from __future__ import annotations

from catalog.formats import reading
from catalog.formats.reading import Thing, text

# COAR Access Rights, which DataCite and schema.org's readers know.
_COAR = {
    "public": ("open access", "http://purl.org/coar/access_right/c_abf2"),
    "embargoed": ("embargoed access", "http://purl.org/coar/access_right/c_f1cf"),
    "restricted": ("restricted access", "http://purl.org/coar/access_right/c_16ec"),
}


def coar(value: Thing) -> tuple[str, str]:
    """COAR's words and IRI for the access level; "" twice for a level it has none for."""
    return _COAR.get(text(value, "access_level"), ("", ""))


def end_of_embargo(value: Thing) -> str:
    """The day from which on anybody may have the files, ISO 8601; "" where there is no embargo, or no end of it."""
    return text(value, "embargo_end_date") if text(value, "access_level") == "embargoed" else ""


def sentence(value: Thing) -> str:
    """Who gets the files, in a sentence."""
    end = end_of_embargo(value)
    told = {
        "public": "Anyone may download the files.",
        "embargoed": f"The files are open from {end} on." if end else "The files are not open yet.",
        "restricted": "The files are given on request.",
    }
    return told.get(text(value, "access_level"), "The files are not given out.")


def conditions(value: Thing) -> list[str]:
    """``conditionsOfAccess`` of schema.org: a sentence with the conditions, and COAR's IRI; nothing of a tombstone."""
    words, address = coar(value)
    if reading.is_withdrawn(value) or not words:
        return []
    return [" ".join(filter(None, (sentence(value), text(value, "access_conditions")))), address]
