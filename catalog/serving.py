"""`serve`: web workers, watcher, indexer and query broker, kept running and stopped together by one process."""

from __future__ import annotations

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.conf import settings

from catalog import engine
from catalog.places import DOWNLOADS
from catalog.sparql.places import PLACES
from catalog.state import WatcherNote, note_watcher, unwatched
from ingest.errors import BusyError, SettingError
from ingest.status import is_watched, watched_already

LOOPBACK = ("127.0.0.1", "localhost", "::1")
THREADS = 4  # of a web process for pages
LONG = PLACES + DOWNLOADS  # on top, for what holds a thread for long: queries and downloads (catalog/places.py)
PATIENCE = 15.0  # seconds a child has to stop by itself
READY = 30.0  # seconds the web workers have to answer for the first time
LONGEST_WAIT = 60.0
STEADY = 60.0  # seconds after which a child counts as well again
LEAVING = 3.0  # seconds the watcher of a service that was killed has to end
WATCHING = 5.0  # seconds the watcher has to say how it watches, before the pages are told of
_TURN = 0.2
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True)
class Address:
    """Where the web workers listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, name: str) -> Address:
        """An address such as ``127.0.0.1:8000`` or ``[::1]:8000``.

        Raises:
            SettingError: naming where the text came from.
        """
        host, colon, port = text.rpartition(":")
        host = host.strip("[]")
        if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
            raise SettingError(f"{name} is {text!r}; it must be an address with a port, such as 127.0.0.1:8000.")
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK

    @property
    def url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{host}:{self.port}{settings.FAIRFOLDER_URL_PREFIX}/"


def refusal(address: Address) -> str:
    """Why an address that others can reach may not be listened on, with the mend; "" when it may."""
    wanting = [
        name
        for name, given in (
            ("FAIRFOLDER_SECRET_KEY", settings.SECRET_KEY_IS_GIVEN),
            ("FAIRFOLDER_ALLOWED_HOSTS", bool(settings.FAIRFOLDER_ALLOWED_HOSTS)),
        )
        if not given
    ]
    if not wanting or address.is_loopback:
        return ""
    return (
        f"The address {address.host!r} can be reached by others, which needs {' and '.join(wanting)}; "
        "set that, or bind 127.0.0.1."
    )


def check_address(address: Address) -> None:
    """An address that others can reach needs a key and names of its own; and it must be free.

    Raises:
        SettingError: with the mend.
    """
    if reason := refusal(address):
        raise SettingError(reason)
    try:
        with socket.create_server(
            (address.host, address.port), family=socket.AF_INET6 if ":" in address.host else socket.AF_INET
        ):
            pass
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise SettingError(
            f"The address {address.host}:{address.port} cannot be used ({reason}); "
            "stop what uses it, or choose another with --port."
        ) from None


def watched_elsewhere() -> str:
    """Who watches our roots already, a sentence for each; empty when one of them is left to watch."""
    sentences = [watched_already(root, settings.ENGINE.state_dir) for root in engine.roots()]
    return "\n".join(sentences) if all(sentences) else ""


def check_unwatched() -> None:
    """Every root can have one watcher, and this service brings its own.

    Raises:
        BusyError: naming who watches already.
    """
    deadline = time.monotonic() + LEAVING
    while others := watched_elsewhere():
        if time.monotonic() >= deadline:
            raise BusyError(others)
        time.sleep(_TURN)


@dataclass
class Child:
    """A process that is started again, ever more slowly, when it stops by itself; times of the monotonic clock.

    While `hindered` it is not started: it could only end again.
    """

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    wait: float = 1.0
    restarts: int = 0
    told: Callable[[str, int], None] = field(default=lambda state, code: None)
    hindered: Callable[[], bool] = field(default=lambda: False)

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C goes to the parent alone, which stops its children in order
            stdout=sys.stderr.fileno(),  # standard output is for what was asked for
            preexec_fn=_die_with_parent,
        )
        self.started = time.monotonic()
        self.told("running", 0)

    def look_after(self) -> None:
        """Notices a death and starts again when it is time."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due and self.hindered():
                self.due = now + self.wait
            elif now >= self.due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.wait = 1.0 if now - self.started > STEADY else min(2 * self.wait, LONGEST_WAIT)
        self.due, self.process = now + self.wait, None
        self.restarts += 1
        self.told("restarting", code)

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def finish(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _die_with_parent() -> None:
    """Has the kernel end a child whose parent was killed; elsewhere than on Linux it does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


def children(address: Address, workers: int, tell: Callable[[str], None]) -> list[Child]:
    """The watcher first, the web workers last; between them the indexer and what answers queries."""
    manage = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
    web = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", address.host, "--port", str(address.port)]
    web += ["--workers", str(workers), "--blocking-threads", str(THREADS + LONG), "--no-ws", "--log-level", "error"]
    watcher = Child("watcher", [*manage, "watch"])
    site = Child("web", [*web, "--working-dir", str(settings.BASE_DIR), "catalog.wsgi:application"])
    watcher.told = lambda state, code: _note(watcher, state, code, tell)
    watcher.hindered = lambda: bool(watched_elsewhere())
    others = [Child("indexer", [*manage, "index_graph"])]
    if settings.FAIRFOLDER_SPARQL:
        others.append(Child("query", [*manage, "answer_sparql"]))
    for child in (*others, site):
        child.told = partial(_say_of, child, tell)
    return [watcher, *others, site]


def _say_of(child: Child, tell: Callable[[str], None], state: str, code: int) -> None:
    _say(child, state, code, tell)


def _say(child: Child, state: str, code: int, tell: Callable[[str], None]) -> None:
    if state == "restarting":
        tell(f"The {child.name} process stopped ({_cause(code)}); it is started again in {child.wait:.0f} s.")


def _note(child: Child, state: str, code: int, tell: Callable[[str], None]) -> None:
    if state == "restarting" and watched_elsewhere():
        tell("Another process watches; the pages go on, and this service watches by itself once that one has ended.")
        note_watcher(WatcherNote("running", time.time(), supervisor=os.getpid()))
        return
    _say(child, state, code, tell)
    reason = f"It stopped by itself ({_cause(code)})." if state == "restarting" else ""
    note_watcher(WatcherNote(state, time.time(), child.restarts, reason, os.getpid()))


def _cause(code: int) -> str:
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def supervise(kept: list[Child], stop: threading.Event, address: Address, ready: Callable[[], None]) -> None:
    """Keeps the children running until `stop` is set, then stops them all.

    Raises:
        SettingError: when the web workers never answer.
    """
    try:
        for child in kept:
            child.start()
        _await_web(kept, stop, address)
        _await_watcher(kept, stop)
        if not stop.is_set():
            ready()
        while not stop.wait(_TURN):
            for child in kept:
                child.look_after()
    finally:
        deadline = time.monotonic() + PATIENCE
        for child in kept:
            child.terminate()
        for child in kept:
            child.finish(deadline)
        note_watcher(WatcherNote("stopped", time.time()))


def _await_web(kept: list[Child], stop: threading.Event, address: Address) -> None:
    deadline = time.monotonic() + READY
    web = kept[-1]
    while not stop.wait(0.05):
        if _answers(address):
            return
        died = web.process is not None and web.process.poll() is not None
        if died or time.monotonic() > deadline:
            raise SettingError(
                f"The web workers do not answer at {address.host}:{address.port}; "
                "what they say above tells why. Try another --port."
            )


def _await_watcher(kept: list[Child], stop: threading.Event) -> None:
    """Until each root is watched, so that what its watcher says first comes before the address; not for long."""
    deadline = time.monotonic() + WATCHING
    while time.monotonic() < deadline and not all(map(_is_settled, engine.roots())):
        if stop.wait(0.05) or kept[0].process is None or kept[0].process.poll() is not None:
            return


def _is_settled(root: Path) -> bool:
    return is_watched(root, settings.ENGINE.state_dir) or bool(unwatched(root))


def _answers(address: Address) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, address.port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
