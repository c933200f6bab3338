"""From the last write of a file to its row on the dataset's page, everything running as for a user."""

from __future__ import annotations

import http.client
import json
import re
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

from bench import trees
from bench.measuring import Bench, BenchError, Figure, Target, children_of, fsyncs_while, has_strace, percentile
from bench.service import command, running, wait_until_idle

SETTLE = 2.0
_LOOK_SECONDS = 0.02
_PATIENCE = 60.0
_TABLE = re.compile(r'<table class="files">.*?</table>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def run(bench: Bench) -> Iterator[Figure]:
    """One file after the other, each when the service has gone quiet; the page is asked for every 20 ms meanwhile."""
    samples = bench.scale.pick(24, 6, 2)
    root, state = bench.folder / "data", bench.folder / "state"
    trees.plant(root, 2, 10)
    port = _free_port()
    with running(root, state, "serve", "--port", str(port), "--json", FAIRFOLDER_SETTLE_SECONDS=str(SETTLE)) as service:
        assert service.stdout is not None
        _until_ready(service.stdout)
        account = command(root, state, "user", "add", "bench-reader")
        browser = Browser(port, account["name"], account["password"])
        watcher = _watcher(service.pid)
        folder = trees.dataset_path(root, 0)
        page = f"/datasets/{_identifier(folder)}/"
        found, bare = [], []
        for number in range(samples):
            wait_until_idle(watcher, quiet=0.5)
            found.append(_visible(browser, page, folder, samples - number))
            bare += [_round_trip(browser, page) for _ in range(3)]
        fsyncs = _fsyncs(watcher, lambda: _visible(browser, page, folder, 0))
    yield _figure(found, bare, fsyncs)


def _figure(found: list[float], bare: list[float], fsyncs: str) -> Figure:
    late = percentile(found, 0.95) - SETTLE
    return Figure(
        title=f"last write to row on the page, {len(found)} files one by one, settle time {SETTLE:g} s",
        unit="s",
        values=found,
        yardstick="the settle time and one round trip of the same page",
        yardstick_values=[SETTLE + each for each in bare],
        ratio=statistics.median(found) / (SETTLE + statistics.median(bare)),
        ratio_words="its time",
        targets=(Target.at_most(round(late, 3), 0.5, "s over the settle time at the 95th percentile"),),
        fsyncs=fsyncs,
        notes=(
            f"over the settle time: median {statistics.median(found) - SETTLE:.3f} s, 95th percentile {late:.3f} s, "
            f"worst {max(found) - SETTLE:.3f} s; the page itself takes {1000 * statistics.median(bare):.0f} ms",
        ),
    )


def _visible(browser: Browser, page: str, folder: Path, number: int) -> float:
    """Seconds from the end of a write until the page shows the file's row; names sort before all that are there."""
    path = folder / f"a{number:04}.csv"
    path.write_bytes(trees.content(10 * number)[1])
    written = time.monotonic()
    time.sleep(SETTLE - 0.1)
    while time.monotonic() - written < _PATIENCE:
        shown = _TABLE.search(browser.get(page))
        if shown is not None and path.name in _TAG.sub("", shown[0]):
            return time.monotonic() - written
        time.sleep(_LOOK_SECONDS)
    raise BenchError(f"{path.name} was not on the page after {_PATIENCE:.0f} s")


def _round_trip(browser: Browser, page: str) -> float:
    started = time.monotonic()
    browser.get(page)
    return time.monotonic() - started


def _fsyncs(watcher: int, work: Callable[[], object]) -> str:
    if not has_strace():
        return "fsyncs not counted: there is no strace"
    return f"{fsyncs_while(watcher, work):,} fsyncs of the watcher for one more file, by strace -f -c -p attached to it"


# --- the running service ----------------------------------------------------------------------------------------


class Browser:
    """Someone who is signed in, on one kept connection."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._cookies: dict[str, str] = {}
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/login/"))
        if token is None:
            raise BenchError("the sign-in page has no form")
        form = urlencode({"username": name, "password": password, "csrfmiddlewaretoken": token[1]})
        self._ask("POST", "/login/", form, {"Content-Type": "application/x-www-form-urlencoded"}, expected=302)

    def get(self, path: str) -> str:
        """The text of a page."""
        return self._ask("GET", path, None, {}, expected=200)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str], expected: int) -> str:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self._connection.request(method, path, body, {**headers, "Cookie": cookies})
        response = self._connection.getresponse()
        text = response.read().decode()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        if response.status != expected:
            raise BenchError(f"{method} {path} was answered with {response.status} instead of {expected}")
        return text


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _until_ready(said: object) -> None:
    """`serve --json` prints one object when its pages answer."""
    text = b""
    for line in iter(said.readline, b""):  # type: ignore[attr-defined]
        text += line
        try:
            json.loads(text)
        except json.JSONDecodeError:
            continue
        return
    raise BenchError(f"serve did not start: {text.decode(errors='replace')}")


def _watcher(service: int) -> int:
    for pid in children_of(service):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"watch" in words:
            return pid
    raise BenchError("serve runs no watcher")


def _identifier(folder: Path) -> str:
    """The dataset's identifier, once its record is there."""
    record = folder / ".metadata" / "dataset_administrative.json"
    deadline = time.monotonic() + _PATIENCE
    while not record.exists():
        if time.monotonic() > deadline:
            raise BenchError(f"{record} was not made")
        time.sleep(0.1)
    return str(json.loads(record.read_bytes())["dataset_identifier"])
