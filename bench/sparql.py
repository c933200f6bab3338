"""SPARQL: discovery queries through HTTP beside the bare engine and rdflib, a snapshot, a change made visible."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rdflib
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, QueryResultsFormat, QuerySolutions, Store

from bench.measuring import Bench, BenchError, Figure, Target, seconds
from catalog.graph.snapshots import Lease, Snapshots
from catalog.graph.store import Change, QuadStore

CHECKOUT = Path(__file__).resolve().parents[1]
MANAGE = [sys.executable, str(CHECKOUT / "manage.py")]
BASE = "http://127.0.0.1:8000"
PLANTED = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
MOST_RECORDS = 10_000  # what is beyond is reported, without a target and without rdflib, which would take an hour
FILES = 14  # of each record, which makes about 100 triples of it
MOST_TIMES, MOST_MORE, LEAST_RDFLIB = 1.3, 10.0, 10.0
MOST_SNAPSHOT, MOST_VISIBLE = 200.0, 2.0
_NAMES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "ff": "https://w3id.org/fairfolder/terms#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
_PREFIXES = "".join(f"PREFIX {name}: <{iri}> " for name, iri in _NAMES.items())
_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_WHOLE = NamedNode("http://www.w3.org/2001/XMLSchema#integer")
_FORMATS = ("TIFF", "CSV", "FASTQ", "HDF5", "NetCDF", "PNG", "Zarr")
QUERIES: Mapping[str, str] = {
    "datasets with a keyword": 'SELECT ?d ?t { ?d dcat:keyword "keyword 7" ; dct:title ?t } LIMIT 100',
    "datasets by instrument": "SELECT ?i (COUNT(DISTINCT ?d) AS ?n) "
    "{ ?r prov:used ?i { SELECT ?r ?d { ?r ff:ofDataset ?d } } } GROUP BY ?i",
    "files of a format larger than": "SELECT ?f ?b { ?f ff:fileFormat <urn:format:TIFF> ; dcat:byteSize ?b "
    "FILTER(?b > 900000) } LIMIT 100",
    "who used a protocol": "SELECT DISTINCT ?n { ?r prov:used <urn:protocol:3> ; prov:wasAssociatedWith ?p . "
    "?p foaf:name ?n }",
    "datasets of a person": "SELECT ?d ?t { ?d dct:creator <urn:person:5> ; dct:title ?t } LIMIT 100",
    "size by format": "SELECT ?x (SUM(?b) AS ?s) "
    "{ ?f ff:fileFormat ?x { SELECT ?f ?b { ?f dcat:byteSize ?b } } } GROUP BY ?x",
}
# The same questions as rdflib answers them soonest: it compares the rows of a query in a query one by one.
PLAINLY: Mapping[str, str] = {
    "datasets by instrument": "SELECT ?i (COUNT(DISTINCT ?d) AS ?n) { ?r prov:used ?i ; ff:ofDataset ?d } GROUP BY ?i",
    "size by format": "SELECT ?x (SUM(?b) AS ?s) { ?f ff:fileFormat ?x ; dcat:byteSize ?b } GROUP BY ?x",
}


def run(bench: Bench) -> Iterator[Figure]:
    """The queries at 1 M triples, and at 10 M without a target; all sides ask the same graph."""
    folder = bench.folder / "state" / "graph" / "public"
    sizes = (bench.scale.pick(MOST_RECORDS, 1_000, 20), bench.scale.pick(10 * MOST_RECORDS, 0, 0))
    for records in filter(None, sizes):
        with QuadStore(folder, "bench") as store:
            store.apply(Change(str(n), _graph(n).value, "1", list(_record(n))) for n in range(records))
            yield _snapshot(bench, store, len(store))
        with serving(bench.folder / "state") as port:
            yield from _queries(bench, folder, port, is_reported=records > MOST_RECORDS)
        shutil.rmtree(bench.folder / "state")
    yield _visible(bench)


# --- queries ------------------------------------------------------------------------------------------------------


def _queries(bench: Bench, folder: Path, port: int, *, is_reported: bool) -> Iterator[Figure]:
    lease = Lease(Snapshots(folder / "snapshots"))
    raw = Store.read_only(str(lease.path))
    size = sum(1 for _ in raw.quads_for_pattern(None, None, None, DefaultGraph()))
    times = max(bench.runs, bench.scale.pick(15, 7, 2))
    medians: dict[str, float] = {}
    rows: dict[str, int] = {}
    for title, query in QUERIES.items():
        rows[title] = _agree(title, _asked(port, query), _answered(raw, query))
        ours, theirs = [], []
        for _ in range(times):
            ours.append(1000 * seconds(lambda q=query: _asked(port, q)))  # type: ignore[misc]
            theirs.append(1000 * seconds(lambda q=query: _answered(raw, q)))  # type: ignore[misc]
        medians[title] = statistics.median(ours)
        most = MOST_TIMES * statistics.median(theirs) + MOST_MORE
        yield Figure(
            title=f"{title}, {size:,} triples, through HTTP",
            unit="ms",
            values=ours,
            yardstick="pyoxigraph in this process, on the same snapshot",
            yardstick_values=theirs,
            ratio=medians[title] / statistics.median(theirs),
            ratio_words="its time",
            targets=()
            if is_reported
            else (Target.at_most(medians[title], round(most, 1), "ms (1.3 times the yardstick and 10 ms)"),),
        )
    if not is_reported:
        yield from _beside_rdflib(raw, medians, rows, size)
    lease.release()


def _beside_rdflib(raw: Store, medians: Mapping[str, float], rows: Mapping[str, int], size: int) -> Iterator[Figure]:
    """Each query beside rdflib, which is asked once: it takes seconds."""
    graph = rdflib.Graph()
    for quad in raw:
        graph.add((rdflib.URIRef(quad.subject.value), rdflib.URIRef(quad.predicate.value), _rdflib(quad.object)))
    theirs: dict[str, float] = {}
    for title, query in QUERIES.items():
        began = time.perf_counter()
        found = len(graph.query(_PREFIXES + PLAINLY.get(title, query)))
        theirs[title] = 1000 * (time.perf_counter() - began)
        if found != rows[title]:
            raise BenchError(f"{title}: {rows[title]} rows through HTTP, {found} by rdflib.")
    for title, ours in (*medians.items(), ("all six", sum(medians.values()))):
        ratio = theirs.get(title, sum(theirs.values())) / ours
        yield Figure(
            title=f"{title}, {size:,} triples, through HTTP",
            unit="ms",
            values=[ours],
            yardstick="rdflib, its graph in memory of this process",
            yardstick_values=[ratio * ours],
            ratio=ratio,
            ratio_words="as fast",
            targets=(Target.at_least(ratio, LEAST_RDFLIB, "times as fast"),),
        )


def _rdflib(term: object) -> rdflib.term.Node:
    if isinstance(term, Literal):
        return rdflib.Literal(
            term.value, datatype=rdflib.URIRef(term.datatype.value) if term.datatype == _WHOLE else None
        )
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    raise BenchError(f"{term!r} is no term of this benchmark.")


def _asked(port: int, query: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    fields = urllib.parse.urlencode({"query": _PREFIXES + query})
    connection.request("GET", f"/sparql?{fields}", headers={"Accept": "application/sparql-results+json"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise BenchError(f"The service answers {answer.status}: {body.decode(errors='replace')[:200]}")
    return body


def _answered(raw: Store, query: str) -> bytes:
    found = raw.query(_PREFIXES + query)
    if not isinstance(found, QuerySolutions):
        raise BenchError("The yardstick answers with no rows.")
    return found.serialize(format=QueryResultsFormat.JSON) or b""


def _agree(title: str, ours: bytes, theirs: bytes) -> int:
    """How many rows both have."""
    counts = [len(json.loads(body)["results"]["bindings"]) for body in (ours, theirs)]
    if counts[0] != counts[1] or not counts[0]:
        raise BenchError(f"{title}: {counts[0]} rows through HTTP, {counts[1]} without.")
    return counts[0]


# --- a snapshot, and a change -------------------------------------------------------------------------------------


def _snapshot(bench: Bench, store: QuadStore, size: int) -> Figure:
    ours, theirs = [], []
    for number in range(max(5, bench.runs)):
        store.apply([Change("0", _graph(0).value, str(number), list(_record(0)))])
        ours.append(1000 * seconds(store.show))
        place = bench.folder / f"bare-{number}"
        theirs.append(1000 * seconds(lambda p=place: store._store.backup(str(p))))  # type: ignore[misc]
        shutil.rmtree(place)
    return Figure(
        title=f"a snapshot of {size:,} quads, the link flipped and old ones removed",
        unit="ms",
        values=ours,
        yardstick="the engine's backup alone",
        yardstick_values=theirs,
        ratio=statistics.median(ours) / statistics.median(theirs),
        ratio_words="its time",
        targets=(Target.at_most(round(statistics.median(ours), 1), MOST_SNAPSHOT, "ms"),),
    )


def _visible(bench: Bench) -> Figure:
    """A row written as the index writes it, until a query through HTTP finds what it says."""
    state = bench.folder / "state"
    with serving(state, "index_graph") as port:
        ours, theirs = [], []
        for number in range(max(3, bench.runs)):
            title = f"Visible {number}"
            began = time.perf_counter()
            plant(state, title, str(number))
            while title.encode() not in _asked(port, "SELECT ?t { ?d a dcat:Dataset ; dct:title ?t }"):
                if time.perf_counter() - began > 60:
                    raise BenchError("The change was not visible after 60 s.")
                time.sleep(0.02)
            ours.append(time.perf_counter() - began)
            theirs.append(seconds(lambda: _asked(port, "SELECT ?t { ?d dct:title ?t }")))
    return Figure(
        title="a change of a published record visible in SPARQL",
        unit="s",
        values=ours,
        yardstick="one small query through HTTP",
        yardstick_values=theirs,
        ratio=statistics.median(ours) / statistics.median(theirs),
        ratio_words="its time",
        targets=(Target.at_most(round(max(ours), 2), MOST_VISIBLE, "s, the slowest of them"),),
    )


def plant(state: Path, title: str, etag: str) -> None:
    """The one published row, as the index writes it."""
    uuid = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
    value = {"@id": f"urn:uuid:{uuid}", "@type": "Dataset", "dataset_identifier": uuid, "dataset_title": title}
    row = {
        "identifier": uuid, "state": "published", "access_level": "public", "title": title, "modified": "2026-01-01",
        "version": "1", "previous_version": "", "doi": "", "etag": etag, "sequence": 1, "size_bytes": 0,
        "file_count": 0, "value": json.dumps(value), "basis": etag, "last_level": "", "words": "",
    }  # fmt: skip
    with sqlite3.connect(state / "fairfolder.sqlite3", timeout=30) as db:
        db.execute("DELETE FROM catalog_published")
        db.execute(
            f"INSERT INTO catalog_published ({','.join(row)}) VALUES ({','.join('?' * len(row))})", [*row.values()]
        )
    db.close()


# --- the service --------------------------------------------------------------------------------------------------


@contextmanager
def serving(state: Path, *more: str, **settings: str) -> Iterator[int]:
    """A web process, what answers queries, and other commands, while the block runs; answers the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    data = state.parent / "data"
    data.mkdir(exist_ok=True)
    own = {"FAIRFOLDER_STATE_DIR": str(state), "MONITOR_PATH": str(data), "FAIRFOLDER_BASE_URL": BASE, **settings}
    others = {k: v for k, v in os.environ.items() if not k.startswith(("FAIRFOLDER_", "DJANGO_"))}
    environment = others | own | settings
    web = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    web += ["--workers", "2", "--blocking-threads", "10", "--no-ws", "--log-level", "error", "catalog.wsgi:application"]
    with ExitStack() as stack:
        for command in (*([*MANAGE, name] for name in ("answer_sparql", *more)), web):
            process = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=sys.stderr.fileno())
            stack.callback(process.wait)
            stack.callback(process.terminate)
        _wait(lambda: bool(_asked(port, "ASK {}")))
        yield port


