"""FA-23: research data is only ever read. Asked of the kernel, for every process of a pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.provenance.data.settings import Mode
from tests.faults.history_oracle import history_violations, version_violations
from tests.faults.oracle import everything
from tests.faults.processes import CHECKOUT, environment, run_reconcile
from tests.faults.test_kill import Operations
from tests.ingest.provenance.historic import Historic
from tests.ingest.watched import Watched

pytestmark = pytest.mark.skipif(
    subprocess.run(["which", "strace"], capture_output=True).returncode != 0, reason="strace is not installed"
)

CALLS = """
    open openat openat2 creat unlink unlinkat rename renameat renameat2 truncate ftruncate chmod fchmod fchmodat
    fchmodat2 chown fchown lchown fchownat link linkat symlink symlinkat mkdir mkdirat mknod mknodat rmdir utime
    utimes utimensat futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr fallocate write
    pwrite64 writev pwritev pwritev2 sendfile copy_file_range ioctl mount umount2 chroot
"""
# What it may write below a watched root: its own folders, and what git and DVC keep.
_OURS = re.compile(r"(^|/)(\.metadata|\.git|\.dvc)(/|$)|(^|/)\.gitignore$|\.dvc$")
_CALL = re.compile(r"^\d+ +(\w+)\((.*)$")
_DESCRIPTOR = re.compile(r"(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>")
_BY_DESCRIPTOR = {"write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "fchmod", "fchown", "fallocate",
                  "fsetxattr", "fremovexattr", "ioctl", "sendfile", "copy_file_range"}  # fmt: skip
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_READ_ONLY_OPEN = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")
_HARMLESS_IOCTL = re.compile(r"TCGETS|FIOCLEX|FIONBIO|FIONREAD|TIOC")


def _text(escaped: str) -> str:
    return escaped.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")


def _touched(call: str, arguments: str) -> list[str]:
    """The paths a call acts on: its strings, each looked up in the descriptor before it; without any, a descriptor."""
    if call in _BY_DESCRIPTOR:
        match = re.match(_DESCRIPTOR, arguments)
        return [_text(match[1])] if match is not None else []
    arguments = arguments.partition(") = ")[0]
    found, base = [], str(CHECKOUT)
    for match in re.finditer(rf"{_DESCRIPTOR.pattern}|{_STRING.pattern}", arguments):
        if match[1] is not None:
            base = _text(match[1])
        else:
            found.append(os.path.normpath(os.path.join(base, _text(match[2]))))
    return found[call.startswith("symlink") :] or [base]  # what a link says is no path that is touched


def _whole_lines(log: str) -> Iterator[str]:
    """The trace with the two halves of each interrupted call put together."""
    begun: dict[str, str] = {}
    for line in log.splitlines():
        process = line.partition(" ")[0]
        if line.endswith("<unfinished ...>"):
            begun[process] = line.removesuffix("<unfinished ...>")
        elif " resumed>" in line and process in begun:
            yield begun.pop(process) + line.partition(" resumed>")[2]
        else:
            yield line


def forbidden(log: str, root: Path, state: Path) -> list[str]:
    """The lines of a trace that touch anything below ``root`` which is not ours, or write outside root and state."""
    lines = []
    for line in _whole_lines(log):
        match = _CALL.match(line)
        if match is None or " = -1 E" in line:
            continue
        call, arguments = match.groups()
        if call.startswith("open") and not _READ_ONLY_OPEN.search(arguments):
            continue
        if call == "ioctl" and _HARMLESS_IOCTL.search(arguments):
            continue
        for path in _touched(call, arguments):
            inside = os.path.relpath(path, root)
            if not inside.startswith("..") and not _OURS.search(inside):
                lines.append(line)
                break
            if inside.startswith("..") and _elsewhere(path, state):
                lines.append(line)
                break
    return lines


def _elsewhere(path: str, state: Path) -> bool:
    """Whether a path is neither the state's, nor a temporary file, nor of the kind every program writes."""
    usual = ("/dev/", "/proc/", "pipe:", "socket:", "anon_inode:", "/memfd:")
    temporary = os.path.dirname(path) == tempfile.gettempdir() or path.startswith(f"{tempfile.gettempdir()}/pymp-")
    return path.startswith("/") and not temporary and not path.startswith((str(state), *usual))


