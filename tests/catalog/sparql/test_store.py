"""The quad store: one graph a record, droppable, and a usable snapshot whatever happens to its writer."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from catalog.graph.snapshots import Lease, Snapshots
from catalog.graph.store import MANY, Change, QuadStore
from ingest.errors import BusyError
from tests.catalog.service import CHECKOUT

NAME = "http://e/record/"


def change(number: int, version: int, triples: int = 5) -> Change:
    graph = NamedNode(f"{NAME}{number}")
    subject, predicate = NamedNode(f"http://e/{number}"), NamedNode("http://e/p")
    quads = [Quad(subject, predicate, Literal(f"{version} {n}"), graph) for n in range(triples)]
    return Change(str(number), graph.value, f"etag {version}", quads)


def held(snapshots: Snapshots) -> dict[str, set[str]]:
    """Record → versions of what the newest snapshot holds."""
    lease = Lease(snapshots)
    found: dict[str, set[str]] = {}
    for row in Store.read_only(str(lease.path)).query("SELECT ?g ?o WHERE { GRAPH ?g { ?s ?p ?o } }"):
        found.setdefault(row["g"].value.removeprefix(NAME), set()).add(row["o"].value.split()[0])
    lease.release()
    return found


def test_a_record_is_replaced_and_removed_as_a_whole(tmp_path: Path) -> None:
    with QuadStore(tmp_path, "1") as store:
        assert store.apply([change(1, 1, 9), change(2, 1)]) == 2
        assert held(store.snapshots) == {"1": {"1"}, "2": {"1"}}
        store.apply([change(1, 2, 3)])
        assert (held(store.snapshots), len(store)) == ({"1": {"2"}, "2": {"1"}}, 2 * 8)
        store.apply([Change("2", f"{NAME}2")])
        assert (held(store.snapshots), dict(store.etags())) == ({"1": {"2"}}, {"1": "etag 2"})


def default_graph(store: QuadStore) -> set[str]:
    return {str(quad.triple) for quad in store._store.quads_for_pattern(None, None, None, DefaultGraph())}


def union(store: QuadStore) -> set[str]:
    return {str(quad.triple) for quad in store._store if quad.graph_name != DefaultGraph()}


def stating(number: int, version: str, *values: int, made: bool = False) -> Change:
    """A record that says these values of one thing that all records speak of."""
    graph, shared, predicate = NamedNode(f"{NAME}{number}"), NamedNode("http://e/shared"), NamedNode("http://e/p")
    quads = [Quad(shared, predicate, Literal(each), graph) for each in values]
    return Change(str(number), graph.value, version, iter(quads) if made else quads)


_ASKED = "SELECT (COUNT(?v) AS ?n) { ?s <http://e/p> ?v . ?s <http://e/p> ?w }"


def test_what_several_records_say_is_said_once_by_all_together(tmp_path: Path) -> None:
    with QuadStore(tmp_path, "1") as store:
        store.apply([stating(1, "1", 1, 2), stating(2, "1", 1, 3), stating(3, "1", 1)])
        assert next(iter(store._store.query(_ASKED)))["n"].value == "9"  # type: ignore[union-attr]
        for change_ in (
            stating(1, "2", 2, 4), stating(2, "2", 3, made=True), stating(3, ""), stating(1, "3", 4, 5),
            stating(2, "3", 4, 3), stating(1, ""), stating(2, "4", 4, made=True), stating(2, ""),
        ):  # fmt: skip
            store.apply([change_])
            assert default_graph(store) == union(store)
        assert len(store) == 0
        assert list(store._store.named_graphs()) == []


def test_a_default_graph_that_a_crash_left_without_a_triple_has_it_again(tmp_path: Path) -> None:
    with QuadStore(tmp_path, "1") as store:
        store.apply([stating(1, "1", 1, 2), stating(2, "1", 1)])
        store._followed.begin({"1": f"{NAME}1"})
        store._store.remove(Quad(NamedNode("http://e/shared"), NamedNode("http://e/p"), Literal(2)))
    with QuadStore(tmp_path, "1") as store:
        store.apply([stating(1, "1", 1, 2)])
        assert default_graph(store) == union(store)
        assert len(store) == 3 + 2


def test_many_at_once_are_loaded_in_bulk(tmp_path: Path) -> None:
    with QuadStore(tmp_path, "1") as store:
        many = MANY // 5 + 20
        assert store.apply(change(n, 1) for n in range(many)) == many
        assert len(store) == 2 * 5 * many == 2 * 5 * len(held(store.snapshots))


def test_a_store_that_much_was_loaded_into_is_put_in_order_and_shown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.graph.store.COMPACTED", 12)
    steps: list[str] = []

    class Told:
        """The engine's store, which lets nothing in it be replaced."""

        def __init__(self, store: Store) -> None:
            self._told = store

        def optimize(self) -> None:
            steps.append("optimize")
            self._told.optimize()

        def backup(self, place: str) -> None:
            steps.append("show")
            self._told.backup(place)

        def __len__(self) -> int:
            return len(self._told)

        def __getattr__(self, name: str) -> object:
            return getattr(self._told, name)

    with QuadStore(tmp_path, "1") as store:
        store._store = Told(store._store)  # type: ignore[assignment]
        store.apply([change(1, 1), change(2, 1)])
        assert steps == ["show"]
        store.apply([change(n, 1) for n in range(3, 6)])
        assert steps == ["show", "show", "optimize", "show"]
        steps.clear()
        store.apply(change(n, 1) for n in range(6, 16))
        assert steps == ["show", "optimize", "show"]
        store.apply(change(n, 1) for n in range(16, 19))  # many, and a small part of all
        assert steps == ["show", "optimize", "show", "show"]
    assert len(held(store.snapshots)) == 18


