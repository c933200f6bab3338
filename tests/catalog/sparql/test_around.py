"""The picture around a node, whatever its name is."""

from __future__ import annotations

import io

import pytest

from catalog.graph.asking import Answer, Question
from catalog.sparql import answering, picture


def test_a_name_with_the_words_of_our_queries_is_asked_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(question: Question, **_: object) -> Answer:
        asked.append(question.query)
        empty = b'{"head": {"vars": []}, "results": {"bindings": []}}'
        return Answer("select", "json", len(empty), "", io.BytesIO(empty))

    monkeypatch.setattr(answering, "answer", answer)
    picture.around("http://e/LABELS/NODE")
    assert len(asked) == 2
    for query in asked:
        assert "<http://e/LABELS/NODE>" in query
        assert "LABELS ?label" not in query
