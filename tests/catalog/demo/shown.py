"""The demonstration's published datasets in the folder of a test, made by the functions that the command calls."""

from __future__ import annotations

from datetime import date

from catalog import demo, index
from catalog.demo import publishing
from catalog.demo.examples import examples
from ingest.workspace import open_workspace
from tests.catalog.described import Described


def publish_demo(described: Described) -> list[str]:
    """Their identifiers: the open, the restricted, the embargoed and the withdrawn one."""
    shown = examples(date.today())
    with open_workspace(described.root, described.settings.ENGINE) as workspace:
        [made] = demo.make(workspace, [demo.complete(shown)], on_recorded=index.refresh)
    return publishing.publish(described.root, made.project, shown)