def test_a_reader_keeps_its_snapshot_until_it_lets_go(tmp_path: Path) -> None:
    with QuadStore(tmp_path, "1") as store:
        store.apply([change(1, 1)])
        lease = Lease(store.snapshots)
        old = Store.read_only(str(lease.path))
        for version in (2, 3):
            store.apply([change(1, version)])
        assert {row["o"].value[0] for row in old.query("SELECT ?o WHERE { GRAPH ?g { ?s ?p ?o } }")} == {"1"}
        assert lease.path.is_dir()
        del old
        lease.release()
        store.apply([change(1, 4)])
        assert not lease.path.exists()
        assert [path.name for path in (tmp_path / "snapshots").glob("*.lease")] == [
            f"{store.snapshots.current()}.lease"
        ]


def test_one_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.graph.store._WAIT_SECONDS", 0.1)
    with QuadStore(tmp_path, "1"), pytest.raises(BusyError, match=r"writer\.lock"), QuadStore(tmp_path, "1"):
        pass


def damaged(folder: Path) -> None:
    for path in (folder / "store").iterdir():
        if path.name.startswith(("MANIFEST", "CURRENT")):
            path.write_bytes(b"damaged")


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: shutil.rmtree(folder / "store"),
        damaged,
        lambda folder: (folder / "followed.sqlite").unlink(),
        lambda folder: (folder / "followed.sqlite").write_bytes(b"no database, but long enough to look at" * 100),
    ],
    ids=["store gone", "store damaged", "marks gone", "marks damaged"],
)
def test_what_is_damaged_is_made_anew_while_the_old_is_still_read(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    with QuadStore(tmp_path, "1") as store:
        store.apply([change(1, 1)])
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"followed.sqlite{suffix}").unlink(missing_ok=True)
    harm(tmp_path)
    with QuadStore(tmp_path, "1") as store:
        assert (dict(store.etags()), held(store.snapshots)) == ({}, {"1": {"1"}})
        store.apply([change(1, 2)])
        assert held(store.snapshots) == {"1": {"2"}}


def test_another_version_makes_everything_anew(tmp_path: Path) -> None:
    with QuadStore(tmp_path, "1") as store:
        store.apply([change(1, 1)])
    with QuadStore(tmp_path, "2") as store:
        assert (dict(store.etags()), len(store)) == ({}, 0)


def test_a_snapshot_that_a_crash_left_out_is_taken_next_time(tmp_path: Path) -> None:
    with QuadStore(tmp_path, "1") as store:
        store.apply([change(1, 1)])
        store._apply([change(1, 2)])  # as if it were killed before the snapshot
    with QuadStore(tmp_path, "1") as store:
        assert held(store.snapshots) == {"1": {"1"}}
        assert store.apply([]) == 0
        assert held(store.snapshots) == {"1": {"2"}}


_WRITER = """
import sys
from pathlib import Path
from tests.catalog.sparql.test_store import QuadStore, change
with QuadStore(Path(sys.argv[1]), "1") as store:
    version = int(sys.argv[2])
    print("open", flush=True)
    while True:
        version += 1
        store.apply([change(n, version) for n in range(20)])
        print(version, flush=True)
"""


def test_a_writer_killed_anywhere_leaves_a_whole_snapshot(
    tmp_path: Path, count: Callable[[int, int], int], rng: random.Random
) -> None:
    version = 0
    for _ in range(count(6, 100)):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(version)],
            cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        time.sleep(rng.uniform(0.0, 0.25))
        writer.send_signal(signal.SIGKILL)
        told = [int(line) for line in writer.communicate()[0].split()]
        version = max([version, *told])
        snapshots = Snapshots(tmp_path / "snapshots")
        if version:
            found = held(snapshots)
            assert len(found) == 20
            assert len({frozenset(versions) for versions in found.values()}) == 1
            shown = int(next(iter(found["0"])))
            assert version <= shown <= version + 1
            version = shown
    with QuadStore(tmp_path, "1") as store:
        store.apply([change(n, version + 1) for n in range(20)])
        assert held(store.snapshots) == {str(n): {str(version + 1)} for n in range(20)}
        assert len(store) == 2 * 100
        assert default_graph(store) == union(store)
