"""Publishes the examples of the demonstration by the acts a curator has: runs begun and completed, then published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from catalog import index
from catalog.demo.copying import DemoError, package_version
from catalog.demo.examples import Example, Run
from catalog.demo.making import AUTHOR
from catalog.editing import runs, targets
from catalog.models import Dataset, File
from catalog.publishing import acting
from ingest import documents
from ingest.errors import FairfolderError
from ingest.run_templates import RunTemplate


def publish(root: Path, project: Path, shown: Sequence[Example], *, prefix: str = "") -> list[str]:
    """Completes and publishes the datasets of a project that was made; answers their identifiers, in their order.

    Args:
        root: the watched folder; prefix: what the names of dataset folders begin with.

    Raises:
        DemoError: when one cannot be published, with the reason; what was published until then stays so.
    """
    identifiers: list[str] = []
    for example in shown:
        relative = (project / f"{prefix}{example.collection.folder}").relative_to(root).as_posix()
        try:
            if not identifiers:
                index.refresh([project])
            identifiers.append(_publish(root, relative, example))
        except FairfolderError as error:
            raise DemoError(
                f"The demonstration's dataset {relative} cannot be published: {error} What is made stays; publish it "
                f"on its page, or delete {project} and ask for the demonstration again."
            ) from error
    return identifiers


def _publish(root: Path, relative: str, example: Example) -> str:
    dataset = _dataset(root, relative)
    for run in example.runs:
        started = runs.begin(
            dataset,
            name=run.name,
            label="",
            template=RunTemplate("demo", "Demonstration", "", _record(run, example)),
            files=_files(dataset, run),
            experimenters=run.experimenters,
            by=AUTHOR,
        )
        target = targets.find("run", started.run_id)
        if target is None:
            raise DemoError(f"the run {run.name!r} is not in the index.")
        runs.finalise(target, by=AUTHOR)
    acting.publish(_dataset(root, relative), by=AUTHOR)
    if example.withdrawn:
        acting.withdraw(_dataset(root, relative), example.withdrawn, by=AUTHOR)
    return str(dataset.identifier)


def _dataset(root: Path, relative: str) -> Dataset:
    """The dataset with its rows as its documents are now."""
    rows = Dataset.objects.select_related("registry", "administrative", "structural")
    found = rows.filter(root=documents.readable(str(root)), path=documents.encode_path(relative)["path"]).first()
    if found is None:
        raise DemoError("it is not in the index.")
    return found


def _files(dataset: Dataset, run: Run) -> tuple[str, ...]:
    inside = f"{run.folder}/" if run.folder else ""
    found = File.objects.filter(dataset=dataset, path__startswith=inside).order_by("path")
    return tuple(documents.decode_path(each.path, each.path_encoding) for each in found)


def _record(run: Run, example: Example) -> Mapping[str, Any]:
    """What a run says of itself: that it copied files out of a package, today."""
    package, version = example.collection.distribution, package_version(example.collection)
    address = example.source
    return {
        "run_type": "computational",
        "experiment_dates": {"start": date.today().isoformat()},
        "no_protocol_reason": "A program copied the files, as the provenance statement says.",
        "inputs": [{"url": address, "label": f"{package} {version}"}],
        "software_used": [{"name": package, "version": version, "url": address, "purpose": "acquisition"}],
        "notes": f"{run.name}, copied unchanged from the package.",
    }
