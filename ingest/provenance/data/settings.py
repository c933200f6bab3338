"""How the versions of data files are kept: the site's setting, and other choices for some datasets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from ingest.errors import SettingError


class Mode(StrEnum):
    """What is kept of a dataset's files."""

    FILE = "file"  # a .dvc file beside each file, its bytes in the cache
    FOLDER = "folder"  # one .dvc file beside the dataset's folder, the bytes in the cache
    RECORD = "record"  # a .dvc file beside each file, no bytes: changes are seen, nothing can be brought back
    OFF = "off"


@dataclass(frozen=True)
class DataSettings:
    """``mode`` for every dataset but those whose path (``project/dataset``) fits a pattern of ``choices``.

    ``remote`` is the name of a configured DVC remote to push to, "" for none.
    """

    mode: Mode = Mode.OFF
    choices: tuple[tuple[str, Mode], ...] = ()
    remote: str = ""

    @property
    def wanted(self) -> bool:
        """Whether anything is to be kept at all."""
        return self.mode is not Mode.OFF or any(mode is not Mode.OFF for _, mode in self.choices)

    def mode_of(self, dataset: str) -> Mode:
        """The mode of a dataset by its path relative to the root: the first pattern that fits, else the site's."""
        return next((mode for pattern, mode in self.choices if fnmatchcase(dataset, pattern)), self.mode)


def choices(name: str, value: str) -> tuple[tuple[str, Mode], ...]:
    """``PATTERN=MODE`` pairs separated by commas, as ``p_Imaging/*=folder, p_Genomes/*=record``.

    Raises:
        SettingError: naming the setting ``name`` and what is wrong with its value.
    """
    pairs = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        pattern, equals, mode = (piece.strip() for piece in part.rpartition("="))
        if not equals or not pattern or mode not in set(Mode):
            raise SettingError(
                f"{name} is {value!r}; instead of {part!r} write PROJECT/DATASET=MODE, where MODE is one of "
                f"{', '.join(Mode)}."
            )
        pairs.append((pattern, Mode(mode)))
    return tuple(pairs)
