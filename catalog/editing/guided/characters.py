"""Pasted text without the characters nobody sees or means: full-width forms, odd spaces, direction marks."""

from __future__ import annotations

import re
import unicodedata

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"), "-")
_SPACES = re.compile(r"\s+")
_WRAPPERS = {"<": ">", "(": ")", "[": "]", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}


def plain(text: str) -> str:
    """Full-width forms as ASCII, each run of white space as one space, no invisible characters, nothing around it."""
    kept = "".join(c for c in text.translate(_FULL_WIDTH) if unicodedata.category(c) != "Cf")
    return _SPACES.sub(" ", kept).strip()


def bare(text: str) -> str:
    """:func:`plain`, without the quotes, brackets and end marks that a copied sentence leaves around a value."""
    kept = plain(text)
    while kept:
        shorter = kept.rstrip(",;").strip()
        if len(shorter) > 1 and _WRAPPERS.get(shorter[0]) == shorter[-1]:
            shorter = shorter[1:-1].strip()
        if shorter == kept:
            break
        kept = shorter
    return kept


def hyphens(text: str) -> str:
    """Every dash as a hyphen."""
    return text.translate(_DASHES)


def quoted(text: str) -> str:
    """A person's text as a sentence names it, shortened."""
    kept = plain(text)
    return f"“{kept[:59]}…”" if len(kept) > 60 else f"“{kept}”"
