"""What is done while our lock is held: differences made commits, from the newest tip, however often others move it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from ingest.provenance import actions, comparing
from ingest.provenance.actions import Action
from ingest.provenance.authorship import came_from_elsewhere, changed_by, found_step
from ingest.provenance.building import Content, Step
from ingest.provenance.comparing import Difference
from ingest.provenance.intents import Intent
from ingest.provenance.landing import Landing, MovedError, Patience
from ingest.provenance.locks import LiveLockError
from ingest.provenance.notes import FileStamp
from ingest.provenance.repository import Heads, Repository, look

_log = logging.getLogger("fairfolder.provenance")

_REMEMBERED = 100_000  # paths recorded a moment ago


@dataclass
class Hold:
    """Our lock, held from the beginning of an action until it is recorded.

    ``just`` is what was recorded a moment ago, by path; ``begun`` are actions of a crash that are still not recorded,
    and ``completed`` says how many were on the way in. ``behind`` are the paths whose former texts still wait: nothing
    of them is recorded before those.
    """

    repository: Repository
    landing: Landing
    stack: ExitStack
    begun: list[Intent]
    just: dict[str, tuple[FileStamp, str]]
    own: Intent | None = None
    completed: int = 0
    behind: frozenset[str] = frozenset()

    def is_behind(self, names: Iterable[str], moved: Sequence[tuple[str, str]] = ()) -> bool:
        """Whether an action is to wait for what waits already."""
        folders = tuple(f"{old}/" for old, _ in moved)
        return not self.behind.isdisjoint(names) or any(path.startswith(folders) for path in self.behind)

    def keep_index(self, paths: Sequence[str]) -> None:
        """The user's index may not have learned what a crash had just committed."""
        heads = look(self.repository)
        if not heads.busy and not heads.pending:
            self.landing.refresh_index(heads, paths)

    def record(
        self, names: Sequence[str], action: Action, moved: Sequence[tuple[str, str]] = (),
        kept: Mapping[str, bytes] | None = None,
    ) -> str:  # fmt: skip
        """``kept`` are texts of some of them that count in the place of what is on disk now."""
        kept = kept or {}
        step = Step(actions.author(action.by), actions.seconds(action.moment), actions.message(action), {})
        patience = Patience()
        while True:
            heads = self.replayed(look(self.repository))
            wanted = [*kept, *comparing.expanded(self.repository, heads, [n for n in names if n not in kept])]
            wanted += comparing.moved_along(self.repository, heads, moved)
            found = comparing.differences(self.repository, heads, list(dict.fromkeys(wanted)), kept)
            if not found:
                return ""
            waits = patience.is_over()
            try:
                return self._land(heads, [(step, found)], waits)
            except MovedError:
                if waits:
                    raise
                patience.lost()

    def _land(self, heads: Heads, steps: Sequence[tuple[Step, Sequence[Difference]]], waits: bool) -> str:
        commit, rest = "", []
        if len(self.just) > _REMEMBERED:
            self.just.clear()
        for step, found in steps:
            self.just |= {d.path: (d.stamp, d.now) for d in found if d.stamp is not None}
            # What was put apart and is gone now has nothing to be taken away from in the tip.
            apart: dict[str, Content] = {d.path: None for d in found if d.text is None and d.apart}
            if apart:
                commit = self.landing.land_apart(look(self.repository), step.of(apart))
            inside: dict[str, Content] = {d.path: d.text for d in found if d.path not in apart}
            if inside:
                rest.append(step.of(inside))
        return self.landing.land(heads, rest, waits=waits) if rest else commit

    def replayed(self, heads: Heads) -> Heads:
        """What waited is put on the branch as soon as HEAD is free and nobody holds the index."""
        if not heads.pending or heads.busy or not self.landing.may_replay(heads):
            return heads
        try:
            count = self.landing.replay(heads)
        except (LiveLockError, MovedError) as error:
            _log.info("what waits on %s/pending waits on: %s", self.repository.refs, error)
            return look(self.repository)
        _log.info("%d commits that waited are on %s", count, heads.branch)
        return look(self.repository)

    def record_found(self, names: Sequence[str], heads: Heads | None = None) -> int:
        """Whatever of some paths is not as recorded becomes commits of those who changed it; how many.

        Args:
            heads: those of just now, where they are known.
        """
        if not names:
            return 0
        heads, made = heads or look(self.repository), 0
        files = [each for each in comparing.expanded(self.repository, heads, names) if each not in self.behind]
        for number, some in enumerate(comparing.portions(self.repository.root, files)):
            made += self.record_some(some, None if number else heads)
        return made

    def record_some(self, names: Sequence[str], heads: Heads | None, kept: Mapping[str, bytes] | None = None) -> int:
        """``heads`` are those of just now, None when they may have moved; ``kept`` as :meth:`record` has it."""
        patience = Patience()
        while True:
            heads = self.replayed(heads or look(self.repository))
            found = comparing.differences(self.repository, heads, names, kept)
            if not found:
                return 0
            who = partial(changed_by, moved=came_from_elsewhere(self.repository, heads, found))
            groups = comparing.fewer(comparing.grouped(self.repository, found, who))
            steps = [(found_step(*key, (d.text for d in group)), group) for key, group in groups.items()]
            waits = patience.is_over()
            try:
                self._land(heads, steps, waits)
                return len(groups)
            except MovedError:
                if waits:
                    raise
                patience.lost()
                heads = None
