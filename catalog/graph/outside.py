"""The public graphs in a SPARQL server of the institution's own, followed as the embedded store is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType

from pyoxigraph import Quad

from catalog.graph import external
from catalog.graph.followed import Followed
from catalog.graph.store import Change
from ingest.locking import lock_file

_AT_ONCE, _QUADS_AT_ONCE = 20, 20_000
_WAIT_SECONDS = 10.0


class OutsideStore:
    """What is kept there; a context. What it holds is remembered here, in `folder`.

    Names of graphs outlive a change of `version`, and where the memory is new or of another version the server is asked
    which graphs it has under `space`: what was taken back since must not stay public there.

    Raises:
        BusyError: when another process brings it up to date.
    """

    def __init__(self, folder: Path, query_url: str, update_url: str, space: str, version: str) -> None:
        self._folder, self._query_url, self._url, self._space = folder, query_url, update_url, space
        self._version = f"{query_url} {update_url} {version}"
        self._stack = ExitStack()

    def __enter__(self) -> OutsideStore:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stack.enter_context(lock_file(self._folder / "writer.lock", _WAIT_SECONDS))
        self._followed = Followed(self._folder / "followed.sqlite", self._version, keeps_names=True)
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
        """Identifier → name of its graph, of all that the server may hold something of.

        Raises:
            OSError: when the server has to be asked for them, and does not answer.
        """
        if self._followed.is_unlisted:
            found = external.graphs(self._query_url, self._space)
            self._followed.listed({name.removeprefix(self._space): name for name in found})
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
        graphs: dict[str, list[str]] = {name: [] for each in batch for name in self._followed.names(each.identifier)}
        whole = [change for change in batch if isinstance(change.quads, Sized)]
        graphs |= {change.graph: _lines(change.quads) for change in whole}
        external.replace(self._url, graphs)
        for change in batch:
            if not isinstance(change.quads, Sized):  # too many for one request: they come one after the other
                quads = iter(change.quads)
                while some := list(islice(quads, _QUADS_AT_ONCE)):
                    external.add(self._url, change.graph, _lines(some))
        self._followed.done(
            {change.identifier: (change.graph, change.etag) for change in batch if change.etag},
            [change.identifier for change in batch if not change.etag],
        )
        return len(batch)


def _lines(quads: Iterable[Quad]) -> list[str]:
    return [f"{quad.triple} ." for quad in quads]
