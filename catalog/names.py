"""Names as a person can read them: nothing invisible, nothing that reorders the text around it."""

from __future__ import annotations

import re
import unicodedata

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# Control characters, direction overrides and isolates, zero-width and line separators, byte order marks, surrogates.
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")
# In running text line breaks and the joiners of living scripts belong; what hides or reorders text does not.
_ODD_IN_PROSE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
_JOINED = "\u200d"  # makes one picture of several emoji
_WORDS = {"\n": "⏎", "\r": "␍", "\t": "⇥", "\x00": "␀"}


def plain(text: str) -> str:
    """A name as one line of harmless text: odd characters as ``\\u202e``."""
    return _ODD.sub(lambda match: match[0] if _joins(match) else f"\\u{ord(match[0]):04x}", text)


def marked(text: str) -> SafeString:
    """A name as HTML in its own direction; odd characters become visible marks that say what they are."""
    return _marked(text, _ODD)


def prose(text: str) -> SafeString:
    """A text of several words or lines as HTML in its own direction, without characters that hide or reorder."""
    return _marked(text, _ODD_IN_PROSE)


def _marked(text: str, odd: re.Pattern[str]) -> SafeString:
    if not odd.search(text):
        return format_html("<bdi>{}</bdi>", text)
    pieces: list[tuple[str | SafeString]] = []
    end = 0
    for match in odd.finditer(text):
        if _joins(match):
            continue
        pieces += [(text[end : match.start()],), (_mark(match[0]),)]
        end = match.end()
    pieces.append((text[end:],))
    return format_html("<bdi>{}</bdi>", format_html_join("", "{}", pieces))


def _joins(match: re.Match[str]) -> bool:
    """Whether a zero-width joiner stands between two pictures, where it belongs."""
    text, at = match.string, match.start()
    around = text[at - 1 : at], text[at + 1 : at + 2]
    return match[0] == _JOINED and all(each and unicodedata.category(each) in ("So", "Sk", "Mn") for each in around)


def _mark(character: str) -> SafeString:
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "control character").capitalize()
    return format_html('<span class="odd" title="{} {}">{}</span>', code, name, _WORDS.get(character, f"⟨{code}⟩"))