def _wait(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if ready():
                return
        except (OSError, BenchError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


# --- records ------------------------------------------------------------------------------------------------------


def _graph(number: int) -> NamedNode:
    return NamedNode(f"{BASE}/id/record/{number}")


def _record(number: int) -> Iterator[Quad]:
    """A dataset with a run and its files, in the vocabulary of the records; the same for the same number."""
    chance, graph = random.Random(number), _graph(number)
    dataset, made_by = NamedNode(f"{BASE}/id/dataset/{number}"), NamedNode(f"{BASE}/id/run/{number}")
    person = NamedNode(f"urn:person:{number % 500}")

    def said(subject: NamedNode, name: str, value: NamedNode | Literal) -> Quad:
        prefix, _, local = name.partition(":")
        return Quad(subject, NamedNode(_NAMES[prefix] + local), value, graph)

    yield Quad(dataset, _TYPE, NamedNode(_NAMES["dcat"] + "Dataset"), graph)
    yield said(dataset, "dct:title", Literal(f"Dataset {number}"))
    yield said(dataset, "dct:creator", person)
    yield said(person, "foaf:name", Literal(f"Person {person.value.rpartition(':')[2]}"))
    for each in chance.sample(range(20), 3):
        yield said(dataset, "dcat:keyword", Literal(f"keyword {each}"))
    yield said(made_by, "ff:ofDataset", dataset)
    yield said(made_by, "prov:used", NamedNode(f"urn:instrument:{chance.randrange(40)}"))
    yield said(made_by, "prov:used", NamedNode(f"urn:protocol:{chance.randrange(5)}"))
    yield said(made_by, "prov:wasAssociatedWith", person)
    for each in range(FILES):
        file = NamedNode(f"{BASE}/id/file/{number}-{each}")
        yield said(dataset, "dcat:distribution", file)
        yield said(file, "dct:title", Literal(f"file_{each}"))
        yield said(file, "ff:path", Literal(f"folder/file_{each}"))
        yield said(file, "ff:fileFormat", NamedNode(f"urn:format:{chance.choice(_FORMATS)}"))
        yield said(file, "dcat:byteSize", Literal(str(chance.randrange(1_000_000)), datatype=_WHOLE))
        yield said(file, "prov:wasGeneratedBy", made_by)
