"""What the log is told of a query that is given up (one warning, with who, how long and what), and the status page."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client

from catalog.graph import asking
from catalog.graph.asking import NoAnswerError
from catalog.sparql import answering
from catalog.sparql.places import PLACES_HERE
from tests.catalog.hostile import see


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/sparql", "/sparql/picture"])
def test_a_query_at_its_limit_is_one_warning(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    def give_up(*_: Any) -> None:
        raise NoAnswerError(asking.TIME, "The query ran for 20 s.")

    monkeypatch.setattr(asking, "ask", give_up)
    for name in ("django", "django.request"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    secret = "ff_" + "s3cr3t" * 7
    query = f"SELECT *\nWHERE {{ ?s ?p '{secret}', '{'x' * 900}' }}"
    answer = client.get(address, {"query": query, "node": f"http://e/{secret}"}, REMOTE_ADDR="192.0.2.9")
    assert answer.status_code == 503
    assert PLACES_HERE._taken.total() == 0  # whoever waited for it holds no place any more
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    said = record.getMessage()
    assert "192.0.2.9" in said
    assert "The query ran for 20 s." in said
    assert "s3cr3t" not in said
    assert "\n" not in said
    assert len(said) < 400


@pytest.mark.django_db
def test_the_status_page_tells_that_queries_get_no_answer(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = [asking.FAILED]

    def give_up(*_: Any) -> None:
        raise NoAnswerError(reason[0], "The processes for <b>queries</b> do not start.")

    monkeypatch.setattr(asking, "ask", give_up)
    told = "SPARQL: The processes for <b>queries</b> do not start."
    assert told not in see(reader, "/status/").words, "nobody serves here"
    answering.folder().mkdir(parents=True, exist_ok=True)
    door = answering.folder() / asking.DOOR
    door.touch()
    try:
        assert told in see(reader, "/status/").words
        reason[0] = asking.BUSY
        assert told not in see(reader, "/status/").words
    finally:
        door.unlink()
