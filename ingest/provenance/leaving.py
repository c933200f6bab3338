"""Actions that git cannot record now are left with the texts they wrote, and are made one commit each when it can."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from ingest.errors import FairfolderError
from ingest.provenance import credentials, ours
from ingest.provenance.intents import Intent, Intents


class Leaving:
    """What is left for later of the actions on one root.

    Args:
        tell: told of what could not be kept; nothing is refused for that.
    """

    def __init__(self, root: Path, intents: Intents, tell: Callable[[Exception], None]) -> None:
        self._root = root
        self._intents = intents
        self._tell = tell
        self._lock = threading.Lock()
        self._last: dict[str, bytes] = {}  # path → digest of the text that was left last

    def before(self, names: Iterable[str]) -> None:
        """What stands at paths, which an action is about to replace: nobody could record it."""
        with self._lock:
            last = dict(self._last)
        texts = {path: text for path, text in self._present(names).items() if last.get(path) != _digest(text)}
        if texts:
            self._leave(Intent(None, ()), texts)

    def action(self, intent: Intent) -> bool:
        """An action that is done, and the texts it wrote. False when not even its name could be kept."""
        return self._leave(intent, self._present(intent.paths))

    def forget(self) -> None:
        """Everything is recorded: what comes now is compared with the history again."""
        with self._lock:
            self._last.clear()

    def _leave(self, intent: Intent, texts: dict[str, bytes]) -> bool:
        try:
            fits = self._intents.leave(intent, texts)
        except OSError as error:
            self._tell(_not_kept(self._root, error))
            return False
        if fits:
            with self._lock:
                self._last |= {path: _digest(text) for path, text in texts.items()}
        else:
            self._tell(_too_many(self._root))
        return True

    def _present(self, names: Iterable[str]) -> dict[str, bytes]:
        """The texts of the files among some paths; a folder is compared as it stands when it can be recorded."""
        files = [name for name in names if name != credentials.CONFIG and _is_file(self._root / name)]
        return {path: text for path, text in ours.texts(self._root, files) if text is not None}


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _too_many(root: Path) -> FairfolderError:
    return FairfolderError(
        f"The history of {root} could not be written for so long that no more texts are kept for it: of what is saved "
        "from now on, only the last version will be recorded. The log of the service says what keeps git from it."
    )


def _not_kept(root: Path, error: OSError) -> FairfolderError:
    return FairfolderError(
        f"What the history of {root} could not take now is not kept for it either, because the state folder takes "
        f"nothing ({error.strerror or error}): of what is saved from now on, only the last version will be recorded. "
        "Free some space in FAIRFOLDER_STATE_DIR, or make it writable."
    )
