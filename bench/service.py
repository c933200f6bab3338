"""The service as benchmarks run it: commands, the watcher, the whole of it, and a warm process that calls the engine.

Every process gets an environment of its own: a watched folder and a state folder of the benchmark, nothing of the
user's. Run as ``python -m bench.service`` this module is that warm process: it reads one JSON request a line and
answers each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.measuring import BenchError, cpu_seconds

CHECKOUT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(CHECKOUT / "manage.py")]
_PATIENCE = 60.0


def environment(root: Path, state: Path, **settings: str) -> dict[str, str]:
    """The environment of a process that watches `root`.

    Python keeps what it compiled, as on a user's machine, whatever the shell of the benchmarks says of that.
    """
    others = ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FAIRFOLDER_") and k not in others}
    given = {
        "MONITOR_PATH": str(root),
        "FAIRFOLDER_STATE_DIR": str(state),
        "DJANGO_SETTINGS_MODULE": "catalog.settings",
        # What keeping every version costs is measured by itself: `git`, `dvc` and `chain`.
        "FAIRFOLDER_GIT": "off",
        "FAIRFOLDER_DVC": "off",
    }
    return {**kept, **given, **settings}


def command(
    root: Path, state: Path, *words: str, prefix: Sequence[str] = (), codes: Sequence[int] = (0,), **settings: str
) -> Any:
    """Runs ``manage.py <words> --json`` to its end and gives its answer.

    Raises:
        BenchError: with what it said, when its exit code is another.
    """
    whole = [*prefix, *MANAGE, *words, "--json"]
    done = subprocess.run(
        whole, env=environment(root, state, **settings), cwd=CHECKOUT, capture_output=True, stdin=subprocess.DEVNULL
    )
    if done.returncode not in codes:
        raise BenchError(f"{' '.join(words)} ended with {done.returncode}: {_tail(done.stderr or done.stdout)}")
    return json.loads(done.stdout)


def _tail(said: bytes) -> str:
    return said.decode(errors="replace").strip()[-2000:]


@contextmanager
def running(root: Path, state: Path, *words: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py <words>`` as a process that is ended when the block is left."""
    log = state.with_name(f"{state.name}.log")
    with log.open("ab") as said:
        process = subprocess.Popen(
            [*MANAGE, *words],
            env=environment(root, state, **settings),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        )
    try:
        yield process
    finally:
        if process.poll() is not None:
            raise BenchError(f"{' '.join(words)} ended by itself with {process.returncode}: {_tail(log.read_bytes())}")
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def wait_until_idle(pid: int, quiet: float = 2.0, patience: float = 900.0) -> None:
    """Waits until a process has used next to no processor time for `quiet` seconds."""
    deadline = time.monotonic() + patience
    since, used = time.monotonic(), cpu_seconds(pid)
    while time.monotonic() - since < quiet:
        if time.monotonic() > deadline:
            raise BenchError(f"process {pid} is still busy after {patience:.0f} s")
        time.sleep(0.2)
        now = cpu_seconds(pid)
        if now - used > 0.1:
            since, used = time.monotonic(), now


# --- the warm process, from outside -----------------------------------------------------------------------------


class Engine:
    """A process with Django set up, its database migrated and the workspace open, that does what it is asked.

    A context. Times are taken inside, around the call alone.
    """

    def __init__(self, root: Path, state: Path, prefix: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "bench.service"],
            env=environment(root, state),
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._answer()

    def reconcile(self, scope: Path | None = None) -> dict[str, Any]:
        """``ingest.reconcile.reconcile(ws, scope=…, on_recorded=catalog.index.refresh)``: seconds, and the report."""
        return self.ask(do="reconcile", scope=str(scope) if scope else None)

    def page(self, path: str, times: int = 1) -> list[float]:
        """Seconds of answering a page to someone who is signed in, without the network."""
        found: list[float] = self.ask(do="page", path=path, times=times)["seconds"]
        return found

    def finalise(self, dataset: str) -> dict[str, Any]:
        """A run of all files of a dataset made complete, started if there is none and changed if there is: seconds."""
        return self.ask(do="finalise", dataset=dataset)

    def post(self, path: str, body: str, times: int = 1) -> list[float]:
        """Seconds of answering what a page of a curator sends, as a form encodes it."""
        found: list[float] = self.ask(do="post", path=path, body=body, times=times)["seconds"]
        return found

    def text(self, path: str) -> str:
        """A page."""
        return str(self.ask(do="text", path=path)["text"])

    def indexed(self) -> int:
        """How many files the index holds."""
        return int(self.ask(do="indexed")["files"])

    def forget(self) -> None:
        """The process has none of the answers it keeps in its memory."""
        self.ask(do="forget")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Raises BenchError when the process dies of the request."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the engine's process ended with {self._process.wait()}; see above why")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=_PATIENCE)


def described(answer: dict[str, Any], expected: int) -> float:
    """The seconds of a call that described as many files as it should have.

    Raises:
        BenchError: when it did not.
    """
    if answer["described"] != expected or answer["failed"] or answer["pending"]:
        raise BenchError(f"{expected} files were to be described, but: {answer}")
    return float(answer["seconds"])


