"""What follows when a record has just been marked complete."""

from __future__ import annotations

from catalog.editing import runs, targets
from catalog.editing.targets import Target
from ingest.documents import EXPERIMENT
from ingest.errors import FairfolderError


def completed(target: Target, by: str) -> str:
    """Trigger 5 for a run that a person has just completed; answers a sentence to tell them, or "".

    What keeps the complete metadata file from being written now keeps nothing else: the next pass writes it.
    """
    if target.kind != EXPERIMENT:
        return ""
    try:
        done = runs.finalise(target, by=by)
    except FairfolderError as error:
        return f"Its complete metadata file is not written yet: {' '.join(targets.words(error))}"
    return f"Revision {done.revision} of its complete metadata file is written."
