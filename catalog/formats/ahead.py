"""The formats of large records, rendered before anybody asks: each takes a part of a second, a page none."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field

from catalog.formats import rendered
from catalog.formats.table import BY_NAME, FORMATS, Format
from catalog.models import Published
from catalog.publishing.site import Site

log = logging.getLogger(__name__)

LARGE = 100  # files; what is smaller is made in a few milliseconds when it is asked for
_LOOK_SECONDS = 0.1  # for what turns out to be kept
_MOST_BYTES = rendered.MOST_BYTES * 3 // 4  # the rest is for what somebody asked for
_SLOW = tuple(each.name for each in FORMATS if each.profile is not None)


@dataclass
class Ahead:
    """What is still to be rendered; one format of one record at each look, so that nothing else waits for long."""

    here: Site
    known: dict[str, str] = field(default_factory=dict)  # identifier → etag that was looked at
    waiting: deque[tuple[str, str]] = field(default_factory=deque)  # identifier, format
    held: dict[str, int] = field(default_factory=dict)  # identifier → bytes that its formats take

    def look(self, *, rows_changed: bool) -> None:
        """Notes what changed, and renders one thing that is not kept."""
        if rows_changed:
            self._note()
        until = time.monotonic() + _LOOK_SECONDS
        while self.waiting and time.monotonic() < until:
            if sum(self.held.values()) >= _MOST_BYTES:  # more would drop what was rendered just before
                log.info("%d formats of large records are made when they are asked for", len(self.waiting))
                self.waiting.clear()
                return
            identifier, name = self.waiting.popleft()
            if self._render(identifier, BY_NAME[name]):
                return

    def _note(self) -> None:
        large = Published.objects.filter(state="published", file_count__gte=LARGE)
        present = dict(large.values_list("identifier", "etag"))
        for identifier, etag in present.items():
            if self.known.get(identifier) != etag:
                self.waiting.extend((identifier, name) for name in _SLOW)
                self.held.pop(identifier, None)
        self.held = {identifier: size for identifier, size in self.held.items() if identifier in present}
        self.known = present

    def _render(self, identifier: str, wanted: Format) -> bool:
        """Whether there was something to do."""
        row = Published.objects.filter(identifier=identifier).defer("value").first()
        if row is None:
            return False
        size = rendered.size_kept(row.etag, wanted.name, self.here)
        if size is not None:
            self._hold(identifier, size)
            return False
        value = Published.objects.filter(pk=row.pk).values_list("etag", "value").first()
        if value is None:  # it went in between
            return False
        try:
            made = rendered.kept(value[0], wanted.name, self.here, lambda: wanted.render(value[1], self.here))
            self._hold(identifier, len(made))
        except Exception:  # it is made again when somebody asks, and told there
            log.exception("the record %s cannot be rendered as %s", identifier, wanted.name)
        return True

    def _hold(self, identifier: str, size: int) -> None:
        self.held[identifier] = self.held.get(identifier, 0) + size
