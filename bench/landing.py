"""What strangers ask for: a published dataset's page and formats, made anew, kept, and asked for by many at once."""

from __future__ import annotations

import json
import re
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from bench import trees
from bench.dataset import EMPTY
from bench.measuring import Bench, BenchError, Figure, Target, percentile
from bench.reconcile_from_nothing import SETTLED
from bench.service import Engine, command, described, running

FORMATS = ("jsonld", "ttl", "rdf", "nt", "trig", "nq")
_MOST_MILLISECONDS, _LEAST_A_SECOND = 100, 500
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_CLIENTS, _WORKERS, _ANEW = 8, 2, 3
_PERSON = {"@type": "Person", "name": "Josiah Carberry", "orcid": "https://orcid.org/0000-0002-1825-0097"}
_PROJECT = {
    "project_title": "Heat shock",
    "project_description": "Response of seedlings to heat.",
    "principal_investigator": _PERSON,
    "status": "complete",
}
_DATASET = {
    "dataset_title": "Counts of living cells",
    "dataset_abstract": "Living cells counted in confocal images of seedlings after a heat shock.",
    "creators": [_PERSON],
    "data_steward": {"@type": "Organization", "name": "Data Desk", "email": "data@example.org"},
    "publisher": {"@type": "Organization", "name": "Example University"},
    "license": "CC-BY-4.0",
    "access_level": "public",
    "keywords": ["heat shock"],
    "data_retention_schedule": {"period": "P10Y", "start_event": "published", "action": "review"},
    "status": "complete",
}


def run(bench: Bench) -> Iterator[Figure]:
    """Asked for again and again, the first time as after a change of the record; then kept, by many at once."""
    files = bench.scale.pick(1_000, 200, 10)
    times = max(bench.runs, bench.scale.pick(40, 10, 3))
    root, state = bench.folder / "data", bench.folder / "state"
    trees.plant(root, 1, files)
    time.sleep(SETTLED)
    with Engine(root, state) as engine:
        described(engine.reconcile(), files)
        identifier = _published(engine, root, state)
        page = f"/datasets/{identifier}"
        for words, address in (("landing page", page), *((f".{each}", f"{page}.{each}") for each in FORMATS)):
            yield _again_and_again(engine, state, words, address, times, files)
    yield from _asked_by_many(bench, root, state, page, files)


def _published(engine: Engine, root: Path, state: Path) -> str:
    """The dataset with complete records and one run of all its files, public; its identifier."""
    folder = trees.dataset_path(root, 0)
    record = folder / ".metadata" / "dataset_administrative.json"
    _say(folder.parent / ".metadata" / "project_descriptive.json", _PROJECT)
    _say(record, _DATASET)
    engine.reconcile()
    engine.finalise(str(folder.relative_to(root)))
    command(root, state, "publish", str(folder))
    return str(json.loads(record.read_bytes())["dataset_identifier"])


def _say(path: Path, fields: dict[str, Any]) -> None:
    """The record as an editor leaves it."""
    draft = path.with_name(f"{path.name}.tmp~")
    draft.write_text(json.dumps({**json.loads(path.read_bytes()), **fields}))
    draft.replace(path)


def _again_and_again(engine: Engine, state: Path, words: str, address: str, times: int, files: int) -> Figure:
    """As the indexer leaves it, which renders large records before anybody asks; what that takes is told besides."""
    engine.page(address)  # modules and templates are loaded once
    anew, mine, theirs = [], [], []
    for _ in range(times):
        mine += engine.page(address)
        theirs += engine.page(EMPTY)
    for _ in range(_ANEW):
        for each in (state / "rendered").iterdir():
            each.unlink()
        engine.forget()
        anew += engine.page(address)
    milliseconds = [1000 * s for s in mine]
    late = percentile(milliseconds, 0.95)
    return Figure(
        title=f"published dataset of {files:,} files: {words}",
        unit="ms",
        values=milliseconds,
        yardstick=f"{EMPTY} of the same process",
        yardstick_values=[1000 * s for s in theirs],
        ratio=statistics.median(mine) / statistics.median(theirs),
        ratio_words="its time",
        targets=(Target.at_most(round(late, 1), _MOST_MILLISECONDS, "ms at the 95th percentile"),),
        notes=(
            f"95th percentile {late:.1f} ms; made anew, where it is not kept: {1000 * statistics.median(anew):.0f} ms",
        ),
    )


