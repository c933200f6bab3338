"""Alarms of data that end only when a person has seen them, for the records do not tell of them any more.

Bytes that changed under the same size and modification time are described anew like any others, and what was damaged
is described as it is once somebody touches it: from then on everything looks well. So both are kept in the state
folder until someone accepts them, or the bytes are again what they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest import documents
from ingest.documents import decode_path
from ingest.errors import printable
from ingest.events import Described
from ingest.seen import Seen

_KEY = "fixity_lasting"
_MOST = 200  # that are kept by name of one dataset; of the others their number is


@dataclass(frozen=True)
class Renewal:
    """A file that was described anew because its bytes are others.

    Attributes:
        path: an ``os`` path relative to its dataset.
        before: the SHA-256 its entry had; ``now``: the one it has.
        alike: size and modification time are the same: nobody who works with it does that.
    """

    path: str
    before: str
    now: str
    alike: bool


def noticed(entry: Mapping[str, Any], event: Described) -> Renewal | None:
    """What describing a file anew comes to, by its entry and what was read of it; None where its bytes are the same.

    What was last seen counts before the entry: a crash may have kept it from being told that the entry is renewed.
    """
    technical, checksum = event.facts.technical, entry.get("checksum")
    before = event.was or (str(checksum.get("value", "")) if isinstance(checksum, Mapping) else "")
    if not before or before == event.facts.sha256:
        return None
    if technical.get("extension") == "zarr":  # its time is that of a folder, and tells nothing of the files in it
        alike = False
    elif event.before is not None:
        stamp = event.facts.stamp
        alike = (event.before.size, event.before.mtime_ns) == (stamp.size, stamp.mtime_ns)
    else:  # an entry has whole seconds: what was at rest for one and is written again has other ones
        alike = all(entry.get(key) == technical.get(key) for key in ("size_bytes", "modified_utc"))
    return Renewal(event.path, before, event.facts.sha256, alike)


def tell(seen: Seen, dataset: str, renewals: Sequence[Renewal], damaged: Mapping[str, str]) -> None:
    """What was described anew in a dataset: an alarm where that would hide something, the end of one that is over.

    Args:
        damaged: path relative to the root → what is told of it until now, of files found damaged.
    """
    found, more = alarms_kept(seen), _more(seen)
    over = {(f"{dataset}/{each.path}", each.now) for each in renewals}
    left = [each for each in found if (_path(each), each["recorded"]) not in over]
    new = [(f"{dataset}/{each.path}", each) for each in renewals]
    told = {path: words for path, each in new if (words := _words(path, each, damaged))}
    back = {_path(each) for each in found} - {_path(each) for each in left}
    known = {_path(each) for each in left}
    room = max(0, _MOST - sum(_path(each).startswith(f"{dataset}/") for each in left))
    adding = [(path, each) for path, each in new if path in told and path not in known | back]
    if len(left) == len(found) and not adding:
        return
    left += [
        {**documents.encode_path(path), "words": told[path], "recorded": each.before, "at": time.time()}
        for path, each in adding[:room]
    ]
    if len(adding) > room:
        more[dataset] = more.get(dataset, 0) + len(adding) - room
    _put(seen, left, more)


def _words(path: str, renewal: Renewal, damaged: Mapping[str, str]) -> str:
    accept = f"If it is right as it is now, say so with `verify --accept {documents.shell_word(path)}`"
    if renewal.alike:
        return (
            f"The bytes of {printable(path)} changed while its size and modification time stayed the same: its SHA-256 "
            f"was {renewal.before[:12]}… and is {renewal.now[:12]}…. Compare it with another copy. {accept}."
        )
    words = damaged.get(path, "")
    return f"{words} It was described anew since, as it is now. {accept}." if words else ""


def told(seen: Seen) -> list[str]:
    """What stands, one sentence each, the newest last."""
    more = (
        f"{count:,} more in {printable(dataset)} changed under the same size and time, or were damaged; accept them "
        f"with `verify --accept {documents.shell_word(dataset)}` once they are seen to."
        for dataset, count in sorted(_more(seen).items())
    )
    return [*(str(each["words"]) for each in alarms_kept(seen)), *more]


def accept(seen: Seen, holds: Callable[[str], bool], whole: Callable[[str], bool]) -> int:
    """Someone has seen them: alarms that end; how many.

    Args:
        holds: of the path of a file, relative to the root, whether it is meant.
        whole: of the path of a dataset, whether all of it is.
    """
    found, more = alarms_kept(seen), _more(seen)
    left = [each for each in found if not holds(_path(each))]
    unnamed = {dataset: count for dataset, count in more.items() if not whole(dataset)}
    accepted = len(found) - len(left) + sum(more.values()) - sum(unnamed.values())
    if accepted:
        _put(seen, left, unnamed)
    return accepted


def alarms_kept(seen: Seen) -> list[dict[str, Any]]:
    """The alarms kept by name."""
    kept = seen.get(_KEY)
    return list(kept["found"]) if isinstance(kept, dict) else []


def unnamed(seen: Seen, dataset: str) -> int:
    """How many more alarms there are of a dataset."""
    return _more(seen).get(dataset, 0)


def _more(seen: Seen) -> dict[str, int]:
    kept = seen.get(_KEY)
    return {_path(each): int(each["count"]) for each in kept["more"]} if isinstance(kept, dict) else {}


def _put(seen: Seen, found: Iterable[Mapping[str, Any]], more: Mapping[str, int]) -> None:
    counts = [{**documents.encode_path(dataset), "count": count} for dataset, count in more.items()]
    seen.put(_KEY, {"found": list(found), "more": counts})


def _path(kept: Mapping[str, Any]) -> str:
    return decode_path(kept["path"], kept.get("path_encoding"))
