"""Queries of death, many at a time: each ends at its limit, pages and others go on, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from tests.catalog.service import eventually, is_running
from tests.catalog.sparql.endpoint import BASE, Endpoint, Reply, endpoint, triples

SECONDS, MINUTES = 2, 300.0  # the limit of a query, and when a test that failed is ended
PATIENCE = 60.0  # seconds that nothing takes which ends at the limit, on any machine
MEMORY = 256
_ANY = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . "
DEATHS = {
    "cross product": f"SELECT (COUNT(*) AS ?n) WHERE {{ {_ANY} ?j ?k ?l }}",
    "sorting": f"SELECT * WHERE {{ {_ANY} }} ORDER BY ?c ?f DESC(?i)",
    "deep path": "SELECT (COUNT(*) AS ?n) WHERE { ?s (<http://e/x>|!<http://e/x>)*/(<http://e/y>|!<http://e/y>)* ?o ."
    " ?t (<http://e/x>|!<http://e/x>)* ?u }",
    "regex": f"SELECT (COUNT(*) AS ?n) WHERE {{ {_ANY} FILTER(REGEX(CONCAT(STR(?a), STR(?d), STR(?g)),"
    ' "^(([a-z])+.)+[A-Z]([a-z])+$")) }',
    "concatenation": f"SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g))) AS ?x) WHERE {{ {_ANY} }}",
    "many rows": f"SELECT * WHERE {{ {_ANY} }}",
    "growth": "SELECT ?x WHERE { VALUES ?y { 1 } "
    + 'BIND("xxxxxxxxxxxxxxxx" AS ?z0) '
    + " ".join(f"BIND(CONCAT({', '.join([f'?z{n}'] * 16)}) AS ?z{n + 1})" for n in range(7))
    + " BIND(STRLEN(?z7) AS ?x) }",
    "unions": "SELECT * WHERE { " + " UNION ".join(["{ ?s ?p ?o }"] * 6_000) + " }",
    "parentheses": "SELECT * WHERE " + "{" * 40_000 + "}" * 40_000,
    "brackets": "SELECT * WHERE { ?s ?p ?o FILTER(" + "(" * 40_000 + "1" + ")" * 40_000 + ") }",
    "long": "ASK { " + "<a> <b> <c> . " * 80_000 + "}",
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint with 20,000 triples that hang together."""
    settings = {
        "FAIRFOLDER_SPARQL_SECONDS": str(SECONDS),
        "FAIRFOLDER_SPARQL_MEMORY_MEGABYTES": str(MEMORY),
        "FAIRFOLDER_SPARQL_MEGABYTES": "10",
        "FAIRFOLDER_PROXIES": "1",
    }
    with endpoint(tmp_path_factory.mktemp("busy"), **settings) as found:
        near, of = NamedNode("http://e/near"), NamedNode("http://e/name")
        nodes = [NamedNode(f"http://e/{n}") for n in range(2_000)]
        graph = NamedNode(f"{BASE}/id/record/1")
        found.put(
            *(Quad(nodes[n], near, nodes[(n * 7 + k) % 2_000], graph) for n in range(2_000) for k in range(1, 9)),
            *(Quad(node, of, Literal(f"node {node.value}"), graph) for node in nodes),
        )
        yield found


@pytest.mark.parametrize("name", DEATHS)
def test_a_query_of_death_ends_at_its_limit(busy: Endpoint, name: str) -> None:
    began = time.monotonic()
    reply = busy.ask(DEATHS[name], method="POST", timeout=MINUTES)  # without a limit it would take hours, or all memory
    assert time.monotonic() - began < PATIENCE
    assert is_ended(reply), (reply.status, reply.text[:200])
    eventually(lambda: busy.ask("ASK {}").status == 200)


