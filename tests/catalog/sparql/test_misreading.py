"""What is said of a query that cannot be read: in words, with the place, and how to mend it."""

from __future__ import annotations

import pytest
from pyoxigraph import Store

from catalog.graph.misreading import told

MISTAKES = [
    ("SELEC * {?s ?p ?o}", 1, 1, "“SELEC” begins no query; did you mean SELECT?"),
    ("# all\nPREFIX a: <http://a/>\nSELCT * {?s ?p ?o}", 3, 1, "did you mean SELECT?"),
    ("how many datasets are there?", 1, 1, "it begins with SELECT, ASK, CONSTRUCT or DESCRIBE"),
    ("", 1, 1, "it is empty"),
    ("SELECT ?x\nWHERE { ?x dct:title ?t }", 2, 12, "begin with PREFIX dct: <http://purl.org/dc/terms/>"),
    ("SELECT * WHERE { ?s ?p ", 1, 24, "one { is never closed; add }"),
    ("ASK { ?s ?p ?o }}", 1, 17, "there is a } to which no { belongs"),
    ("SELECT ?a, ?b WHERE {?a ?p ?b}", 1, 10, "not by commas"),
    ("SELECT ?s (COUNT(?x) AS ?n) { ?s ?p ?x }", 1, 41, "name it in GROUP BY too"),
    ("SELECT * { ?s a <http://a b> }", 1, 29, "is no IRI"),
    ("SELECT * WHERE { ?s ?p 'a }", 1, 28, "such as a closing quote"),
    ("SELECT * WHERE { ?s ?p ?o } LIMIT x", 1, 35, "does not go on"),
]


@pytest.mark.parametrize(("query", "line", "column", "words"), MISTAKES)
def test_a_mistake_is_told_in_words_with_its_place(query: str, line: int, column: int, words: str) -> None:
    with pytest.raises(SyntaxError) as raised:
        Store().query(query)
    found = told(str(raised.value), query)
    assert (found.line, found.column) == (line, column)
    assert found.sentence.startswith(f"The query cannot be read at line {line}, column {column}: ")
    assert words in found.sentence
    assert "expected" not in found.sentence


def test_what_the_engine_says_in_another_form_is_told_too() -> None:
    assert told("something new", "ASK {}").sentence.startswith("The query cannot be read at line 1, column 7: ")
