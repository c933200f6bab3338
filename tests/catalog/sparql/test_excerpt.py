"""What the log is told of a query."""

from catalog.sparql.answering import excerpt


def test_what_a_terminal_obeys_is_not_in_the_log() -> None:
    told = excerpt("SELECT *\n# \x1b]0;mine\x07 \u202e\nWHERE {}")
    assert told.isprintable()
    assert told.startswith("SELECT * # \ufffd]0;mine")
