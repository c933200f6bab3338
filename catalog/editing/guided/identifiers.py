"""Identifiers and addresses in any form people paste → the one form the schemas ask for.

Every function answers what cannot be read as it was typed; the ``…_advice`` functions say in a sentence what is wrong
with it, and nothing where nothing is.
"""

from __future__ import annotations

import re
import string

from catalog.editing.guided.characters import bare, hyphens, quoted
from ingest.check_digits import is_orcid, is_ror

_START = r"(?:https?:/{1,3})?(?:www\.)?"
_END = r"(?:[/?#].*)?"
_ORCID = re.compile(rf"(?:orcid(?:id)?:?)?{_START}(?:orcid\.org/+)?((?:[0-9]-?){{15}}[0-9X]){_END}", re.I | re.A)
_ROR = re.compile(rf"(?:ror(?:id)?:?)?{_START}(?:ror\.org/+)?([0O][0-9a-z]{{8}}){_END}", re.I | re.A)
_DOI = re.compile(
    rf"(?:info:)?(?:doi\s*[:/]?\s*)?{_START}(?:dx\.)?(?:doi\.org/+)?(?:doi:\s*)?"
    r"(10\.[0-9]{4,9})\s?(?:/|%2F)\s?(\S+)",
    re.I | re.A,
)
_UUID = re.compile(r"(?:urn:)?(?:uuid:)?\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.I | re.A)
_ADDRESS = re.compile(r"(https?)://([^\s/?#]+)(.*)", re.I | re.S)
_HOST = r"[a-z0-9-]+(?:\.[a-z0-9-]+)*"
# A name with an ending that no file has; a country's ending, as of readme.md or plot.py, only with a path behind it.
_BARE_HOST = re.compile(
    rf"(?:www\.{_HOST}|{_HOST}\.(?:com|edu|eu|gov|info|int|net|org))(?::[0-9]+)?(?:[/?#].*)?|{_HOST}\.[a-z]{{2}}/.*",
    re.I | re.A | re.S,
)
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_INSIDE = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
# What an IRI may not hold (RFC 3987) and a browser would encode; and a per cent sign that encodes nothing.
_UNFIT = re.compile(r"[\x00-\x20<>\"{}|\\^`\[\]\x7f-\x9f#]|%(?![0-9A-Fa-f]{2})")
_MISTAKEN = str.maketrans("oil", "011")  # letters that the base 32 of ROR leaves out for the digits they look like


def orcid(text: str) -> str:
    """``https://orcid.org/0000-0002-1825-0097`` of any form in which its check digit is right."""
    digits = _orcid_digits(text)
    found = _orcid_of(digits) if digits else ""
    return found if found and is_orcid(found) else text


def orcid_advice(text: str) -> str:
    if is_orcid(orcid(text)):
        return ""
    digits = _orcid_digits(text)
    if digits:
        wanted = next(each for each in "0123456789X" if is_orcid(_orcid_of(digits[:-1] + each)))
        return (
            f"The ORCID {quoted(text)} cannot be right: after its first 15 digits it should end in {wanted}, "
            f"not in {digits[-1]}. One digit is mistyped; copy it from the person's page at orcid.org."
        )
    count = sum(c in string.digits + "Xx" for c in bare(text).rpartition("/")[2])
    return (
        f"{quoted(text)} is no ORCID: an ORCID has 16 digits, like 0000-0002-1825-0097"
        f"{f', and this has {count}' if 8 < count != 16 else ''}."
    )


def _orcid_digits(text: str) -> str:
    match = _ORCID.fullmatch(hyphens(bare(text)).replace(" ", ""))
    return match[1].replace("-", "").upper() if match else ""


def _orcid_of(digits: str) -> str:
    return f"https://orcid.org/{digits[:4]}-{digits[4:8]}-{digits[8:12]}-{digits[12:]}"


def ror(text: str) -> str:
    """``https://ror.org/05gq02987`` of any form in which its check digits are right."""
    symbols = _ror_symbols(text)
    found = f"https://ror.org/{symbols}"
    return found if symbols and is_ror(found) else text


def ror_advice(text: str) -> str:
    if is_ror(ror(text)):
        return ""
    symbols = _ror_symbols(text)
    start = f"https://ror.org/{symbols[:7]}"
    wanted = next((f"{n:02}" for n in range(100) if symbols and is_ror(f"{start}{n:02}")), "")
    if wanted:
        return (
            f"The ROR {quoted(text)} cannot be right: after its first 7 characters it should end in {wanted}, "
            f"not in {symbols[7:]}. One character is mistyped; copy it from the organization's page at ror.org."
        )
    return f"{quoted(text)} is no ROR: a ROR has nine letters and digits and begins with 0, like 05gq02987."


def _ror_symbols(text: str) -> str:
    match = _ROR.fullmatch(hyphens(bare(text)).replace(" ", ""))
    return match[1].lower().translate(_MISTAKEN) if match else ""


def doi(text: str) -> str:
    """``https://doi.org/10.5438/0012``; what an IRI may not hold is percent-encoded, letter case stays."""
    match = _DOI.fullmatch(bare(text))
    suffix = _without_end_marks(match[2]) if match else ""
    return f"https://doi.org/{match[1]}/{_encoded(suffix)}" if match and suffix else text


def doi_advice(text: str) -> str:
    if re.fullmatch(r"https://doi\.org/10\.[0-9]{4,9}/\S+", doi(text)):
        return ""
    return f"{quoted(text)} is no DOI: a DOI begins with 10. and has a slash, like 10.5438/0012."


def _without_end_marks(suffix: str) -> str:
    """A DOI without what a sentence put behind it: end marks, slashes, a bracket that nothing opened."""
    while suffix:
        shorter = suffix.rstrip("/.,;:?#")
        for opening, closing in ("()", "[]", "<>"):
            if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                shorter = shorter[:-1]
        if shorter == suffix:
            break
        suffix = shorter
    return suffix


def web_address(text: str) -> str:
    """An absolute http or https address, what may not stand in one percent-encoded as a browser does."""
    kept = bare(text)
    if kept != doi(kept) and "doi" in kept.casefold():
        return doi(kept)
    if _BARE_HOST.fullmatch(kept):
        kept = f"https://{kept}"
    match = _ADDRESS.fullmatch(kept)
    if not match:
        return text
    path, hash_sign, fragment = match[3].partition("#")
    host = match[2].lower() if match[2].isascii() and "@" not in match[2] else match[2]
    return f"{match[1].lower()}://{host}{_encoded(path)}{hash_sign}{_encoded(fragment)}"


def web_address_advice(text: str) -> str:
    if _is_iri(web_address(text)) and _ADDRESS.fullmatch(web_address(text)):
        return ""
    return f"{quoted(text)} is no web address: write it whole, like https://www.example.org/protocol."


def iri(text: str) -> str:
    """An absolute IRI: a web address, or a DOI, ORCID, ROR or UUID without its beginning."""
    kept = bare(text)
    if match := _UUID.fullmatch(kept):
        return f"urn:uuid:{match[1].lower()}"
    if re.match(r"10\.|doi|info:doi", kept, re.I) and (found := doi(kept)) != kept:
        return found
    if (found := orcid(kept)) != kept or ("ror" in kept.casefold() and (found := ror(kept)) != kept):
        return found
    found = web_address(kept)
    return found if found != kept or _is_iri(kept) else text


def iri_advice(text: str) -> str:
    if _is_iri(iri(text)):
        return ""
    return (
        f"{quoted(text)} is neither a web address nor another IRI: write it whole, like https://doi.org/10.5438/0012 "
        f"or https://www.example.org/protocol."
    )


def _is_iri(text: str) -> bool:
    scheme, colon, rest = text.partition(":")
    start, _, fragment = rest.partition("#")
    is_scheme = re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) is not None
    return bool(is_scheme and colon and start) and not _UNFIT.search(start) and not _UNFIT.search(fragment)


def _encoded(text: str) -> str:
    return _UNFIT.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)


def email(text: str) -> str:
    """An address without its name, ``mailto:`` and end marks; the part behind @ in lower case."""
    kept = bare(text)
    if inside := _INSIDE.search(kept):
        kept = inside[1]
    kept = re.sub(r"^mailto:", "", kept, flags=re.I).partition("?")[0].replace(" ", "").rstrip(".,;")
    if not _EMAIL.fullmatch(kept):
        return text
    local, _, domain = kept.partition("@")
    return f"{local}@{domain.lower() if domain.isascii() else domain}"


def email_advice(text: str) -> str:
    if _EMAIL.fullmatch(email(text)):
        return ""
    return f"{quoted(text)} is no e-mail address: it needs one @ with something on both sides, like name@example.org."
