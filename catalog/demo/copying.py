"""Finds the files of the installed packages and lays them down as one project folder, all at once or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from catalog.demo.collections import Collection, Selection
from ingest.errors import FairfolderError


class DemoError(FairfolderError):
    """The demonstration cannot be made; the sentence tells what to do."""


@dataclass(frozen=True)
class Copy:
    """One file: where it is in its package, and its path below the project folder."""

    source: Path
    target: str


def package_folder(collection: Collection) -> Path:
    """The folder of an installed package, found without importing it (its imports are heavy, or not installed).

    Raises:
        DemoError: if the package is not installed.
    """
    spec = util.find_spec(collection.package)
    if spec is None or not spec.submodule_search_locations:
        raise DemoError(
            f"The package {collection.distribution}, whose data the demonstration shows, is not installed; "
            "run `make setup`, or install Fairfolder with its extra `demo`."
        )
    return Path(spec.submodule_search_locations[0])


def package_version(collection: Collection) -> str:
    """The version of the package as its own metadata states it."""
    return metadata.version(collection.distribution)


def copies(collection: Collection, dataset: str) -> Iterator[Copy]:
    """The files of one dataset, in a fixed order; ``dataset`` is the name of its folder.

    Raises:
        DemoError: if the installed version of the package lacks a file.
    """
    folder = package_folder(collection)
    for selection in collection.selections:
        sources = sorted(folder.glob(selection.pattern))
        if not sources:
            raise DemoError(_lacks(collection, selection))
        for source in sources:
            yield Copy(source, "/".join(part for part in (dataset, selection.into, source.name) if part))


def _lacks(collection: Collection, selection: Selection) -> str:
    return (
        f"The installed {collection.distribution} {package_version(collection)} has no file {selection.pattern}; "
        "run `make setup` to install the version this demonstration was made for."
    )


def lay_down(files: Iterable[Copy], project: Path) -> None:
    """Copies the files into ``project``, which appears complete in one rename.

    They are gathered in a hidden folder beside it first: hidden names are never described.

    Raises:
        DemoError: if ``project`` holds anything already, or the disk refuses.
    """
    gathering = project.with_name(f".{project.name}.part")
    try:
        refuse_used(project)
        shutil.rmtree(gathering, ignore_errors=True)  # what a killed earlier call left
        for file in files:
            _copy(file.source, gathering / file.target)
        os.rename(gathering, project)
    except OSError as error:
        shutil.rmtree(gathering, ignore_errors=True)
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # someone filled the folder meanwhile
            raise DemoError(_used(project)) from error
        raise DemoError(
            f"The demonstration cannot be written to {project}: {error.strerror}. "
            "Free space or grant the right to write there."
        ) from error


def refuse_used(project: Path) -> None:
    """
    Raises:
        DemoError: if there is anything at a project's place already.
    """
    if project.is_symlink() or (project.exists() and (not project.is_dir() or any(project.iterdir()))):
        raise DemoError(_used(project))


def _used(project: Path) -> str:
    return f"{project} is there already and is left as it is; move or remove it to make the demonstration anew."


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
