"""The public graphs in a SPARQL server of the institution's own, followed as the embedded store is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from catalog.graph import external
from catalog.graph.followed import Followed
from catalog.graph.store import Change
from ingest.locking import lock_file

_AT_ONCE = 20
_WAIT_SECONDS = 10.0


class OutsideStore:
    """What is kept there; a context. What it holds is remembered here, in `folder`.

    Raises:
        BusyError: when another process brings it up to date.
    """

    def __init__(self, folder: Path, update_url: str, version: str) -> None:
        self._folder, self._url, self._version = folder, update_url, f"{update_url} {version}"
        self._stack = ExitStack()

    def __enter__(self) -> OutsideStore:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stack.enter_context(lock_file(self._folder / "writer.lock", _WAIT_SECONDS))
        self._followed = Followed(self._folder / "followed.sqlite", self._version)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._followed.close()
        self._stack.close()

    def etags(self) -> Mapping[str, str]:
        """Identifier → etag of what the server has."""
        return self._followed.etags()

    def graphs(self) -> Mapping[str, str]:
        """Identifier → name of its graph, of all that the server may hold something of."""
        return self._followed.graphs()

    def apply(self, changes: Iterable[Change]) -> int:
        """Brings records up to date there; answers how many changed.

        Raises:
            OSError: when the server does not take them; what was not taken is tried again with the next call.
        """
        done, batch = 0, []
        for change in changes:
            batch.append(change)
            if len(batch) == _AT_ONCE:
                done += self._send(batch)
                batch = []
        return done + (self._send(batch) if batch else 0)

    def _send(self, batch: list[Change]) -> int:
        self._followed.begin({change.identifier: change.graph for change in batch})
        external.replace(self._url, {change.graph: [f"{quad.triple} ." for quad in change.quads] for change in batch})
        self._followed.done(
            {change.identifier: change.etag for change in batch if change.etag},
            [change.identifier for change in batch if not change.etag],
        )
        return len(batch)
