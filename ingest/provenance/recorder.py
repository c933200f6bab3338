"""The door: every action on documents becomes one commit, whatever state the repository is in, and never fails it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ingest.errors import BusyError
from ingest.layout import Layout
from ingest.provenance import comparing, marking, proving, pushing, tidying
from ingest.provenance.actions import Action
from ingest.provenance.git import GitError
from ingest.provenance.holding import Hold
from ingest.provenance.intents import Intent, Intents
from ingest.provenance.landing import Landing
from ingest.provenance.leaving import Leaving
from ingest.provenance.locks import ForeignLocks, our_lock, release_our_own
from ingest.provenance.notes import FileStamp, Notes
from ingest.provenance.ours import names_of_ours
from ingest.provenance.proving import Proof
from ingest.provenance.repository import Repository, identity, look, open_repository
from ingest.provenance.settings import GitSettings
from ingest.provenance.telling import RecorderState, state_of
from ingest.provenance.troubles import STRANGE, TROUBLES, in_words
from ingest.provenance.waiting import waiting

_log = logging.getLogger("fairfolder.provenance")


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
        self._leaving = Leaving(root, self._intents, self._trouble)
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
            self._leaving.before(self._relative(paths))
            return
        with ExitStack() as stack:
            stack.push(hold.stack)
            names: list[str] = []
            try:
                names = self._relative(paths)
                if hold.is_behind(names, moved):
                    self._leaving.before(names)
                else:
                    hold.record_found(names)
                hold.own = Intent(action, tuple(dict.fromkeys([*names, *self._relative(beside)])), tuple(moved))
                self._intents.write([*hold.begun, hold.own])
            except TROUBLES as error:
                self._trouble(error)
                self._leaving.before(names)
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
            if hold.is_behind(intent.paths, moved):
                self._leave(hold, intent)
                return ""
            commit = hold.record(intent.paths, action, moved)
            self._intents.write(hold.begun)
            self._well(hold)
            return commit
        except TROUBLES as error:
            self._trouble(error)
            self._leave(hold, intent)
            return ""
        finally:
            if hold is not None:
                hold.stack.close()

    def _begun(self) -> tuple[Hold | None, bool]:
        """What this thread's :meth:`begin` came to: our lock, or that it was waited for in vain; once."""
        hold: Hold | None = getattr(self._thread, "hold", None)
        waited: bool = getattr(self._thread, "waited", False)
        self._thread.hold, self._thread.waited = None, False
        return hold, waited

    def _leave(self, hold: Hold | None, intent: Intent) -> None:
        """An action that is done and could not be recorded waits with the texts it wrote."""
        left = self._leaving.action(intent)
        try:
            if hold is not None:
                self._intents.write(hold.begun if left else [*hold.begun, intent])
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

    def _enter(self) -> Hold:
        """Our lock, the repository as it is now, and whatever a crash left undone done."""
        with ExitStack() as stack:
            repository = self._repository(stack)
            landing = Landing(repository, self._foreign, self._notes, self.settings.signing_key)
            hold = Hold(repository, landing, stack, [], self._just)
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

    def _completed(self, hold: Hold) -> list[Intent]:
        """The actions of a crash, and those git could not record, recorded; those that still cannot be stay."""
        left, done = self._intents.all(), 0
        for file, intent in left:
            try:
                hold.completed += self._again(hold, file, intent)
                hold.keep_index([*intent.paths, *intent.kept])
            except TROUBLES as error:
                self._trouble(error)
                break
            done += 1
            self._intents.done(file)
        hold.behind = frozenset().union(*(intent.kept for _, intent in left[done:]))
        rest = [intent for file, intent in left[done:] if file is None]
        if any(file is None for file, _ in left[:done]):
            self._intents.write(rest)
        return rest

    def _again(self, hold: Hold, file: Path | None, intent: Intent) -> int:
        kept = self._intents.texts(file)
        if intent.action is None:
            return hold.record_some(list(kept), None, kept)
        return int(bool(hold.record(intent.paths, intent.action, intent.moved, kept)))

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
            heads = hold.replayed(heads)
            if paths is None:
                memory = dict(self._just)
                self._just.clear()
                names = comparing.suspects(hold.repository, heads, self.layout, self._folder / "known.json", memory)
            else:
                names = self._relative(paths)
            found = hold.record_found(names, heads)
            made = hold.completed + found
            heads = look(hold.repository) if found or heads.pending else heads
            if not heads.pending:
                made += waited
                if paths is None and not heads.busy:
                    hold.landing.refresh_index(heads)
            self._well(hold)
            return made
        except TROUBLES as error:
            self._trouble(error)
            return 0
        finally:
            hold.stack.close()

    def is_behind(self) -> bool:
        """Whether actions wait that git could not record."""
        return self.settings.enabled and self._intents.is_any_left()

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
        """Bring the remote up to date, if there is one and it is time; takes up to minutes. True when it has all."""
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

    def prove(self, since: str = "") -> Proof:
        """Whether nothing that was recorded has been rewritten since; ``since`` is a commit that must be there too.

        Raises:
            GitError: when there is no history that could be read.
        """
        repository = open_repository(self.root, make=False)
        if repository is None:
            if lost := proving.heads_left(self._notes):
                return Proof("", 0, (f"{self.root} has no repository any more; it held {', '.join(lost)}.",))
            raise GitError(f"{self.root} has no history yet; it begins with the next change.")
        return proving.prove(repository, look(repository), self._notes, self.settings.signing_key, since)

    def accept_rewriting(self) -> None:
        """The history is meant to be as it is now: :meth:`prove` tells no more of what became of it until now.

        Raises:
            GitError: when it cannot be read.
        """
        repository = open_repository(self.root, make=False)
        if repository is None:
            proving.forget(self._notes)
        else:
            proving.accept(repository, look(repository), self._notes)

    def _relative(self, paths: Iterable[Path]) -> list[str]:
        return names_of_ours(self.root, paths, self.layout)

    # --- telling --------------------------------------------------------------------------------------------

    def _trouble(self, error: Exception) -> None:
        words = in_words(self.root, error)
        _log.error("the history of %s: %s", self.root, words, exc_info=isinstance(error, STRANGE))
        self._notes.write(trouble=words, lock=self._foreign.notice)

    def _well(self, hold: Hold) -> None:
        if not hold.behind:
            self._leaving.forget()
            self._notes.write(trouble="", lock=self._foreign.notice)

    def state(self) -> RecorderState:
        """How the history stands, without changing anything."""
        return state_of(self.root, self._notes) if self.settings.enabled else RecorderState(enabled=False)
