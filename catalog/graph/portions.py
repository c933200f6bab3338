"""A record with more files than it lists, drawn in portions: together they say what one that lists them would. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pyoxigraph import Quad

from catalog.graph.drawing import Value
from catalog.graph.quads import record_quads
from catalog.publishing.site import Site

log = logging.getLogger(__name__)

FILES = "file_descriptions"
_OBJECTS, _RUNS, _MEMBERS = "data_objects", "experiment", "file_identifiers"
_SAID_ONCE = (_OBJECTS, _RUNS, "instruments")  # what the first portion says, and no other needs
_NAMED_BY = ("@id", "@type")


def drawn(value: Value, files: Iterable[Sequence[Value]], site: Site) -> Iterator[Quad]:
    """The quads of a record and of these files of it; a portion is drawn when its quads are wanted.

    The record's own quads come with the first portion, where they do not call the data objects distributions.
    """
    portions = iter(files)
    objects = [(each[_RUNS]["run_id"], each) for each in value.get(_OBJECTS, ())]
    yield from _portion(_with_files(value, objects, next(portions, ())), site)
    slim = {key: each for key, each in value.items() if key not in _SAID_ONCE}
    named = [(run, {key: each[key] for key in _NAMED_BY if key in each}) for run, each in objects]
    for some in portions:
        runs = {each.get("run_id") for each in some}
        yield from _portion(_with_files(slim, [each for each in named if each[0] in runs], some), site)


def _with_files(value: Value, objects: Sequence[tuple[str, Value]], files: Sequence[Value]) -> dict[str, Any]:
    """The record as one that lists these files and no other; `objects` are its data objects, each with its run."""
    by_run: dict[Any, list[Any]] = {}
    for each in files:
        by_run.setdefault(each.get("run_id"), []).append(each.get("file_identifier"))
    told: dict[str, Any] = {**value, FILES: list(files)}
    if objects:
        told[_OBJECTS] = [{**each, _MEMBERS: by_run.get(run, [])} for run, each in objects]
    return told


def _portion(value: dict[str, Any], site: Site) -> Iterable[Quad]:
    """Its quads, without the files that cannot be drawn: each is told of, and keeps no other out."""
    try:
        return record_quads(value, site)
    except (AttributeError, LookupError, TypeError, ValueError):
        files = value[FILES]
        if len(files) == 1:
            log.exception("the file %s cannot be written as RDF; it is left out", files[0].get("@id"))
            return ()
    return [quad for each in files for quad in _portion({**value, FILES: [each]}, site)]
