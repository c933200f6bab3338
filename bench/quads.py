"""The graph: records as JSON turned into quads and put into the store, beside two JSON-LD processors."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import orjson
import rdflib
from pyld import jsonld
from pyoxigraph import NamedNode, Quad, Store

from bench.measuring import Bench, BenchError, Figure, Target, alternate, seconds
from catalog.graph.contexts import context, scope
from catalog.graph.reading import Reading
from ingest.processes import collect_rarely

TRIPLES = 56
BATCH = 5_000
LEAST_DOCUMENTS, LEAST_PYLD, LEAST_RDFLIB = 3_000, 5.0, 8.0
BASE = "https://data.example.org"
ORCID, ROR = "https://orcid.org/0000-0002-1825-0097", "https://ror.org/05gq02987"


def run(bench: Bench) -> Iterator[Figure]:
    """All read the same records by the `dcat` context; ours are in a store when the clock stops."""
    collect_rarely()  # as the program that indexes does; for the two others as well
    raw = [orjson.dumps(document(number)) for number in range(bench.scale.pick(20_000, 3_000, 50))]
    few = raw[: bench.scale.pick(300, 60, 3)]
    _agree(raw[0])
    readers: dict[str, Callable[[bytes], object]] = {"pyld": _by_pyld, "rdflib": _by_rdflib}
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(bench.runs):
        ours.append(_stored(Store(), raw, len(raw)))
        for name, read in readers.items():
            theirs[name].append(_per_second(len(few), partial(_all, read, few)))
    for name, least in (("pyld", LEAST_PYLD), ("rdflib", LEAST_RDFLIB)):
        yield _beside(name, ours, theirs[name], least, len(raw))
    yield _on_disk(bench, raw)


def _beside(name: str, ours: Sequence[float], theirs: Sequence[float], least: float, documents: int) -> Figure:
    ratio = statistics.median(ours) / statistics.median(theirs)
    targets = (Target.at_least(ratio, least, f"times as fast as {name}"),)
    if name == "pyld":
        targets = (Target.at_least(statistics.median(ours), LEAST_DOCUMENTS, "records/s"), *targets)
    return Figure(
        title=f"{documents:,} records of {TRIPLES} triples, JSON to quads in a store in memory, beside {name}",
        unit="records/s",
        values=ours,
        yardstick=f"{name}, to quads in memory",
        yardstick_values=theirs,
        ratio=ratio,
        ratio_words="as fast",
        targets=targets,
        notes=("ours makes public IRIs and names for value objects besides",) if name == "pyld" else (),
    )


def _on_disk(bench: Bench, raw: Sequence[bytes]) -> Figure:
    """The same into a store on disk, beside what the store takes for the same quads ready made."""
    ready = [quad for text in raw for quad in _by_us(text)]
    folders = iter(range(2 * bench.runs))
    ours, alone = alternate(
        bench.runs,
        lambda: _stored(Store(str(bench.folder / f"store-{next(folders)}")), raw, len(raw)),
        lambda: _loaded(Store(str(bench.folder / f"store-{next(folders)}")), ready, len(raw)),
    )
    return Figure(
        title=f"{len(raw):,} records of {TRIPLES} triples, JSON to quads in a store on disk",
        unit="records/s",
        values=ours,
        yardstick="the store alone, given the same quads ready made",
        yardstick_values=alone,
        ratio=statistics.median(ours) / statistics.median(alone),
        ratio_words="as fast",
        targets=(Target.at_least(statistics.median(ours), LEAST_DOCUMENTS, "records/s"),),
        notes=(f"in batches of {BATCH:,} records, flushed at the end",),
    )


def _per_second(count: int, work: Callable[[], object]) -> float:
    return count / seconds(work)


def _all(read: Callable[[bytes], object], texts: Sequence[bytes]) -> None:
    for text in texts:
        read(text)


# --- three readers --------------------------------------------------------------------------------------------------


def _stored(store: Store, raw: Sequence[bytes], documents: int) -> float:
    def work() -> None:
        for at in range(0, len(raw), BATCH):
            store.bulk_extend(quad for text in raw[at : at + BATCH] for quad in _by_us(text))
        store.flush()

    return _checked(store, _per_second(documents, work), documents)


def _loaded(store: Store, quads: Sequence[Quad], documents: int) -> float:
    def work() -> None:
        store.bulk_extend(quads)
        store.flush()

    return _checked(store, _per_second(documents, work), documents)


def _checked(store: Store, figure: float, documents: int) -> float:
    if len(store) != TRIPLES * documents:
        raise BenchError(f"The store holds {len(store):,} quads, not {TRIPLES * documents:,}.")
    return figure


def _by_us(text: bytes) -> list[Quad]:
    value = orjson.loads(text)
    reading = Reading(BASE, NamedNode(f"{BASE}/id/record/{value['dataset_identifier']}"))
    reading.document(value, scope("dcat"))
    return reading.quads


_CONTEXT = context("dcat")


def _by_pyld(text: bytes) -> Any:
    return jsonld.to_rdf({"@context": _CONTEXT, **json.loads(text)})


def _by_rdflib(text: bytes) -> Any:
    data = json.dumps({"@context": _CONTEXT, **json.loads(text)})
    return rdflib.Graph().parse(data=data, format="json-ld")


def _agree(text: bytes) -> None:
    counts = {
        "ours": len(set(_by_us(text))),
        "pyld": len(_by_pyld(text)["@default"]),
        "rdflib": len(_by_rdflib(text)),
    }
    if set(counts.values()) != {TRIPLES}:
        raise BenchError(f"The same record is not {TRIPLES} triples to all: {counts}.")


# --- a record ---------------------------------------------------------------------------------------------------


def document(number: int) -> dict[str, Any]:
    """A small published record: two creators, a run, two files; each with names of its own."""

    def uuid(kind: int) -> str:
        return f"{kind:08x}-0000-4000-8000-{number:012x}"

    person = {"@id": ORCID, "@type": "Person", "name": "Josiah Carberry", "orcid": ORCID}
    files = [
        {
            "@id": f"urn:uuid:{uuid(at)}", "@type": "File", "file_identifier": uuid(at),
            "file_name": f"reads_{at}.fastq", "path": f"reads_{at}.fastq", "size_bytes": 1_000 * at + number,
            "modified_utc": "2026-01-05T09:00:00Z",
            "checksum": {"algorithm": "sha256", "value": f"{number:064x}"}, "mime_type": "text/plain",
            "run_id": uuid(4),
        }
        for at in (6, 7)
    ]  # fmt: skip
    return {
        "@id": f"urn:uuid:{uuid(1)}", "@type": "Dataset", "dataset_identifier": uuid(1), "metadata_language": "en",
        "associated_project_identifier": uuid(2), "dataset_title": f"RNA-Seq of heat-shocked seedlings {number}",
        "dataset_abstract": "Raw reads of the heat-shock time series in Arabidopsis thaliana.",
        "creators": [
            {**person, "affiliations": [{"@id": ROR, "@type": "Organization", "name": "Brown University"}]},
            {"@id": f"urn:uuid:{uuid(3)}", "@type": "Person", "name": f"Person {number}"},
        ],
        "data_steward": {"@id": f"urn:uuid:{uuid(8)}", "@type": "Organization", "name": "Desk", "email": "d@b.org"},
        "publisher": {"@id": ROR, "@type": "Organization", "name": "Brown University"},
        "license": "CC-BY-4.0", "access_level": "public", "keywords": ["RNA-Seq", "heat shock"],
        "date_published": "2026-11-21T08:00:00Z", "dataset_version": "1",
        "data_objects": [{
            "@id": f"urn:uuid:{uuid(5)}", "@type": "DataObject", "generated_date": "2026-11-20T16:30:00Z",
            "experiment": {
                "@id": f"urn:uuid:{uuid(4)}", "@type": "Run", "run_id": uuid(4), "experiment_name": "Sequencing",
                "experimenters": [person],
            },
        }],
        "file_descriptions": files,
    }  # fmt: skip