def test_many_at_a_time_leave_pages_and_other_queries_alone(busy: Endpoint, count: Callable[[int, int], int]) -> None:
    """Each comes from its own address, and asks again as it is told until it was let in: every one of them runs."""
    many = count(len(DEATHS), 200)
    names = list(DEATHS)
    took: list[float] = []
    pages: list[float] = []

    def one(number: int) -> Reply:
        headers = {"X-Forwarded-For": f"192.0.2.{number}"}
        while True:
            began = time.monotonic()
            reply = busy.ask(DEATHS[names[number % len(names)]], method="POST", headers=headers, timeout=MINUTES)
            if not is_sent_away(reply):
                took.append(time.monotonic() - began)
                return reply
            time.sleep(int(reply.headers["retry-after"]) / 5)

    with memory_watched(busy) as most, ThreadPoolExecutor(many) as pool:
        waiting = [pool.submit(one, number) for number in range(many)]
        while not all(each.done() for each in waiting):
            began = time.monotonic()
            assert busy.send("GET", "/healthz", None, {}).status == 200
            pages.append(time.monotonic() - began)
            asked_patiently(busy)
            time.sleep(0.1)
        replies = [each.result() for each in waiting]
    for number, reply in enumerate(replies):
        assert is_ended(reply), (names[number % len(names)], reply.status, reply.text[:200])
    # How quickly is for the benchmarks: here a page that waits for a query, or a query without an end.
    assert len(pages) < 4 or sorted(pages)[len(pages) // 2] < PATIENCE, pages
    assert max(took) < PATIENCE, took
    assert most[0] < 4 * (MEMORY + 200) << 20
    eventually(lambda: len(busy.workers()) == 3 and not burning(busy))


def is_sent_away(reply: Reply) -> bool:
    """Whether a query was not run, since too many others are; it is told when to ask again."""
    sent_away = reply.status == 503 and "ask again in a few seconds" in reply.text
    assert not sent_away or reply.headers["retry-after"] == "5"
    return sent_away


def is_ended(reply: Reply) -> bool:
    """Whether a query ended as a death does: at a limit, or cut off with what it had; none of them has an answer."""
    if reply.status == 200:
        return "fairfolder-partial" in reply.headers
    return reply.status in (400, 413, 503) and reply.text.count("\n") == 1 and "Traceback" not in reply.text


def asked_patiently(busy: Endpoint) -> None:
    """A small query from another address, asked again as Retry-After says."""
    other = {"X-Forwarded-For": "198.51.100.7"}
    eventually(lambda: busy.ask("ASK { ?s ?p ?o }", headers=other).status == 200)


@contextmanager
def memory_watched(busy: Endpoint) -> Iterator[list[int]]:
    """The most memory that the workers had together."""
    most, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            most[0] = max(most[0], sum(resident(pid) for pid in busy.workers()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def states(pid: int) -> list[str]:
    """What the threads of a process do: R where one computes, or waits for a processor to do so."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            found.append(path.read_text().rpartition(")")[2].split()[0])
    return found


def burning(busy: Endpoint) -> bool:
    """Whether a worker computes, however little of a processor it gets: seen three times, for all wake up at times."""

    def seen() -> bool:
        time.sleep(0.05)
        return any("R" in states(pid) for pid in busy.workers())

    return all(seen() for _ in range(3))


def test_a_query_that_nobody_waits_for_is_stopped_long_before_its_limit(tmp_path: Path) -> None:
    near, graph = NamedNode("http://e/near"), NamedNode(f"{BASE}/id/record/1")
    nodes = [NamedNode(f"http://e/{n}") for n in range(2_000)]
    with endpoint(tmp_path, FAIRFOLDER_SPARQL_SECONDS="3600", FAIRFOLDER_PROXIES="1") as patient:
        patient.put(*(Quad(one, near, other, graph) for one, other in pairwise(nodes)))
        eventually(lambda: patient.ask("ASK { ?s ?p ?o }").status == 200)
        eventually(lambda: not burning(patient))
        before = set(patient.workers())
        text = urllib.parse.urlencode({"query": DEATHS["cross product"]})
        with socket.create_connection(("127.0.0.1", patient.port)) as client:
            client.sendall(f"GET /sparql?{text} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            eventually(lambda: burning(patient))
        eventually(lambda: set(patient.workers()) != before and not burning(patient), PATIENCE)  # its limit is an hour


# --- killed ---------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_is_replaced(busy: Endpoint) -> None:
    before = busy.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: busy.ask("ASK {}").status == 200)
    eventually(lambda: len(busy.workers()) == 3 and not set(before) & set(busy.workers()))


def test_a_broker_that_is_killed_takes_its_workers_along(busy: Endpoint) -> None:
    workers = busy.workers()
    broker = busy.processes["broker"]
    broker.kill()
    broker.wait(120)
    reply = busy.ask("ASK {}")
    assert (reply.status, reply.headers.get("retry-after")) == (503, "5")
    eventually(lambda: not any(is_running(pid) for pid in workers))
    busy.start("broker")
    eventually(lambda: busy.ask("ASK {}").status == 200)


def test_snapshots_that_nobody_reads_are_removed(busy: Endpoint) -> None:
    for number in range(5):
        busy.store.apply([])
        busy.fill(busy.store, triples(f"<a> <b> {number} ."))
        assert busy.ask("SELECT ?o WHERE { <http://example.org/a> ?p ?o }", "text/csv").text.split()[1] == str(number)
    busy.fill(busy.store, triples("<a> <b> 9 ."))
    eventually(
        lambda: (busy.store.snapshots.sweep(), len(list((busy.state / "graph/public/snapshots").glob("*.lease"))) == 1)[
            1
        ],
    )
