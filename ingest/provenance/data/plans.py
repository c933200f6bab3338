"""Which texts stand where after a change: ``.dvc`` files beside files, or one beside the folder of a dataset."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.provenance.data import comparing, ignoring, pointers, whole
from ingest.provenance.data.cache import Cache, Look
from ingest.provenance.data.folders import fingerprint
from ingest.provenance.data.keeping import Kept
from ingest.provenance.data.placing import texts
from ingest.provenance.data.pointers import SUFFIX, Pointer


@dataclass(frozen=True)
class Change:
    """What happened to the files of one dataset; all paths relative to the root, ``moved`` from old to new."""

    dataset: str
    kept: Sequence[Kept] = ()
    gone: Collection[str] = ()
    moved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Paths relative to the root: the texts that are to stand there, and what of ours is to be gone."""

    wanted: dict[str, bytes]
    unwanted: set[str]


def by_file(root: Path, change: Change, *, cached: bool) -> Plan:
    """A ``.dvc`` file beside each file; one for the whole dataset, of another mode before, goes."""
    plan = Plan({}, {path + SUFFIX for path in change.gone})
    for data, pointer in read_all(root, change.moved).items():
        new = change.moved[data]
        plan.wanted[new + SUFFIX] = pointers.text(pointer._replace(name=_name(new)))
        plan.unwanted.add(data + SUFFIX)
    for one in change.kept:
        if not one.reason:
            plan.wanted[one.file.path + SUFFIX] = pointers.text(_pointer_to(one, cached=cached))
    if change.dataset in read_all(root, [change.dataset]):
        plan.unwanted.add(change.dataset + SUFFIX)
    return _with_gitignore(plan, change.dataset)


def as_a_whole(root: Path, cache: Cache, change: Change, look: Look) -> Plan:
    """One ``.dvc`` file beside the dataset's folder; those beside its files, of another mode before, go.

    Raises:
        OSError: when the listing cannot be written to the cache.
        StoppedError: from ``look``.
    """
    pointer = read_all(root, [change.dataset]).get(change.dataset)
    plan = Plan({}, {path + SUFFIX for path in change.gone})
    if pointer is None:
        plan.unwanted.update(path + SUFFIX for path in comparing.look(root, change.dataset).ours)
    before = {} if pointer is None else whole.members_of(cache, pointer, look)
    kept = [one for one in change.kept if not one.reason]
    after = whole.changed(before, change.dataset, kept, set(change.gone), change.moved)
    if not after:
        plan.unwanted.add(change.dataset + SUFFIX)
        return plan
    if pointer is None or after != before or not cache.keeps(pointer):
        pointer = whole.keep_listing(cache, _name(change.dataset), after, "" if pointer is None else pointer.md5)
    plan.wanted[change.dataset + SUFFIX] = pointers.text(pointer)
    return _with_gitignore(plan, change.dataset)


def read_all(root: Path, paths: Iterable[str]) -> dict[str, Pointer]:
    """What our ``.dvc`` files beside data files, or beside dataset folders, say; nothing of those that have none."""
    found = {}
    for path, text in texts(root, [data + SUFFIX for data in paths]):
        data = path.removesuffix(SUFFIX)
        pointer = pointers.read(text, _name(data))
        if pointer is not None:
            found[data] = pointer
    return found


def _pointer_to(one: Kept, *, cached: bool) -> Pointer:
    files = None if one.members is None else len(one.members)
    sha256 = one.file.sha256
    if one.members is not None:
        sha256 = fingerprint((path, member.sha256) for path, member in one.members.items())
    return Pointer(_name(one.file.path), one.md5, one.size, sha256, files, cached, one.executable)


def _with_gitignore(plan: Plan, dataset: str) -> Plan:
    if plan.wanted:
        plan.wanted[f"{dataset}/{ignoring.GITIGNORE}"] = ignoring.gitignore()
    return plan


def _name(path: str) -> str:
    return path.rpartition("/")[2]
