"""The check digits of ORCID and ROR, which no JSON Schema keyword can express: the formats ``orcid`` and ``ror``."""

from __future__ import annotations

import re

_ORCID = re.compile(r"https://orcid\.org/(\d{4}-\d{4}-\d{4}-\d{3})([\dX])", re.ASCII)
_ROR = re.compile(r"https://ror\.org/(0[0-9a-hj-km-np-tv-z]{6})(\d{2})", re.ASCII)
_CROCKFORD = {symbol: value for value, symbol in enumerate("0123456789abcdefghjkmnpqrstvwxyz")}


def is_orcid(value: object) -> bool:
    """Whether a text is an ORCID IRI with a valid check digit: ISO 7064 MOD 11-2 over its first 15 digits.

    True for anything that is no text, as JSON Schema asks of a format.
    """
    if not isinstance(value, str):
        return True
    match = _ORCID.fullmatch(value)
    if match is None:
        return False
    total = 0
    for digit in match[1].replace("-", ""):
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return match[2] == ("X" if check == 10 else str(check))


def is_ror(value: object) -> bool:
    """Whether a text is a ROR IRI with valid check digits: ISO 7064 MOD 97-10 over Crockford's base 32.

    True for anything that is no text, as JSON Schema asks of a format.
    """
    if not isinstance(value, str):
        return True
    match = _ROR.fullmatch(value)
    if match is None:
        return False
    number = 0
    for symbol in match[1]:
        number = number * 32 + _CROCKFORD[symbol]
    return 98 - number * 100 % 97 == int(match[2])
