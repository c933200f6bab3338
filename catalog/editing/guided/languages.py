"""Languages: tags of BCP 47 with their names from CLDR (package ``babel``), those of most papers first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from babel import Locale
from babel.core import get_global

from catalog.editing.guided.characters import bare, quoted
from catalog.editing.guided.choice import Choice

# Common languages with what each calls itself, written out so that the data of 48 locales need not be loaded.
COMMON: Mapping[str, str] = {
    "en": "", "de": "Deutsch",
    "fr": "français", "es": "español", "it": "italiano", "pt": "português",
    "nl": "Nederlands", "pl": "polski", "ru": "русский", "uk": "українська", "zh": "中文", "ja": "日本語",
    "ko": "한국어", "ar": "العربية", "tr": "Türkçe", "cs": "čeština", "sk": "slovenčina", "hu": "magyar",
    "ro": "română",
    "bg": "български", "el": "Ελληνικά", "hr": "hrvatski", "sr": "српски", "sl": "slovenščina", "da": "dansk",
    "sv": "svenska", "nb": "norsk bokmål", "nn": "norsk nynorsk", "fi": "suomi", "et": "eesti", "lv": "latviešu",
    "lt": "lietuvių", "is": "íslenska", "ga": "Gaeilge", "cy": "Cymraeg", "ca": "català", "eu": "euskara",
    "gl": "galego", "he": "עברית", "fa": "فارسی", "hi": "हिन्दी", "bn": "বাংলা", "ur": "اردو", "ta": "தமிழ்",
    "id": "Indonesia", "vi": "Tiếng Việt", "th": "ไทย", "sw": "Kiswahili",
}  # fmt: skip
_SUBTAGS = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*", re.I | re.A)


@cache
def choices() -> Sequence[Choice]:
    """Every language CLDR has a name for: common ones first, the others by name."""
    rest = sorted((tag for tag in _names() if tag not in COMMON), key=lambda tag: _names()[tag].casefold())
    return (*common(), *(Choice(tag, _names()[tag]) for tag in rest))


@cache
def common() -> Sequence[Choice]:
    """The common ones, each also by its own name."""
    return tuple(Choice(tag, f"{_names()[tag]} ({own})" if own else _names()[tag]) for tag, own in COMMON.items())


def label(value: str) -> str:
    """The English name of a tag, with what its further parts say; empty for what is none."""
    tag = language(value)
    primary, *others = tag.split("-")
    names = _names()
    if tag in names:
        return names[tag]
    if primary not in names:
        return ""
    english = Locale("en")
    said = [english.scripts.get(part) or english.territories.get(part) or part for part in others]
    return f"{names[primary]} ({', '.join(said)})"


def language(text: str) -> str:
    """The tag of a tag in any letter case, of a three-letter code, or of a language's name."""
    kept = bare(text).replace("_", "-")
    if _SUBTAGS.fullmatch(kept) and (found := _tag(kept)):
        return found
    return _by_name().get(kept.casefold(), text)


def language_advice(text: str) -> str:
    if label(text):
        return ""
    return (
        f"{quoted(text)} is no language known here: choose one from the list, or write its code, like en, de-CH "
        f"or zh-Hant."
    )


def _tag(kept: str) -> str:
    """A tag in the letter case BCP 47 recommends and with its shortest code, empty when its language is unknown."""
    first, *others = kept.split("-")
    primary = first.lower()
    alias = str(get_global("language_aliases").get(primary, "")).replace("_", "-")
    if alias and not (others and "-" in alias):
        primary = alias
    if primary.partition("-")[0] not in _names():
        return ""
    return "-".join((primary, *_cased(others)))


def _cased(subtags: Sequence[str]) -> list[str]:
    """Scripts begin with a capital, regions are capitals; behind a single letter (a private part) all is small."""
    done: list[str] = []
    is_private = False
    for part in subtags:
        is_private = is_private or len(part) == 1
        if not is_private and len(part) == 4 and part.isalpha():
            done.append(part.title())
        elif not is_private and len(part) == 2 and part.isalpha():
            done.append(part.upper())
        else:
            done.append(part.lower())
    return done


@cache
def _names() -> Mapping[str, str]:
    left_out = {"mul", "und", "zxx", "root", *get_global("language_aliases")}
    return {tag.replace("_", "-"): name for tag, name in Locale("en").languages.items() if tag not in left_out}


@cache
def _by_name() -> Mapping[str, str]:
    own = {name.casefold(): tag for tag, name in COMMON.items() if name}
    return own | {name.casefold(): tag for tag, name in _names().items()}
