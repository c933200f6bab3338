"""FA-28: `kill -9` anywhere: nothing is lost, doubled, half written or left locked, and the next pass completes it."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.oracle import everything, violations
from tests.faults.processes import broken_documents, reconcile_command, run_reconcile, start_reconcile
from tests.ingest.watched import Watched

pytestmark = pytest.mark.timeout(900)
FILES, DATASETS = 2_000, 20


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 small files of several formats in 20 datasets of two projects."""
    root = tmp_path_factory.mktemp("originals")
    for i in range(FILES):
        number = i % DATASETS
        folder = root / f"p_{number % 2}" / f"d{number:02}" / f"sub{i % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        content = (f"a,b\n{i},2\n", f'{{"i": {i}}}\n', f">s{i}\nACGT\n", f"text {i}\n" * 50)[i % 4]
        (folder / f"f{i:04}{('.csv', '.json', '.fasta', '.txt')[i % 4]}").write_text(content)
    return root


def planted(originals: Path, folder: Path) -> Watched:
    """A fresh watched folder with the same files, made quickly by hard links."""
    folder.mkdir()
    subprocess.run(["cp", "-al", originals, folder / "data"], check=True)
    return Watched(folder / "data", folder / "state")


@pytest.fixture(scope="module")
def duration(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an undisturbed pass takes."""
    watched = planted(originals, tmp_path_factory.mktemp("undisturbed") / "w")
    process = start_reconcile(watched)
    started = time.monotonic()
    process.communicate(timeout=300)
    assert process.returncode == 0
    assert violations(watched.root, watched.state) == []
    return time.monotonic() - started


def test_killed_at_random_moments_of_a_large_ingest(
    originals: Path, duration: float, tmp_path: Path, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    for number in range(count(4, 200)):
        watched = planted(originals, tmp_path / str(number))
        before = everything(watched.root)
        moments = [rng.uniform(0, duration * 1.1) for _ in range(rng.choice([1, 1, 2, 3]))]
        for moment in moments:
            process = start_reconcile(watched)
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=300)  # its output ends when its helpers have ended too
            assert broken_documents(watched.root) == [], moments
        report = watched.reconcile()
        assert (report.findings, report.alarms, report.missing) == ([], [], 0), moments
        assert violations(watched.root, watched.state) == [], moments
        assert watched.problems() == {}, moments
        assert everything(watched.root) == before
        assert watched.reconcile().unchanged == FILES
        subprocess.run(["rm", "-rf", tmp_path / str(number)], check=True)


# --- systematic points ------------------------------------------------------------------------------------------


class Operations:
    """Everything that can happen to a root, waiting for one pass; and what must be true after it."""

    def __init__(self, folder: Path) -> None:
        (folder / "data").mkdir(parents=True)
        self.watched = watched = Watched(folder / "data", folder / "state")
        for path in ("leaves/a", "leaves/b", "leaves/c", "roots/d", "roots/e", "husks/f", "old/g"):
            watched.put(f"p_Barley/{path}.txt", f"{path}\n")
        watched.reconcile()
        names = ("leaves", "roots", "husks", "old")
        self.files = {n: watched.identifiers(f"p_Barley/{n}") for n in names}
        self.datasets = {n: watched.administrative(f"p_Barley/{n}")["dataset_identifier"] for n in names}
        watched.put("p_Barley/leaves/a.txt", "modified\n")
        watched.move("p_Barley/leaves/b.txt", "p_Barley/leaves/renamed.txt")
        watched.remove("p_Barley/leaves/c.txt")
        watched.move("p_Barley/roots/d.txt", "p_Barley/leaves/from roots.txt")
        watched.move("p_Barley/husks", "p_Rye/husks")
        watched.copy("p_Barley/roots", "p_Barley/roots copy")
        watched.remove("p_Barley/old")
        watched.put("p_Rye/new/n.txt", "new\n")
        document = "p_Barley/.metadata/project_descriptive.json"
        watched.edit(document, lambda v: v.update(project_title="Barley"))
        document = "p_Barley/roots/.metadata/dataset_structural.json"
        watched.edit(document, lambda v: v.update(scope="roots"))
        self.data = everything(watched.root)

    def assert_done(self, when: object) -> None:
        watched = self.watched
        assert violations(watched.root, watched.state) == [], when
        assert watched.problems() == {}, when
        assert everything(watched.root) == self.data, when
        leaves = watched.identifiers("p_Barley/leaves")
        old = self.files["leaves"]
        expected = {"a.txt": old["a.txt"], "renamed.txt": old["b.txt"], "c.txt": old["c.txt"],
                    "from roots.txt": self.files["roots"]["d.txt"]}  # fmt: skip
        assert leaves == expected, when
        assert watched.states("p_Barley/leaves")["c.txt"] == "missing"
        assert watched.identifiers("p_Barley/roots") == {"e.txt": self.files["roots"]["e.txt"]}
        assert watched.identifiers("p_Rye/husks") == self.files["husks"]
        assert watched.administrative("p_Rye/husks")["dataset_identifier"] == self.datasets["husks"]
        copied = watched.administrative("p_Barley/roots copy")
        assert copied["derived_from"] == f"urn:uuid:{self.datasets['roots']}"
        assert watched.registry()[self.datasets["old"]]["state"] == "missing"
        assert watched.project("p_Barley")["project_title"] == "Barley"
        assert watched.manifest("p_Barley/roots")["scope"] == "roots"
        assert len(watched.registry()) == 8


def test_what_a_killed_save_left_goes_with_a_pass_that_writes_nothing(watched: Watched) -> None:
    watched.put("p_Barley/leaves/a.txt")
    watched.reconcile()
    before = watched.metadata()
    for folder in (".metadata/registry", "p_Barley/.metadata", "p_Barley/leaves/.metadata"):
        watched.put(f"{folder}/.dataset_structural.json.0a1b2c3d4e5f.tmp", "half")
    kept = [watched.put("p_Barley/.metadata/.notes.tmp", "mine"), watched.put("p_Barley/leaves/.x.tmp", "mine")]
    watched.reconcile("p_Barley/leaves")
    assert watched.reconcile().described == 0
    assert all(path.read_text() == "mine" for path in kept)
    kept[0].unlink()
    assert watched.metadata() == before


WRITING = "rename,renameat,renameat2,write,pwrite64,fdatasync,mkdir,mkdirat,unlink,unlinkat,ftruncate"


def strace(*arguments: str) -> list[str]:
    return ["strace", "-f", "-qq", "-o", "/dev/null", *arguments]


def test_without_a_kill_everything_is_done(tmp_path: Path) -> None:
    operations = Operations(tmp_path / "w")
    assert run_reconcile(operations.watched).returncode == 0
    operations.assert_done("undisturbed")
    assert operations.watched.reconcile().unchanged == 7


def calls_of_the_main_thread(folder: Path) -> int:
    """How many writing system calls an undisturbed pass makes in its main thread."""
    operations = Operations(folder)
    log = folder / "log"
    command = ["strace", "-o", str(log), "-qq", "-e", f"trace={WRITING}", *reconcile_command(operations.watched)]
    run = run_reconcile(operations.watched, *command[: command.index("-qq") + 3])
    assert run.returncode == 0, run.stderr
    return len(log.read_text(errors="replace").splitlines())


def test_killed_at_every_kind_of_write(tmp_path: Path, rng: random.Random, count: Callable[[int, int], int]) -> None:
    """Before the n-th writing call of the main thread, for a sample of n (all of them in the campaign)."""
    if subprocess.run(["which", "strace"], capture_output=True).returncode:
        pytest.skip("strace is not installed")
    total = calls_of_the_main_thread(tmp_path / "counted")
    assert total > 50
    points = sorted(rng.sample(range(2, total + 1), min(count(10, 10_000), total - 1)))
    for point in points:
        folder = tmp_path / str(point)
        operations = Operations(folder)
        kill = strace("-e", f"inject={WRITING}:signal=SIGKILL:when={point}", "-e", f"trace={WRITING}")
        run = run_reconcile(operations.watched, *kill)
        assert broken_documents(operations.watched.root) == [], point
        if run.returncode == 0:
            operations.assert_done(point)
            continue
        if rng.random() < 0.3:
            operations.watched.put("p_Rye/meanwhile/x.txt", "x\n")
            operations.watched.reconcile("p_Rye/meanwhile")
            operations.watched.remove("p_Rye/meanwhile")
        operations.watched.reconcile()
        operations.watched.reconcile()
        when = f"killed before call {point} of {total}"
        meanwhile = operations.watched.registered("p_Rye/meanwhile")
        for entry in meanwhile:
            operations.watched.remove(f".metadata/registry/{entry['identifier']}.json")
        operations.assert_done(when)


@pytest.mark.parametrize("point", [1, 2])
def test_killed_while_making_durable(tmp_path: Path, point: int) -> None:
    """`fsync` runs in several threads; each has its own count."""
    if subprocess.run(["which", "strace"], capture_output=True).returncode:
        pytest.skip("strace is not installed")
    operations = Operations(tmp_path / "w")
    run_reconcile(operations.watched, *strace("-e", f"inject=fsync:signal=SIGKILL:when={point}", "-e", "trace=fsync"))
    assert broken_documents(operations.watched.root) == []
    operations.watched.reconcile()
    operations.watched.reconcile()
    operations.assert_done(point)


# --- calls that fail ----------------------------------------------------------------------------------------------


FAILURES = ["write:error=ENOSPC", "pwrite64:error=ENOSPC", "fsync:error=EIO", "renameat:error=EIO", "rename:error=EIO",
            "fdatasync:error=EIO", "mkdirat:error=EDQUOT", "openat:error=EMFILE", "read:error=EIO",
            "getdents64:error=EIO", "pread64:error=EIO"]  # fmt: skip


def test_calls_that_fail_damage_nothing_and_are_told_in_words(
    tmp_path: Path, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    if subprocess.run(["which", "strace"], capture_output=True).returncode:
        pytest.skip("strace is not installed")
    everything_once = [(failure, n) for failure in FAILURES for n in range(1, 60)]
    for number, (failure, n) in enumerate(rng.sample(everything_once, count(6, len(everything_once)))):
        operations = Operations(tmp_path / str(number))
        call = failure.partition(":")[0]
        inject = f"inject={failure}:when={n}{rng.choice(['', '..' + str(n + 3), '+'])}"
        if call in ("openat", "read", "getdents64", "pread64"):
            inject = f"inject={failure}:when={n + 400}"
        run = run_reconcile(operations.watched, *strace("-e", inject, "-e", f"trace={call}"))
        if "begun" not in run.stdout:
            continue  # it hit Python before the pass began
        when = f"{inject}: {run.returncode} {run.stderr[-2000:]}"
        assert broken_documents(operations.watched.root) == [], when
        if "sys.stderr.write" not in run.stderr and "sys.stdout.write" not in run.stderr:  # else nothing could be said
            assert "Traceback" not in run.stderr or "ingest/" not in run.stderr, when  # else it hit what prints "begun"
        operations.watched.reconcile()
        operations.watched.reconcile()
        operations.assert_done(when)
