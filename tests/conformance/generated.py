"""Catalogs made at random: complete records as the schemas allow them, composed as publishing does it."""

from __future__ import annotations

import copy
import json
import random
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyoxigraph import Quad

import schemas
from catalog.graph import feeds
from catalog.publishing.record import compose
from ingest.schema import SchemaSet
from tests.catalog.graph.graphs import SITE
from tests.catalog.publishing import example

SCHEMAS = SchemaSet()
_WORDS = ("heat shock", "Zellzählung", "細胞", "a < b & c > d", 'said "so"', "back\\slash", "x" * 300, "é̂")
_LONG = "What was measured, how, on which samples and with which instrument, said in more than fifty characters."
_SYSTEM = {"$schema", "@context", "@id", "@type", "status", "created_by", "created_date", "last_modified_by"}
_ORCIDS = ("https://orcid.org/0000-0002-1825-0097", "https://orcid.org/0000-0001-5109-3700")
_RORS = ("https://ror.org/05gq02987", "https://ror.org/021nxhr62")
_LICENCES = ("CC-BY-4.0", "CC0-1.0", "LicenseRef-ours", "https://www.etalab.gouv.fr/licence-ouverte-open-licence")


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


LEAVES: Mapping[str, Callable[[random.Random], Any]] = {
    "text": lambda rng: rng.choice(_WORDS),
    "uuid": _uuid,
    "uuid_iri": lambda rng: f"urn:uuid:{_uuid(rng)}",
    "iri": lambda rng: f"https://example.org/{_uuid(rng)}",
    "web_address": lambda rng: f"https://example.org/{_uuid(rng)}",
    "utc_timestamp": lambda rng: f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T08:00:00Z",
    "date": lambda rng: f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}",
    "date_time": lambda rng: f"2026-0{rng.randint(1, 9)}-12T08:30:00.5+01:00",
    "partial_date": lambda rng: rng.choice(["2026", "2026-03", "2026-03-09", "2026-03-09T12:00:00Z", "-0044"]),
    "duration": lambda rng: f"P{rng.randint(1, 30)}Y",
    "language": lambda rng: rng.choice(["en", "de", "pt-BR", "zh-Hant", "tlh"]),
    "email": lambda rng: f"desk{rng.randint(1, 99)}@example.org",
    "orcid": lambda rng: rng.choice(_ORCIDS),
    "ror": lambda rng: rng.choice(_RORS),
    "doi": lambda rng: f"https://doi.org/10.5072/{rng.randint(1, 9999)}",
    "media_type": lambda rng: rng.choice(["text/csv", "image/tiff", "application/x-own+thing", "chemical/x-pdb"]),
    "license": lambda rng: rng.choice(_LICENCES),
    "sha256": lambda rng: f"{rng.getrandbits(256):064x}",
    "relative_path": lambda rng: f"plate{rng.randint(1, 9)}/{_uuid(rng)[:8]} é.csv",
    "scalar": lambda rng: rng.choice(["low", 7, 0.93, True, -1e30]),
    "bound": lambda rng: rng.choice([0, 4096, -273.15]),
    "path_encoding": lambda rng: "percent",
    "user": lambda rng: "curie",
}


def made(rule: Mapping[str, Any], rng: random.Random, most: int) -> Any:
    """Something that the rule allows; of a list at most so many."""
    name = str(rule.get("$ref", "")).rpartition("/$defs/")[2]
    if name in LEAVES:
        return LEAVES[name](rng)
    if "$ref" in rule:
        return made(_found(rule["$ref"]), rng, most)
    if "const" in rule:
        return rule["const"]
    if "enum" in rule:
        return rng.choice(rule["enum"])
    if rule.get("type") == "array":
        return _unlike(made(rule["items"], rng, most) for _ in range(rng.randint(1, most)))
    if rule.get("type") == "object":
        return _object(rule, rng, most)
    if rule.get("type") in ("integer", "number"):
        return rng.randint(max(1, int(rule.get("minimum", 1))), 4096)
    return rng.choice(_WORDS) if rule.get("type") == "string" else rng.random() < 0.5


def _object(rule: Mapping[str, Any], rng: random.Random, most: int) -> dict[str, Any]:
    """Every key, so that what a star asks for is there; the whole thing may be left out above."""
    value = {key: made(each, rng, most) for key, each in rule.get("properties", {}).items()}
    if "end" in value and "start" in value:
        value.pop("end")  # not before its start
    if "west" in value:
        value |= {"west": -73.73, "south": 40.98, "east": rng.choice([-66.89, -80.0]), "north": 47.46}
        value |= {"longitude": -71.41, "latitude": 41.82}
        for key in rng.choice([("west", "south", "east", "north"), ("longitude", "latitude"), ()]):
            value.pop(key)
    if "relation" in value:
        value |= {"scheme": "URL", "identifier": value["iri"]}
    if value.get("@type") in ("Person", "Organization"):
        value["@id"] = f"urn:uuid:{_uuid(rng)}" if rng.random() < 0.6 else value["@id"]
    return value


