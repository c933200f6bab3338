"""How much of what a complete record needs is there, and what others will look for in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingest import documents
from ingest.documents import ADMINISTRATIVE, INSTRUMENT, PROJECT, SYSTEM_KEYS
from ingest.documents import EXPERIMENT as EXPERIMENT_KIND
from ingest.parts import DATASET, EXPERIMENT, INSTRUMENTS, Parts
from ingest.parts import PROJECT as PROJECT_PART
from ingest.schema import Problem, SchemaSet
from ingest.schema_compile import escape, unescape

_KINDS = {PROJECT_PART: PROJECT, DATASET: ADMINISTRATIVE, EXPERIMENT: EXPERIMENT_KIND, INSTRUMENTS: INSTRUMENT}

# What DataCite 4.7 and DCAT-AP 3 recommend, and what makes a run repeatable.
_RECOMMENDED: Mapping[str, tuple[str, ...]] = {
    PROJECT_PART: ("funding", "keywords", "institution"),
    DATASET: ("contributors", "subjects", "languages", "temporal_coverage", "methods", "related_identifiers"),
    EXPERIMENT: ("qc_metrics",),
    INSTRUMENTS: ("model", "serial_number"),
}
_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "computational": ("software_parameters", "scripts", "environment"),
    "simulation": ("software_used", "software_parameters", "environment"),
    "wet_lab": ("sample_identifiers", "reagents"),
    "instrument": ("sample_identifiers", "instruments_used", "instrument_settings"),
    "observation": ("instruments_used",),
}


def completeness(parts: Parts, schemas: SchemaSet) -> dict[str, Any]:
    """``completeness`` of a complete metadata file: counts, JSON pointers of what is missing, and drafts.

    Required is what the schemas in force ask of complete records, whether these are complete or not.
    """
    needed: set[str] = set()
    missing: set[str] = set()
    recommended: list[str] = []
    drafts: list[str] = []
    for name, where, value in _records(parts):
        kind = _KINDS[name]
        lacking = {f"{where}{p.pointer}" for p in schemas.missing_for_complete(kind, _whole(kind, value))}
        missing |= lacking
        needed |= lacking | {f"{where}/{escape(key)}" for key in asked(schemas, kind, _whole(kind, value))}
        wanted = _RECOMMENDED[name]
        if name == EXPERIMENT:
            wanted += _BY_TYPE.get(str(value.get("run_type")), ())
        recommended += [f"{where}/{key}" for key in wanted if value.get(key) in (None, "", [], {})]
        if value.get("status") != "complete":
            drafts.append(where.removeprefix("/"))
    return {
        "required": len(needed),
        "present": len(needed - missing),
        "required_missing": sorted(missing),
        "recommended_missing": recommended,
        "drafts": drafts,
    }


def _records(parts: Parts) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    yield PROJECT_PART, "/project", parts.project.value
    yield DATASET, "/dataset", parts.dataset.value
    yield EXPERIMENT, "/experiment", parts.experiment.value
    for number, instrument in enumerate(parts.instruments):
        yield INSTRUMENTS, f"/instruments/{number}", instrument.value


def _whole(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A part as a document of its own."""
    return {"@context": documents.context_iri(kind), **value}


@dataclass(frozen=True)
class Count:
    """Fields that are filled in, of those that a complete record of its kind must have.

    ``wrong``: values to correct and half-filled entries, wherever they are; they change neither of the two counts.
    """

    done: int
    total: int
    wrong: int = 0

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all; with something to correct it is less."""
        whole = 100 * self.done // self.total if self.total else 100
        return min(whole, 99) if self.wrong else whole


def counted(asked_for: frozenset[str], problems: Iterable[Problem]) -> Count:
    """Counts the fields that a complete record is asked for; those that lack something are not filled in."""
    several = list(problems)
    missing = [problem for problem in several if problem.is_missing]
    needed = asked_for | fields_of(problem.pointer for problem in missing if problem.pointer.count("/") == 1)
    lacking = [problem for problem in missing if fields_of([problem.pointer]) <= needed]
    unfilled = fields_of(problem.pointer for problem in lacking)
    return Count(len(needed - unfilled), len(needed), len(several) - len(lacking))


def asked(schemas: SchemaSet, kind: str, value: Mapping[str, Any]) -> frozenset[str]:
    """The fields that a record like this must have to be complete, whether they are filled in or not.

    What is asked may follow from a choice (an embargo asks for its end), so two records are judged: one in which people
    said nothing, and one in which they only chose.
    """
    own = SYSTEM_KEYS[kind]
    silent = {key: each for key, each in value.items() if key in own}
    chosen = {key: each for key, each in value.items() if key in own or key in _choices(schemas.in_force(kind))}
    records = (silent, chosen) if len(chosen) > len(silent) else (silent,)
    problems = (problem for record in records for problem in schemas.missing_for_complete(kind, record))
    return fields_of(problem.pointer for problem in problems) - own


def _choices(schema: Mapping[str, Any]) -> list[str]:
    return [key for key, rule in schema.get("properties", {}).items() if isinstance(rule, dict) and "enum" in rule]


def fields_of(pointers: Iterable[str]) -> frozenset[str]:
    """The top-level fields that some places of a record are in."""
    return frozenset(unescape(pointer.split("/")[1]) for pointer in pointers if "/" in pointer)