def strace(log: Path) -> list[str]:
    """What traces a command and all it starts; the trace goes to ``log``."""
    calls = "trace=" + ",".join(f"?{call}" for call in CALLS.split())
    return ["strace", "-f", "-y", "-qq", "-s", "65000", "-o", str(log), "-e", calls]


def traced(watched: Watched, log: Path, command: list[str] | None = None) -> str:
    if command is None:
        run = run_reconcile(watched, *strace(log))
        assert run.returncode in (0, 1), run.stderr
    else:
        subprocess.run([*strace(log), *command], cwd=CHECKOUT, env=environment(watched), check=True, timeout=60)
    return log.read_text(errors="surrogateescape")


def test_no_call_of_a_pass_touches_research_data(tmp_path: Path) -> None:
    """With everything that can happen to a root, many files (so that helpers read them), and every odd name."""
    operations = Operations(tmp_path / "w")
    watched = operations.watched
    for number in range(600):
        watched.put(f"p_Rye/many/f{number}.csv", f"a,b\n{number},1\n")
    watched.put("p_Rye/many/data.json", "{}")
    watched.put('p_Rye/many/new\nline ".metadata" é.txt', "x")
    watched.put("p_Rye/many/archive.h5", b"\x89HDF\r\n\x1a\n" + bytes(100))
    os.symlink("/etc/passwd", watched.root / "p_Rye/many/link")
    before = everything(watched.root)
    log = traced(watched, tmp_path / "log")
    assert "p_Rye/many/.metadata" in log
    assert forbidden(log, watched.root, watched.state) == []
    assert everything(watched.root) == before


# A pass and a form's save in one process, with git and DVC.
_WHOLE_CHAIN = """
import sys
from pathlib import Path
from ingest.documents import ADMINISTRATIVE
from ingest.reconcile import reconcile
from ingest.workspace import open_workspace
root = Path(sys.argv[1])
path = root / "p_Rye/many/.metadata" / f"{ADMINISTRATIVE}.json"
with open_workspace(root) as ws:
    for title in ("Rye", "Barley"):
        report = reconcile(ws, wait=False)
        assert not report.findings and not report.alarms, report
        ws.store.change(path, ADMINISTRATIVE, lambda old: {**(old or {}), "title": title}, by="anna")
    assert ws.store.recorder is not None and ws.store.recorder.state().trouble == ""
"""


@pytest.mark.parametrize(("mode", "adopted"), [(Mode.FILE, True), (Mode.FOLDER, False), (Mode.RECORD, False)])
def test_no_call_of_the_whole_chain_touches_research_data(historic: Historic, mode: Mode, adopted: bool) -> None:
    """Description, commit and tracking of what came, changed, moved and went, and saves; git's own calls too."""
    historic.mode = mode
    for number in range(40):
        historic.put(f"p_Rye/many/f{number}.csv", f"a,b\n{number},1\n")
    theirs = {".gitignore": "build/\n", "p_Rye/many/sub/.gitignore": "*.log\n", "p_Rye/many/foreign.dvc": "outs: []\n",
              "p_Rye/many/sub/dvc.yaml": "stages: {}\n"}  # fmt: skip
    for name, text in theirs.items():
        historic.put(name, text)
    if adopted:
        historic.git("init", "-q")
        historic.git("add", "-f", ".gitignore", "p_Rye/many/f1.csv")
        historic.git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "-m", "Mine")
        historic.put("staged.txt", "staged\n")
        historic.git("add", "staged.txt")
    historic.reconcile()
    historic.put("p_Rye/many/f0.csv", "changed\n")
    historic.put("p_Rye/many/archive.h5", b"\x89HDF\r\n\x1a\n" + bytes(100))
    historic.put("p_Rye/many/z.zarr/.zgroup", "{}")
    historic.put("p_Rye/many/\udcff new\nline", "odd\n")
    historic.put("p_Rye/other/n.txt", "new\n")
    historic.move("p_Rye/many/f2.csv", "p_Rye/other/f2.csv")
    historic.remove("p_Rye/many/f3.csv")
    os.symlink("/etc/passwd", historic.root / "p_Rye/many/link")
    before = everything(historic.root)
    log = traced(historic, historic.state / "log", [sys.executable, "-c", _WHOLE_CHAIN, str(historic.root)])
    assert "fairfolder: " in historic.git("reflog")
    assert all(word in log for word in ("/.git/", ".dvc", "p_Rye/many/.metadata"))
    assert forbidden(log, historic.root, historic.state) == []
    assert everything(historic.root) == before
    assert {name: (historic.root / name).read_text() for name in theirs} == theirs
    assert history_violations(historic.root) == []
    assert version_violations(historic.root, historic.status().versions["untracked"].keys()) == []


