"""The door: every action on documents becomes one commit, whatever state the repository is in, and never fails it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ingest.errors import BusyError
from ingest.layout import Layout
from ingest.provenance import actions, comparing, marking, proving, pushing, tidying
from ingest.provenance.actions import Action
from ingest.provenance.authorship import came_from_elsewhere, changed_by, found_step
from ingest.provenance.building import Content, Step
from ingest.provenance.comparing import Difference
from ingest.provenance.git import GitError
from ingest.provenance.intents import Intent, Intents
from ingest.provenance.landing import Landing, MovedError, Patience
from ingest.provenance.locks import ForeignLocks, LiveLockError, our_lock, release_our_own
from ingest.provenance.notes import FileStamp, Notes
from ingest.provenance.ours import names_of_ours
from ingest.provenance.proving import Proof
from ingest.provenance.repository import Heads, Repository, identity, look, open_repository
from ingest.provenance.settings import GitSettings
from ingest.provenance.telling import RecorderState, state_of
from ingest.provenance.troubles import STRANGE, TROUBLES, in_words
from ingest.provenance.waiting import waiting

_log = logging.getLogger("fairfolder.provenance")

_REMEMBERED = 100_000  # paths recorded a moment ago


@dataclass
class _Hold:
    """Our lock, held from the beginning of an action until it is recorded."""

    repository: Repository
    landing: Landing
    stack: ExitStack
    begun: list[Intent]  # of a crash, and still not recorded
    own: Intent | None = None
    completed: int = 0  # actions of a crash that were recorded on the way in


class Recorder:
    """The history of one root. One object may serve several threads; each has its own action.

    Args:
        state: this root's folder of machine-local state.
    """

    def __init__(self, root: Path, state: Path, settings: GitSettings, layout: Layout | None = None) -> None:
        self.root = root
        self.settings = settings
        self.layout = layout or Layout()
        self._folder = state / "provenance"
        self._intents = Intents(self._folder / "intents.json")
        self._notes = Notes(self._folder / "notes.json")
        self._foreign = ForeignLocks(settings.foreign_seconds, settings.stale_seconds)
        self._opened: tuple[object, Repository] | None = None
        self._thread = threading.local()
        self._pushing = threading.Lock()
        self._just: dict[str, tuple[FileStamp, str]] = {}

    # --- one action -----------------------------------------------------------------------------------------

    def begin(
        self, paths: Sequence[Path], action: Action, beside: Sequence[Path] = (), moved: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Before documents are replaced: their present versions are recorded, and who is about to change them.

        ``beside`` are files of the action that stand already, ``moved`` as :meth:`record` has it: a crash from here on
        leaves their names too.

        Our lock is held from here to :meth:`record` or :meth:`abandon`. Trouble is logged and told by :meth:`state`;
        it never stops the action.
        """
        if not self.settings.enabled:
            return
        self.abandon()  # an action before this one that nobody ended
        try:
            hold = self._enter()
        except TROUBLES as error:
            self._thread.waited = isinstance(error, BusyError)
            self._trouble(error)
            return
        with ExitStack() as stack:
            stack.push(hold.stack)
            try:
                names = self._relative(paths)
                self._record_found(hold, names)
                hold.own = Intent(action, tuple(dict.fromkeys([*names, *self._relative(beside)])), tuple(moved))
                self._intents.write([*hold.begun, hold.own])
            except TROUBLES as error:
                self._trouble(error)
            self._thread.hold = hold
            hold.stack = stack.pop_all()

    def record(self, paths: Sequence[Path], action: Action, moved: Sequence[tuple[str, str]] = ()) -> str:
        """After they were replaced: one commit of these paths, where one that is gone is a deletion.

        ``moved`` are folders (old, new; "" for one that is gone) relative to the root: all that is ours in them
        belongs to the commit, at its old place and at its new one.

        Returns the commit's id, "" when nothing differed from the newest recorded version or it could not be made: that
        is logged and told by :meth:`state`, and made up for by the next action or :meth:`catch_up`.
        """
        if not self.settings.enabled:
            return ""
        hold, waited = self._begun()
        intent = Intent(action, tuple(self._relative(paths)), tuple(moved))
        if waited:  # for our lock, in vain, with locks of the store held: not a second time
            self._leave(None, intent)
            return ""
        try:
            if hold is None:
                hold = self._enter()
            commit = self._record(hold, intent.paths, action, moved)
            self._intents.write(hold.begun)
            self._well()
            return commit
        except TROUBLES as error:
            self._trouble(error)
            self._leave(hold, intent)
            return ""
        finally:
            if hold is not None:
                hold.stack.close()

    def _begun(self) -> tuple[_Hold | None, bool]:
        """What this thread's :meth:`begin` came to: our lock, or that it was waited for in vain; once."""
        hold: _Hold | None = getattr(self._thread, "hold", None)
        waited: bool = getattr(self._thread, "waited", False)
        self._thread.hold, self._thread.waited = None, False
        return hold, waited

    def _leave(self, hold: _Hold | None, intent: Intent) -> None:
        """An action that is done and could not be recorded: what no comparing would find waits with its names."""
        try:
            if hold is None:
                self._intents.leave(intent)
            else:
                self._intents.write([*hold.begun, intent])
        except OSError as error:
            self._trouble(error)

    def abandon(self) -> None:
        """Nothing was written after :meth:`begin`."""
        hold, _ = self._begun()
        if hold is not None:
            try:
                self._intents.write(hold.begun)
            except OSError as error:
                self._trouble(error)
            finally:
                hold.stack.close()

    # --- entering -------------------------------------------------------------------------------------------

    def _enter(self) -> _Hold:
        """Our lock, the repository as it is now, and whatever a crash left undone done."""
        with ExitStack() as stack:
            repository = self._repository(stack)
            landing = Landing(repository, self._foreign, self._notes, self.settings.signing_key)
            hold = _Hold(repository, landing, stack, [])
            release_our_own(repository)
            hold.begun.extend(self._completed(hold))
            hold.stack = stack.pop_all()
        return hold

    def _repository(self, stack: ExitStack) -> Repository:
        found = self._open()
        seconds = self.settings.lock_seconds
        return found.locked(stack.enter_context(our_lock(found.own, self._folder, seconds)))

    def _open(self) -> Repository:
        """The repository, opened once as long as it is the same."""
        now = identity(self.root)
        if self._opened is None or now is None or self._opened[0] != now:
            with our_lock(self._folder / "making", self._folder / "making", self.settings.lock_seconds):
                found = open_repository(self.root)
                assert found is not None
                repository = replace(found, layout=self.layout)
                marking.leave_alone(repository, self.layout)
            self._opened = identity(self.root), repository
        return self._opened[1]

    def _completed(self, hold: _Hold) -> list[Intent]:
        """The actions of a crash, recorded; those that still cannot be are given back."""
        left, done = self._intents.all(), 0
        for file, intent in left:
            try:
                hold.completed += bool(self._record(hold, list(intent.paths), intent.action, intent.moved))
                self._keep_index(hold, intent.paths)
            except TROUBLES as error:
                self._trouble(error)
                break
            done += 1
            self._intents.done(file)
        rest = [intent for file, intent in left[done:] if file is None]
        if any(file is None for file, _ in left[:done]):
            self._intents.write(rest)
        return rest

    def _keep_index(self, hold: _Hold, paths: Sequence[str]) -> None:
        """The user's index may not have learned what a crash had just committed."""
        heads = look(hold.repository)
        if not heads.busy and not heads.pending:
            hold.landing.refresh_index(heads, paths)

    # --- committing -----------------------------------------------------------------------------------------

    def _record(self, hold: _Hold, names: Sequence[str], action: Action, moved: Sequence[tuple[str, str]] = ()) -> str:
        step = Step(actions.author(action.by), actions.seconds(action.moment), actions.message(action), {})
        patience = Patience()
        while True:
            heads = self._replayed(hold, look(hold.repository))
            wanted = comparing.expanded(hold.repository, heads, names)
            wanted += comparing.moved_along(hold.repository, heads, moved)
            found = comparing.differences(hold.repository, heads, list(dict.fromkeys(wanted)))
            if not found:
                return ""
            waits = patience.is_over()
            try:
                return self._land(hold, heads, [(step, found)], waits)
            except MovedError:
                if waits:
                    raise
                patience.lost()

    def _land(self, hold: _Hold, heads: Heads, steps: Sequence[tuple[Step, Sequence[Difference]]], waits: bool) -> str:
        commit, rest = "", []
        if len(self._just) > _REMEMBERED:
            self._just = {}
        for step, found in steps:
            self._just |= {d.path: (d.stamp, d.now) for d in found if d.stamp is not None}
            # What was put apart and is gone now has nothing to be taken away from in the tip.
            apart: dict[str, Content] = {d.path: None for d in found if d.text is None and d.apart}
            if apart:
                commit = hold.landing.land_apart(look(hold.repository), step.of(apart))
            inside: dict[str, Content] = {d.path: d.text for d in found if d.path not in apart}
            if inside:
                rest.append(step.of(inside))
        return hold.landing.land(heads, rest, waits=waits) if rest else commit

    def _replayed(self, hold: _Hold, heads: Heads) -> Heads:
        """What waited is put on the branch as soon as HEAD is free and nobody holds the index."""
        if not heads.pending or heads.busy or not hold.landing.may_replay(heads):
            return heads
        try:
            count = hold.landing.replay(heads)
        except (LiveLockError, MovedError) as error:
            _log.info("what waits on %s/pending waits on: %s", hold.repository.refs, error)
            return look(hold.repository)
        _log.info("%d commits that waited are on %s", count, heads.branch)
        return look(hold.repository)

    def _record_found(self, hold: _Hold, names: Sequence[str], heads: Heads | None = None) -> int:
        """Whatever of some paths is not as recorded becomes commits of those who changed it; how many.

        Args:
            heads: those of just now, where they are known.
        """
        if not names:
            return 0
        heads, made = heads or look(hold.repository), 0
        for number, some in enumerate(comparing.portions(self.root, comparing.expanded(hold.repository, heads, names))):
            made += self._record_some(hold, some, None if number else heads)
        return made

    def _record_some(self, hold: _Hold, names: Sequence[str], heads: Heads | None) -> int:
        """``heads`` are those of just now, None when they may have moved."""
        patience = Patience()
        while True:
            heads = self._replayed(hold, heads or look(hold.repository))
            found = comparing.differences(hold.repository, heads, names)
            if not found:
                return 0
            who = partial(changed_by, moved=came_from_elsewhere(hold.repository, heads, found))
            groups = comparing.fewer(comparing.grouped(hold.repository, found, who))
            steps = [(found_step(*key, (d.text for d in group)), group) for key, group in groups.items()]
            waits = patience.is_over()
            try:
                self._land(hold, heads, steps, waits)
                return len(groups)
            except MovedError:
                if waits:
                    raise
                patience.lost()
                heads = None

    # --- recovery by comparing ------------------------------------------------------------------------------

    def catch_up(self, paths: Iterable[Path] | None = None) -> int:
        """Record whatever is not as the newest recorded version has it; how many commits that took.

        Args:
            paths: what to look at; None: every path of ours below the root.
        """
        if not self.settings.enabled:
            return 0
        try:
            hold = self._enter()
        except TROUBLES as error:
            self._trouble(error)
            return 0
        try:
            heads = look(hold.repository)
            waited = len(waiting(hold.repository, heads))
            heads = self._replayed(hold, heads)
            if paths is None:
                memory, self._just = self._just, {}
                names = comparing.suspects(hold.repository, heads, self.layout, self._folder / "known.json", memory)
            else:
                names = self._relative(paths)
            found = self._record_found(hold, names, heads)
            made = hold.completed + found
            heads = look(hold.repository) if found or heads.pending else heads
            if not heads.pending:
                made += waited
                if paths is None and not heads.busy:
                    hold.landing.refresh_index(heads)
            self._well()
            return made
        except TROUBLES as error:
            self._trouble(error)
            return 0
        finally:
            hold.stack.close()

    def tidy(self) -> bool:
        """Pack what single commits left lying about, when it has become much; for a timer. True when it did."""
        if not self.settings.enabled or not os.path.lexists(self.root / ".git"):
            return False
        try:
            repository = self._open()
            # Not under our lock: git packs beside whoever writes, and a large history takes minutes.
            with our_lock(self._folder / "tidying", self._folder / "tidying", 0) as fd:
                return tidying.tidy(repository.locked(fd))
        except TROUBLES as error:
            _log.info("the history of %s was not packed: %s", self.root, error)
            return False

    def push(self) -> bool:
        """Bring the remote up to date, if there is one and it is time; may take minutes. True when it has everything.

        See :meth:`push_in_background` for what must not wait.
        """
        if not self.settings.enabled or not self.settings.remote or not os.path.lexists(self.root / ".git"):
            return True
        if not self._pushing.acquire(blocking=False):
            return False
        try:
            repository = self._open()
            folder = self._folder / "pushing.git"
            return pushing.push(repository, look(repository), self.settings.remote, folder, self._notes)
        except TROUBLES as error:
            _log.warning("the history of %s was not pushed: %s", self.root, error)
            return False
        finally:
            self._pushing.release()

    def push_in_background(self) -> None:
        """The same in a thread of its own; at most one at a time."""
        if self.settings.enabled and self.settings.remote:
            threading.Thread(target=self.push, name="pushing the history", daemon=True).start()

    def prove(self) -> Proof:
        """Whether nothing that was recorded has been rewritten since.

        Raises:
            GitError: when there is no history that could be read.
        """
        repository = open_repository(self.root, make=False)
        if repository is None:
            if lost := proving.heads_left(self._notes):
                return Proof("", 0, (f"{self.root} has no repository any more; it held {', '.join(lost)}.",))
            raise GitError(f"{self.root} has no history yet; it begins with the next change.")
        return proving.prove(repository, look(repository), self._notes, self.settings.signing_key)

    def accept_rewriting(self) -> None:
        """What was rewritten so far was meant to be: :meth:`prove` tells of it no more."""
        proving.accept(self._notes)

    def _relative(self, paths: Iterable[Path]) -> list[str]:
        return names_of_ours(self.root, paths, self.layout)

    # --- telling --------------------------------------------------------------------------------------------

    def _trouble(self, error: Exception) -> None:
        words = in_words(self.root, error)
        _log.error("the history of %s: %s", self.root, words, exc_info=isinstance(error, STRANGE))
        self._notes.write(trouble=words, lock=self._foreign.notice)

    def _well(self) -> None:
        self._notes.write(trouble="", lock=self._foreign.notice)

    def state(self) -> RecorderState:
        """How the history stands, without changing anything."""
        return state_of(self.root, self._notes) if self.settings.enabled else RecorderState(enabled=False)
