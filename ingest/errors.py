"""The error family. ``str(error)`` is one sentence for a person: the thing, its value and the mend."""

from __future__ import annotations

from pathlib import Path


def printable(text: str) -> str:
    """Words with a path in them, as any text channel can carry them: invalid bytes as ``\\xff``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class FairfolderError(Exception):
    """Base of everything the engine raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class SettingError(FairfolderError):
    """A setting is missing or wrong."""


class LayoutError(FairfolderError):
    """A path is not where the folder grammar allows it."""


class SchemaError(FairfolderError):
    """A schema cannot be used."""


class DocumentError(FairfolderError):
    """A metadata document cannot be read or would not be valid.

    ``path`` is the document; ``problems`` holds one sentence per violated rule where there are several, and
    ``pointers`` the place each speaks of (JSON pointer, RFC 6901).
    """

    def __init__(
        self, path: Path, message: str, problems: tuple[str, ...] = (), pointers: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.path = path
        self.problems = tuple(map(printable, problems))
        self.pointers = tuple(map(printable, pointers))


class NotAtRestError(FairfolderError):
    """Files are not as they were last seen, so what is known of them cannot be vouched for; ``files`` names all."""

    def __init__(self, message: str, files: tuple[str, ...]) -> None:
        super().__init__(message)
        self.files = tuple(map(printable, files))


class StoreError(FairfolderError):
    """A metadata document cannot be written: no right, no space, or an unsafe place."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class ConflictError(FairfolderError):
    """The document changed since it was read: its ETag is not the one that was sent."""

    def __init__(self, path: Path, expected: str, found: str) -> None:
        super().__init__(
            f"{path} was changed by someone else since you opened it (version {expected} is now {found}); "
            "look at their version and save again."
        )
        self.path = path
        self.expected = expected
        self.found = found


class FrozenError(FairfolderError):
    """The root looks unmounted; nothing is recorded until it is back."""


class BusyError(FairfolderError):
    """Another process holds a lock for longer than we wait."""


class OtherFileError(FairfolderError):
    """What stands at a recorded path is not the file that was described, or cannot be read; the text says why."""
