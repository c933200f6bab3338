"""The formats of large records, rendered before anybody asks: each takes a part of a second, a page none."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field

from catalog.formats import rendered
from catalog.formats.table import BY_NAME, FORMATS, Format
from catalog.models import Published
from catalog.publishing.site import Site

log = logging.getLogger(__name__)

LARGE = 100  # files; what is smaller is made in a few milliseconds when it is asked for
_SLOW = tuple(each.name for each in FORMATS if each.profile is not None)


@dataclass
class Ahead:
    """What is still to be rendered; one format of one record at each look, so that nothing else waits for long."""

    here: Site
    known: dict[str, str] = field(default_factory=dict)  # identifier → etag that was looked at
    waiting: deque[tuple[str, str]] = field(default_factory=deque)  # identifier, format

    def look(self, *, rows_changed: bool) -> None:
        """Notes what changed, and renders one thing that is not kept."""
        if rows_changed:
            self._note()
        while self.waiting:
            identifier, name = self.waiting.popleft()
            if self._render(identifier, BY_NAME[name]):
                return

    def _note(self) -> None:
        large = Published.objects.filter(state="published", file_count__gte=LARGE)
        present = dict(large.values_list("identifier", "etag"))
        for identifier, etag in present.items():
            if self.known.get(identifier) != etag:
                self.waiting.extend((identifier, name) for name in _SLOW)
        self.known = present

    def _render(self, identifier: str, wanted: Format) -> bool:
        """Whether there was something to do."""
        row = Published.objects.filter(identifier=identifier).defer("value").first()
        if row is None or rendered.is_kept(row.etag, wanted.name, self.here):
            return False
        value = Published.objects.values_list("etag", "value").get(pk=row.pk)
        try:
            rendered.kept(value[0], wanted.name, self.here, lambda: wanted.render(value[1], self.here))
        except Exception:  # it is made again when somebody asks, and told there
            log.exception("the record %s cannot be rendered as %s", identifier, wanted.name)
        return True
