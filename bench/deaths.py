"""Queries of death: when each ends, and how pages and small queries are answered while many are asked."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyoxigraph import NamedNode, Quad

from bench.measuring import Bench, BenchError, Figure, Target, percentile
from bench.sparql import BASE, PLANTED, plant, serving
from catalog.graph.store import Change, QuadStore

MOST_PAGE, MOST_BEYOND = 1.0, 1.0  # seconds: of a page at the 95th percentile, and of a query beyond its limit
_PAUSE = 0.05  # between two that are measured
_PATIENCE = 300.0
_ANY = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . "
DEATHS = {
    "cross product": f"SELECT (COUNT(*) AS ?n) {{ {_ANY} ?j ?k ?l }}",
    "deep path": "SELECT (COUNT(*) AS ?n) { ?s (<urn:x>|!<urn:x>)*/(<urn:y>|!<urn:y>)* ?o . "
    "?t (<urn:x>|!<urn:x>)* ?u }",
    "regular expression": f"SELECT (COUNT(*) AS ?n) {{ {_ANY} "
    'FILTER(REGEX(CONCAT(STR(?a), STR(?d), STR(?g)), "^(([a-z])+.)+[A-Z]([a-z])+$")) }',
}
_SMALL = "ASK { ?s ?p ?o }"


@dataclass(frozen=True)
class _Reply:
    """How a request ended, and how long that took."""

    status: int
    seconds: float
    is_sent_away: bool = False  # told when to ask again, and not run


def run(bench: Bench) -> Iterator[Figure]:
    """Each kind of death alone, then many at a time beside pages and small queries; those at rest are the yardstick."""
    limit, many = bench.scale.pick(5, 3, 1), bench.scale.pick(50, 10, 3)
    nodes = [NamedNode(f"urn:node:{number}") for number in range(2_000)]
    graph, near = NamedNode(f"{BASE}/id/record/1"), NamedNode("urn:near")
    state = bench.folder / "state"
    with QuadStore(state / "graph" / "public", "bench") as store:
        quads = [Quad(nodes[n], near, nodes[(n * 7 + k) % 2_000], graph) for n in range(2_000) for k in range(1, 9)]
        store.apply([Change("1", graph.value, "1", quads)])
    with serving(state, FAIRFOLDER_SPARQL_SECONDS=str(limit), FAIRFOLDER_PROXIES="1") as port:
        service = _Service(port)
        plant(state, "A dataset", "1")
        yield _ends(bench, service, limit)
        yield from _beside(bench, service, many)


@dataclass(frozen=True)
class _Service:
    """The service behind a proxy, which says who asks."""

    port: int

    def get(self, target: str, address: str) -> _Reply:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request("GET", target, headers={"X-Forwarded-For": address})
            answer = connection.getresponse()
            answer.read()
            is_sent_away = answer.status == 503 and answer.getheader("Retry-After") is not None
            return _Reply(answer.status, time.perf_counter() - began, is_sent_away)
        finally:
            connection.close()

    def ask(self, query: str, address: str) -> _Reply:
        return self.get(f"/sparql?{urllib.parse.urlencode({'query': query})}", address)


def _ends(bench: Bench, service: _Service, limit: int) -> Figure:
    """From asking to the answer that it was stopped, one query after the other."""
    took = []
    for number in range(max(bench.scale.pick(3, 1, 1), bench.runs)):
        for name, query in DEATHS.items():
            reply = service.ask(query, f"192.0.2.{number}")
            if reply.status != 503 or reply.is_sent_away:
                raise BenchError(f"{name}: the service answers {reply.status}, and was to stop the query.")
            took.append(reply.seconds)
    return Figure(
        title=f"a query of death ({', '.join(DEATHS)}) from asking to its end",
        unit="s",
        values=took,
        yardstick="the time a query may take",
        yardstick_values=[float(limit)],
        ratio=max(took) / limit,
        ratio_words="its time, the slowest of them",
        targets=(Target.at_most(round(max(took), 2), limit + MOST_BEYOND, "s, the slowest of them"),),
    )


def _beside(bench: Bench, service: _Service, many: int) -> Iterator[Figure]:
    times = bench.scale.pick(40, 20, 2)
    rest = _measured(service, times)
    done, ended = threading.Event(), [0]

    def die(number: int) -> None:
        """Asks one after the other, and again where it is sent away, as a client does that knows no mercy."""
        while not done.is_set():
            reply = service.ask(list(DEATHS.values())[number % len(DEATHS)], f"192.0.2.{number}")
            ended[0] += not reply.is_sent_away
            done.wait(1.0 if reply.is_sent_away else 0.0)

    with ThreadPoolExecutor(many) as pool:
        dying = [pool.submit(die, number) for number in range(many)]
        time.sleep(1.0)  # until those that may run do
        try:
            beside = _measured(service, times)
        finally:
            done.set()
        for each in dying:
            each.result()
    if not ended[0]:
        raise BenchError("No query of death ran while others were measured.")
    for title, ours, theirs in zip(("a landing page", "a small query"), beside, rest, strict=True):
        yield _figure(f"{title}, 95th percentile while {many} clients ask queries of death", ours, theirs)


def _measured(service: _Service, times: int) -> tuple[list[_Reply], list[_Reply]]:
    """A page and a small query in turns, each from an address of its own."""
    pages, queries = [], []
    for _ in range(times):
        pages.append(service.get(f"/datasets/{PLANTED}", "198.51.100.1"))
        queries.append(service.ask(_SMALL, "198.51.100.2"))
        time.sleep(_PAUSE)
    for reply in (*pages, *queries):
        if reply.status != 200 and not reply.is_sent_away:
            raise BenchError(f"The service answers {reply.status} to what it was to answer: {reply}")
    return pages, queries


def _figure(title: str, ours: list[_Reply], theirs: list[_Reply]) -> Figure:
    mine, yardstick = (percentile([each.seconds for each in some], 0.95) for some in (ours, theirs))
    away = sum(each.is_sent_away for each in ours)
    return Figure(
        title=title,
        unit="s",
        values=[mine],
        yardstick="the same at rest",
        yardstick_values=[yardstick],
        ratio=mine / yardstick,
        ratio_words="its time",
        targets=(Target.at_most(round(mine, 3), MOST_PAGE, "s"),),
        notes=(f"{away} of {len(ours)} were told when to ask again, and not answered",) if away else (),
    )
