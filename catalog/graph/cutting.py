"""The first rows of an answer that another server gave, as a whole document: cut as the embedded store cuts its own."""

from __future__ import annotations

from itertools import islice
from typing import IO

import pyoxigraph
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat

from catalog.graph import solutions
from catalog.graph.media import RDF, RESULTS


def first_rows(stream: IO[bytes], target: IO[bytes], form: str, most: int, note: str) -> bool:
    """Writes the first `most` rows of a table or truth value into `target`; whether there are more.

    Raises:
        SyntaxError, ValueError: when the answer is not what it says it is.
    """
    if form == "csv":
        return _first_lines(stream, target, most)
    found = pyoxigraph.parse_query_results(stream, QueryResultsFormat.from_media_type(RESULTS[form]))
    if not isinstance(found, QuerySolutions):
        return False
    start, rows, end = solutions.pieces(found, form, note)
    target.write(start.encode())
    for number, row in enumerate(rows):
        if number == most:
            target.write(end.encode())
            return True
        target.write(row.encode())
    return False


def first_triples(stream: IO[bytes], target: IO[bytes], form: str, most: int) -> bool:
    """Writes the first `most` triples into `target`; whether there are more.

    Raises:
        SyntaxError, ValueError: when the answer is not what it says it is.
    """
    format_ = RdfFormat.from_media_type(RDF[form])
    triples = [quad.triple for quad in islice(pyoxigraph.parse(stream, format_), most + 1)]
    pyoxigraph.serialize(triples[:most], target, format_)
    return len(triples) > most


def _first_lines(stream: IO[bytes], target: IO[bytes], most: int) -> bool:
    """Of CSV, which no engine reads back: a row ends with a line, but not inside of quotes."""
    quotes, rows = 0, -1  # the first line names the columns
    while rows < most and (line := stream.readline()):
        target.write(line)
        quotes += line.count(b'"')
        rows += quotes % 2 == 0
    return bool(stream.read(1))