def _unlike(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for each in values:
        if each not in found:
            found.append(each)
    return found


def _found(address: str) -> Any:
    document, _, pointer = address.partition("#")
    found: Any = schemas.load(document.removeprefix(schemas.BASE).partition("/")[0])
    for step in filter(None, pointer.split("/")):
        found = found[step]
    return found


def document(kind: str, rng: random.Random, head: Mapping[str, Any]) -> dict[str, Any]:
    """A complete record: all it must have, and some of the rest."""
    schema = schemas.load(kind)
    needed = {*schema["required"], *schema.get("then", {}).get("required", ())}
    value = {
        key: made(each, rng, 3)
        for key, each in schema["properties"].items()
        if key not in _SYSTEM and (key in needed or rng.random() < 0.6)
    }
    return value | dict(head)


def _administrative(rng: random.Random, siblings: list[str]) -> dict[str, Any]:
    value = document("dataset_administrative", rng, example._head("dataset_administrative", example.DATASET, "Dataset"))
    value |= {"status": "complete", "dataset_abstract": _LONG, "derived_from": f"urn:uuid:{_uuid(rng)}"}
    value["data_retention_schedule"] = {"period": "P10Y", "start_event": "published", "action": "review"}
    value["access_level"] = rng.choice(["public", "embargoed", "restricted"])
    value |= {"embargo_end_date": "2999-01-01", "access_conditions": "On request.", "consent_framework": "Broad."}
    value |= {"ethics_approvals": [{"url": "https://example.org/irb"}], "anonymization_method": "None."}
    if siblings and rng.random() < 0.5:
        other = f"{SITE.base_url}/id/dataset/{rng.choice(siblings)}"
        relation = {"identifier": other, "iri": other, "scheme": "URL", "relation": rng.choice(["IsPartOf", "Cites"])}
        value.setdefault("related_identifiers", []).append(relation)
    return value


def _objects(rng: random.Random, siblings: list[str]) -> list[dict[str, Any]]:
    """The complete metadata files of one dataset: example's, with everything in them made anew."""
    project = document("project_descriptive", rng, example._head("project_descriptive", example.PROJECT, "Project"))
    project |= {"status": "complete", "project_identifier": example.PROJECT}
    own = _administrative(rng, siblings)
    own |= {"dataset_identifier": example.DATASET, "associated_project_identifier": example.PROJECT}
    found = copy.deepcopy(example.objects())
    for each in found:
        run = document("experiment_contextual", rng, {k: each["experiment"][k] for k in ("@id", "@type", "run_id")})
        run |= {"run_label": each["experiment"]["run_label"], "dataset_identifier": example.DATASET}
        run |= {"$schema": f"{example.SCHEMAS}/experiment_contextual/1.0.0", **example.AUDIT, "status": "complete"}
        files = each["structure"]["file_descriptions"]
        run |= {
            "inputs": [{"url": "https://example.org/in"}],
            "protocol_references": [{"url": "https://example.org/p"}],
        }
        run |= {"software_used": [{"name": "Fiji", "version": "2", "url": "https://fiji.sc/"}]}
        run.pop("ended_at", None)  # not before its start
        run |= {"outputs": [file["file_identifier"] for file in files], "instruments_used": [example.MICROSCOPE]}
        for file in files:
            entry = document("file_technical", rng, {key: file[key] for key in ("file_identifier", "@id", "@type")})
            entry.pop("path_encoding", None)
            file |= entry | {"run_id": run["run_id"], "data_object_version": "V2", "state": "present"}
        each |= {"project": project, "dataset": own, "experiment": run}
    return found


def problems(objects: list[dict[str, Any]]) -> list[str]:
    """What our own schemas say of the parts."""
    parts = [(kind, each[key]) for each in objects for key, kind in _PARTS.items()]
    said = [(kind, {**value, "@context": f"{_CONTEXTS}{kind}/1.0.0.jsonld"}) for kind, value in parts]
    return [f"{kind}{each.pointer}: {each.message}" for kind, value in said for each in SCHEMAS.problems(kind, value)]


_CONTEXTS = "https://w3id.org/fairfolder/contexts/"
_PARTS = {
    "project": "project_descriptive",
    "dataset": "dataset_administrative",
    "experiment": "experiment_contextual",
}


def record(rng: random.Random, siblings: list[str]) -> dict[str, Any]:
    """One published document, sometimes a tombstone, sometimes one that lists no files."""
    objects = _objects(rng, siblings)
    said = problems(objects)
    assert not said, said[:5]
    entry = copy.deepcopy(example.entry())
    if rng.random() < 0.3:
        entry["publication"].pop("doi")
    if rng.random() < 0.15:
        entry["publication"] |= {"state": "withdrawn", "withdrawn_date": "2026-11-25T09:00:00Z"}
        entry["publication"]["withdrawal_reason"] = rng.choice(_WORDS)
    most = 2 if rng.random() < 0.2 else 1_000
    found = compose(entry, objects[0]["dataset"], objects, example.NOW, files_in_record=most)
    assert found is not None
    return renamed(found.value, _uuid(rng))


def renamed(value: dict[str, Any], identifier: str) -> dict[str, Any]:
    """The same record as another dataset, with a project, runs, files and instruments of its own."""
    text = json.dumps(value).replace(example.DATASET, identifier)
    for known in sorted(set(_OF_EXAMPLE.findall(text))):
        text = text.replace(known, str(uuid.uuid5(uuid.UUID(identifier), known)))
    renamed: dict[str, Any] = json.loads(text)
    return renamed


_OF_EXAMPLE = re.compile(
    "|".join((example.PROJECT, example.IMAGING, example.ANALYSIS, example.MICROSCOPE, "5d4c3b2a-[0-9a-f-]{27}"))
    + "|" + "|".join(each["data_object_identifier"] for each in example.objects())
)  # fmt: skip


def catalog(values: list[dict[str, Any]]) -> list[Quad]:
    """Records with the catalog around them, as a harvester gets them."""
    return feeds.catalog_page(values, SITE, 1, 1, len(values))


def generated(rng: random.Random) -> list[Quad]:
    """A catalog of one to three records."""
    values: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 3)):
        values.append(record(rng, [each["dataset_identifier"] for each in values]))
    return catalog(values)