PLANTED = {
    "open for writing": "open(p, 'r+').close()",
    "open for appending": "open(p, 'a').close()",
    "create": "open(p + '.new', 'w').close()",
    "create beside": "import os; f = os.open(os.path.dirname(p), 0); os.open('x', os.O_CREAT | os.O_RDWR, dir_fd=f)",
    "truncate": "import os; os.truncate(p, 0)",
    "unlink": "import os; os.unlink(p)",
    "unlink by descriptor": "import os; os.unlink(os.path.basename(p), dir_fd=os.open(os.path.dirname(p), 0))",
    "rename": "import os; os.rename(p, p + '2')",
    "rename into ours": "import os; os.rename(p, os.path.join(os.path.dirname(p), '.metadata', 'x'))",
    "chmod": "import os; os.chmod(p, 0o600)",
    "chmod by descriptor": "import os; os.fchmod(os.open(p, os.O_RDONLY), 0o600)",
    "touch": "import os; os.utime(p, (1, 1))",
    "hard link": "import os; os.link(p, os.path.join(os.path.dirname(p), '.metadata', 'x'))",
    "link beside": "import os; os.symlink('/etc/passwd', p + '.link')",
    "folder": "import os; os.mkdir(p + '.d')",
    "in a child": "import subprocess; subprocess.run(['rm', p])",
    "by git": "import subprocess; subprocess.run(['git', 'init', '-q', root]); subprocess.run(['git', '-C', root, "
    "'-c', 'user.name=x', '-c', 'user.email=x', 'commit', '-qm', 'x', '--allow-empty']); "
    "subprocess.run(['git', '-C', root, 'clean', '-fdxq'])",
    "outside": "open(root + '.outside', 'w').close()",
    "extended attribute": "import os; os.setxattr(p, 'user.x', b'1')",
}


@pytest.mark.parametrize("word", PLANTED)
def test_a_planted_touch_is_caught(watched: Watched, tmp_path: Path, word: str) -> None:
    path = watched.put("p_Barley/leaves/a.txt")
    watched.reconcile()
    code = f"p, root = {str(path)!r}, {str(watched.root)!r}\n{PLANTED[word]}"
    log = traced(watched, tmp_path / "log", [sys.executable, "-c", code])
    assert forbidden(log, watched.root, watched.state), log[-2000:]


def test_reading_is_not_taken_for_a_touch(watched: Watched, tmp_path: Path) -> None:
    path = watched.put("p_Barley/leaves/a.txt")
    code = f"import os; open({str(path)!r}).read(); os.listdir({str(path.parent)!r}); os.stat({str(path)!r}); print(1)"
    log = traced(watched, tmp_path / "log", [sys.executable, "-c", code])
    assert forbidden(log, watched.root, watched.state) == []
