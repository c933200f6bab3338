"""The endpoint as it runs: a web process, the broker with its workers, and a store that the test writes."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Quad

from catalog.graph.store import Change, QuadStore
from tests.catalog.service import CHECKOUT, MANAGE, eventually, free_port

BASE = "http://data.example.org"


@dataclass(frozen=True)
class Reply:
    """What the endpoint answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Endpoint:
    """A running endpoint; `store` is its public store, `internal` that of all records."""

    state: Path
    port: int
    store: QuadStore
    internal: QuadStore
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/sparql"

    def put(self, *quads: Quad) -> None:
        """Makes the public store hold just these quads, each in its own graph."""
        self.fill(self.store, quads)

    @staticmethod
    def fill(store: QuadStore, quads: Iterable[Quad]) -> None:
        graphs: dict[str, list[Quad]] = {}
        for quad in quads:
            assert isinstance(quad.graph_name, NamedNode)
            graphs.setdefault(quad.graph_name.value, []).append(quad)
        gone = [Change(name, name) for name in store.graphs() if name not in graphs]
        store.apply([*gone, *(Change(name, name, "etag", some) for name, some in graphs.items())])

    def ask(
        self,
        query: str | None = None,
        accept: str = "application/sparql-results+json",
        *,
        path: str = "/sparql",
        method: str = "GET",
        timeout: float = 180,
        headers: Mapping[str, str] | None = None,
        **parameters: str | list[str],
    ) -> Reply:
        fields = {"query": query} if query is not None else {}
        fields |= {name.replace("_", "-"): value for name, value in parameters.items()}  # type: ignore[misc]
        text = urllib.parse.urlencode(fields, doseq=True)
        if method == "POST":
            more = {"Content-Type": "application/x-www-form-urlencoded", "Accept": accept, **(headers or {})}
            return self.send("POST", path, text.encode(), more, timeout)
        target = f"{path}?{text}" if text else path
        return self.send(method, target, None, {"Accept": accept, **(headers or {})}, timeout)

    def send(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], timeout: float = 180
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def manage(self, *arguments: str) -> str:
        done = subprocess.run([*MANAGE, *arguments], env=self.environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str) -> None:
        commands: dict[str, list[str]] = {
            "broker": [*MANAGE, "answer_sparql"],
            "web": [
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(self.port), "--workers", "1", "--blocking-threads", "10", "--no-ws"),
                *("--log-level", "error", "--working-dir", str(CHECKOUT), "catalog.wsgi:application"),
            ],
        }
        self.processes[name] = subprocess.Popen(commands[name], env=self.environment, cwd=CHECKOUT)

    def workers(self) -> list[int]:
        """The processes of the pool that run."""
        return children(self.processes["broker"].pid)

    def is_up(self) -> bool:
        try:
            return self.ask("ASK {}").status == 200
        except OSError:
            return False


def children(pid: int) -> list[int]:
    try:
        found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for some in found for child in some]


@contextmanager
def endpoint(folder: Path, **settings: str) -> Iterator[Endpoint]:
    """One that runs while the block does."""
    state = folder / "state"
    own = {k: v for k, v in os.environ.items() if not k.startswith(("FAIRFOLDER_", "MONITOR_", "DJANGO_"))}
    own |= {
        "FAIRFOLDER_STATE_DIR": str(state),
        "MONITOR_PATH": str(folder / "data"),
        "FAIRFOLDER_BASE_URL": BASE,
        "FAIRFOLDER_SPARQL_SECONDS": "300",  # on any machine no query of a test takes so long but those that never end
        **settings,
    }
    (folder / "data").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        store = stack.enter_context(QuadStore(state / "graph" / "public", "test"))
        internal = stack.enter_context(QuadStore(state / "graph" / "internal", "test"))
        store.apply([])
        internal.apply([])
        found = Endpoint(state, free_port(), store, internal, own)
        try:
            found.start("broker")
            found.start("web")
            eventually(found.is_up)
            yield found
        finally:
            for process in found.processes.values():
                process.terminate()
            for process in found.processes.values():
                process.wait(120)


def triples(text: str, graph: str = f"{BASE}/id/record/1") -> list[Quad]:
    """Turtle as quads of one graph."""
    from pyoxigraph import RdfFormat, parse

    return [
        Quad(*quad.triple, NamedNode(graph)) for quad in parse(text, RdfFormat.TURTLE, base_iri="http://example.org/")
    ]


Rows = list[dict[str, Any]]
