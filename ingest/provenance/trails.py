"""The versions of one path as git has them: read only, one process for a page of them however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.provenance import actions
from ingest.provenance.repository import Repository

_FIELDS = ("%H", "%at", "%an", "%ae", "%s")
_TRAILERS = ("Trigger", "Reason", "Project", "Dataset")


@dataclass(frozen=True)
class Version:
    """One version of what stood at a path: of a document, or of everything in a folder.

    ``moment`` is a UTC time as :func:`ingest.documents.now` writes it; ``by`` a user name, ``filesystem``, ``system``,
    or the name of whoever committed past the service; ``blob`` is "" where the path was removed; ``path`` is relative
    to the root; ``is_new``: nothing of what changed stood there before.
    ``names`` are the folders of projects and datasets, relative to the root, that the commit says it is about.
    """

    commit: str
    moment: str
    by: str
    subject: str
    trigger: str
    reason: str
    blob: str
    path: str
    is_new: bool = False
    names: tuple[str, ...] = ()


def versions(
    repository: Repository,
    path: str,
    *,
    limit: int,
    before: str = "",
    upto: str = "HEAD",
    triggers: Sequence[str] = (),
) -> list[Version]:
    """The newest versions of a path (``os`` string relative to the root), at most ``limit``.

    Args:
        before: a commit; only what was recorded before it.
        upto: a commit; only what it and those before it recorded. Not used with ``before``.
        triggers: plain words; only what one of these led to.

    Raises:
        GitError: when the repository cannot be read.
    """
    trailers = [f"%(trailers:key={key},valueonly,separator=%x20)" for key in _TRAILERS]
    led_to = [f"--grep=^Trigger: {each}$" for each in triggers]
    answer = repository.run(
        "log", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
        "--diff-merges=first-parent", "--no-show-signature", "--no-mailmap", f"--max-count={limit}", *led_to,
        f"--format=tformat:{'%x00'.join((*_FIELDS, *trailers))}",
        "--end-of-options", f"{before}^@" if before else upto, "--", path,
    )  # fmt: skip
    return list(_parsed(answer.out, path))


def _parsed(out: bytes, path: str) -> Iterator[Version]:
    texts = out.split(b"\0")
    width, at = len(_FIELDS) + len(_TRAILERS), 0
    while at + width <= len(texts):
        fields = [text.decode("utf-8", "backslashreplace") for text in texts[at : at + width]]
        at += width
        before, after = [], []
        while at < len(texts) and texts[at].lstrip(b"\n").startswith(b":"):
            words = texts[at].decode().split(" ")
            before.append(words[2])
            after.append(words[3])
            at += 2  # what changed, and the name of the path
        commit, seconds, name, address, subject, trigger, *trailers = fields
        moment = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reason, projects, datasets = map(actions.shown, trailers)
        ours = bool(trigger or projects or datasets)  # what somebody wrote past the service stands as it is
        names = tuple(each.strip() for each in f"{projects}, {datasets}".split(", ") if each.strip())
        yield Version(
            commit, moment, actions.who(name, address), actions.shown(subject) if ours else subject, trigger, reason,
            next((blob for blob in after if blob.strip("0")), ""), path, not "".join(before).strip("0"), names,
        )  # fmt: skip