# --- the warm process, inside -----------------------------------------------------------------------------------


def _serve_requests() -> None:
    import django

    django.setup()
    from django.conf import settings

    from catalog import state
    from ingest.workspace import open_workspace

    state.prepare()
    with open_workspace(settings.MONITOR_PATHS[0], settings.ENGINE) as workspace:
        _say({"ready": True})
        for line in sys.stdin.buffer:
            request = json.loads(line)
            _say(_REQUESTS[request.pop("do")](workspace, **request))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _reconcile(workspace: Any, scope: str | None) -> dict[str, Any]:
    from catalog import index
    from ingest.processes import ReadingProcesses, collect_rarely
    from ingest.reconcile import reconcile

    indexing = 0.0

    def refresh(paths: Sequence[Path]) -> None:
        nonlocal indexing
        before = time.perf_counter()
        index.refresh(paths)
        indexing += time.perf_counter() - before

    used, started = _cpu_seconds(), time.perf_counter()
    collect_rarely()
    with ReadingProcesses() as processes:
        part = Path(scope) if scope else None
        report = reconcile(workspace, scope=part, on_recorded=refresh, processes=processes)
    seconds = time.perf_counter() - started
    counts = {name: getattr(report, name) for name in ("described", "unchanged", "pending", "failed")}
    return {"seconds": seconds, "cpu_seconds": _cpu_seconds() - used, "indexing": indexing, **counts}


def _finalise(workspace: Any, dataset: str) -> dict[str, Any]:
    from catalog import index
    from catalog.models import File, Run
    from ingest import documents, runs
    from ingest.complete import finalise
    from ingest.run_templates import templates

    root, store = workspace.root, workspace.store
    if not runs.run_labels(root, dataset):
        record = documents.dataset_document(root, dataset, documents.ADMINISTRATIVE)
        identifier = documents.read_document(record).value["dataset_identifier"]
        wanted = runs.RunStart("Run", templates(root)[0], experimenters=({"name": "Bench"},))
        runs.start(store, root, dataset, identifier, wanted, "bench")
    said = {"run_type": "observation", "experiment_dates": {"start": "2026-01-12"}, "no_protocol_reason": "Measured."}
    said["notes"] = f"At {time.perf_counter()}."
    path = documents.run_document(root, dataset, "Run")
    store.change(path, documents.EXPERIMENT, lambda old: {**(old or {}), **said}, by="bench")
    index.refresh([root])
    used, started = _cpu_seconds(), time.perf_counter()
    done = finalise(store, root, dataset, "Run", "bench", workspace.seen)
    written = time.perf_counter()
    index.refresh([path, done.path, documents.dataset_document(root, dataset, documents.STRUCTURAL)])
    seconds = time.perf_counter() - started
    run = Run.objects.get()
    if not done.changed or run.revision != done.revision or run.outdated:
        raise BenchError(f"the run was to be finalised, but: {done}, {run.revision}, {run.outdated}")
    return {
        "seconds": seconds,
        "indexing": time.perf_counter() - written,
        "cpu_seconds": _cpu_seconds() - used,
        "files": File.objects.filter(run=run.identifier, version="V2").count(),
        "bytes": done.path.stat().st_size,
    }


def _cpu_seconds() -> float:
    """Of this process and its own children that have ended (those of a fork server are not)."""
    return sum(os.times()[:4])


@cache
def _signed_in() -> Any:
    """The one client of this process, its middleware loaded at the first request."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get_or_create(username="bench", is_superuser=True)[0])
    return client


def _page(workspace: Any, path: str, times: int) -> dict[str, Any]:
    client = _signed_in()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        response = client.get(path)
        found.append(time.perf_counter() - started)
        if response.status_code != 200:
            raise BenchError(f"{path} was answered with {response.status_code}")
    return {"seconds": found, "bytes": len(response.content)}


def _post(workspace: Any, path: str, body: str, times: int) -> dict[str, Any]:
    client = _signed_in()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        response = client.generic("POST", path, body, "application/x-www-form-urlencoded")
        found.append(time.perf_counter() - started)
        if response.status_code != 200:
            raise BenchError(f"{path} was answered with {response.status_code}")
    return {"seconds": found}


def _text(workspace: Any, path: str) -> dict[str, Any]:
    return {"text": _signed_in().get(path).content.decode()}


def _forget(_: dict[str, Any]) -> dict[str, Any]:
    from catalog.formats import rendered

    rendered.forget()
    return {}


def _indexed(workspace: Any) -> dict[str, Any]:
    from catalog.models import File

    return {"files": File.objects.count()}


_REQUESTS = {
    "reconcile": _reconcile,
    "page": _page,
    "post": _post,
    "text": _text,
    "indexed": _indexed,
    "forget": _forget,
    "finalise": _finalise,
}

if __name__ == "__main__":
    _serve_requests()
