"""The board of dirty parts: what is due, and what may put it off."""

from __future__ import annotations

import threading
import time

from ingest.dirty import Board

LONG = 3_600.0
NOW = threading.Event()


def test_a_part_that_is_to_be_looked_at_again_later_stays_due_as_its_hint_says() -> None:
    board = Board(LONG)
    board.mark("p_A/a", at=time.monotonic() - LONG)
    board.again("p_A/a", LONG)
    assert board.wait_due(0.0, NOW) == {"p_A/a": True}


def test_a_part_whose_documents_alone_changed_is_looked_at_as_a_whole_when_a_file_waits_in_it() -> None:
    board = Board(0.0)
    board.mark("p_A/a", data=False)
    board.again("p_A/a", LONG)
    assert board.wait_due(0.0, NOW) == {"p_A/a": True}