def _asked_by_many(bench: Bench, root: Path, state: Path, page: str, files: int) -> Iterator[Figure]:
    seconds = bench.scale.pick(10, 3, 1)
    words = ("serve", "--port", str(_free_port()), "--json", "--workers", str(_WORKERS))
    with running(root, state, *words) as service:
        assert service.stdout is not None
        url = urlsplit(_first_object(service.stdout)["url"])
        where = (str(url.hostname), int(url.port or 80))
        forms = (("landing page", page), (".ttl", f"{page}.ttl"), (".jsonld", f"{page}.jsonld"))
        for title, address in (*forms, *((f"{title} in gzip", address) for title, address in forms)):
            packing = "gzip" if title.endswith("gzip") else "identity"
            length = _rate(where, address, 0.5, packing)[1]
            mine, theirs = [], []
            for _ in range(max(1, bench.runs)):
                mine.append(_rate(where, address, seconds, packing)[0])
                theirs.append(_rate(where, EMPTY, seconds)[0])
            yield Figure(
                title=f"published dataset of {files:,} files: {title}, kept, {_WORKERS} workers, {_CLIENTS} clients",
                unit="requests/s",
                values=mine,
                yardstick=f"{EMPTY} of the same service",
                yardstick_values=theirs,
                ratio=statistics.median(mine) / statistics.median(theirs),
                ratio_words="its rate",
                targets=(Target.at_least(round(statistics.median(mine)), _LEAST_A_SECOND, "requests/s"),),
                notes=(f"{length / 1000:,.0f} kB each; the clients take a part of the same processors",),
            )


def _first_object(stream: IO[bytes]) -> dict[str, Any]:
    """What `serve --json` says when it is ready."""
    said = b""
    for line in stream:
        said += line
        if line.rstrip() == b"}":
            found: dict[str, Any] = json.loads(said)
            return found
    raise BenchError("the service ended before it was ready")


def _rate(where: tuple[str, int], address: str, seconds: float, packing: str = "identity") -> tuple[float, int]:
    """Requests a second, each client on one connection that stays open; and how long each answer is, in bytes."""
    counts: list[int] = []
    lengths: set[int] = set()
    until = time.monotonic() + seconds
    head = f"Host: {where[0]}:{where[1]}\r\nAccept-Encoding: {packing}\r\n"
    request = f"GET {address} HTTP/1.1\r\n{head}\r\n".encode()

    def ask() -> None:
        number = 0
        with socket.create_connection(where, 30) as connection:
            while time.monotonic() < until:
                connection.sendall(request)
                if not (length := _answered(connection)):
                    return  # told below: its requests are missing
                lengths.add(length)
                number += 1
        counts.append(number)

    clients = [threading.Thread(target=ask) for _ in range(_CLIENTS)]
    started = time.monotonic()
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    if len(counts) != _CLIENTS:
        raise BenchError(f"{address} was not answered with 200 to {_CLIENTS - len(counts)} of {_CLIENTS} clients")
    return sum(counts) / (time.monotonic() - started), max(lengths)


def _answered(connection: socket.socket) -> int:
    """Reads one answer, as cheaply as can be: the clients share the processors with what they ask. Its length; or 0."""
    data = bytearray()
    while (end := data.find(b"\r\n\r\n")) < 0:
        if not (piece := connection.recv(1 << 18)):
            return 0
        data += piece
    length = _LENGTH.search(data, 0, end + 2)
    if length is None or not data.startswith(b"HTTP/1.1 200"):
        return 0
    left = end + 4 + int(length[1]) - len(data)
    while left > 0:
        if not (piece := connection.recv(1 << 18)):
            return 0
        left -= len(piece)
    return int(length[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
