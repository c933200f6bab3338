"""Whether a history is consistent with the disk: asked of `git`, of hash functions and of a second YAML parser.

Shares no code with the engine: what is ours is told here by the rules of the design, not by the module that keeps them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.faults.data_files import data_files, is_data

_DOCUMENT = re.compile(
    r"(?:p_[^/]+/(?:[^/]+/)?)?\.(?:metadata|template_schemas|run_templates)/(?:(?!\.)[^/]+/)*(?!\.)(?![^/]*\.tmp$)[^/]+",
    re.DOTALL,
)
_DVCS_OWN = (".dvc/config", ".dvc/.gitignore", ".dvcignore")
_BESIDE = re.compile(r"(?s).+/(?!\.)[^/]+\.dvc|.+/\.gitignore")
_POINTER, _IGNORING = b"\nmeta:\n  fairfolder:", b"# Written by Fairfolder"
_SERVICE = "service@fairfolder.invalid"
_RESTING = ("lock", "rwlock.lock")  # files that are locked, not locks by being there


def ask(root: Path, *words: str, data: bytes = b"") -> bytes:
    """What git answers a person who trusts nothing of the repository's settings."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0"}
    safe = ("-c", f"safe.directory={root}", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    done = subprocess.run(["git", *safe, *words], cwd=root, env=env, input=data, capture_output=True)
    if done.returncode:
        raise AssertionError(f"git {' '.join(words)}: {done.returncode} {os.fsdecode(done.stderr + done.stdout)}")
    return done.stdout


def is_ours(path: str) -> bool:
    """Whether a commit of ours may hold this path."""
    return path in _DVCS_OWN or _DOCUMENT.fullmatch(path) is not None or _BESIDE.fullmatch(path) is not None


def ours_on_disk(root: Path) -> dict[str, bytes]:
    """Path → bytes of everything that belongs into the history and stands below a root, as `find` sees it."""
    pruned = ["-path", "./.git", "-prune", "-o", "-path", "./.dvc/cache", "-prune", "-o"]
    listed = subprocess.run(["find", ".", *pruned, "-type", "f", "-print0"], cwd=root, capture_output=True).stdout
    found = {}
    for name in listed.split(b"\0")[:-1]:
        path = os.fsdecode(name.removeprefix(b"./"))
        if not is_ours(path):
            continue
        text = (root / path).read_bytes()
        beside = _BESIDE.fullmatch(path) and not _DOCUMENT.fullmatch(path) and path not in _DVCS_OWN
        if not beside or (_POINTER in text if path.endswith(".dvc") else text.startswith(_IGNORING)):
            found[path] = text
    return found


def blobs(root: Path, commit: str) -> dict[str, str]:
    """Path → blob of a commit, links and submodules left out."""
    found = {}
    for line in ask(root, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        if head.startswith(b"100"):
            found[os.fsdecode(path)] = head.split(b" ")[2].decode()
    return found


def references(root: Path) -> dict[str, str]:
    """Every reference with its commit, HEAD too when it has one."""
    out = ask(root, "for-each-ref", "--format=%(refname) %(objectname)").decode()
    found = dict(line.split(" ") for line in out.splitlines())
    head = subprocess.run(["git", "rev-parse", "-q", "--verify", "HEAD"], cwd=root, capture_output=True, text=True)
    return {**found, **({"HEAD": head.stdout.strip()} if head.returncode == 0 else {})}


def commits_of_ours(root: Path) -> dict[str, dict[str, str]]:
    """Commit → the paths it changes with their blob after ("0…": gone), of every commit the service made."""
    refs = [r for r in references(root) if r == "HEAD" or r.endswith(("/pending", "/apart"))]
    if not refs:
        return {}
    listed = ask(root, "rev-list", "--reverse", f"--committer={_SERVICE}", *refs)
    found: dict[str, dict[str, str]] = {commit.decode(): {} for commit in listed.split()}
    out = ask(root, "diff-tree", "--stdin", "-r", "-z", "--root", "--no-renames", "-m", "--first-parent", data=listed)
    fields, at, commit = out.split(b"\0")[:-1], 0, ""
    while at < len(fields):
        if fields[at].startswith(b":"):
            found[commit][os.fsdecode(fields[at + 1])] = fields[at].split(b" ")[3].decode()
            at += 2
        else:
            commit, at = fields[at].decode().strip(), at + 1
    return found


def history_violations(root: Path) -> list[str]:
    """What is wrong with the history of a root at rest: nothing, or one sentence each."""
    try:
        return list(_history(root))
    except AssertionError as error:
        return [str(error)]


def _history(root: Path) -> Iterator[str]:
    ask(root, "fsck", "--strict", "--no-dangling")
    git_dir = Path(os.fsdecode(ask(root, "rev-parse", "--absolute-git-dir")).rstrip("\n"))
    yield from (f"{lock} was left" for lock in git_dir.rglob("*.lock"))
    yield from (f"{left} was left" for left in (git_dir / "fairfolder").glob("index.*"))
    refs = references(root)
    if "refs/fairfolder/pending" in refs and not _is_busy(root, git_dir):
        yield "actions wait although HEAD is free"
    yield from _commits(root)
    tip = refs.get("refs/fairfolder/pending") or refs.get("HEAD")
    recorded = blobs(root, tip) if tip else {}
    apart = blobs(root, "refs/fairfolder/apart") if "refs/fairfolder/apart" in refs else {}
    here = ours_on_disk(root)
    for path, text in sorted(here.items()):
        blob = hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()
        if blob not in (recorded.get(path), apart.get(path)):
            yield f"{path!r} is not recorded as it stands"
    for path in sorted(set(recorded) - set(here)):
        if _DOCUMENT.fullmatch(path) or (path.endswith(".dvc") and not os.path.lexists(root / path)):
            yield f"{path!r} is recorded and is gone"
    if "refs/fairfolder/pending" not in refs:
        yield from _status(root, here)


def _is_busy(root: Path, git_dir: Path) -> bool:
    doing = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG")
    detached = not (git_dir / "HEAD").read_bytes().startswith(b"ref:")
    return detached or any((git_dir / name).exists() for name in doing)


def _commits(root: Path) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for commit, changes in commits_of_ours(root).items():
        if not changes:
            yield f"commit {commit} changes nothing"
        for path, blob in changes.items():
            if not is_ours(path):
                yield f"commit {commit} holds {path!r}, which is no metadata"
            # A document's stamp never comes a second time; a .dvc file's version may.
            if path.endswith(".json") and blob.strip("0") and seen.setdefault((path, blob), commit) != commit:
                yield f"one version of {path!r} was committed twice: {seen[path, blob]} and {commit}"


def _status(root: Path, here: Mapping[str, bytes]) -> Iterator[str]:
    out = ask(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules")
    apart = blobs(root, "refs/fairfolder/apart") if "refs/fairfolder/apart" in references(root) else {}
    for line in out.split(b"\0")[:-1]:
        path = os.fsdecode(line[3:])
        if (path in here or _DOCUMENT.fullmatch(path)) and path not in apart:
            yield f"git status says {os.fsdecode(line)!r}"


# --- versions of data files ---------------------------------------------------------------------------------------


def version_violations(root: Path, untold: Collection[str] = ()) -> list[str]:
    """What is wrong with the versions kept of data files at rest; ``untold``: paths that are told not to be kept."""
    return [*_cache(root), *_leftovers(root), *_pointers(root, untold), *_coverage(root, untold)]


def _shown(path: str) -> str:
    """A path as what is told carries it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _cache(root: Path) -> Iterator[str]:
    for path in sorted((root / ".dvc/cache/files/md5").glob("??/*")):
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if found != (path.parent.name + path.name).removesuffix(".dir"):
            yield f"{path} holds other bytes than its name says"
        if path.stat().st_mode & 0o777 != 0o444:
            yield f"{path} can be written"


def _leftovers(root: Path) -> Iterator[str]:
    for place in (".dvc/tmp/fairfolder", ".dvc/cache/fairfolder"):
        yield from (f"{left} was left" for left in (root / place).glob("*"))
    yield from (f"{p} was left" for p in (root / ".dvc/tmp").glob("*.lock") if p.name not in _RESTING)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _pointers(root: Path, untold: Collection[str]) -> Iterator[str]:
    for path, text in ours_on_disk(root).items():
        if not path.endswith(".dvc") or _DOCUMENT.fullmatch(path):
            continue
        data = path.removesuffix(".dvc")
        try:
            out = _out(text, data)
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            yield f"{path!r} is no pointer: {error!r}"
            continue
        kept = root / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]
        if out.get("cache", True) and not kept.is_file():
            yield f"{path!r} names an object that is not in the cache"
        elif out["md5"].endswith(".dir"):
            if out.get("cache", True):  # else there is no list of what is in it
                yield from _whole(root, data, kept.read_bytes(), untold)
        elif not (root / data).is_file():
            yield f"{path!r} is beside nothing"
        elif _shown(data) not in untold and _md5(root / data) != out["md5"]:
            yield f"{path!r} names another version than the one that stands there"


def _out(text: bytes, data: str) -> dict[str, Any]:
    """The one output of a pointer.

    Raises:
        ValueError, KeyError, TypeError: when it is none.
    """
    (out,) = yaml.safe_load(text)["outs"]
    md5, name, size = out["md5"], out["path"], out["size"]
    if name != data.rpartition("/")[2] or not re.fullmatch(r"[0-9a-f]{32}(\.dir)?", md5) or type(size) is not int:
        raise ValueError(f"{name!r} {md5!r} {size!r}")
    return dict(out)


def _whole(root: Path, dataset: str, listing: bytes, untold: Collection[str]) -> Iterator[str]:
    try:
        kept = {each["relpath"]: each["md5"] for each in json.loads(listing)}
    except (ValueError, TypeError, KeyError) as error:
        yield f"{dataset}: its list of versions is none: {error!r}"
        return
    if dataset.endswith(".zarr"):  # everything in a store is data
        here = {str(p.relative_to(root / dataset)) for p in (root / dataset).rglob("*") if p.is_file()}
    else:
        here = {n for n in data_files(root / dataset) if _shown(f"{dataset}/{n}") not in untold and ".zarr/" not in n}
        kept = {name: md5 for name, md5 in kept.items() if ".zarr/" not in name}
    yield from (f"{dataset}: {n!r} is kept and not there" for n in sorted(set(kept) - here))
    yield from (f"{dataset}: no version of {n!r} is kept" for n in sorted(here - set(kept)))
    for name in sorted(here & set(kept)):
        if _md5(root / dataset / name) != kept[name]:
            yield f"{dataset}: another version of {name!r} is kept"
        if not (root / ".dvc/cache/files/md5" / kept[name][:2] / kept[name][2:]).is_file():
            yield f"{dataset}: the version of {name!r} is not in the cache"


def _coverage(root: Path, untold: Collection[str]) -> Iterator[str]:
    """In a dataset with pointers beside its files every file has one."""
    for ignoring in root.glob("p_*/*/.gitignore"):
        dataset = str(ignoring.parent.relative_to(root))
        if not ignoring.read_bytes().startswith(_IGNORING) or (root / f"{dataset}.dvc").exists():
            continue
        for name in data_files(root / dataset):
            path = f"{dataset}/{name}"
            if _shown(path) not in untold and ".zarr/" not in name and is_data(os.fsencode(name)):
                pointer = root / f"{path}.dvc"
                if not pointer.is_file():
                    yield f"{path!r} has no version and nobody says why"


def dvc_disagrees(root: Path) -> str:
    """What the real program says of the root's data, "" when it finds everything as it is kept."""
    env = {**os.environ, "DVC_NO_ANALYTICS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(Path(sys.executable).with_name("dvc")), "status"]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, errors="replace")
    said = done.stdout + done.stderr
    return "" if done.returncode == 0 and "up to date" in done.stdout else said or f"exit {done.returncode}"
