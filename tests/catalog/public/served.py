"""Publishes a dataset in the folders of a service, from its files to its record, by what people and the engine do.

``python -m tests.catalog.public.served`` with the service's environment; prints the dataset's identifier.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import django

ORCID = "https://orcid.org/0000-0002-1825-0097"
FILES = {"counts.csv": "well,cells\n" + "A1,7\n" * 400, "plate1/notes.txt": "Focus drifts.\n" * 90}


def publish() -> str:
    """Answers the dataset's identifier."""
    from django.conf import settings

    from catalog import state
    from tests.catalog.described import Described
    from tests.catalog.publishing import ready

    state.prepare()
    settings.ENGINE = replace(settings.ENGINE, settle_seconds=0.0)
    described = Described(settings.MONITOR_PATHS[0], settings)
    for path, content in FILES.items():
        described.put(f"{ready.FOLDER}/{path}", content)
    described.describe()
    made = ready.Ready(described)
    made.change(ready.PROJECT, **ready.OF_PROJECT)
    person = {"@type": "Person", "name": "Josiah Carberry", "orcid": ORCID}
    made.change(ready.ADMINISTRATIVE, **{**ready.OF_DATASET, "creators": [person]})
    made.run("first", tuple(FILES))
    return made.publish().identifier


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(publish())
